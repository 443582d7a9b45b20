// Package devtest is a development node inside a Go test: no process, no port, no waiting.
//
//	func TestVault(t *testing.T) {
//		t.Parallel()
//		net := devtest.New(t)
//		vault := net.Deploy(t, 0, initCode)
//		sent := net.Send(t, 0, eth.Call{To: &vault, Input: calldata})
//		if sent.Result.ExitCode != 0 { … }
//	}
//
// Each New is a chain of its own, so tests may be parallel; the genesis is made once in a process. Tests that share a chain take a
// snapshot each, by Net.Isolate. The node's clock stands still unless a test moves it, so that a test gives the same hashes each time.
//
// What fails ends the test. The nodes end with it. Everything that package dev can do is there: a Net is a *dev.Node.
package devtest

import (
	"bytes"
	"context"
	"math/big"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	fbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin/v10/eam"
	"github.com/filecoin-project/go-state-types/crypto"
	cbg "github.com/whyrusleeping/cbor-gen"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
)

// Begin is the time at which the clocks of tests stand.
var Begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Net is a node for a test.
type Net struct{ *dev.Node }

// New makes a node, which ends with the test. Options other than the defaults may be given; the clock is by default one that stands.
func New(t testing.TB, o ...dev.Options) *Net {
	t.Helper()
	var with dev.Options
	if len(o) > 0 {
		with = o[0]
	}
	if with.Clock == nil {
		with.Clock = func() time.Time { return Begin }
	}
	n, err := dev.New(t.Context(), with)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Net{n}
}

// Isolate takes a snapshot and goes back to it when the test ends: tests that run one after the other on one chain leave nothing behind.
func (n *Net) Isolate(t testing.TB) {
	t.Helper()
	id, err := n.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	t.Cleanup(func() {
		if ok, err := n.Revert(context.WithoutCancel(ctx), id); err != nil || !ok {
			t.Errorf("the snapshot %d is not there any more: %v", id, err)
		}
	})
}

// Account is one of the mnemonic's.
func (n *Net) Account(i int) *genesis.Account { return &n.Genesis().Accounts[i] }

// Key signs for an account.
func (n *Net) Key(i int) *secp256k1.PrivateKey {
	return secp256k1.PrivKeyFromBytes(n.Account(i).Private[:])
}

// Sent is a message that was executed.
type Sent struct {
	*dev.Executed
	Block *dev.Block
}

// Transaction is one of an account, signed, of type 2, with the next nonce; its gas is estimated unless it is given, its fee cap is by
// default 1000 attoFIL and its premium 0.
func (n *Net) Transaction(t testing.TB, from int, call eth.Call) *ethtx.Transaction {
	t.Helper()
	a := n.Account(from)
	sender := eth.Address(a.Eth)
	call.From = &sender
	if call.Gas == nil {
		gas := eth.Quantity(n.Gas(t, call))
		call.Gas = &gas
	}
	if call.Nonce == nil {
		nonce, err := n.PendingNonce(t.Context(), a.F410)
		if err != nil {
			t.Fatal(err)
		}
		next := eth.Quantity(nonce)
		call.Nonce = &next
	}
	if call.GasPrice == nil && call.MaxFeePerGas == nil {
		price, tip := eth.NewAmount(1000), eth.NewAmount(0)
		call.MaxFeePerGas, call.MaxPriorityFeePerGas = &price, &tip
	}
	tx, err := call.Unsigned(n.ChainID())
	if err != nil {
		t.Fatal(err)
	}
	tx.Sign(n.Key(from))
	return tx
}

