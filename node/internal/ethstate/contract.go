// Package ethstate is what Ethereum's clients ask of a state of Filecoin: contracts as they see them, and calls of senders that are nobody.
package ethstate

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain/tree"
)

// Account is an actor as Ethereum sees it.
type Account struct {
	ID abi.ActorID
	// Known: there is such an actor. Else all is 0.
	Known   bool
	Balance abi.TokenAmount // attoFIL
	// Nonce is of a contract how many it has created and one, 0 once it is dead; of all others how many messages they have sent.
	Nonce uint64
	// Code is a contract's that is alive; undefined of all others.
	Code cid.Cid
}

// AccountOf is the actor of an address.
func AccountOf(ctx context.Context, t *tree.Tree, a address.Address) (Account, error) {
	none := Account{Balance: big.Zero()}
	id, err := t.ID(ctx, a)
	if errors.Is(err, tree.ErrNotFound) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	st, err := t.Actor(ctx, id)
	if errors.Is(err, tree.ErrNotFound) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	x := Account{ID: id, Known: true, Balance: st.Balance, Nonce: st.Nonce}
	name, err := t.Name(ctx, st.Code)
	if err != nil || name != "evm" {
		return x, err
	}
	return x, x.contract(ctx, t, st.Head)
}

// contract reads an EVM actor's state: [code, hash of it, storage, (since version 16) transient data or null, nonce, tombstone or null].
func (x *Account) contract(ctx context.Context, t *tree.Tree, head cid.Cid) error {
	data, err := t.Block(ctx, head)
	if err != nil {
		return err
	}
	r := cbor.NewReader(data)
	fields := r.Len()
	x.Code = r.CID()
	r.Raw()
	r.Raw()
	if fields > 5 {
		r.Raw()
	}
	x.Nonce = r.Uint()
	if dead := !r.Null(); dead {
		r.Raw()
		x.Nonce, x.Code = 0, cid.Undef
	}
	if err := r.End(); err != nil {
		return fmt.Errorf("%w: the state of the contract f0%d: %w", tree.ErrMalformed, x.ID, err)
	}
	return nil
}
