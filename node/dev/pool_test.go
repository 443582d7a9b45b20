package dev_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	fbig "github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
)

// transfer is a transfer of 1 attoFIL by the first account, changed before it is signed.
func transfer(t *testing.T, n *devtest.Net, change func(*eth.Call)) *ethtx.Transaction {
	t.Helper()
	to := eth.Address(n.Account(1).Eth)
	gas := eth.Quantity(3_000_000)
	call := eth.Call{To: &to, Value: eth.NewAmount(1), Gas: &gas}
	change(&call)
	return n.Transaction(t, 0, call)
}

func quantity(v uint64) *eth.Quantity { q := eth.Quantity(v); return &q }
func fees(call *eth.Call, feeCap, premium int64) {
	a, b := eth.NewAmount(feeCap), eth.NewAmount(premium)
	call.MaxFeePerGas, call.MaxPriorityFeePerGas = &a, &b
}

// What the pool refuses it refuses in the words that clients look for, and nothing changes.
func TestRefused(t *testing.T) {
	n := devtest.New(t)
	n.SendTransaction(t, transfer(t, n, func(*eth.Call) {}))
	before := n.Latest()
	for _, c := range []struct {
		name, want string
		change     func(*eth.Call)
	}{
		{"a nonce that was used", "nonce too low", func(c *eth.Call) { c.Nonce = quantity(0) }},
		{"a nonce far off", "nonce too high", func(c *eth.Call) { c.Nonce = quantity(5000) }},
		{"gas below inclusion", "intrinsic gas too low", func(c *eth.Call) { c.Gas = quantity(700_000) }},
		{"Ethereum's gas of a transfer", "intrinsic gas too low", func(c *eth.Call) { c.Gas = quantity(21_000) }},
		{"no gas", "intrinsic gas too low", func(c *eth.Call) { c.Gas = quantity(0) }},
		{"more gas than a block has", "exceeds block gas limit", func(c *eth.Call) { c.Gas = quantity(10_000_000_001) }},
		{"an absurd gas limit", "exceeds block gas limit", func(c *eth.Call) { c.Gas = quantity(1 << 63) }},
		{"a fee cap below the least base fee", "underpriced", func(c *eth.Call) { fees(c, 99, 0) }},
		{"more than the sender has", "Insufficient funds for gas * price + value", func(c *eth.Call) {
			c.Value = eth.Amount{Int: n.Balance(t, n.Account(0).F410)}
		}},
		{"too long", "oversized data", func(c *eth.Call) { c.Input, c.Gas = make([]byte, 66_000), quantity(1_000_000_000) }},
	} {
		_, err := n.SubmitTransaction(t.Context(), transfer(t, n, c.change))
		var e *eth.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	other := transfer(t, n, func(*eth.Call) {})
	other.ChainID = 1
	other.Sign(n.Key(0))
	if _, err := n.SubmitTransaction(t.Context(), other); err == nil || !strings.Contains(err.Error(), "invalid chain id") {
		t.Errorf("of another chain: %v", err)
	}
	// A spoiled signature is somebody else's, who has nothing.
	spoiled := transfer(t, n, func(*eth.Call) {})
	spoiled.Value = big.NewInt(2)
	if _, err := n.SubmitTransaction(t.Context(), spoiled); err == nil {
		t.Error("a spoiled signature was taken")
	}
	if n.Latest() != before || len(n.Pool()) != 0 {
		t.Errorf("a block at epoch %d, %d messages wait", n.Latest().Epoch(), len(n.Pool()))
	}
}

// A limit is enough from the cost of inclusion on: the message fails for want of gas, and has a receipt.
func TestLeastGas(t *testing.T) {
	n := devtest.New(t)
	tx := transfer(t, n, func(c *eth.Call) { c.Gas = quantity(760_000) })
	if sent := n.SendTransaction(t, tx); sent.Result.ExitCode != 7 || sent.Result.GasUsed != 760_000 {
		t.Errorf("exit code %d, %d gas", sent.Result.ExitCode, sent.Result.GasUsed)
	}
}

// Nonces that are ahead wait for those before, and then all are executed, in their order, a block each.
func TestNoncesOutOfOrder(t *testing.T) {
	n := devtest.New(t)
	for _, nonce := range []uint64{3, 1, 2} {
		sent, err := n.SubmitTransaction(t.Context(), transfer(t, n, func(c *eth.Call) { c.Nonce = quantity(nonce) }))
		if err != nil {
			t.Fatal(err)
		}
		if w, ok := n.PoolMessage(sent.Hash); !ok || w.Message.Message.Nonce != nonce {
			t.Errorf("nonce %d does not wait", nonce)
		}
	}
	if n.Len() != 1 || len(n.Pool()) != 3 || n.Pool()[0].Ready {
		t.Fatalf("%d blocks, pool %+v", n.Len(), n.Pool())
	}
	n.SendTransaction(t, transfer(t, n, func(c *eth.Call) { c.Nonce = quantity(0) }))
	if n.Len() != 5 || len(n.Pool()) != 0 {
		t.Fatalf("%d blocks, %d wait", n.Len(), len(n.Pool()))
	}
	for nonce := range uint64(4) {
		b := n.BlockAt(n.First().Epoch() + 1 + epoch(nonce))
		if len(b.Messages) != 1 || b.Messages[0].Message.Message.Nonce != nonce {
			t.Errorf("block %d has %d messages", b.Epoch(), len(b.Messages))
		}
	}
}

// Of two messages with one nonce the later stays if it pays a tenth more.
func TestReplacement(t *testing.T) {
	n := devtest.New(t, dev.Options{Manual: true})
	submit := func(feeCap, premium int64) (dev.Sent, error) {
		return n.SubmitTransaction(t.Context(), transfer(t, n, func(c *eth.Call) {
			c.Nonce = quantity(0)
			fees(c, feeCap, premium)
		}))
	}
	first, err := submit(1000, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		feeCap, premium int64
		want            *eth.Error
	}{
		{1000, 100, eth.ErrAlreadyKnown}, {1099, 200, eth.ErrUnderpriced}, {2000, 109, eth.ErrUnderpriced}, {900, 90, eth.ErrUnderpriced},
	} {
		if _, err := submit(c.feeCap, c.premium); !errors.Is(err, c.want) {
			t.Errorf("fee cap %d, premium %d: %v, want %v", c.feeCap, c.premium, err, c.want)
		}
	}
	second, err := submit(1100, 110)
	if err != nil {
		t.Fatal(err)
	}
	b := n.Blocks(t, 1)
	if len(b.Messages) != 1 || b.Messages[0].Hash != second.Hash {
		t.Errorf("%d messages", len(b.Messages))
	}
	if _, _, ok := n.Node.Transaction(first.Hash); ok {
		t.Error("the first is on the chain")
	}
}

// A message that was dropped is not executed, and the one after it waits.
func TestDrop(t *testing.T) {
	n := devtest.New(t, dev.Options{Manual: true})
	var hashes []eth.Hash
	for nonce := range uint64(3) {
		sent, err := n.SubmitTransaction(t.Context(), transfer(t, n, func(c *eth.Call) { c.Nonce = quantity(nonce) }))
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, sent.Hash)
	}
	if next, err := n.PendingNonce(t.Context(), n.Account(0).F410); err != nil || next != 3 {
		t.Errorf("the pending nonce is %d, %v", next, err)
	}
	if !n.Drop(hashes[1]) || n.Drop(hashes[1]) {
		t.Error("it was not there, or twice")
	}
	if b := n.Blocks(t, 1); len(b.Messages) != 1 || len(n.Pool()) != 1 {
		t.Errorf("%d messages, %d wait", len(b.Messages), len(n.Pool()))
	}
	n.DropAll()
	if len(n.Pool()) != 0 {
		t.Error("the pool is not empty")
	}
}

