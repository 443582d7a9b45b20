package migrate

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/node/chain/tree"
)

type epoch = abi.ChainEpoch

// swap gives all actors the code that a bundle has under the names of theirs, and the system actor the bundle's list.
func (m *Migrator) swap(ctx context.Context, root cid.Cid, to *bundle.Bundle) (cid.Cid, error) {
	in, err := tree.Load(ctx, m.store, root)
	if err != nil {
		return cid.Undef, err
	}
	list, err := m.listOf(ctx, to.ManifestCID)
	if err != nil {
		return cid.Undef, err
	}
	codes := map[string]cid.Cid{}
	for _, a := range to.Actors {
		codes[a.Name] = a.Code
	}
	buf := blockstore.NewBuffered(m.store)
	out, err := state.Load(ctx, buf, root, state.Versions()...)
	if err != nil {
		return cid.Undef, err
	}
	err = out.ForEach(ctx, func(id abi.ActorID, st *state.ActorState) error {
		name, err := in.Name(ctx, st.Code)
		if err != nil {
			return err
		}
		code, ok := codes[name]
		if !ok {
			return fmt.Errorf("actor f0%d: its code %s has no place in the bundle %s", id, st.Code, to.ManifestCID)
		}
		if id != abi.ActorID(tree.System) && code.Equals(st.Code) {
			return nil
		}
		next := *st
		next.Code = code
		if id == tree.System {
			head := cbor.AppendCID(cbor.AppendArray(nil, 1), list)
			if next.Head, err = put(ctx, m.store, head); err != nil {
				return err
			}
		}
		return out.SetActor(id, next)
	})
	if err != nil {
		return cid.Undef, err
	}
	next, err := out.Flush(ctx)
	if err != nil {
		return cid.Undef, err
	}
	return next, buf.Flush(ctx, next)
}

// listOf is the CID of the list of actors that a manifest has.
func (m *Migrator) listOf(ctx context.Context, manifest cid.Cid) (cid.Cid, error) {
	blk, err := m.store.Get(ctx, manifest)
	if err != nil {
		return cid.Undef, fmt.Errorf("the manifest of actors: %w", err)
	}
	r := cbor.NewReader(blk.RawData())
	r.Tuple(2)
	version, list := r.Uint(), r.CID()
	if err := r.End(); err != nil {
		return cid.Undef, fmt.Errorf("the manifest %s: %w", manifest, err)
	}
	if version != 1 {
		return cid.Undef, fmt.Errorf("the manifest %s has version %d: want 1", manifest, version)
	}
	return list, nil
}

func put(ctx context.Context, s blockstore.Blockstore, data []byte) (cid.Cid, error) {
	c, err := abi.CidBuilder.Sum(data)
	if err != nil {
		return cid.Undef, err
	}
	blk, err := blocks.NewBlockWithCid(data, c)
	if err != nil {
		return cid.Undef, err
	}
	return c, s.Put(ctx, blk)
}
