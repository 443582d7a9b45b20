package ethapi

import (
	"bytes"
	"context"
	"slices"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtrace"
)

// accessList is the answer of eth_createAccessList. Filecoin has no access lists, so that naming slots in advance saves no gas: the list says
// what the call touches, and GasUsed what it uses with or without it.
type accessList struct {
	AccessList []ethtrace.Accessed `json:"accessList"`
	GasUsed    eth.Quantity        `json:"gasUsed"`
	Error      string              `json:"error,omitempty"`
}

// createAccessList is eth_createAccessList.
func (a *API) createAccessList(ctx context.Context, args eth.Call, ref blockParam, state stateParam) (*accessList, error) {
	access := ethtrace.NewAccess()
	res, err := a.run(ctx, &args, ref, dev.CallOptions{Next: true, Edit: state.Value.edit(), Hooks: access.Hooks()})
	if res == nil {
		return nil, err
	}
	list, unwatched := access.Take()
	if unwatched != nil {
		return nil, unwatched
	}
	var from eth.Address
	if args.From != nil {
		from = *args.From
	}
	// As with go-ethereum, whom every transaction touches is in the list for its slots only, and precompiles not at all.
	list = slices.DeleteFunc(list, func(x ethtrace.Accessed) bool {
		_, is := precompile(x.Address)
		return is || len(x.StorageKeys) == 0 && (x.Address == from || args.To != nil && bytes.Equal(x.Address[:], args.To[:]) || !x.EVM)
	})
	l := &accessList{AccessList: list, GasUsed: eth.Quantity(res.GasUsed)}
	if err != nil {
		l.Error = err.Error()
	}
	return l, nil
}
