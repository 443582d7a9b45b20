package executor_test

import (
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/ipld/hamt"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/state"
)

func code(name string) cid.Cid {
	return cbor.Blake2bCID(0x55, crypto.Blake2b256([]byte("code of "+name)))
}

// The actors of the test state.
const (
	alice     = 100 // an account with an f1 address
	ether     = 101 // an ethaccount
	fresh     = 102 // a placeholder of the Ethereum address manager
	spent     = 103 // one with a nonce
	foreign   = 104 // one of another namespace
	wallet    = 105 // a multisig
	bare      = 106 // a placeholder without a delegated address
	bob       = 200 // an account
	nobody    = 300
	endowment = 1_000_000_000
)

func f1(t testing.TB, key string) address.Address {
	t.Helper()
	a, err := address.NewSecp256k1Address([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func f4(t testing.TB, namespace uint64, sub string) *address.Address {
	t.Helper()
	a, err := address.NewDelegatedAddress(namespace, []byte(sub))
	if err != nil {
		t.Fatal(err)
	}
	return &a
}

// newMachine is a machine over a state in memory, with a base fee of 100 attoFIL.
func newMachine(t testing.TB, nv network.Version) *machine.Machine {
	t.Helper()
	store := blockstore.NewBuffered(blockstore.NewMemory())
	var entries []actors.Entry
	for _, n := range []string{"system", "init", "cron", "reward", "account", "placeholder", "eam", "ethaccount", "multisig"} {
		entries = append(entries, actors.Entry{Name: n, Code: code(n)})
	}
	manifest, err := actors.NewManifest(entries)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine.Machine{
		Context: machine.Context{NetworkVersion: nv, BaseFee: big.NewInt(100), CircSupply: big.Zero()},
		Store:   store, Tree: state.New(store), Manifest: manifest,
	}
	if m.Profile, err = machine.ProfileFor(nv, false); err != nil {
		t.Fatal(err)
	}
	if m.Prices, err = gas.PricesFor(nv, false); err != nil {
		t.Fatal(err)
	}
	store.PutRaw(machine.EmptyArray(), []byte{0x80})

	ids := hamt.New(store)
	if err := ids.Set(t.Context(), f1(t, "alice").Bytes(), cbor.AppendUint(nil, alice)); err != nil {
		t.Fatal(err)
	}
	addresses, err := ids.Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	initState := cbor.AppendText(cbor.AppendUint(cbor.AppendCID(cbor.AppendArray(nil, 3), addresses), 1000), "test")
	initHead := cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(initState))
	store.PutRaw(initHead, initState)

	for id, a := range map[abi.ActorID]state.ActorState{
		0: {Code: code("system")}, 1: {Code: code("init"), Head: initHead}, 2: {Code: code("reward")}, 99: {Code: code("account")},
		alice: {Code: code("account"), Nonce: 7}, ether: {Code: code("ethaccount"), Nonce: 7}, bob: {Code: code("account")},
		fresh: {Code: code("placeholder"), Delegated: f4(t, 10, "fresh")}, spent: {Code: code("placeholder"), Nonce: 7, Delegated: f4(t, 10, "spent")},
		foreign: {Code: code("placeholder"), Delegated: f4(t, 11, "foreign")}, bare: {Code: code("placeholder")},
		wallet: {Code: code("multisig"), Nonce: 7},
	} {
		if !a.Head.Defined() {
			a.Head = machine.EmptyArray()
		}
		a.Balance = big.NewInt(endowment)
		if err := m.Tree.SetActor(id, a); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func root(t testing.TB, m *machine.Machine) cid.Cid {
	t.Helper()
	c, err := m.Tree.Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func actor(t testing.TB, m *machine.Machine, id abi.ActorID) *state.ActorState {
	t.Helper()
	st, err := m.Tree.Actor(t.Context(), id)
	if err != nil || st == nil {
		t.Fatalf("actor %d: %v, %v", id, st, err)
	}
	return st
}

// fromAlice is a message that sends nothing to bob.
func fromAlice() executor.Message {
	return executor.Message{
		From: addr.NewID(alice), To: addr.NewID(bob), Nonce: 7, Value: big.Zero(),
		GasLimit: 1_000_000, GasFeeCap: big.NewInt(150), GasPremium: big.NewInt(20),
	}
}
