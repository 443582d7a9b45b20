package edit

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/filecoin-project/go-address"
	netver "github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// A network that is upgraded goes on: contracts keep code and slots in the form of the new actors, others' actors stay, accounts send.
func TestUpgrade(t *testing.T) {
	for _, c := range []struct{ from, to netver.Version }{{18, 25}, {24, 25}, {25, 28}, {28, 29}} {
		t.Run(fmt.Sprintf("nv%d to nv%d", c.from, c.to), func(t *testing.T) {
			w := begin(t, c.from)
			ctx := t.Context()
			w.must(w.SetCode(ctx, eth(1), load))
			w.must(w.SetStorage(ctx, eth(1), word(0), word(5)))
			id, _, err := w.InstallActor(ctx, hello, address.Undef)
			w.must(err)
			w.must(w.Upgrade(ctx, Upgrade{Network: w.g.Network, From: c.from, To: c.to, Epoch: 10}))
			g := *w.g
			g.NetworkVersion, w.g = c.to, &g
			if got, want := w.invoke(eth(1), make([]byte, 32)), word(5); !bytes.Equal(got, want[:]) {
				t.Errorf("slot 0 has %x", got)
			}
			if got := w.send(0, addr.NewID(uint64(id)), 2, nil, 0); string(got) != "ehello" {
				t.Errorf("the actor of other code returns %q", got)
			}
			fresh, _ := w.create(load)
			w.must(w.SetCode(ctx, eth(2), load))
			if w.head(fresh) != w.head(eth(2)) {
				t.Error("a contract made by hand is not one of the new actors")
			}
			version, err := bundle.VersionFor(c.to)
			w.must(err)
			if has, err := w.layout(); err != nil || has != version && c.to != 29 { // version 19 is version 18's code
				t.Errorf("the actors are of version %d, %v", has, err)
			}
		})
	}
}

func TestSwap(t *testing.T) {
	w := begin(t, 28)
	ctx := t.Context()
	set, err := bundle.Open(ctx, bundle.Options{})
	w.must(err)
	w.must(w.SetCode(ctx, eth(1), load))
	w.must(w.SetStorage(ctx, eth(1), word(0), word(5)))
	before, err := w.Code("evm")
	w.must(err)
	b, err := set.Load(ctx, 18, "mainnet", w.base)
	w.must(err)
	w.must(w.Swap(ctx, b, 0))
	if after, err := w.Code("evm"); err != nil || after == before {
		t.Errorf("the EVM actor's code is still %s", after)
	}
	if got, want := w.invoke(eth(1), make([]byte, 32)), word(5); !bytes.Equal(got, want[:]) {
		t.Errorf("slot 0 has %x", got)
	}
	old, err := set.Load(ctx, 17, "mainnet", w.base)
	w.must(err)
	root, err := w.Flush(ctx)
	w.must(err)
	if err := w.Swap(ctx, old, 0); !errors.Is(err, ErrLayout) {
		t.Errorf("actors of version 17: %v", err)
	}
	few := *b
	few.Actors = b.Actors[:5]
	if err := w.Swap(ctx, &few, 18); !errors.Is(err, ErrLayout) {
		t.Errorf("a bundle that lacks actors: %v", err)
	}
	if err := w.Upgrade(ctx, Upgrade{Network: w.g.Network, From: 28, To: 27}); !errors.Is(err, ErrLayout) {
		t.Errorf("backward: %v", err)
	}
	if err := w.Upgrade(ctx, Upgrade{Network: w.g.Network, From: 28, To: 40}); err == nil {
		t.Error("to network version 40")
	}
	if after, err := w.Flush(ctx); err != nil || after != root {
		t.Error("what was refused changed the state")
	}
}
