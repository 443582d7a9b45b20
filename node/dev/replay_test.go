package dev_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/replay"
)

// replayed executes a node's chain again from its archive.
func replayed(t *testing.T, n *dev.Node) *replay.Report {
	t.Helper()
	var car bytes.Buffer
	if err := n.Export(t.Context(), &car, dev.ExportOptions{}); err != nil {
		t.Fatal(err)
	}
	archive := blockstore.NewMemory()
	roots, err := blockstore.LoadCAR(t.Context(), &car, archive, blockstore.CAROptions{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := replay.Run(t.Context(), replay.Options{Archive: archive, Roots: roots, Network: n.Network()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A chain with contracts, native messages, failures, null rounds, moved time and several messages a block is what package replay makes
// of it: every state root, receipts root and base fee.
func TestReplay(t *testing.T) {
	for _, c := range []struct {
		name    string
		genesis genesis.Options
	}{
		{"nv28", genesis.Options{}},
		{"nv28, two miners", genesis.Options{Miners: 2}},
		{"nv18", genesis.Options{NetworkVersion: 18}},
		{"nv29, mainnet's actors", genesis.Options{NetworkVersion: 29, Flavour: "mainnet"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := start(t, dev.Options{Genesis: c.genesis})
			busy(t, n, 1)
			r := replayed(t, n)
			if !r.Good() || r.Skipped != 1 { // the head has no child
				t.Errorf("%d passed, %d failed, %d skipped: %+v %s", r.Passed, r.Failed, r.Skipped, r.Failure, r.Error)
			}
			if want := n.Len() - 1; r.Passed != want {
				t.Errorf("%d tipsets were compared, and the chain has %d blocks", r.Passed, want)
			}
		})
	}
}

// An edit of the state is found.
func TestReplayFindsEdit(t *testing.T) {
	n := start(t, dev.Options{})
	mine(t, n, 2)
	if err := n.Edit(t.Context(), addBalance(n.Genesis().Accounts[0].EthID, 1)); err != nil {
		t.Fatal(err)
	}
	mine(t, n, 2)
	r := replayed(t, n)
	if r.Failure == nil || r.Failure.Epoch != 2 || len(r.Failure.Differences) != 1 || r.Failure.Differences[0].What != "state root" {
		t.Errorf("%+v", r.Failure)
	}
}

func mine(t testing.TB, n *dev.Node, blocks uint64) *dev.Block {
	t.Helper()
	b, err := n.Mine(t.Context(), dev.MineOptions{Blocks: blocks})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// busy makes some dozens of blocks with all sorts of messages.
func busy(t testing.TB, n *dev.Node, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	at := deploy(t, n, token(t))
	around := deploy(t, n, world(t))
	accounts := n.Genesis().Accounts
	little := eth.Quantity(1_500_000)
	for range 12 {
		from, to := rng.IntN(5), eth.Address(accounts[rng.IntN(len(accounts))].Eth)
		var fresh eth.Address
		for i := range fresh {
			fresh[i] = byte(rng.Uint32())
		}
		fresh[0] |= 1
		send(t, n, transaction(t, n, 0, eth.Call{To: &at, Input: transfer(to, byte(rng.Uint32()))}))
		send(t, n, transaction(t, n, from, eth.Call{To: &to, Value: eth.NewAmount(int64(rng.Uint32()))}))
		send(t, n, transaction(t, n, from, eth.Call{To: &around}))
		send(t, n, transaction(t, n, from, eth.Call{To: &fresh, Value: eth.NewAmount(7)}))
		send(t, n, transaction(t, n, from, eth.Call{To: &at, Input: transfer(to, 1), Gas: &little})) // runs out of gas
		switch rng.IntN(5) {
		case 0:
			mine(t, n, 3)
		case 1:
			if _, err := n.IncreaseTime(uint64(rng.IntN(400))); err != nil {
				t.Fatal(err)
			}
		case 2:
			if err := n.SetNextTimestamp(n.Latest().Timestamp() + 1 + uint64(rng.IntN(200))); err != nil {
				t.Fatal(err)
			}
		}
		n.SetAutomine(false)
		for i := range 3 {
			if _, err := n.SubmitTransaction(t.Context(), transaction(t, n, i, eth.Call{To: &to, Value: eth.NewAmount(1), Gas: gas(3_000_000)})); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := n.SubmitTransaction(t.Context(), transaction(t, n, 0, eth.Call{To: &at, Input: transfer(to, 2), Gas: gas(12_000_000)})); err != nil {
			t.Fatal(err)
		}
		native(t, n, from)
		if b := mine(t, n, 1); len(b.Messages) != 5 {
			t.Fatalf("%d messages in a block", len(b.Messages))
		}
		n.SetAutomine(true)
	}
}

func gas(n uint64) *eth.Quantity {
	q := eth.Quantity(n)
	return &q
}

// native submits a transfer by an account with an f1 address.
func native(t testing.TB, n *dev.Node, from int) *fvm.Message {
	t.Helper()
	a := n.Genesis().Accounts[from]
	nonce, err := n.PendingNonce(t.Context(), a.F1)
	if err != nil {
		t.Fatal(err)
	}
	msg := &fvm.Message{
		From: a.F1, To: n.Genesis().Accounts[from+1].F1, Nonce: nonce, Value: big.NewInt(3), GasLimit: 2_000_000, GasFeeCap: big.NewInt(500), GasPremium: big.NewInt(1),
	}
	if _, err := n.Submit(t.Context(), msg, &crypto.Signature{Type: crypto.SigTypeSecp256k1, Data: signNative(t, n, from, msg)}); err != nil {
		t.Fatal(err)
	}
	return msg
}
