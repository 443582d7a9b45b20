package edit

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	netver "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/node/chain/migrate"
	"github.com/edgefvm/fvm/node/network"
)

// Upgrade is one of the network's upgrades, made by hand.
type Upgrade struct {
	// Network describes the chain: constants that migrations follow, and by Actors the flavour of the bundles.
	Network *network.Network
	// Bundles has the actors. Default: bundle.Open's.
	Bundles *bundle.Set
	// From is the network's version before, To after it.
	From, To netver.Version
	// Epoch of the block whose state it is.
	Epoch abi.ChainEpoch
}

// ErrLayout is wrapped where actors cannot read the states that there are, and no migration is known.
var ErrLayout = errors.New("actors of another layout")

// Upgrade migrates the state from one network version to a later one, step by step, as nodes do. Actors of other code than the builtin
// ones are not touched.
func (e *Editor) Upgrade(ctx context.Context, u Upgrade) error {
	if u.To <= u.From {
		return fmt.Errorf("%w: from network version %d to %d there is no migration, only forward", ErrLayout, u.From, u.To)
	}
	before, err := bundle.VersionFor(u.From)
	if err != nil {
		return err
	}
	if u.Bundles == nil {
		if u.Bundles, err = bundle.Open(ctx, bundle.Options{}); err != nil {
			return err
		}
	}
	return e.without(ctx, func(root cid.Cid) (cid.Cid, error) {
		for v := u.From + 1; v <= u.To; v++ {
			actors, err := bundle.VersionFor(v)
			if err != nil {
				return cid.Undef, err
			}
			if actors == before {
				continue
			}
			n := *u.Network
			n.Upgrades = []network.Upgrade{{Height: -1, Version: v - 1}}
			n.Constants.Dragon, n.Constants.Tuktuk = u.Epoch, u.Epoch // as on a build whose environment sets the heights
			m := migrate.New(&n, u.Bundles, e.base, migrate.Options{})
			if root, err = m.Migrate(ctx, network.Upgrade{Height: u.Epoch, Version: v, Migrates: true}, root); err != nil {
				return cid.Undef, err
			}
			before = actors
		}
		return root, nil
	})
}

// without does something to the state while actors of other code than the builtin ones are not in it: what migrates does not know them.
func (e *Editor) without(ctx context.Context, do func(root cid.Cid) (cid.Cid, error)) error {
	was, err := e.Flush(ctx) // walks see what is written
	if err != nil {
		return err
	}
	own := map[abi.ActorID]state.ActorState{}
	err = e.tree.ForEach(ctx, func(id abi.ActorID, st *state.ActorState) error {
		if e.Name(st.Code) == "" {
			own[id] = *st
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id := range own {
		if err := e.tree.DeleteActor(id); err != nil {
			return err
		}
	}
	root, err := e.Flush(ctx)
	if err == nil {
		root, err = do(root)
	}
	if err != nil {
		return errors.Join(err, e.load(ctx, was))
	}
	if err := e.load(ctx, root); err != nil {
		return err
	}
	for id, st := range own {
		if err := e.tree.SetActor(id, st); err != nil {
			return err
		}
	}
	return nil
}

// Swap gives all builtin actors the code of a bundle, whose blocks the store must have, and keeps their states. version is that of the
// bundle's layouts; 0: package bundle says. It must be the version of the actors that there are.
func (e *Editor) Swap(ctx context.Context, b *bundle.Bundle, version int) error {
	list, err := e.listOf(ctx, b.ManifestCID)
	if err != nil {
		return err
	}
	if version == 0 {
		version = b.Version
	}
	if version == 0 {
		version, _, _ = bundle.ParseName(bundle.NameOf(list))
	}
	switch has, err := e.layout(); {
	case err != nil:
		return err
	case version == 0:
		return fmt.Errorf("%w: nothing is known of the bundle %s: say which version's states its actors have", ErrLayout, b.ManifestCID)
	case has != 0 && has != version:
		return fmt.Errorf("%w: the states are those of version %d, the bundle's actors are version %d; an upgrade of the network migrates states", ErrLayout, has, version)
	}
	codes := map[string]cid.Cid{}
	for _, a := range b.Actors {
		if has, err := e.base.Has(ctx, a.Code); err != nil || !has {
			return errors.Join(err, fmt.Errorf("the code of %q is not in the store", a.Name))
		}
		codes[a.Name] = a.Code
	}
	if _, err := e.Flush(ctx); err != nil { // walks see what is written
		return err
	}
	next := map[abi.ActorID]state.ActorState{}
	err = e.tree.ForEach(ctx, func(id abi.ActorID, st *state.ActorState) error {
		name := e.Name(st.Code)
		if name == "" {
			return nil
		}
		to := *st
		if to.Code = codes[name]; !to.Code.Defined() {
			return fmt.Errorf("%w: f0%d is an actor of the kind %s, of which the bundle has none", ErrLayout, id, name)
		}
		if id == systemID {
			to.Head = e.put(cbor.AppendCID(cbor.AppendArray(nil, 1), list))
		}
		next[id] = to
		return nil
	})
	if err != nil {
		return err
	}
	for id, st := range next {
		if err := e.tree.SetActor(id, st); err != nil {
			return err
		}
	}
	root, err := e.Flush(ctx)
	if err != nil {
		return err
	}
	return e.load(ctx, root)
}

// layout is the version of the builtin actors' states; 0 if it is not known.
func (e *Editor) layout() (int, error) {
	code, err := e.Code("init")
	if err != nil {
		return 0, err
	}
	known, _ := bundle.CodeOf(code)
	return known.Version, nil
}

// listOf is the list of actors that a manifest has.
func (e *Editor) listOf(ctx context.Context, manifest cid.Cid) (cid.Cid, error) {
	var data []byte
	blk, err := e.base.Get(ctx, manifest)
	if err == nil {
		data = blk.RawData()
	}
	r := cbor.NewReader(data)
	r.Tuple(2)
	version, list := r.Uint(), r.CID()
	if err := errors.Join(err, r.End()); err != nil {
		return cid.Undef, fmt.Errorf("the manifest %s: %w", manifest, err)
	}
	if version != 1 {
		return cid.Undef, fmt.Errorf("the manifest %s has version %d, not 1", manifest, version)
	}
	return list, nil
}
