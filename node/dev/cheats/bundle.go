package cheats

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/node/dev/edit"
)

// bundleOptions are what fvm_installBundle takes: a name such as "v18/mainnet", a CAR in hex, or an object.
type bundleOptions struct {
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
	if (o.Name == "") == (len(o.CAR) == 0) {
		return nil, invalid(`want a bundle: a name such as "v18/mainnet", or a CAR in hex`)
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
	out := &bundleMade{Name: o.Name, Manifest: b.ManifestCID.String(), Actors: map[string]string{}}
	for _, a := range b.Actors {
		out.Actors[a.Name] = a.Code.String()
	}
	return out, nil
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
	set := s.o.Bundles
	if set == nil {
		if set, err = bundle.Open(ctx, bundle.Options{}); err != nil {
			return nil, err
		}
	}
	return set.Load(ctx, version, network, to)
}
