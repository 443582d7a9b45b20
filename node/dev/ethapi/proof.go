package ethapi

import (
	"context"

	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/stateproof"
)

// getProof is eth_getProof, which is not possible.
func (a *API) getProof(jsonrpc.Raw) (any, error) {
	return nil, &eth.Error{Code: eth.CodeServer, Message: "eth_getProof is not possible on Filecoin, whose state is no Merkle-Patricia trie: fvm_getProof, with the same parameters, proves the same by the blocks of Filecoin's own state"}
}

// provenAt is a proof with the state that it is of.
type provenAt struct {
	StateRoot string            `json:"stateRoot"` // a CID
	Number    eth.Quantity      `json:"blockNumber"`
	Proof     *stateproof.Proof `json:"proof"`
}

// filecoinProof is fvm_getProof: what the state after a block has of an address, and slots of its storage, with the blocks that prove it
// (package stateproof).
func (a *API) filecoinProof(ctx context.Context, who eth.Address, slots []eth.Slot, ref blockParam) (*provenAt, error) {
	b, err := a.read(ref)
	if err != nil {
		return nil, err
	}
	keys := make([]eth.Hash, len(slots))
	for i, s := range slots {
		keys[i] = eth.Hash(s)
	}
	p, err := stateproof.Make(ctx, b.Store(), b.Root, who.Filecoin(), keys)
	if err != nil {
		return nil, err
	}
	return &provenAt{b.Root.String(), eth.Quantity(b.Epoch()), p}, nil
}
