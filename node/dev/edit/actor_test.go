package edit

import (
	"bytes"
	"errors"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// hello is an actor that returns the text "hello" from each of its methods, by ipld::block_create.
var hello = bytes.Join([][]byte{
	code("0061736d01000000"),
	code("010e0260017f017f60047f7e7f7f017f"),                                                 // (i32) -> i32, (i32 i64 i32 i32) -> i32
	code("0215010469706c640c626c6f636b5f6372656174650001"),                                   // import
	code("03020100"), code("0503010001"), code("07130206696e766f6b650001066d656d6f72790200"), // a function, memory, exports
	code("0a1501130041" + "0042f100" + "4110" + "4106" + "1000" + "1a" + "41002802000b"),
	code("0b0c010041100b06" + "6568656c6c6f"),
}, nil)

func TestInstallActor(t *testing.T) {
	for _, nv := range versions {
		w := begin(t, nv)
		ctx := t.Context()
		w.must(w.SetBalance(ctx, eth(5), big.NewInt(77)))
		id, robust, err := w.InstallActor(ctx, hello, eth(5))
		w.must(err)
		second, other, err := w.InstallActor(ctx, hello, address.Undef)
		w.must(err)
		if id == second || robust == other {
			t.Errorf("nv%d: two actors have f0%d and %s", nv, id, robust)
		}
		for _, to := range []address.Address{addr.NewID(uint64(id)), robust, eth(5), other} {
			if got := w.send(0, to, 1234567, nil, 0); string(got) != "ehello" {
				t.Errorf("nv%d: %s returns %q", nv, to, got)
			}
		}
		if _, st, err := w.Actor(ctx, eth(5)); err != nil || st.Balance.Int64() != 77 {
			t.Errorf("nv%d: %v", nv, err)
		}
		if _, _, err := w.InstallActor(ctx, hello, eth(5)); !errors.Is(err, ErrImpossible) {
			t.Errorf("nv%d: twice at one address: %v", nv, err)
		}
	}
}

// A contract calls an actor of other code by the precompile for native calls, as it calls a builtin one.
func TestContractCallsActor(t *testing.T) {
	w := begin(t, 28)
	ctx := t.Context()
	id, _, err := w.InstallActor(ctx, hello, address.Undef)
	w.must(err)
	// (method, value, flags, codec, params, id) to 0xfe..05 by DELEGATECALL, and what it returns: (exit code, codec, data)
	var input []byte
	for _, v := range []int64{1234567, 0, 0, 0, 6 * 32, int64(id), 0} {
		x := word(v)
		input = append(input, x[:]...)
	}
	// CALLDATACOPY all to 0; DELEGATECALL(gas, fe..05, 0, size, 0, 0); RETURNDATACOPY all to 0; RETURN
	proxy := code("366000600037" + "6000600036600073fe000000000000000000000000000000000000055af4" + "503d600060003e3d6000f3")
	w.must(w.SetCode(ctx, eth(6), proxy))
	got := w.invoke(eth(6), input)
	if len(got) != 5*32 || !bytes.Equal(got[4*32:4*32+6], []byte("ehello")) || got[31] != 0 {
		t.Errorf("%x", got)
	}
}

func TestBadCode(t *testing.T) {
	w := begin(t, 28)
	for name, wasm := range map[string][]byte{
		"nothing": nil, "no Wasm": []byte("contract"), "cut": hello[:len(hello)-5], "no invoke": bytes.Replace(hello, []byte("invoke"), []byte("invoice"[:6]), 1),
		"too long": make([]byte, MaxWasm+1),
	} {
		if c, err := w.InstallCode(wasm); err == nil {
			t.Errorf("%s: it is %s", name, c)
		}
	}
}

func TestSetActor(t *testing.T) {
	w := begin(t, 28)
	ctx := t.Context()
	// An account of a key at a free ID, and the next that the init actor makes is above it.
	key := w.g.Accounts[3].F1
	nonce, balance := uint64(9), big.NewInt(12345)
	at := addr.NewID(50_000)
	id, err := w.SetActor(ctx, at, Entry{Builtin: "account", State: cbor.AppendBytes(cbor.AppendArray(nil, 1), key.Bytes()), Nonce: &nonce, Balance: &balance})
	w.must(err)
	if id != 50_000 {
		t.Errorf("it is f0%d", id)
	}
	rich := big.Mul(big.NewInt(10), big.NewInt(1e18))
	w.must(w.SetBalance(ctx, at, rich))
	if res := w.result(fvm.Message{From: at, To: eth(0x43), Nonce: 9, Value: big.NewInt(1)}); res.ExitCode != 0 {
		t.Errorf("it cannot send: exit code %d: %s", res.ExitCode, res.Failure)
	}
	if created, _ := w.create(load); created != addr.NewID(50_002) {
		t.Errorf("the next actor is %s", created)
	}
	// What is not named stays.
	me := w.g.Accounts[0].F410
	_, before, err := w.Actor(ctx, me)
	w.must(err)
	_, err = w.SetActor(ctx, me, Entry{Nonce: &nonce})
	w.must(err)
	if _, st, err := w.Actor(ctx, me); err != nil || st.Nonce != 9 || !st.Balance.Equals(before.Balance) || st.Head != before.Head || st.Code != before.Code {
		t.Errorf("%+v, %v", st, err)
	}
	// A whole contract: head and code of another one.
	deployed, _ := w.create(load)
	_, st, err := w.Actor(ctx, deployed)
	w.must(err)
	_, err = w.SetActor(ctx, eth(0x44), Entry{Code: st.Code, Head: st.Head})
	w.must(err)
	w.must(w.SetStorage(ctx, eth(0x44), word(0), word(3)))
	if got, want := w.invoke(eth(0x44), make([]byte, 32)), word(3); !bytes.Equal(got, want[:]) {
		t.Errorf("%x", got)
	}
	stranger, err := abi.CidBuilder.Sum([]byte("nobody has this"))
	w.must(err)
	f1, minus := w.g.Accounts[0].F1, big.NewInt(-1)
	for name, to := range map[string]Entry{
		"two codes": {Builtin: "account", Code: st.Code}, "two states": {Head: st.Head, State: []byte{0x80}}, "an unknown actor": {Builtin: "miner"},
		"a head that is not there": {Head: stranger}, "a code that is not there": {Code: stranger}, "half a state": {State: []byte{0x82, 1}},
		"no f4 address": {Delegated: &f1}, "a balance below 0": {Balance: &minus},
	} {
		if _, err := w.SetActor(ctx, me, to); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := w.SetActor(ctx, eth(0x55), Entry{}); !errors.Is(err, ErrNoActor) {
		t.Error(err)
	}
	if _, err := w.SetActor(ctx, addr.NewID(1<<63-1), Entry{Builtin: "account"}); !errors.Is(err, ErrImpossible) {
		t.Error(err)
	}
}

// Calls of the system run on the state as it is, and those that fail change nothing.
func TestRun(t *testing.T) {
	w := begin(t, 28)
	ctx := t.Context()
	faucet, to := addr.NewID(uint64(w.g.Faucet.ID)), eth(0x61)
	w.must(w.SetBalance(ctx, faucet, big.NewInt(100)))
	if _, err := w.Run(ctx, w.config(), Call{From: faucet, To: to, Value: big.NewInt(60)}); err != nil {
		t.Fatal(err)
	}
	before, err := w.Flush(ctx)
	w.must(err)
	if _, err := w.Run(ctx, w.config(), Call{From: faucet, To: to, Value: big.NewInt(30)}, Call{From: faucet, To: to, Value: big.NewInt(60)}); err == nil {
		t.Error("money that nobody has was sent")
	}
	after, err := w.Flush(ctx)
	w.must(err)
	if _, st, err := w.Actor(ctx, to); err != nil || st.Balance.Int64() != 60 || before != after {
		t.Errorf("%v, %s, %s", err, before, after)
	}
}

// A state of no network, and one before version 18, is an error.
func TestOpenRefuses(t *testing.T) {
	w := begin(t, 28)
	for name, root := range map[string]cid.Cid{"an actor's state": w.head(addr.NewID(1)), "nothing": w.putBlock(cbor.CodecDagCBOR, []byte("?"))} {
		if _, err := Open(t.Context(), w.base, root); err == nil {
			t.Errorf("%s is taken for a state", name)
		}
	}
}