// The pool is bounded.
func TestPoolBounds(t *testing.T) {
	n := devtest.New(t, dev.Options{Manual: true, Pool: dev.PoolOptions{Messages: 3, PerSender: 2, Gap: 5}})
	submit := func(from int, nonce uint64) error {
		to := eth.Address(n.Account(1).Eth)
		_, err := n.SubmitTransaction(t.Context(), n.Transaction(t, from, eth.Call{To: &to, Nonce: quantity(nonce), Gas: quantity(3_000_000)}))
		return err
	}
	for _, c := range []struct {
		from  int
		nonce uint64
		want  string
	}{{0, 6, "nonce too high"}, {0, 5, ""}, {0, 0, ""}, {0, 1, "full"}, {1, 0, ""}, {2, 0, "full"}, {0, 5, "already"}} {
		if err := submit(c.from, c.nonce); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("account %d, nonce %d: %v, want %q", c.from, c.nonce, err, c.want)
		}
	}
}

// Signatures are those of the senders.
func TestSignatures(t *testing.T) {
	n := devtest.New(t)
	msg := fvm.Message{
		From: n.Account(0).F1, To: n.Account(1).F1, Value: fbig.NewInt(1), GasLimit: 3_000_000, GasFeeCap: fbig.NewInt(1000), GasPremium: fbig.Zero(),
	}
	good := n.SignNative(t, 0, &msg)
	for _, c := range []struct {
		name string
		by   int
		with func(*fvm.Message)
		want error
	}{
		{"another account's", 1, func(*fvm.Message) {}, dev.ErrSignature},
		{"of another message", 0, func(m *fvm.Message) { m.Value = fbig.NewInt(2) }, dev.ErrSignature},
		{"of an f410 address", 0, func(m *fvm.Message) { m.From = n.Account(0).F410 }, dev.ErrSignature},
		{"of nobody by ID", 0, func(m *fvm.Message) { m.From = id(t, 77777) }, dev.ErrSignature},
		{"a negative value", 0, func(m *fvm.Message) { m.Value = fbig.NewInt(-1) }, fvm.ErrInvalidMessage},
		{"no receiver", 0, func(m *fvm.Message) { m.To = address.Undef }, fvm.ErrInvalidMessage},
		{"no value", 0, func(m *fvm.Message) { m.Value = fbig.Int{} }, fvm.ErrInvalidMessage},
		{"another version", 0, func(m *fvm.Message) { m.Version = 1 }, fvm.ErrInvalidMessage},
		{"a premium above the fee cap", 0, func(m *fvm.Message) { m.GasPremium = fbig.NewInt(1001) }, fvm.ErrInvalidMessage},
	} {
		m, sig := msg, good
		c.with(&m)
		if c.by != 0 {
			sig = n.SignNative(t, c.by, &msg)
		}
		if _, err := n.Submit(t.Context(), &m, sig); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := n.Submit(t.Context(), &msg, nil); !errors.Is(err, eth.ErrUnknownSender) {
		t.Errorf("no signature: %v", err)
	}
	if _, err := n.Submit(t.Context(), nil, good); !errors.Is(err, fvm.ErrInvalidMessage) {
		t.Errorf("no message: %v", err)
	}
	sent, err := n.Submit(t.Context(), &msg, good)
	if err != nil {
		t.Fatal(err)
	}
	// A native message is known by its CID, and by that of the message without its signature.
	b, i, ok := n.Message(sent.CID)
	if !ok || b.Messages[i].Hash != sent.Hash || b.Messages[i].Result.ExitCode != 0 {
		t.Errorf("%v %+v", ok, b)
	}
}

func id(t testing.TB, n uint64) address.Address {
	t.Helper()
	a, err := address.NewIDAddress(n)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// With lenient gas a limit that is too small is raised, and the signature stays what it is.
func TestLenientGas(t *testing.T) {
	n := devtest.New(t, dev.Options{LenientGas: true})
	tx := transfer(t, n, func(c *eth.Call) { c.Gas = quantity(21_000) })
	sent := n.SendTransaction(t, tx)
	if sent.Result.ExitCode != 0 || sent.Raised <= 755_663 || sent.Message.Message.GasLimit != 21_000 || sent.Hash != tx.Hash() {
		t.Errorf("exit code %d (%s), limit %d, raised to %d", sent.Result.ExitCode, sent.Result.Failure, sent.Message.Message.GasLimit, sent.Raised)
	}
	// What has enough is left alone.
	if sent := n.SendTransaction(t, transfer(t, n, func(*eth.Call) {})); sent.Raised != 0 {
		t.Errorf("raised to %d", sent.Raised)
	}
}

// Limits of messages that waited for others are raised when their turn comes: what they need was not known before.
func TestLenientGasLater(t *testing.T) {
	n := devtest.New(t, dev.Options{LenientGas: true})
	var hashes []eth.Hash
	for _, nonce := range []uint64{2, 1, 0} {
		sent, err := n.SubmitTransaction(t.Context(), transfer(t, n, func(c *eth.Call) {
			c.Nonce, c.Gas = quantity(nonce), quantity(21_000)
			fresh := eth.Address{5, byte(nonce)}
			c.To = &fresh
		}))
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, sent.Hash)
	}
	for _, h := range hashes {
		b, i, ok := n.Node.Transaction(h)
		if !ok || b.Messages[i].Result.ExitCode != 0 || b.Messages[i].Raised == 0 {
			t.Errorf("%s: %v %+v", h, ok, b)
		}
	}
}

// A message whose nonce the state has passed is dropped, and subscribers hear why.
func TestPrune(t *testing.T) {
	n := devtest.New(t, dev.Options{Manual: true})
	sent, err := n.SubmitTransaction(t.Context(), transfer(t, n, func(*eth.Call) {}))
	if err != nil {
		t.Fatal(err)
	}
	events := n.Subscribe(0)
	defer events.Close()
	if err := n.Edit(t.Context(), setNonce(n.Account(0).EthID, 5)); err != nil {
		t.Fatal(err)
	}
	if e := <-events.Events(); e.Dropped == nil || e.Dropped.Hash != sent.Hash || e.Dropped.Why == nil {
		t.Errorf("%+v", e)
	}
	if len(n.Pool()) != 0 {
		t.Error("it still waits")
	}
}
