package ethapi

import (
	"context"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/edit"
	"github.com/edgefvm/fvm/node/eth"
)

// stateOverride changes accounts for a call (go-ethereum's form).
type stateOverride map[eth.Address]accountOverride

type accountOverride struct {
	Balance   *eth.Amount           `json:"balance"`
	Nonce     *eth.Quantity         `json:"nonce"`
	Code      *eth.Data             `json:"code"`
	State     map[eth.Slot]eth.Hash `json:"state"`     // all slots
	StateDiff map[eth.Slot]eth.Hash `json:"stateDiff"` // some
	// MovePrecompile is refused: precompiles are in the EVM actor, at the addresses that it has for them.
	MovePrecompile *eth.Address `json:"movePrecompileToAddress"`
}

// edit is the override as a change of a state; nil of none.
func (o stateOverride) edit() dev.EditFunc {
	if len(o) == 0 {
		return nil
	}
	return func(ctx context.Context, b *blockstore.Buffered, root cid.Cid) (cid.Cid, error) {
		e, err := edit.Open(ctx, b, root)
		if err != nil {
			return root, err
		}
		addresses := make([]eth.Address, 0, len(o))
		for a := range o {
			addresses = append(addresses, a)
		}
		slices.SortFunc(addresses, func(x, y eth.Address) int { return slices.Compare(x[:], y[:]) }) // so that new actors have the same ids each time
		for _, a := range addresses {
			x := o[a]
			if err := x.apply(ctx, e, a); err != nil {
				return root, &eth.Error{Code: eth.CodeInvalidParams, Message: fmt.Sprintf("the override of %s: %v", a, err)}
			}
		}
		return e.Flush(ctx)
	}
}

func (x *accountOverride) apply(ctx context.Context, e *edit.Editor, a eth.Address) error {
	at := a.Filecoin()
	if x.MovePrecompile != nil {
		return fmt.Errorf("movePrecompileToAddress is not possible on Filecoin: precompiles are part of the EVM actor's code, which looks for them at their own addresses")
	}
	if x.State != nil && x.StateDiff != nil {
		return fmt.Errorf("it has both state and stateDiff")
	}
	if _, is := precompile(a); is && (x.Code != nil || x.State != nil || x.StateDiff != nil) {
		return fmt.Errorf("it is a precompile's address: the EVM actor runs the precompile there, whatever the state has")
	}
	if x.Code != nil {
		if err := e.SetCode(ctx, at, *x.Code); err != nil {
			return err
		}
	}
	if x.Balance != nil {
		if err := e.SetBalance(ctx, at, abi.TokenAmount{Int: x.Balance.Big()}); err != nil {
			return err
		}
	}
	if x.Nonce != nil {
		if err := e.SetNonce(ctx, at, uint64(*x.Nonce)); err != nil {
			return err
		}
	}
	slots := x.StateDiff
	if x.State != nil {
		slots = x.State
		if err := e.ClearStorage(ctx, at); err != nil {
			return err
		}
	}
	for k, v := range slots {
		if err := e.SetStorage(ctx, at, k, v); err != nil {
			return err
		}
	}
	return nil
}

// precompile tells the addresses of precompiles: Ethereum's from 0x01 on, and Filecoin's 0xfe00…01 to 05 (FIP-0054).
func precompile(a eth.Address) (n byte, is bool) {
	bare := a
	bare[len(a)-1] = 0
	n = a[len(a)-1]
	switch {
	case bare == eth.Address{}:
		return n, n >= 1 && n <= 0x11
	case bare == eth.Address{0: 0xfe}:
		return n, n >= 1 && n <= 5
	}
	return n, false
}
