package shadow

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// actors names the bundle of actors that the state is run by, and sees to it that the blocks hold all other code that
// ran. An engine reads code only once in its life, so what was read does not tell.
func (s *scene) actors(ctx context.Context) (string, error) {
	manifest, name, err := s.manifest(ctx)
	if err != nil {
		return "", fmt.Errorf("the bundle's actors: %w", err)
	}
	codes := map[cid.Cid]bool{}
	for _, l := range s.lanes {
		if l.m == nil {
			continue
		}
		list := [][]trace.Event{l.out.trace}
		for _, o := range s.again[l] {
			list = append(list, o.trace)
		}
		for _, events := range list {
			for _, e := range events {
				if i, ok := e.(*trace.Invoke); ok {
					codes[i.Code] = true
				}
			}
		}
	}
	if name == vector.NoBundle {
		// What makes accounts on the way is not traced in every era.
		for _, c := range []cid.Cid{manifest.Account(), manifest.Placeholder(), manifest.EthAccount()} {
			codes[c] = c.Defined()
		}
	} else {
		for _, c := range manifest.Codes() {
			delete(codes, c)
			delete(s.read, c)
		}
	}
	for c, wanted := range codes {
		if !wanted {
			continue
		}
		switch b, err := s.store.Get(ctx, c); {
		case err == nil:
			s.read[c] = b
		case !format.IsNotFound(err): // an actor's code may be missing: then that is what happened
			return "", fmt.Errorf("the code %s: %w", c, err)
		}
	}
	return name, nil
}

// manifest is the state's list of builtin actors, with the name of the bundle that it is of.
func (s *scene) manifest(ctx context.Context) (*actors.Manifest, string, error) {
	m, err := s.fresh(ctx, s.expected, s.pre, &blockstore.Overlay{Top: blockstore.NewMemory(), Base: s.store})
	if err != nil {
		return nil, "", err
	}
	system, err := address.NewIDAddress(0)
	if err != nil {
		return nil, "", err
	}
	_, st, err := m.m.Actor(ctx, system)
	if err != nil {
		return nil, "", err
	}
	if st == nil {
		return nil, "", fmt.Errorf("there is no system actor")
	}
	head, err := s.store.Get(ctx, st.Head)
	if err != nil {
		return nil, "", err
	}
	r := cbor.NewReader(head.RawData())
	r.Tuple(1)
	list := r.CID()
	if err := r.End(); err != nil {
		return nil, "", err
	}
	manifest, err := actors.ReadManifest(ctx, blockstore.NewBuffered(s.store), list, actors.Required()...)
	name := bundle.NameOf(list)
	if name == "" {
		name = vector.NoBundle
	}
	return manifest, name, err
}
