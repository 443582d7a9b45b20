package dev_test

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/filecoin-project/go-state-types/abi"
	fbig "github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
)

// start makes a node for a test.
func start(t testing.TB, o dev.Options) *dev.Node {
	t.Helper()
	n, err := dev.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func keyOf(n *dev.Node, i int) *secp256k1.PrivateKey {
	return secp256k1.PrivKeyFromBytes(n.Genesis().Accounts[i].Private[:])
}

// transaction is one of an account, signed, with the next nonce and the gas that the node estimates.
func transaction(t testing.TB, n *dev.Node, from int, call eth.Call) *ethtx.Transaction {
	t.Helper()
	a := n.Genesis().Accounts[from]
	sender := eth.Address(a.Eth)
	call.From = &sender
	msg, err := call.Message(eth.Tools)
	if err != nil {
		t.Fatal(err)
	}
	limit := int64(2_000_000)
	if call.Gas == nil {
		var res *dev.CallResult
		if limit, res, err = n.Estimate(t.Context(), n.Latest(), msg, dev.EstimateOptions{}); err != nil {
			t.Fatal(err)
		}
		if limit == 0 {
			t.Fatalf("the estimate failed: exit code %d: %s", res.ExitCode, res.Failure)
		}
	} else {
		limit = int64(*call.Gas)
	}
	nonce, err := n.PendingNonce(t.Context(), a.F410)
	if err != nil {
		t.Fatal(err)
	}
	tx := &ethtx.Transaction{
		Dynamic: true, ChainID: n.ChainID(), Nonce: nonce, GasLimit: uint64(limit), Premium: new(big.Int), FeeCap: big.NewInt(1000),
		Value: call.Value.Big(), Input: call.Input,
	}
	if call.To != nil {
		tx.To = call.To[:]
	}
	tx.Sign(keyOf(n, from))
	return tx
}

// send submits a transaction and gives where it is.
func send(t testing.TB, n *dev.Node, tx *ethtx.Transaction) (*dev.Block, *dev.Executed) {
	t.Helper()
	sent, err := n.SubmitTransaction(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	b, i, ok := n.Transaction(sent.Hash)
	if !ok {
		t.Fatal("the transaction is nowhere")
	}
	return b, b.Messages[i]
}

// A transfer is executed when Submit returns, in a block of its own, and costs its sender what its receipt says.
func TestTransfer(t *testing.T) {
	n := start(t, dev.Options{})
	to := eth.Address(n.Genesis().Accounts[1].Eth)
	before, err := n.Balance(t.Context(), n.Latest(), n.Genesis().Accounts[0].F410)
	if err != nil {
		t.Fatal(err)
	}
	tx := transaction(t, n, 0, eth.Call{To: &to, Value: eth.NewAmount(5)})
	b, e := send(t, n, tx)
	if e.Result.ExitCode != 0 || b.Epoch() != 1 || n.Latest() != b || len(b.Messages) != 1 {
		t.Fatalf("exit code %d (%s) at epoch %d", e.Result.ExitCode, e.Result.Failure, b.Epoch())
	}
	if e.Hash != tx.Hash() {
		t.Errorf("hash %x, want %x", e.Hash, tx.Hash())
	}
	after, err := n.Balance(t.Context(), b, n.Genesis().Accounts[0].F410)
	if err != nil {
		t.Fatal(err)
	}
	paid := new(big.Int).Sub(before.Int, after.Int)
	// Base fee 100; nothing is tipped or burnt beside.
	want := big.NewInt(100*e.Result.GasUsed + 5)
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

// signNative signs a message as its f1 address does: the CID, by blake2b-256.
func signNative(t testing.TB, n *dev.Node, from int, msg *fvm.Message) []byte {
	t.Helper()
	var raw bytes.Buffer
	if err := msg.MarshalCBOR(&raw); err != nil {
		t.Fatal(err)
	}
	c, err := abi.CidBuilder.Sum(raw.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	hash := blake2b.Sum256(c.Bytes())
	sig := ecdsa.SignCompact(keyOf(n, from), hash[:], false)
	return append(sig[1:], sig[0]-27)
}

// addBalance is an edit that gives an actor some attoFIL more.
func addBalance(id abi.ActorID, amount int64) dev.EditFunc {
	return func(ctx context.Context, b *blockstore.Buffered, root cid.Cid) (cid.Cid, error) {
		t, err := state.Load(ctx, b, root)
		if err != nil {
			return root, err
		}
		a, err := t.Actor(ctx, id)
		if err != nil || a == nil {
			return root, fmt.Errorf("no actor %d: %v", id, err)
		}
		a.Balance = fbig.Add(a.Balance, fbig.NewInt(amount))
		if err := t.SetActor(id, *a); err != nil {
			return root, err
		}
		return t.Flush(ctx)
	}
}
