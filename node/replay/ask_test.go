package replay

import (
	"os"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain"
)

// ask opens a chain.
func (c *theirs) ask(t *testing.T, o Options) *Chain {
	t.Helper()
	x, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close(t.Context()) })
	return x
}

// asked compares what a chain says of tipsets, asked for in some order, with what Lotus made of them, each message by itself too.
func (c *theirs) asked(t *testing.T, x *Chain, order []int) {
	t.Helper()
	for _, i := range order {
		w := &c.wants[i]
		ts, err := x.Line().At(t.Context(), w.Epoch)
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.Execute(t.Context(), ts)
		if err != nil {
			t.Fatalf("epoch %d: %v", w.Epoch, err)
		}
		judge(t, w, got)
		if len(got.Differences) > 0 || got.Compared != (i < len(c.wants)-1) {
			t.Errorf("epoch %d: %+v", w.Epoch, got)
		}
		for n, m := range got.Applied() {
			s, err := x.Step(t.Context(), got, n)
			if err != nil {
				t.Fatalf("epoch %d, message %s: %v", w.Epoch, m.CID, err)
			}
			if s.Message.CID != m.CID || s.Result.GasUsed != w.Messages[n].Gas || int64(s.Result.ExitCode) != w.Messages[n].Exit || s.Before == s.After && s.Result.GasUsed > 0 {
				t.Errorf("epoch %d, message %s: %+v", w.Epoch, m.CID, s)
			}
		}
		last := got.Plan.Rounds[len(got.Plan.Rounds)-1]
		begin, err := x.Begin(t.Context(), ts)
		if err != nil || begin.Root != last.Root || !begin.Supply.Circulating.Equals(last.Supply.Circulating) || begin.Epoch != w.Epoch {
			t.Errorf("epoch %d begins with %+v, %v, want %+v", w.Epoch, begin, err, last)
		}
	}
}

// falling are the places of a list from the last one down, a few at a time; the first is the last.
func falling(n, step int) (list []int) {
	for i := n - 1; i >= 0; i -= step {
		list = append(list, i)
	}
	return list
}

// A tipset that is asked for gives what Lotus gave, wherever it stands: those from above need all below them first.
func TestAsk(t *testing.T) {
	for name, step := range map[string]int{"two29": 3, "real28": 5, "upgrades16": 4} {
		t.Run(name, func(t *testing.T) {
			c := load(t, "testdata", name)
			c.asked(t, c.ask(t, c.options(t)), falling(len(c.wants), step))
		})
	}
}

// The same of whole chains.
func TestAskShared(t *testing.T) {
	if _, err := os.Stat(shared); err != nil {
		t.Skip("SKIPPED: ../shared/chains is not there; testdata has chains of the same kind")
	}
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	for _, name := range []string{"two29", "upgrades16"} {
		t.Run(name, func(t *testing.T) {
			c := load(t, shared, name)
			c.asked(t, c.ask(t, c.options(t)), falling(len(c.wants), 7))
		})
	}
}

// The state at an epoch is what the tipset below it left; above the head it is what the head leaves.
func TestStateAt(t *testing.T) {
	c := load(t, "testdata", "two29")
	x := c.ask(t, c.options(t))
	last := c.wants[len(c.wants)-1]
	check := func(epoch abi.ChainEpoch, want string) {
		t.Helper()
		root, err := x.StateAt(t.Context(), epoch)
		if err != nil || root.String() != want {
			t.Errorf("epoch %d: %v, %v, want %s", epoch, root, err, want)
		}
		if ok, err := x.States().Has(t.Context(), root); !ok || err != nil {
			t.Errorf("epoch %d: the state is there: %v, %v", epoch, ok, err)
		}
	}
	check(last.Epoch+1, last.StateRoot)
	for i, w := range c.wants[:len(c.wants)-1] {
		for at := w.Epoch + 1; at <= c.wants[i+1].Epoch; at++ { // null rounds too
			check(at, w.StateRoot)
		}
	}
	check(last.Epoch+1, last.StateRoot)
	genesis, err := x.StateAt(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	check(1, genesis.String())
	for _, at := range []abi.ChainEpoch{-1, last.Epoch + 2} {
		if _, err := x.StateAt(t.Context(), at); err == nil || !strings.Contains(err.Error(), "39") {
			t.Errorf("epoch %d: %v", at, err)
		}
	}
}

// What was executed on the way is in the store, and is not executed again.
func TestAskGoesOn(t *testing.T) {
	c := load(t, "testdata", "two29")
	o := c.options(t)
	o.Store = blockstore.NewMemory()
	done := 0
	o.OnPlan = func(*chain.Plan) { done++ }
	last := len(c.wants) - 1
	c.asked(t, c.ask(t, o), []int{last - 1})
	if done != last {
		t.Errorf("%d tipsets were executed, of %d", done, last)
	}
	c.asked(t, c.ask(t, o), []int{last - 1, 5, last})
	if done != last+4 { // the one above the last of before needs that again
		t.Errorf("%d more tipsets were executed, want 4", done-last)
	}
}

// What cannot be is an error that says why.
func TestAskErrors(t *testing.T) {
	c := load(t, "testdata", "two29")
	x := c.ask(t, c.options(t))
	ts, err := x.Line().At(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Execute(t.Context(), ts); err == nil || !strings.Contains(err.Error(), "genesis") {
		t.Error(err)
	}
	// A chain that does not come to what it says stops there.
	other := *c.network
	other.Constants.ActorDebugging = !other.Constants.ActorDebugging
	o := c.options(t)
	o.Network = &other
	x = c.ask(t, o)
	if _, err := x.Execute(t.Context(), x.Line().Head()); err == nil || !strings.Contains(err.Error(), "epoch 1,") || !strings.Contains(err.Error(), "want") {
		t.Error(err)
	}
	if _, err := x.Step(t.Context(), &Tipset{Plan: &chain.Plan{}, Result: &fvm.TipsetResult{}}, 0); err == nil {
		t.Error("a message of a tipset without any")
	}
	if _, err := Open(t.Context(), Options{}); err == nil {
		t.Error("no archive")
	}
}
