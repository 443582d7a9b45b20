package dev_test

import (
	"context"
	"errors"
	"testing"

	"github.com/filecoin-project/go-address"
	fbig "github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/eth"
)

// An edit changes the state of the latest block, whose hash stays; the head says the new state.
func TestEdit(t *testing.T) {
	n := devtest.New(t)
	b := n.Blocks(t, 2)
	before := n.Balance(t, n.Account(0).F410)
	old, err := n.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Edit(t.Context(), addBalance(n.Account(0).EthID, 7)); err != nil {
		t.Fatal(err)
	}
	now := n.Latest()
	if now.Hash != b.Hash || now.Root == b.Root || now.Executed != b.Root || !now.Edited() || b.Edited() {
		t.Errorf("%+v", now)
	}
	if got := n.Balance(t, n.Account(0).F410); got.Cmp(fbig.Add(fbig.Int{Int: before}, fbig.NewInt(7)).Int) != 0 {
		t.Errorf("it has %s", got)
	}
	head, err := n.Head(t.Context())
	if err != nil || head == old || head.ParentStateRoot() != now.Root {
		t.Errorf("%+v %v", head, err)
	}
	if next := n.Blocks(t, 1); next.Tipset.ParentStateRoot() != now.Root {
		t.Error("the next block stands on another state")
	}
}

// An edit that fails, or leaves no state that can be executed on, changes nothing.
func TestEditFails(t *testing.T) {
	n := devtest.New(t)
	b := n.Latest()
	bad := errors.New("bad")
	for name, f := range map[string]func(context.Context, *blockstore.Buffered, cid.Cid) (cid.Cid, error){
		"an error": func(_ context.Context, _ *blockstore.Buffered, root cid.Cid) (cid.Cid, error) { return root, bad },
		"no root":  func(context.Context, *blockstore.Buffered, cid.Cid) (cid.Cid, error) { return cid.Undef, nil },
		"no state": func(context.Context, *blockstore.Buffered, cid.Cid) (cid.Cid, error) { return b.Receipts, nil },
		"a root that nobody has": func(context.Context, *blockstore.Buffered, cid.Cid) (cid.Cid, error) {
			return cid.MustParse("bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2"), nil
		},
	} {
		if err := n.Edit(t.Context(), f); err == nil {
			t.Errorf("%s: no error", name)
		}
		if n.Latest() != b {
			t.Errorf("%s: the block was replaced", name)
		}
	}
	n.Blocks(t, 1)
}

// An account that is impersonated sends as it would with its key: it pays and its nonce counts. A contract sends too, pays nothing, and
// stays a contract with its own nonce.
func TestImpersonate(t *testing.T) {
	n := devtest.New(t)
	at := n.Deploy(t, 0, devtest.Token())
	contract := at.Filecoin()
	n.Send(t, 0, eth.Call{To: &at, Input: devtest.Transfer(at, 50)}) // tokens for the contract itself
	to := n.Account(4).Eth
	move := func(from address.Address, fee int64) *fvm.Message {
		m := message(t, eth.Call{To: &at, Input: devtest.Transfer(to, 5)})
		m.From, m.GasLimit, m.GasFeeCap = from, 20_000_000, fbig.NewInt(fee)
		return m
	}
	if _, err := n.Submit(t.Context(), move(contract, 1000), nil); !errors.Is(err, eth.ErrUnknownSender) {
		t.Fatalf("nobody impersonates it: %v", err)
	}
	n.Impersonate(contract)
	var hashes []eth.Hash
	for range 2 {
		sent, err := n.Submit(t.Context(), move(contract, 1000), nil)
		if err != nil {
			t.Fatal(err)
		}
		b, i, ok := n.Node.Transaction(sent.Hash)
		if !ok || b.Messages[i].Result.ExitCode != 0 || !b.Messages[i].Implicit || !b.Messages[i].Message.Message.GasFeeCap.IsZero() {
			t.Fatalf("%v %+v", ok, b)
		}
		hashes = append(hashes, sent.Hash)
	}
	if hashes[0] == hashes[1] {
		t.Error("two messages have one hash")
	}
	if got := n.Read(t, eth.Call{To: &at, Input: devtest.BalanceOf(to)}); got[31] != 10 {
		t.Errorf("10 tokens were sent, it has %x", got)
	}
	if nonce, err := n.Nonce(t.Context(), n.Latest(), contract); err != nil || nonce != 1 {
		t.Errorf("the contract's nonce is %d, %v", nonce, err)
	}
	if kind, err := n.ActorKind(t.Context(), n.Latest(), contract); err != nil || kind != "evm" {
		t.Errorf("it is %q, %v", kind, err)
	}
	if !n.StopImpersonating(contract) || n.StopImpersonating(contract) {
		t.Error("it was not impersonated, or twice")
	}
	if _, err := n.Submit(t.Context(), move(contract, 1000), nil); !errors.Is(err, eth.ErrUnknownSender) {
		t.Errorf("%v", err)
	}

	// An account, and one that pays as it does with its signature: the same gas but for the signature's length.
	n.AutoImpersonate(true)
	owner := n.Account(0)
	had := n.Balance(t, owner.F410)
	m := move(owner.F410, 1000)
	m.Nonce = 2
	sent, err := n.Submit(t.Context(), m, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, i, ok := n.Node.Transaction(sent.Hash)
	if !ok || b.Messages[i].Implicit || b.Messages[i].Result.ExitCode != 0 {
		t.Fatalf("%v %+v", ok, b)
	}
	if had.Cmp(n.Balance(t, owner.F410)) <= 0 {
		t.Error("it paid nothing")
	}
	if nonce, err := n.Nonce(t.Context(), n.Latest(), owner.F410); err != nil || nonce != 3 {
		t.Errorf("its nonce is %d, %v", nonce, err)
	}
	// Shown to Ethereum it is a transaction from the account.
	r, err := n.Render(t.Context(), b, eth.Tools)
	if err != nil || r.Transactions[0].From != eth.Address(owner.Eth) || *r.Transactions[0].To != at || r.Receipts[0].Status != 1 || r.Transactions[0].Hash != sent.Hash {
		t.Errorf("%+v %v", r, err)
	}
	// Miners, multisigs, singletons: by ID.
	power := id(t, 4)
	pm := &fvm.Message{From: power, To: owner.F1, Value: fbig.Zero(), GasLimit: 10_000_000, GasFeeCap: fbig.Zero(), GasPremium: fbig.Zero()}
	if sent, err = n.Submit(t.Context(), pm, nil); err != nil {
		t.Fatal(err)
	}
	if b, i, ok = n.Message(sent.CID); !ok || b.Messages[i].Result.ExitCode != 0 {
		t.Errorf("%v %+v", ok, b)
	}
	// Somebody who has nothing cannot pay.
	if _, err := n.Submit(t.Context(), move(eth.Address{3}.Filecoin(), 1000), nil); !errors.Is(err, eth.ErrFunds) {
		t.Errorf("%v", err)
	}
}