// Gas estimates a call upon the latest block.
func (n *Net) Gas(t testing.TB, call eth.Call) int64 {
	t.Helper()
	msg, err := call.Message(eth.Tools)
	if err != nil {
		t.Fatal(err)
	}
	limit, res, err := n.Estimate(t.Context(), n.Latest(), msg, dev.EstimateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if limit == 0 {
		t.Fatalf("the call fails: exit code %d: %s", res.ExitCode, res.Failure)
	}
	return limit
}

// Send makes a transaction of an account, and gives what came of it. It must be executed, and may fail.
func (n *Net) Send(t testing.TB, from int, call eth.Call) Sent {
	t.Helper()
	return n.SendTransaction(t, n.Transaction(t, from, call))
}

// SendTransaction submits a signed transaction, which must be executed, and may fail.
func (n *Net) SendTransaction(t testing.TB, tx *ethtx.Transaction) Sent {
	t.Helper()
	sent, err := n.SubmitTransaction(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	b, i, ok := n.Node.Transaction(sent.Hash)
	if !ok {
		t.Fatal("the transaction was not executed")
	}
	return Sent{b.Messages[i], b}
}

// Deploy makes a contract from its init code, and gives its address.
func (n *Net) Deploy(t testing.TB, from int, init []byte) eth.Address {
	t.Helper()
	sent := n.Send(t, from, eth.Call{Input: init})
	if sent.Result.ExitCode != 0 {
		t.Fatalf("the contract was not deployed: exit code %d: %s", sent.Result.ExitCode, sent.Result.Failure)
	}
	var ret eam.CreateExternalReturn
	if err := ret.UnmarshalCBOR(bytes.NewReader(sent.Result.Return)); err != nil {
		t.Fatal(err)
	}
	return eth.Address(ret.EthAddress)
}

// Read calls a contract upon the latest block, from the first account unless the call says otherwise, and gives what it returns. It must
// succeed.
func (n *Net) Read(t testing.TB, call eth.Call) []byte {
	t.Helper()
	if call.From == nil {
		from := eth.Address(n.Account(0).Eth)
		call.From = &from
	}
	msg, err := call.Message(eth.Tools)
	if err != nil {
		t.Fatal(err)
	}
	res, err := n.Call(t.Context(), n.Latest(), msg, dev.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if res.ExitCode != 0 {
		t.Fatalf("the call fails: exit code %d: %s", res.ExitCode, res.Failure)
	}
	if len(res.Return) == 0 {
		return nil
	}
	data, err := cbg.ReadByteArray(bytes.NewReader(res.Return), uint64(len(res.Return)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// SubmitNative signs a message as the f1 address of an account and submits it. What is not set is set: sender, nonce, a gas limit of
// 3,000,000, a fee cap of 1000 attoFIL and no premium.
func (n *Net) SubmitNative(t testing.TB, from int, msg fvm.Message) dev.Sent {
	t.Helper()
	a := n.Account(from)
	if msg.From == address.Undef {
		msg.From = a.F1
		nonce, err := n.PendingNonce(t.Context(), a.F1)
		if err != nil {
			t.Fatal(err)
		}
		msg.Nonce = nonce
	}
	if msg.GasLimit == 0 {
		msg.GasLimit = 3_000_000
	}
	for _, v := range []struct {
		of      *fbig.Int
		usually int64
	}{{&msg.Value, 0}, {&msg.GasFeeCap, 1000}, {&msg.GasPremium, 0}} {
		if v.of.Int == nil {
			*v.of = fbig.NewInt(v.usually)
		}
	}
	sent, err := n.Submit(t.Context(), &msg, n.SignNative(t, from, &msg))
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

// SignNative signs a message as the f1 address of an account does: its CID, by blake2b-256.
func (n *Net) SignNative(t testing.TB, from int, msg *fvm.Message) *crypto.Signature {
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
	sig := ecdsa.SignCompact(n.Key(from), hash[:], false)
	const first = 27 // of the recovery ids
	return &crypto.Signature{Type: crypto.SigTypeSecp256k1, Data: append(sig[1:], sig[0]-first)}
}

// Blocks makes blocks, and gives the last.
func (n *Net) Blocks(t testing.TB, count uint64) *dev.Block {
	t.Helper()
	b, err := n.Mine(t.Context(), dev.MineOptions{Blocks: count})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Balance is what an address has after the latest block, in attoFIL.
func (n *Net) Balance(t testing.TB, a address.Address) *big.Int {
	t.Helper()
	v, err := n.Node.Balance(t.Context(), n.Latest(), a)
	if err != nil {
		t.Fatal(err)
	}
	return v.Int
}
