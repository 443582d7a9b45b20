package chain

import (
	"errors"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/vm/crypto"
)

// A chain with null rounds: tipsets at 0, 1, 4, 5 and 30, seen from 30.
func TestLookups(t *testing.T) {
	w := newWorld(t)
	for _, h := range []abi.ChainEpoch{0, 1, 4, 5, 30} {
		b := w.header(h, "ticket of "+h.String())
		b.BeaconEntries = nil
		if h != 5 && h > 0 {
			b.BeaconEntries = []BeaconEntry{{uint64(h) + 99, []byte("before " + h.String())}, {uint64(h) + 100, []byte(h.String())}}
		}
		w.mine(b)
	}
	v := w.view()
	for _, c := range []struct {
		epoch       abi.ChainEpoch
		from, until abi.ChainEpoch // -1: an error
	}{
		{-5, 0, -1}, {0, 0, 0}, {1, 1, 1}, {2, 4, 1}, {3, 4, 1}, {4, 4, 4}, {5, 5, 5}, {6, 30, 5}, {29, 30, 5}, {30, 30, 30}, {31, -1, -1},
	} {
		check := func(what string, got *Tipset, err error, want abi.ChainEpoch) {
			if want < 0 {
				if !errors.Is(err, ErrTipset) {
					t.Errorf("%s %d: %v, want an error that all nodes have", what, c.epoch, err)
				}
			} else if err != nil || got.Height() != want {
				t.Errorf("%s %d: %v, %v, want %d", what, c.epoch, got, err, want)
			}
		}
		got, err := v.From(t.Context(), c.epoch)
		check("from", got, err, c.from)
		got, err = v.Until(t.Context(), c.epoch)
		check("until", got, err, c.until)
		d, err := v.ChainRandomness(t.Context(), c.epoch)
		if c.from >= 0 && (err != nil || d != crypto.Blake2b256([]byte("ticket of "+c.from.String()))) {
			t.Errorf("the ticket of %d: %x, %v", c.epoch, d, err)
		}
	}
	x := w.externs() // whose beacon has the round epoch+100
	for _, c := range []struct {
		epoch abi.ChainEpoch
		data  string // "": an error
	}{{1, "1"}, {4, "4"}, {3, "before 4"}, {5, ""}, {29, "before 30"}, {30, "30"}, {2, ""}, {0, "before 1"}, {31, ""}} {
		d, err := x.BeaconRandomness(t.Context(), c.epoch)
		if c.epoch == 0 {
			// Genesis has no entries, and nothing is looked for above it.
			if err == nil || externs.IsNodeFailure(err) {
				t.Errorf("the beacon at 0: %v", err)
			}
			continue
		}
		if c.data == "" {
			if err == nil || externs.IsNodeFailure(err) {
				t.Errorf("the beacon at %d: %x, %v, want an error that all nodes have", c.epoch, d, err)
			}
		} else if err != nil || d != crypto.Blake2b256([]byte(c.data)) {
			t.Errorf("the beacon at %d: %x, %v", c.epoch, d, err)
		}
	}
	want, err := w.tips[5].Key().CID()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := x.TipsetCID(t.Context(), 17); err != nil || !got.Equals(want) {
		t.Errorf("the tipset of 17: %v, %v", got, err)
	}
	if _, err := x.TipsetCID(t.Context(), 31); !externs.IsNodeFailure(err) {
		t.Errorf("the tipset of 31: %v", err)
	}
}

// Counting and walking back stop where the archive ends.
func TestLine(t *testing.T) {
	w := newWorld(t)
	w.mineAt(0, 1, 4, 5, 30)
	l := NewLine(w.store, w.head)
	for _, c := range []struct {
		first, last abi.ChainEpoch
		n           int
	}{{1, 30, 4}, {0, 30, 5}, {2, 4, 1}, {2, 3, 0}, {5, 5, 1}, {6, 100, 1}, {4, 29, 2}, {9, 3, 0}} {
		if n, err := l.Count(t.Context(), c.first, c.last); err != nil || n != c.n {
			t.Errorf("%d to %d: %d, %v, want %d", c.first, c.last, n, err, c.n)
		}
	}
	if c, err := l.Child(t.Context(), w.tips[5]); err != nil || c.Height() != 30 {
		t.Errorf("the child of 5: %v, %v", c, err)
	}
	if c, err := l.Child(t.Context(), w.head); err != nil || c != nil {
		t.Errorf("the child of the head: %v, %v", c, err)
	}
	cut := newWorld(t)
	cut.mineAt(7, 9, 12) // whose first block's parent is nowhere
	l = NewLine(cut.store, cut.head)
	if err := l.Extend(t.Context(), 0, nil); err == nil {
		t.Error("it went below the last block")
	}
	if ts, err := l.At(t.Context(), 8); err != nil || ts.Height() != 9 {
		t.Errorf("what is there is not found after that: %v, %v", ts, err)
	}
}
