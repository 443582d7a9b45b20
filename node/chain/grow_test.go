package chain

import (
	"context"
	"errors"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/blockstore"
)

// same compares a line with one that walked all the way itself.
func same(t *testing.T, what string, l *Line, head *Tipset, from abi.ChainEpoch) {
	t.Helper()
	want := NewLine(l.store, head)
	for e := from; e <= head.Height(); e++ {
		x, err := want.At(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := l.At(t.Context(), e)
		if err != nil || got.Key() != x.Key() {
			t.Errorf("%s: epoch %d: %v, %v, want %v", what, e, got, err, x)
		}
	}
	if l.Head() != head {
		t.Errorf("%s: another head", what)
	}
}

// A line that grew is the line of its head: on the same chain, on a fork, and where only the parting tipset differs.
func TestGrow(t *testing.T) {
	w := newWorld(t)
	w.mineAt(0, 1, 2, 4, 5, 7)
	old := NewLine(w.store, w.head)
	if err := old.Extend(t.Context(), 1, nil); err != nil {
		t.Fatal(err)
	}
	grow := func(what string, head *Tipset, deepest abi.ChainEpoch) *Line {
		t.Helper()
		l, err := old.Grow(t.Context(), head)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if l.Deepest() != deepest {
			t.Errorf("%s: it reaches %d, want %d", what, l.Deepest(), deepest)
		}
		same(t, what, l, head, 0)
		return l
	}
	grow("the same head", w.head, 1)
	grow("an older head", w.tips[4], 1)
	grow("the deepest as head", w.tips[1], 1)
	grow("below the deepest", w.tips[0], 0)
	w.mineAt(8, 11)
	grow("above", w.head, 1)
	// A fork at 4, with other tickets.
	w.head = w.tips[4]
	w.mine(w.header(6, "fork"))
	w.mine(w.header(9, "fork"))
	grow("a fork", w.head, 1)
	// Two blocks at 5, the first of which is the old chain's only one.
	w.head = w.tips[4]
	other := w.header(5, "ticket")
	other.Miner = id(t, theMiner+1)
	one := w.header(5, "ticket")
	both, err := NewTipset([]*Header{one, other})
	if err != nil {
		t.Fatal(err)
	}
	w.mine(one, other)
	w.mine(w.header(6, "both"))
	l := grow("a wider tipset", w.head, 1)
	if got, err := l.At(t.Context(), 5); err != nil || got.Key() != both.Key() {
		t.Errorf("at 5 stands %v, %v", got, err)
	}
	// Another chain altogether.
	w.head = nil
	w.mine(w.header(0, "elsewhere"))
	w.mine(w.header(3, "elsewhere"))
	grow("another chain", w.head, 0)
}

// A block that was missing may come.
func TestGrowAfterAnError(t *testing.T) {
	w := newWorld(t)
	w.mineAt(0, 1, 2, 4)
	gone, err := w.blocks.Get(t.Context(), w.tips[1].CIDs[0])
	if err != nil {
		t.Fatal(err)
	}
	hidden := hiding{w.blocks, gone.Cid().KeyString(), true}
	l := NewLine(NewStore(&hidden), w.head)
	if err := l.Extend(t.Context(), 0, nil); err == nil {
		t.Fatal("it went past a missing block")
	}
	hidden.on = false
	if l, err = l.Grow(t.Context(), w.head); err != nil {
		t.Fatal(err)
	}
	same(t, "when it came", l, w.head, 0)
}

// Tipsets are visited upwards, each with its child, until somebody has enough.
func TestTipsets(t *testing.T) {
	w := newWorld(t)
	w.mineAt(0, 1, 4, 5)
	l := NewLine(w.store, w.head)
	var seen []abi.ChainEpoch
	err := l.Tipsets(t.Context(), 2, func(ts, child *Tipset) error {
		seen = append(seen, ts.Height())
		if (child == nil) != (ts.Height() == 5) || child != nil && child.Parents() != ts.Key() {
			t.Errorf("the child of %d: %v", ts.Height(), child)
		}
		return nil
	})
	if err != nil || len(seen) != 2 || seen[0] != 4 || seen[1] != 5 {
		t.Error(seen, err)
	}
	stop := errors.New("enough")
	if err := l.Tipsets(t.Context(), 0, func(*Tipset, *Tipset) error { return stop }); err != stop {
		t.Error(err)
	}
	if err := l.Tipsets(t.Context(), 9, nil); err == nil {
		t.Error("above the head")
	}
}

// hiding is a store that lacks a block for a while.
type hiding struct {
	blockstore.Blockstore
	key string
	on  bool
}

func (h *hiding) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if h.on && c.KeyString() == h.key {
		return nil, format.ErrNotFound{Cid: c}
	}
	return h.Blockstore.Get(ctx, c)
}
