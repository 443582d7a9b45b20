package dev_test

import (
	"errors"
	"math"
	"testing"

	fbig "github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/eth"
)

func snapshot(t testing.TB, n *devtest.Net) uint64 {
	t.Helper()
	id, err := n.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func revert(t testing.TB, n *devtest.Net, id uint64, want bool) {
	t.Helper()
	if ok, err := n.Revert(t.Context(), id); err != nil || ok != want {
		t.Errorf("reverting to %d: %v, %v; want %v", id, ok, err, want)
	}
}

// A snapshot is used up by going back to it, and takes the later ones with it. Blocks, receipts, state, time and pool are as they were.
func TestSnapshot(t *testing.T) {
	n := devtest.New(t)
	n.SendTransaction(t, transfer(t, n, func(*eth.Call) {}))
	before, balance := n.Latest(), n.Balance(t, n.Account(1).F410)
	first := snapshot(t, n)
	sent := n.SendTransaction(t, transfer(t, n, func(*eth.Call) {}))
	second := snapshot(t, n)
	if _, err := n.IncreaseTime(1000); err != nil {
		t.Fatal(err)
	}
	n.Blocks(t, 5)
	if _, err := n.SubmitTransaction(t.Context(), transfer(t, n, func(c *eth.Call) { c.Nonce = quantity(9) })); err != nil {
		t.Fatal(err)
	}
	third := snapshot(t, n)
	revert(t, n, first, true)
	if n.Latest() != before || n.Balance(t, n.Account(1).F410).Cmp(balance) != 0 || len(n.Pool()) != 0 {
		t.Errorf("epoch %d, %d messages wait", n.Latest().Epoch(), len(n.Pool()))
	}
	if _, _, ok := n.Node.Transaction(sent.Hash); ok || n.BlockByHash(sent.Block.Hash) != nil || n.BlockByCID(sent.Block.CID()) != nil {
		t.Error("what was reverted is still found")
	}
	for _, id := range []uint64{first, second, third, 0, 99} {
		revert(t, n, id, false)
	}
	// Whoever still has the reverted block hears that it is gone, or reads what is left of it.
	if _, err := n.Node.Balance(t.Context(), sent.Block, n.Account(1).F410); !errors.Is(err, dev.ErrReverted) {
		t.Errorf("%v", err)
	}
	if b := n.Blocks(t, 1); b.Epoch() != before.Epoch()+1 || b.Timestamp() != before.Timestamp() {
		t.Errorf("the next block is at epoch %d, %d seconds later", b.Epoch(), b.Timestamp()-before.Timestamp())
	}
	if again := snapshot(t, n); again <= third {
		t.Errorf("the id %d is used again", again)
	}
}

// A snapshot knows which state it was taken of, edits before and after it included.
func TestSnapshotOfEdit(t *testing.T) {
	n := devtest.New(t)
	n.Blocks(t, 1)
	a := n.Account(0)
	has := n.Balance(t, a.F410)
	edit := func() {
		t.Helper()
		if err := n.Edit(t.Context(), addBalance(a.EthID, 5)); err != nil {
			t.Fatal(err)
		}
	}
	more := func(by int64) {
		t.Helper()
		if got := n.Balance(t, a.F410); got.Cmp(fbig.Add(fbig.Int{Int: has}, fbig.NewInt(by)).Int) != 0 {
			t.Errorf("it has %s, want %s and %d", got, has, by)
		}
	}
	first := snapshot(t, n)
	edit()
	second := snapshot(t, n)
	edit()
	n.Blocks(t, 2)
	more(10)
	revert(t, n, second, true)
	more(5)
	n.Blocks(t, 1) // the edited state is executed on
	more(5)
	revert(t, n, first, true)
	more(0)
	if n.Latest().Edited() {
		t.Error("it is still edited")
	}
	n.Blocks(t, 1)
}

func TestRollback(t *testing.T) {
	n := devtest.New(t)
	n.Blocks(t, 3)
	at := n.Latest()
	id := snapshot(t, n)
	n.Blocks(t, 2)
	later := snapshot(t, n)
	b, err := n.Rollback(t.Context(), 2)
	if err != nil || b != at || n.Latest() != at {
		t.Fatalf("%v %v", b, err)
	}
	revert(t, n, later, false)
	revert(t, n, id, true)
	for _, blocks := range []int{-1, 4, math.MaxInt} {
		if _, err := n.Rollback(t.Context(), blocks); err == nil {
			t.Errorf("%d blocks were taken off", blocks)
		}
	}
	if b, err = n.Rollback(t.Context(), 3); err != nil || b.Epoch() != 0 {
		t.Errorf("%v %v", b, err)
	}
}

// The chain that replaces another has the same messages at the same epochs, or not; its blocks are others.
func TestReorg(t *testing.T) {
	n := devtest.New(t)
	one := n.SendTransaction(t, transfer(t, n, func(*eth.Call) {}))
	two := n.SendTransaction(t, transfer(t, n, func(*eth.Call) {}))
	events := n.Subscribe(0)
	defer events.Close()
	b, err := n.Reorg(t.Context(), dev.ReorgOptions{Depth: 2})
	if err != nil {
		t.Fatal(err)
	}
	if b.Epoch() != 2 || b.Hash == two.Block.Hash || b.Timestamp() != two.Block.Timestamp() || n.BlockByHash(two.Block.Hash) != nil {
		t.Errorf("epoch %d, hash %s", b.Epoch(), b.Hash)
	}
	for _, s := range []devtest.Sent{one, two} {
		at, i, ok := n.Node.Transaction(s.Hash)
		if !ok || at.Epoch() != s.Block.Epoch() || at.Hash == s.Block.Hash || at.Messages[i].Result.GasUsed != s.Result.GasUsed {
			t.Errorf("message %s: %v", s.Hash, ok)
		}
	}
	var seen []string
	for range 4 {
		switch e := <-events.Events(); {
		case e.Reverted != nil:
			seen = append(seen, "-"+e.Reverted.Epoch().String())
		case e.Block != nil:
			seen = append(seen, "+"+e.Block.Epoch().String())
		}
	}
	if got := seen[0] + seen[1] + seen[2] + seen[3]; got != "-2-1+1+2" {
		t.Errorf("events %v", seen)
	}
	if r := replayed(t, n); !r.Good() {
		t.Errorf("%+v", r.Failure)
	}
	if b, err = n.Reorg(t.Context(), dev.ReorgOptions{Depth: 1, Drop: true}); err != nil || len(b.Messages) != 0 || b.Epoch() != 2 {
		t.Errorf("%+v %v", b, err)
	}
	if _, _, ok := n.Node.Transaction(two.Hash); ok {
		t.Error("the message that was dropped is still there")
	}
	if _, err := n.Reorg(t.Context(), dev.ReorgOptions{Depth: 3}); err == nil {
		t.Error("the genesis was replaced")
	}
}

func TestReset(t *testing.T) {
	n := devtest.New(t)
	first := n.Latest()
	if err := n.Edit(t.Context(), addBalance(n.Account(0).EthID, 5)); err != nil {
		t.Fatal(err)
	}
	n.Impersonate(n.Account(0).F410)
	n.Blocks(t, 4)
	id := snapshot(t, n)
	if err := n.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n.Latest().Root != first.Root || n.Latest().Hash != first.Hash || n.Len() != 1 || n.Impersonated(n.Account(0).F410) {
		t.Errorf("epoch %d, root %s", n.Latest().Epoch(), n.Latest().Root)
	}
	revert(t, n, id, false)
	if code, err := n.Code(t.Context(), n.Latest(), eth.Address(n.Genesis().Create2.Eth).Filecoin()); err != nil || len(code) != 69 {
		t.Errorf("the deployer has %d bytes of code, %v", len(code), err)
	}
	n.Blocks(t, 1)
}

// Snapshots that nobody goes back to are bounded, the oldest go first.
func TestSnapshotBound(t *testing.T) {
	n := devtest.New(t, dev.Options{Snapshots: 3})
	var ids []uint64
	for range 5 {
		ids = append(ids, snapshot(t, n))
	}
	revert(t, n, ids[1], false)
	revert(t, n, ids[2], true)
}

// Tests on one chain do not see each other's blocks.
func TestIsolate(t *testing.T) {
	n := devtest.New(t)
	at := n.Deploy(t, 0, devtest.Token())
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) {
			n.Isolate(t)
			if got := n.Latest().Epoch(); got != 1 {
				t.Errorf("it begins at epoch %d", got)
			}
			n.Send(t, 0, eth.Call{To: &at, Input: devtest.Transfer(n.Account(1).Eth, 3)})
			if got := n.Read(t, eth.Call{To: &at, Input: devtest.BalanceOf(n.Account(1).Eth)}); got[31] != 3 {
				t.Errorf("balance %x", got)
			}
		})
	}
}

// What runs ends when its context does, and leaves nothing.
func TestCancelled(t *testing.T) {
	n := devtest.New(t)
	ctx, cancel := withCancel(t)
	cancel()
	if _, err := n.Mine(ctx, dev.MineOptions{Blocks: 5}); !errors.Is(err, errCancelled) {
		t.Errorf("%v", err)
	}
	if _, err := n.SubmitTransaction(ctx, transfer(t, n, func(*eth.Call) {})); !errors.Is(err, errCancelled) {
		t.Errorf("%v", err)
	}
	if n.Len() != 1 || len(n.Pool()) != 0 {
		t.Errorf("%d blocks, %d wait", n.Len(), len(n.Pool()))
	}
	// The node goes on.
	n.SendTransaction(t, transfer(t, n, func(*eth.Call) {}))
}
