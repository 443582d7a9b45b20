package replay

import (
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain"
)

// Single tipsets, in any order, give what Lotus gave, and only what is kept is in the store.
func TestSingle(t *testing.T) {
	c := load(t, "testdata", "two29")
	o := c.options(t)
	states := blockstore.NewMemory()
	o.Store = states
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	headers := chain.NewStore(c.archive)
	head, err := headers.Head(t.Context(), c.roots)
	if err != nil {
		t.Fatal(err)
	}
	line := chain.NewLine(headers, head)
	genesis, err := line.At(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	kept := blockstore.NewMemory()
	o = Options{Archive: &blockstore.Overlay{Top: states, Base: codes(t, c)}, Store: kept, Network: c.network, Engines: o.Engines}
	pledge := big.Zero()
	if _, err := NewSingle(o, headers, pledge); err == nil || !strings.Contains(err.Error(), "genesis") {
		t.Errorf("without a genesis: %v", err)
	}
	o.Network = c.network.WithGenesis(genesis.CIDs[0], genesis.Timestamp())
	for _, bad := range []Options{{}, {Archive: o.Archive, Store: kept}, {Archive: o.Archive, Store: kept, Network: o.Network}} {
		if _, err := NewSingle(bad, headers, pledge); err == nil {
			t.Errorf("%+v", bad)
		}
	}
	s, err := NewSingle(o, headers, pledge)
	if err != nil {
		t.Fatal(err)
	}
	for n, i := range falling(len(c.wants), 4) {
		w := &c.wants[i]
		ts, err := line.At(t.Context(), w.Epoch)
		if err != nil {
			t.Fatal(err)
		}
		child, err := line.Child(t.Context(), ts)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Execute(t.Context(), line, ts, child)
		if err != nil {
			t.Fatalf("epoch %d: %v", w.Epoch, err)
		}
		judge(t, w, got)
		if len(got.Differences) > 0 || got.Compared != (child != nil) {
			t.Errorf("epoch %d: %+v", w.Epoch, got)
		}
		if n%2 == 0 {
			if err := s.Keep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if ok, err := kept.Has(t.Context(), got.Result.Root); err != nil || ok != (n%2 == 0) {
			t.Errorf("epoch %d: its state is kept: %v, %v", w.Epoch, ok, err)
		}
	}
	if _, err := s.Execute(t.Context(), line, genesis, nil); err == nil {
		t.Error("a genesis was executed")
	}
	// One that does not come to what a child says is a difference.
	ts, err := line.At(t.Context(), c.wants[3].Epoch)
	if err != nil {
		t.Fatal(err)
	}
	lie := *head
	got, err := s.Execute(t.Context(), line, ts, &lie)
	if err != nil || len(got.Differences) == 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// codes is the chain's archive with the actors' code, which that of testdata lacks.
func codes(t *testing.T, c *theirs) blockstore.Blockstore {
	t.Helper()
	r := &run{Options: c.options(t), report: &Report{}}
	r.Store = blockstore.NewMemory()
	if err := r.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.findNetwork(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.prepare()
	return r.state
}
