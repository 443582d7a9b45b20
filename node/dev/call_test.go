package dev_test

import (
	"context"
	"errors"
	"math/big"
	"testing"

	"github.com/filecoin-project/go-address"
	fbig "github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/eth"
)

var errCancelled = context.Canceled

func withCancel(t testing.TB) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}

func message(t testing.TB, call eth.Call) *fvm.Message {
	t.Helper()
	m, err := call.Message(eth.Tools)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Calls see the state of the block that they are upon.
func TestCallOldBlocks(t *testing.T) {
	n := devtest.New(t)
	at := n.Deploy(t, 0, devtest.Token())
	to, from := n.Account(3).Eth, eth.Address(n.Account(0).Eth)
	for range 4 {
		n.Send(t, 0, eth.Call{To: &at, Input: devtest.Transfer(to, 10)})
	}
	msg := message(t, eth.Call{From: &from, To: &at, Input: devtest.BalanceOf(to)})
	for e := range uint64(5) {
		res, err := n.Call(t.Context(), n.BlockAt(epoch(e+1)), msg, dev.CallOptions{})
		if err != nil || res.ExitCode != 0 {
			t.Fatalf("%+v %v", res, err)
		}
		if got := new(big.Int).SetBytes(res.Return[len(res.Return)-32:]).Uint64(); got != 10*e {
			t.Errorf("at epoch %d the balance is %d, want %d", e+1, got, 10*e)
		}
	}
	// Before the contract was there nobody answers, and that is success.
	if res, err := n.Call(t.Context(), n.First(), msg, dev.CallOptions{}); err != nil || res.ExitCode != 0 || len(res.Return) > 1 {
		t.Errorf("%+v %v", res, err)
	}
	if n.Latest().Epoch() != 5 {
		t.Errorf("calls made blocks: epoch %d", n.Latest().Epoch())
	}
}

// A call may come from nobody, from a contract, from an actor by ID.
func TestCallFromAnybody(t *testing.T) {
	n := devtest.New(t)
	at := n.Deploy(t, 0, devtest.Token())
	nobody := eth.Address{1, 2, 3}
	system := eth.MaskedID(0)
	for name, from := range map[string]*eth.Address{"nobody": &nobody, "the contract itself": &at, "the system": &system, "the zero address": nil} {
		res, err := n.Call(t.Context(), n.Latest(), message(t, eth.Call{From: from, To: &at, Input: devtest.BalanceOf([20]byte{})}), dev.CallOptions{})
		if err != nil || res.ExitCode != 0 {
			t.Errorf("%s: %+v %v", name, res, err)
		}
	}
	if _, err := n.Call(t.Context(), n.Latest(), nil, dev.CallOptions{}); !errors.Is(err, fvm.ErrInvalidMessage) {
		t.Errorf("no message: %v", err)
	}
}

// A call in the next block's setting sees its number and time.
func TestCallNext(t *testing.T) {
	n := devtest.New(t)
	at := n.Deploy(t, 0, devtest.World())
	if err := n.SetNextTimestamp(n.Latest().Timestamp() + 95); err != nil {
		t.Fatal(err)
	}
	see := func(o dev.CallOptions) (number, time uint64, random eth.Hash) {
		t.Helper()
		res, err := n.Call(t.Context(), n.Latest(), message(t, eth.Call{To: &at}), o)
		if err != nil || res.ExitCode != 0 {
			t.Fatalf("%+v %v", res, err)
		}
		w := res.Return[len(res.Return)-5*32:]
		return new(big.Int).SetBytes(w[:32]).Uint64(), new(big.Int).SetBytes(w[32:64]).Uint64(), eth.Hash(w[64:96])
	}
	b := n.Latest()
	if number, time, _ := see(dev.CallOptions{}); number != 1 || time != b.Timestamp() {
		t.Errorf("number %d, time %d", number, time)
	}
	number, time, random := see(dev.CallOptions{Next: true})
	if number != 4 || time != b.Timestamp()+95 {
		t.Errorf("number %d, time %d", number, time)
	}
	value := [32]byte{7}
	n.SetRandomness(4, &value)
	if _, _, forced := see(dev.CallOptions{Next: true}); forced == random {
		t.Error("the randomness is as it was")
	}
	n.SetRandomness(4, nil)
	if _, _, again := see(dev.CallOptions{Next: true}); again != random {
		t.Error("the randomness is not as it was")
	}
	later := uint64(1 << 33)
	if _, time, _ := see(dev.CallOptions{Timestamp: &later}); time != later {
		t.Errorf("time %d", time)
	}
}

// The estimate is enough, and burns nothing: it is at most 1.1 times of what is used.
func TestEstimate(t *testing.T) {
	n := devtest.New(t)
	token := n.Deploy(t, 0, devtest.Token())
	to := eth.Address(n.Account(1).Eth)
	fresh := eth.Address{9, 9}
	for name, call := range map[string]eth.Call{
		"a transfer":               {To: &to, Value: eth.NewAmount(1)},
		"to a new address":         {To: &fresh, Value: eth.NewAmount(1)},
		"a token":                  {To: &token, Input: devtest.Transfer(to, 5)},
		"a contract":               {Input: devtest.World()},
		"a transfer of everything": {To: &to, Value: eth.NewAmount(1e18)},
	} {
		sent := n.Send(t, 0, call)
		if sent.Result.ExitCode != 0 {
			t.Errorf("%s: exit code %d: %s", name, sent.Result.ExitCode, sent.Result.Failure)
		}
		if !sent.Result.OverEstimationBurn.IsZero() || !sent.Result.MinerTip.IsZero() {
			t.Errorf("%s: limit %d, used %d, burnt %s", name, sent.Message.Message.GasLimit, sent.Result.GasUsed, sent.Result.OverEstimationBurn)
		}
	}
	// What fails has no estimate, and the result says how.
	from := eth.Address(n.Account(5).Eth)
	limit, res, err := n.Estimate(t.Context(), n.Latest(), message(t, eth.Call{From: &from, To: &token, Input: devtest.Transfer(to, 5)}), dev.EstimateOptions{})
	if err != nil || limit != 0 || res.ExitCode != 33 {
		t.Errorf("limit %d, %+v %v", limit, res, err)
	}
	// Somebody who is not there can ask too.
	nobody := eth.Address{4, 4}
	if limit, res, err = n.Estimate(t.Context(), n.Latest(), message(t, eth.Call{From: &nobody, To: &token, Input: devtest.BalanceOf(to)}), dev.EstimateOptions{}); err != nil || limit < 755_000 {
		t.Errorf("limit %d, %+v %v", limit, res, err)
	}
}

// Each call within a message gets 63 of 64 parts of what is left, so that what a message uses with all the gas of a block is no limit that
// is enough: the estimate is.
func TestEstimateNested(t *testing.T) {
	n := devtest.New(t)
	at := n.Deploy(t, 0, devtest.Nested())
	call := eth.Call{To: &at, Input: append(make([]byte, 31), 6)}
	from := eth.Address(n.Account(0).Eth)
	call.From = &from
	res, err := n.Call(t.Context(), n.Latest(), message(t, call), dev.CallOptions{Next: true, Explicit: true})
	if err != nil || res.ExitCode != 0 {
		t.Fatalf("%+v %v", res, err)
	}
	few := call
	few.Gas = quantity(uint64(res.GasUsed) * 105 / 100)
	if sent := n.Send(t, 0, few); sent.Result.ExitCode != 33 {
		t.Errorf("with a twentieth more than it uses: exit code %d", sent.Result.ExitCode)
	}
	sent := n.Send(t, 0, call)
	if limit := sent.Message.Message.GasLimit; sent.Result.ExitCode != 0 || limit > res.GasUsed*5/4 {
		t.Errorf("exit code %d with %d gas, of which %d were used", sent.Result.ExitCode, limit, sent.Result.GasUsed)
	}
}

// What is read of a state: nonces and code as Ethereum knows them, storage, nobody.
func TestRead(t *testing.T) {
	n := devtest.New(t)
	ctx, first := t.Context(), n.First()
	at := n.Deploy(t, 0, devtest.Token())
	b := n.Latest()
	a := at.Filecoin()
	if code, err := n.Code(ctx, b, a); err != nil || len(code) < 100 {
		t.Errorf("%d bytes of code, %v", len(code), err)
	}
	if code, err := n.Code(ctx, first, a); err != nil || code != nil {
		t.Errorf("at the genesis it has code %x, %v", code, err)
	}
	if code, err := n.Code(ctx, b, n.Account(0).F410); err != nil || code != nil {
		t.Errorf("an account has code %x, %v", code, err)
	}
	for _, c := range []struct {
		name string
		at   *dev.Block
		of   address.Address
		want uint64
	}{
		{"of the deployer", b, n.Account(0).F410, 1}, {"of the contract", b, a, 1}, {"of nobody", b, eth.Address{1}.Filecoin(), 0},
		{"before", first, n.Account(0).F410, 0},
	} {
		if got, err := n.Nonce(ctx, c.at, c.of); got != c.want || err != nil {
			t.Errorf("the nonce %s is %d, %v; want %d", c.name, got, err, c.want)
		}
	}
	// The deployer's balance lies where Solidity would have it: at Keccak-256 of its address as a word.
	slot := dev.CodeHash(devtest.BalanceOf(n.Account(0).Eth)[4:])
	value, err := n.Storage(ctx, b, a, slot)
	if want := new(big.Int).Lsh(big.NewInt(1), 80); err != nil || new(big.Int).SetBytes(value[:]).Cmp(want) != 0 {
		t.Errorf("storage %x, %v", value, err)
	}
	if value, err = n.Storage(ctx, b, a, [32]byte{31: 1}); err != nil || value != [32]byte{} {
		t.Errorf("storage %x, %v", value, err)
	}
	if value, err = n.Storage(ctx, b, n.Account(0).F1, slot); err != nil || value != [32]byte{} {
		t.Errorf("storage of an account %x, %v", value, err)
	}
	for who, want := range map[address.Address]string{a: "evm", n.Account(0).F410: "ethaccount", n.Account(0).F1: "account", eth.Address{1}.Filecoin(): ""} {
		if kind, err := n.ActorKind(ctx, b, who); err != nil || kind != want {
			t.Errorf("%s is %q, %v; want %q", who, kind, err, want)
		}
	}
}

// Executed once more a message does what it did.
func TestTrace(t *testing.T) {
	n := devtest.New(t)
	devtest.Busy(t, n, 3)
	for b := n.Latest(); b.Epoch() > n.Latest().Epoch()-20; b = n.Parent(b) {
		all, err := n.Traces(t.Context(), b, len(b.Messages))
		if err != nil {
			t.Fatal(err)
		}
		for i, one := range all {
			if one.GasUsed != b.Messages[i].Result.GasUsed || len(one.Trace) < 5 {
				t.Errorf("epoch %d, message %d: %d gas, want %d; %d steps", b.Epoch(), i, one.GasUsed, b.Messages[i].Result.GasUsed, len(one.Trace))
			}
		}
	}
	if _, err := n.Traces(t.Context(), n.Latest(), 99); err == nil {
		t.Error("99 messages")
	}
}

// Pending is what would be mined.
func TestPending(t *testing.T) {
	n := devtest.New(t, dev.Options{Manual: true})
	if p, err := n.Pending(t.Context()); err != nil || p != n.Latest() {
		t.Errorf("%v %v", p, err)
	}
	var sent []dev.Sent
	for nonce := range uint64(2) {
		s, err := n.SubmitTransaction(t.Context(), transfer(t, n, func(c *eth.Call) { c.Nonce = quantity(nonce) }))
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, s)
	}
	p, err := n.Pending(t.Context())
	if err != nil || !p.Preview || p.Epoch() != 1 || len(p.Messages) != 2 || n.Len() != 1 {
		t.Fatalf("%+v %v", p, err)
	}
	again, err := n.Pending(t.Context())
	if err != nil || again != p {
		t.Errorf("it was made anew: %v", err)
	}
	had := n.Balance(t, n.Account(1).F410)
	got, err := n.Node.Balance(t.Context(), p, n.Account(1).F410)
	if err != nil || !got.Equals(fbig.Add(fbig.Int{Int: had}, fbig.NewInt(2))) {
		t.Errorf("it has %s then, and %s now: %v", got, had, err)
	}
	if b := n.Blocks(t, 1); b.Hash != p.Hash || b.Root != p.Root || b.Messages[0].Hash != sent[0].Hash {
		t.Errorf("what was mined is another block")
	}
}
