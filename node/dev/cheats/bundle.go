package cheats

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	netver "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/node/dev/edit"
)

// bundleOptions are what fvm_installBundle takes: a name such as "v18/mainnet", a CAR in hex, or an object.
type bundleOptions struct {
	// Network is a network version to upgrade to: its actors are those of the chain's flavour, and states are migrated.
	Network Uint   `json:"networkVersion"`
	Name    string `json:"name"`
	CAR     Data   `json:"car"`
	Version int    `json:"version"` // whose states the actors of a CAR have, where the CAR is not known
}

func (o *bundleOptions) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		s, err := textOf(b)
		if err != nil {
			return err
		}
		if strings.HasPrefix(s, "0x") {
			return o.CAR.UnmarshalJSON(b)
		}
		o.Name = s
		return nil
	}
	type plain bundleOptions
	return json.Unmarshal(b, (*plain)(o))
}

type bundleMade struct {
	Name     string            `json:"name"`
	Manifest string            `json:"manifest"`
	Actors   map[string]string `json:"actors"` // code by name
}

// installBundle gives the builtin actors other code.
func (s *server) installBundle(ctx context.Context, o bundleOptions) (*bundleMade, error) {
	given := 0
	for _, is := range []bool{o.Name != "", len(o.CAR) > 0, o.Network > 0} {
		if is {
			given++
		}
	}
	if given != 1 {
		return nil, invalid(`want one of a bundle's name such as "v18/mainnet", a CAR in hex, and a network version to upgrade to`)
	}
	if o.Network > 0 {
		return s.upgrade(ctx, o.Network)
	}
	var b *bundle.Bundle
	err := s.n.Edit(ctx, func(ctx context.Context, buf *blockstore.Buffered, root cid.Cid) (cid.Cid, error) {
		var err error
		if b, err = s.bundle(ctx, o, buf); err != nil {
			return cid.Undef, invalid("%v", err)
		}
		e, err := edit.Open(ctx, buf, root)
		if err != nil {
			return cid.Undef, err
		}
		if err := e.Swap(ctx, b, o.Version); err != nil {
			return cid.Undef, err
		}
		return e.Flush(ctx)
	})
	if err != nil {
		return nil, wrong(err)
	}
	return madeOf(o.Name, b), nil
}

func madeOf(name string, b *bundle.Bundle) *bundleMade {
	out := &bundleMade{Name: name, Manifest: b.ManifestCID.String(), Actors: map[string]string{}}
	for _, a := range b.Actors {
		out.Actors[a.Name] = a.Code.String()
	}
	return out
}

// upgrade migrates the state, and the next block is of the new network version.
func (s *server) upgrade(ctx context.Context, version Uint) (*bundleMade, error) {
	const most = 1 << 10
	to, now := netver.Version(min(version, most)), s.n.Version(s.n.Latest().Epoch()+1)
	if to <= now {
		return nil, invalid("the network version is %d: an upgrade to %d is none", now, to)
	}
	actors, err := bundle.VersionFor(to)
	if err != nil {
		return nil, invalid("%v", err)
	}
	set, err := s.bundles(ctx)
	if err != nil {
		return nil, err
	}
	err = s.n.Upgrade(ctx, to, func(ctx context.Context, _ *blockstore.Buffered, root cid.Cid) (cid.Cid, error) {
		e, err := edit.Open(ctx, s.n.Blocks(), root) // migrations read and write with several goroutines
		if err != nil {
			return cid.Undef, err
		}
		u := edit.Upgrade{Network: s.n.Network(), Bundles: set, From: now, To: to, Epoch: s.n.Latest().Epoch()}
		if err := e.Upgrade(ctx, u); err != nil {
			return cid.Undef, invalid("%v", err)
		}
		return e.Flush(ctx)
	})
	if err != nil {
		return nil, wrong(err)
	}
	name := s.n.Network().Actors
	b, err := set.Load(ctx, actors, name, blockstore.NewMemory())
	if err != nil {
		return nil, err
	}
	return madeOf(fmt.Sprintf("v%d/%s", actors, name), b), nil
}

func (s *server) bundles(ctx context.Context) (*bundle.Set, error) {
	if s.o.Bundles != nil {
		return s.o.Bundles, nil
	}
	return bundle.Open(ctx, bundle.Options{})
}

// bundle loads one into a store.
func (s *server) bundle(ctx context.Context, o bundleOptions, to blockstore.Blockstore) (*bundle.Bundle, error) {
	if o.Name == "" {
		return bundle.LoadCAR(ctx, bytes.NewReader(o.CAR), to)
	}
	version, network, err := bundle.ParseName(o.Name)
	if err != nil {
		return nil, err
	}
	set, err := s.bundles(ctx)
	if err != nil {
		return nil, err
	}
	return set.Load(ctx, version, network, to)
}
