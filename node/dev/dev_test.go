package dev_test

import (
	"context"
	"fmt"
	"math/big"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	fbig "github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/eth"
)

// A transfer is executed when Submit returns, in a block of its own, and costs its sender what its receipt says.
func TestTransfer(t *testing.T) {
	n := devtest.New(t)
	to := eth.Address(n.Account(1).Eth)
	before := n.Balance(t, n.Account(0).F410)
	tx := n.Transaction(t, 0, eth.Call{To: &to, Value: eth.NewAmount(5)})
	sent := n.SendTransaction(t, tx)
	b := sent.Block
	if sent.Result.ExitCode != 0 || b.Epoch() != 1 || n.Latest() != b || len(b.Messages) != 1 {
		t.Fatalf("exit code %d (%s) at epoch %d", sent.Result.ExitCode, sent.Result.Failure, b.Epoch())
	}
	if sent.Hash != tx.Hash() {
		t.Errorf("hash %x, want %x", sent.Hash, tx.Hash())
	}
	// Base fee 100; nothing is tipped or burnt beside.
	paid, want := new(big.Int).Sub(before, n.Balance(t, n.Account(0).F410)), big.NewInt(100*sent.Result.GasUsed+5)
	if paid.Cmp(want) != 0 {
		t.Errorf("the sender paid %s, want %s", paid, want)
	}
	head, err := n.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if head.Height() != 2 || head.ParentStateRoot() != b.Root || head.ParentReceipts() != b.Receipts || head.Blocks[0].Parents[0] != b.CID() {
		t.Errorf("the head is %+v", head.Blocks[0])
	}
}

// addBalance is an edit that gives an actor some attoFIL more.
func addBalance(id abi.ActorID, amount int64) dev.EditFunc {
	return change(id, func(a *state.ActorState) { a.Balance = fbig.Add(a.Balance, fbig.NewInt(amount)) })
}

// setNonce is an edit of an actor's nonce.
func setNonce(id abi.ActorID, nonce uint64) dev.EditFunc {
	return change(id, func(a *state.ActorState) { a.Nonce = nonce })
}

func change(id abi.ActorID, with func(*state.ActorState)) dev.EditFunc {
	return func(ctx context.Context, b *blockstore.Buffered, root cid.Cid) (cid.Cid, error) {
		t, err := state.Load(ctx, b, root)
		if err != nil {
			return root, err
		}
		a, err := t.Actor(ctx, id)
		if err != nil || a == nil {
			return root, fmt.Errorf("no actor %d: %v", id, err)
		}
		with(a)
		if err := t.SetActor(id, *a); err != nil {
			return root, err
		}
		return t.Flush(ctx)
	}
}
