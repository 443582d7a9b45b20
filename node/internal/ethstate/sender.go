package ethstate

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/node/chain/tree"
)

// Present is a state in which an address has an actor: the same one if it has, else one with an account for a key, or a placeholder for
// an f4 address, without a balance. An ID that nobody has stays nobody's. What is new goes into the store.
func Present(ctx context.Context, store blockstore.Blockstore, root cid.Cid, a address.Address) (cid.Cid, error) {
	t, err := tree.Load(ctx, store, root)
	if err != nil || a.Protocol() == address.ID {
		return root, err
	}
	if _, err = t.ID(ctx, a); !errors.Is(err, tree.ErrNotFound) {
		return root, err
	}
	kind, head := "account", cbor.AppendBytes(cbor.AppendArray(nil, 1), a.Bytes())
	actor := state.ActorState{Balance: big.Zero()}
	if a.Protocol() == address.Delegated {
		kind, head = "placeholder", cbor.AppendArray(nil, 0)
		actor.Delegated = &a
	}
	if actor.Code, err = codeOf(ctx, t, kind); err != nil {
		return root, err
	}
	if actor.Head, err = abi.CidBuilder.Sum(head); err != nil {
		return root, err
	}
	blk, err := blocks.NewBlockWithCid(head, actor.Head)
	if err != nil {
		return root, err
	}
	if err := store.Put(ctx, blk); err != nil {
		return root, err
	}
	return with(ctx, store, root, a, actor)
}

// with is a state with one more actor.
func with(ctx context.Context, store blockstore.Blockstore, root cid.Cid, a address.Address, actor state.ActorState) (cid.Cid, error) {
	buf := blockstore.NewBuffered(store)
	t, err := state.Load(ctx, buf, root, state.Versions()...)
	if err != nil {
		return root, err
	}
	id, err := t.RegisterNewAddress(ctx, a)
	if err != nil {
		return root, err
	}
	if err := t.SetActor(id, actor); err != nil {
		return root, err
	}
	if root, err = t.Flush(ctx); err != nil {
		return root, err
	}
	return root, buf.Flush(ctx, root)
}

// codeOf is the code of a builtin actor in a state.
func codeOf(ctx context.Context, t *tree.Tree, kind string) (cid.Cid, error) {
	codes, err := t.Codes(ctx)
	if err != nil {
		return cid.Undef, err
	}
	for _, c := range codes {
		if name, err := t.Name(ctx, c); err != nil || name == kind {
			return c, err
		}
	}
	return cid.Undef, fmt.Errorf("the state has no actor %q", kind)
}
