package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	statebig "github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// wholeState is testdata/state.car, a whole state of network version 28 without code: a part of the reports that the
// project's shared folder has. Accounts are f0100 to f0111, accounts of Ethereum f0114 and f0115.
func wholeState(t testing.TB) (*blockstore.Memory, cid.Cid) {
	t.Helper()
	f, err := os.Open("testdata/state.car")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	store := blockstore.NewMemory()
	roots, err := blockstore.LoadCAR(t.Context(), f, store, blockstore.CAROptions{})
	if err != nil {
		t.Fatal(err)
	}
	return store, roots[0]
}

func openTree(t testing.TB, store Store, root cid.Cid) *Tree {
	t.Helper()
	tree, err := Open(t.Context(), store, root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// chain applies messages to a state on the network's own actors.
type chain struct {
	store *blockstore.Memory
	code  blockstore.Blockstore
	root  cid.Cid
}

func newChain(t testing.TB) *chain {
	t.Helper()
	set, err := bundle.Open(t.Context(), bundle.Options{Progress: os.Stderr})
	if err != nil {
		t.Skipf("NOT RUN: it needs the actor bundles: %v", err)
	}
	code := blockstore.NewMemory()
	if _, err := set.Load(t.Context(), 18, "mainnet", code); err != nil {
		t.Fatal(err)
	}
	store, root := wholeState(t)
	return &chain{store, code, root}
}

// apply runs a message with the sender's next nonce; it must succeed.
func (c *chain) apply(t testing.TB, from, to address.Address, method abi.MethodNum, params []byte) []byte {
	t.Helper()
	tree := openTree(t, c.store, c.root)
	a, err := tree.Actor(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	m, err := fvm.New(t.Context(), fvm.Config{
		NetworkVersion: 28, Epoch: 5800000, Timestamp: 1772306400, ChainID: 314, BaseFee: statebig.NewInt(100),
		StateRoot: c.root, Blockstore: &blockstore.Overlay{Top: c.store, Base: c.code},
	})
	if err != nil {
		t.Fatal(err)
	}
	res, err := m.Apply(t.Context(), &fvm.Message{
		From: from, To: to, Nonce: a.Nonce, Method: method, Params: params, Value: statebig.Zero(),
		GasLimit: 1_000_000_000, GasFeeCap: statebig.NewInt(100), GasPremium: statebig.Zero(),
	}, fvm.Explicit, 200)
	if err != nil || res.ExitCode != 0 {
		t.Fatalf("exit code %v, %v, %v", res, err, res)
	}
	if c.root, err = m.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return res.Return
}

// stores is code that writes words to slots.
func stores(slots [][2]*big.Int) (code []byte) {
	for _, s := range slots {
		code = append(append(code, 0x7f), s[1].FillBytes(make([]byte, 32))...) // PUSH32 word
		code = append(append(code, 0x7f), s[0].FillBytes(make([]byte, 32))...) // PUSH32 slot
		code = append(code, 0x55)                                              // SSTORE
	}
	return append(code, 0x60, 0, 0x60, 0, 0xf3) // return nothing: a contract without code
}

func bytesParam(data []byte) []byte {
	return append(cbg.CborEncodeMajorType(cbg.MajByteString, uint64(len(data))), data...)
}

// A contract's slots are those that the network's EVM actor wrote: neighbours, far ones, ones that share all but the last
// bit, one that was cleared.
func TestContractStorage(t *testing.T) {
	c := newChain(t)
	one := big.NewInt(1)
	at := func(bits uint, plus int64) *big.Int {
		n := new(big.Int).Lsh(one, bits)
		return n.Add(n, big.NewInt(plus))
	}
	top := new(big.Int).Sub(new(big.Int).Lsh(one, 256), one)
	slots := [][2]*big.Int{
		{big.NewInt(0), big.NewInt(1)}, {big.NewInt(1), top}, {big.NewInt(2), big.NewInt(0x0100)}, {big.NewInt(3), big.NewInt(7)},
		{big.NewInt(31), big.NewInt(31)}, {big.NewInt(32), big.NewInt(32)}, {at(255, 0), big.NewInt(5)}, {at(255, 1), big.NewInt(6)},
		{at(130, 7), top}, {at(130, 8), big.NewInt(9)}, {top, big.NewInt(10)}, {big.NewInt(3), big.NewInt(0)},
	}
	want := map[string]string{}
	for _, s := range slots {
		want[fmt.Sprintf("0x%064x", s[0])] = fmt.Sprintf("0x%064x", s[1])
		if s[1].Sign() == 0 {
			delete(want, fmt.Sprintf("0x%064x", s[0]))
		}
	}
	eam, sender := addr.NewID(10), addr.NewID(114)
	before := openTree(t, c.store, c.root)
	ret := c.apply(t, sender, eam, 4, bytesParam(stores(slots)))
	r := cbg.NewCborReader(bytes.NewReader(ret))
	if _, _, err := r.ReadHeader(); err != nil {
		t.Fatal(err)
	}
	_, id, err := r.ReadHeader()
	if err != nil {
		t.Fatal(err)
	}
	after := openTree(t, c.store, c.root)
	path := fmt.Sprintf("actors/f0%d/state/ContractState", id)
	n, err := after.Get(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err = n.Each(t.Context(), func(key string, v *Node) error {
		view, err := v.View(t.Context(), ViewOptions{})
		got[key], _ = view.(string)
		return err
	})
	if err != nil || len(got) != len(want) {
		t.Errorf("%d slots of %d, %v", len(got), len(want), err)
	}
	for slot, word := range want {
		if got[slot] != word {
			t.Errorf("slot %s: %s, not %s", slot, got[slot], word)
		}
		one, err := n.Get(t.Context(), slot)
		if err != nil {
			t.Error(err)
		} else if v, _ := one.View(t.Context(), ViewOptions{}); v != word {
			t.Errorf("slot %s by its path: %v", slot, v)
		}
	}
	for text, want := range map[string]string{"2": "0x" + fmt.Sprintf("%064x", 0x100), "0x2": "0x" + fmt.Sprintf("%064x", 0x100), "0x20": "0x" + fmt.Sprintf("%064x", 32)} {
		if one, err := n.Get(t.Context(), text); err != nil {
			t.Error(err)
		} else if v, _ := one.View(t.Context(), ViewOptions{}); v != want {
			t.Errorf("slot %s: %v", text, v)
		}
	}
	if _, err := n.Get(t.Context(), "3"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a slot that was cleared: %v", err)
	}
	// The contract is new, with all of its slots.
	found := map[string]string{}
	err = Diff(t.Context(), before, after, DiffOptions{Only: []abi.ActorID{abi.ActorID(id)}}, func(ch *Change) error {
		if ch.Op != Added {
			t.Errorf("%+v", ch)
		}
		found[ch.Path], _ = ch.After.(string)
		return nil
	})
	if _, ok := found[fmt.Sprintf("/actors/f0%d", id)]; err != nil || !ok || found[fmt.Sprintf("/actors/f0%d/state/Bytecode", id)] != "0x" || len(found) != len(want)+2 {
		t.Errorf("%d changes, %v", len(found), err)
	}
	for slot, word := range want {
		if found["/"+path+"/"+slot] != word {
			t.Errorf("slot %s is not told as new: %q", slot, found["/"+path+"/"+slot])
		}
	}
}

// What is exported with a tree is a state on which a message runs, with the same receipt.
func TestExportRuns(t *testing.T) {
	c := newChain(t)
	tree := openTree(t, c.store, c.root)
	var file bytes.Buffer
	done, err := tree.Export(t.Context(), &file, []abi.ActorID{100, 101}, ExportOptions{WithTree: true})
	if err != nil {
		t.Fatal(err)
	}
	small := blockstore.NewMemory()
	roots, err := blockstore.LoadCAR(t.Context(), &file, small, blockstore.CAROptions{})
	if err != nil || len(roots) != 1 || roots[0] != done.Roots[0] || int64(small.Len()) != done.Blocks {
		t.Fatalf("%v, %v, %d blocks", roots, err, small.Len())
	}
	var kinds []string
	part := openTree(t, small, roots[0])
	if err := part.Actors(t.Context(), ListOptions{}, func(a *Actor) error {
		kinds = append(kinds, fmt.Sprintf("f0%d %s", a.ID, part.Kind(t.Context(), a.Code)))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(kinds); got != "[f00 system f01 init f02 reward f099 account f0100 account f0101 account]" {
		t.Errorf("actors %s", got)
	}
	// Addresses of those that are there are known, others are not.
	key, err := tree.Get(t.Context(), "actors/f0100/state/Address")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := key.View(t.Context(), ViewOptions{})
	from, err := address.NewFromString(text.(string))
	if err != nil {
		t.Fatal(err)
	}
	if id, err := part.Resolve(t.Context(), from); err != nil || id != 100 {
		t.Errorf("%s is %d, %v", from, id, err)
	}
	names, err := part.Get(t.Context(), "actors/f01/state/AddressMap")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	if err := names.Each(t.Context(), func(string, *Node) error { count++; return nil }); err != nil || count != 2 {
		t.Errorf("%d addresses, %v", count, err)
	}
	whole, cut := *c, chain{small, c.code, roots[0]}
	a := whole.apply(t, from, addr.NewID(101), 0, nil)
	b := cut.apply(t, from, addr.NewID(101), 0, nil)
	if !bytes.Equal(a, b) {
		t.Errorf("returns %x and %x", a, b)
	}
	for _, id := range []abi.ActorID{2, 99, 100, 101} {
		x, err1 := openTree(t, whole.store, whole.root).ActorByID(t.Context(), id)
		y, err2 := openTree(t, cut.store, cut.root).ActorByID(t.Context(), id)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		left, _ := json.Marshal(x)
		right, _ := json.Marshal(y)
		if !bytes.Equal(left, right) {
			t.Errorf("f0%d after the message: %s, and on the part %s", id, left, right)
		}
	}
}
