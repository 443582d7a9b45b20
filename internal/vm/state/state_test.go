package state

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand"
	"reflect"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	gohamt "github.com/filecoin-project/go-hamt-ipld/v3"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"
	cbornode "github.com/ipfs/go-ipld-cbor"
	format "github.com/ipfs/go-ipld-format"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/ipld/hamt"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
)

func newStore() *blockstore.Buffered { return blockstore.NewBuffered(blockstore.NewMemory()) }

func put(s *blockstore.Buffered, data []byte) cid.Cid {
	c := cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(data))
	s.PutRaw(c, data)
	return c
}

func someCID(i int) cid.Cid { return cbor.Blake2bCID(cbor.CodecRaw, [32]byte{byte(i), byte(i >> 8)}) }

func sample(i int) ActorState {
	a := ActorState{Code: someCID(i % 16), Head: someCID(i), Nonce: uint64(i), Balance: big.NewInt(int64(i) << (i % 40))}
	if i%3 == 0 {
		d, err := address.NewDelegatedAddress(10, []byte{byte(i), 2, 3})
		if err != nil {
			panic(err)
		}
		a.Delegated = &d
	}
	return a
}

func flushed(t testing.TB, m *hamt.Map) cid.Cid {
	t.Helper()
	root, err := m.Flush(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// withInit adds an init actor with an empty address map and the next ID 1000.
func withInit(t testing.TB, tree *Tree, store *blockstore.Buffered) {
	t.Helper()
	s := initState{addresses: flushed(t, hamt.New(store)), nextID: 1000, network: "test"}
	if err := tree.SetActor(initActor, ActorState{Code: someCID(1), Head: put(store, s.encode()), Balance: big.Zero()}); err != nil {
		t.Fatal(err)
	}
}

func robust(i int) address.Address {
	a, err := address.NewActorAddress(fmt.Appendf(nil, "actor %d", i))
	if err != nil {
		panic(err)
	}
	return a
}

func same(a, b *ActorState) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Code == b.Code && a.Head == b.Head && a.Nonce == b.Nonce && a.Balance.Equals(b.Balance) && reflect.DeepEqual(a.Delegated, b.Delegated)
}

// model is the simplest thing that does what a Tree does: it copies everything at the begin of a transaction.
type model struct {
	actors map[abi.ActorID]ActorState
	ids    map[address.Address]abi.ActorID
	next   abi.ActorID
}

func (m *model) copy() *model {
	return &model{actors: maps.Clone(m.actors), ids: maps.Clone(m.ids), next: m.next}
}

// root builds the tree of the model's actors with go-hamt-ipld.
func (m *model) root(t *testing.T) cid.Cid {
	t.Helper()
	ctx := context.Background()
	n, err := gohamt.NewNode(cbornode.NewCborStore(blockstore.NewMemory()), gohamt.UseTreeBitWidth(5), gohamt.UseHashFunction(func(b []byte) []byte {
		h, _ := crypto.AppendHash(nil, crypto.SHA256, b)
		return h
	}))
	if err != nil {
		t.Fatal(err)
	}
	for id, a := range m.actors {
		raw, err := a.encode(findVersion(Current))
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Set(ctx, string(actorKey(id)), &cbg.Deferred{Raw: raw}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := n.Write(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// actorsRoot reads the HAMT's root out of a state root.
func actorsRoot(t *testing.T, s *blockstore.Buffered, root cid.Cid) cid.Cid {
	t.Helper()
	data, err := s.GetRaw(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	r := cbor.NewReader(data)
	r.Tuple(3)
	r.Uint()
	return r.CID()
}

// TestAgainstModel makes the same random changes, in nested transactions that end either way, to a Tree and to the
// model.
func TestAgainstModel(t *testing.T) {
	for seed := range int64(6) {
		runAgainstModel(t, seed)
	}
}

func runAgainstModel(t *testing.T, seed int64) {
	ctx := context.Background()
	rnd := rand.New(rand.NewSource(seed))
	space := []int{8, 60, 600}[seed%3]
	store := newStore()
	tree := New(store)
	withInit(t, tree, store)
	layers := []*model{{actors: map[abi.ActorID]ActorState{}, ids: map[address.Address]abi.ActorID{}, next: 1000}}
	for step := range 6000 {
		m := layers[len(layers)-1]
		id := abi.ActorID(2 + rnd.Intn(space))
		var err error
		switch op := rnd.Intn(20); {
		case op < 6:
			got, err := tree.Actor(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			var want *ActorState
			if a, ok := m.actors[id]; ok {
				want = &a
			}
			if !same(got, want) {
				t.Fatalf("seed %d, step %d: actor %d is %v, not %v", seed, step, id, got, want)
			}
			if got != nil {
				got.Nonce += 1000 // the caller's own copy
			}
		case op < 10:
			a := sample(rnd.Intn(1000))
			err, m.actors[id] = tree.SetActor(id, a), a
		case op < 12:
			err = tree.DeleteActor(id)
			delete(m.actors, id)
		case op < 13:
			a := robust(rnd.Intn(space))
			got, rerr := tree.RegisterNewAddress(ctx, a)
			if rerr != nil || got != m.next {
				t.Fatalf("seed %d, step %d: registered as %d, not %d, %v", seed, step, got, m.next, rerr)
			}
			m.ids[a] = m.next
			m.next++
		case op < 15:
			a := robust(rnd.Intn(space))
			got, ok, lerr := tree.LookupID(ctx, a)
			if want, has := m.ids[a]; lerr != nil || got != want || ok != has {
				t.Fatalf("seed %d, step %d: looked up as %d %v, not %d %v, %v", seed, step, got, ok, want, has, lerr)
			}
		case op < 17:
			tree.Begin()
			layers = append(layers, m.copy())
		case op < 19:
			if len(layers) == 1 {
				continue
			}
			revert := rnd.Intn(2) == 0
			if err = tree.End(revert); !revert {
				layers[len(layers)-2] = m
			}
			layers = layers[:len(layers)-1]
		case len(layers) > 1:
			if _, err := tree.Flush(ctx); err == nil {
				t.Fatal("a flush inside a transaction")
			}
		default:
			root, ferr := tree.Flush(ctx)
			if ferr != nil {
				t.Fatal(ferr)
			}
			init, ierr := tree.Actor(ctx, initActor)
			if ierr != nil {
				t.Fatal(ierr)
			}
			all := m.copy()
			all.actors[initActor] = *init
			if got, want := actorsRoot(t, store, root), all.root(t); got != want {
				t.Fatalf("seed %d, step %d: the root is %v, not %v", seed, step, got, want)
			}
			if rnd.Intn(2) == 0 {
				if err = store.Flush(ctx, root); err == nil {
					tree, err = Load(ctx, store, root)
				}
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestActorEncoding(t *testing.T) {
	big128 := big.NewInt(1)
	big128.Lsh(big128.Int, 8*(maxBalance-1))
	negative := big.NewInt(-256)
	d, _ := address.NewDelegatedAddress(10, []byte("sub"))
	code, head := someCID(1), someCID(2)
	for _, tt := range []struct {
		name, tail string
		a          ActorState
		version    uint64
		bad        bool
	}{
		{name: "zero", tail: "0040f6", a: ActorState{Balance: big.Zero()}, version: 5},
		{name: "no balance", tail: "0040f6", a: ActorState{}, version: 5},
		{name: "balance", tail: "1903e8420005f6", a: ActorState{Nonce: 1000, Balance: big.NewInt(5)}, version: 5},
		{name: "negative", tail: "0043010100f6", a: ActorState{Balance: negative}, version: 5},
		{name: "delegated", tail: "004045040a737562", a: ActorState{Delegated: &d}, version: 5},
		{name: "version 4", tail: "0040", a: ActorState{Delegated: &d}, version: 4},
		{name: "too big", a: ActorState{Balance: big128}, version: 5, bad: true},
	} {
		tt.a.Code, tt.a.Head = code, head
		v := findVersion(tt.version)
		raw, err := tt.a.encode(v)
		if tt.bad != (err != nil) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil {
			continue
		}
		want := hex.EncodeToString(cbor.AppendCID(cbor.AppendCID(cbor.AppendArray(nil, v.actorFields), code), head)) + tt.tail
		if got := hex.EncodeToString(raw); got != want {
			t.Errorf("%s: %s, not %s", tt.name, got, want)
		}
		back, err := decodeActor(raw, v)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if tt.a.Balance.Int == nil {
			tt.a.Balance = big.Zero()
		}
		if tt.version < 5 {
			tt.a.Delegated = nil
		}
		if !same(back, &tt.a) {
			t.Errorf("%s: read back as %+v", tt.name, back)
		}
	}
	if _, err := (&ActorState{}).encode(findVersion(5)); err == nil {
		t.Error("an actor without code is stored")
	}
}

func isGuest(err error) bool {
	var f *execerr.Fatal
	return errors.As(err, &f) && f.Guest
}

func isNode(err error) bool {
	var f *execerr.Fatal
	return errors.As(err, &f) && !f.Guest
}

func TestMalformedActor(t *testing.T) {
	ctx := context.Background()
	good := sample(3)
	raw, err := good.encode(findVersion(5))
	if err != nil {
		t.Fatal(err)
	}
	links := hex.EncodeToString(raw[1:87])
	for name, data := range map[string]string{
		"four fields":      "84" + links + "0040",
		"bytes after it":   hex.EncodeToString(raw) + "00",
		"cut short":        hex.EncodeToString(raw[:90]),
		"sign of 2":        "85" + links + "00" + "420205" + "f6",
		"long balance":     "85" + links + "00" + "5881" + strings.Repeat("00", 129) + "f6",
		"bad address":      "85" + links + "0040" + "4109",
		"address is a map": "85" + links + "0040" + "a0",
	} {
		b, err := hex.DecodeString(data)
		if err != nil {
			t.Fatal(err)
		}
		store := newStore()
		m := hamt.New(store)
		// A HAMT holds well-formed CBOR alone; what is not well-formed shows when the node is loaded.
		if err := m.Set(ctx, actorKey(7), b); err != nil {
			t.Fatal(err)
		}
		dst := cbor.AppendUint(cbor.AppendArray(nil, 3), Current)
		dst = cbor.AppendCID(cbor.AppendCID(dst, flushed(t, m)), someCID(0))
		tree, err := Load(ctx, store, put(store, dst))
		if err == nil {
			_, err = tree.Actor(ctx, 7)
		}
		if !isGuest(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	ctx := context.Background()
	store := newStore()
	empty := flushed(t, hamt.New(store))
	root := func(version uint64, actors cid.Cid) cid.Cid {
		dst := cbor.AppendUint(cbor.AppendArray(nil, 3), version)
		return put(store, cbor.AppendCID(cbor.AppendCID(dst, actors), someCID(0)))
	}
	if _, err := Load(ctx, store, root(4, empty)); !isGuest(err) {
		t.Error("version 4:", err)
	}
	if tree, err := Load(ctx, store, root(4, empty), 3, 4); err != nil || tree.Version() != 4 {
		t.Error("version 4, allowed:", err)
	}
	if _, err := Load(ctx, store, root(6, empty), 6); !isGuest(err) {
		t.Error("version 6:", err)
	}
	if _, err := Load(ctx, store, put(store, []byte{0x80})); !isGuest(err) {
		t.Error("no state root:", err)
	}
	if _, err := Load(ctx, store, put(store, []byte{0xff})); !isGuest(err) {
		t.Error("no CBOR:", err)
	}
	if _, err := Load(ctx, store, someCID(9)); !isNode(err) || !errors.Is(err, format.ErrNotFound{}) {
		t.Error("missing root:", err)
	}
	if _, err := Load(ctx, store, root(5, someCID(9))); !isNode(err) {
		t.Error("missing actors:", err)
	}
	if _, err := Load(ctx, store, root(5, put(store, []byte{0x80}))); !isGuest(err) {
		t.Error("malformed actors:", err)
	}
}

func TestInitActorFailures(t *testing.T) {
	ctx := context.Background()
	store := newStore()
	tree := New(store)
	check := func(name string, is func(error) bool) {
		t.Helper()
		if _, _, err := tree.LookupID(ctx, robust(1)); !is(err) {
			t.Errorf("%s: lookup: %v", name, err)
		}
		if _, err := tree.RegisterNewAddress(ctx, robust(1)); !is(err) {
			t.Errorf("%s: register: %v", name, err)
		}
	}
	set := func(head cid.Cid) {
		if err := tree.SetActor(initActor, ActorState{Code: someCID(1), Head: head, Balance: big.Zero()}); err != nil {
			t.Fatal(err)
		}
	}
	check("no init actor", isGuest)
	set(someCID(2))
	check("state missing", isNode)
	set(put(store, []byte{0x80}))
	check("malformed state", isGuest)
	set(put(store, (&initState{addresses: someCID(2)}).encode()))
	check("map missing", isNode)
	set(put(store, (&initState{addresses: put(store, []byte{0x80})}).encode()))
	check("malformed map", isGuest)
	m := hamt.New(store)
	if err := m.Set(ctx, robust(1).Bytes(), []byte{0x60}); err != nil {
		t.Fatal(err)
	}
	set(put(store, (&initState{addresses: flushed(t, m)}).encode()))
	if _, _, err := tree.LookupID(ctx, robust(1)); !isGuest(err) {
		t.Errorf("the ID is a text: %v", err)
	}
	// An ID address needs no init actor.
	if id, ok, err := tree.LookupID(ctx, addr.NewID(1<<63)); id != 1<<63 || !ok || err != nil {
		t.Error(id, ok, err)
	}
}

// TestRevertedRegistration: an ID given in a reverted transaction is given again.
func TestRevertedRegistration(t *testing.T) {
	ctx := context.Background()
	store := newStore()
	tree := New(store)
	withInit(t, tree, store)
	before, err := tree.Flush(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		tree.Begin()
		if id, err := tree.RegisterNewAddress(ctx, robust(1)); id != 1000 || err != nil {
			t.Fatal(id, err)
		}
		if id, ok, err := tree.LookupID(ctx, robust(1)); id != 1000 || !ok || err != nil {
			t.Fatal(id, ok, err)
		}
		if err := tree.End(true); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := tree.LookupID(ctx, robust(1)); ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if after, err := tree.Flush(ctx); after != before || err != nil {
		t.Fatalf("the root is %v, not %v, %v", after, before, err)
	}
	if err := tree.End(false); err == nil {
		t.Error("a transaction ended that never began")
	}
}

func TestForEach(t *testing.T) {
	ctx := context.Background()
	store := newStore()
	tree := New(store)
	for i := range 100 {
		if err := tree.SetActor(abi.ActorID(i), sample(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tree.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := tree.ForEach(ctx, func(id abi.ActorID, a *ActorState) error {
		n++
		if want := sample(int(id)); !same(a, &want) {
			return fmt.Errorf("actor %d is %v", id, a)
		}
		return nil
	}); err != nil || n != 100 {
		t.Fatal(n, err)
	}
}

func FuzzActor(f *testing.F) {
	for i := range 4 {
		a := sample(i)
		raw, err := a.encode(findVersion(5))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := decodeActor(data, findVersion(5))
		if err != nil {
			return
		}
		raw, err := a.encode(findVersion(5))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := decodeActor(raw, findVersion(5)); err != nil || !same(a, b) {
			t.Fatal(a, b, err)
		}
	})
}

func benchTree(b *testing.B) (*blockstore.Buffered, cid.Cid) {
	store := newStore()
	tree := New(store)
	withInit(b, tree, store)
	for i := range 100_000 {
		if err := tree.SetActor(abi.ActorID(100+i), sample(i)); err != nil {
			b.Fatal(err)
		}
	}
	root, err := tree.Flush(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	return store, root
}

// BenchmarkMessage does what a transfer between two actors new to the tipset does to the tree.
func BenchmarkMessage(b *testing.B) {
	ctx := context.Background()
	store, root := benchTree(b)
	tree, err := Load(ctx, store, root)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		tree.Begin()
		for range 2 {
			id := abi.ActorID(100 + i*7919%100_000)
			a, err := tree.Actor(ctx, id)
			if err != nil {
				b.Fatal(err)
			}
			a.Nonce++
			if err := tree.SetActor(id, *a); err != nil {
				b.Fatal(err)
			}
			i++
		}
		if err := tree.End(false); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFlush flushes two hundred changed actors of a hundred thousand, without writing them to the base store.
func BenchmarkFlush(b *testing.B) {
	ctx := context.Background()
	store, root := benchTree(b)
	b.ReportAllocs()
	for b.Loop() {
		tree, err := Load(ctx, store, root)
		if err != nil {
			b.Fatal(err)
		}
		for i := range 200 {
			if err := tree.SetActor(abi.ActorID(100+i*499), sample(i+1)); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := tree.Flush(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRegister(b *testing.B) {
	ctx := context.Background()
	store := newStore()
	tree := New(store)
	withInit(b, tree, store)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := tree.RegisterNewAddress(ctx, robust(i)); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// What a fork reads without the balance holds whatever the balance is, also with what it credits; once the balance was asked for, or if
// another part changed, it does not.
func TestForkHoldsWithoutBalance(t *testing.T) {
	ctx := t.Context()
	for _, tt := range []struct {
		name    string
		balance bool // is read
		change  func(*ActorState)
		holds   bool
	}{
		{"balance", false, func(a *ActorState) { a.Balance = big.NewInt(77) }, true},
		{"balance read", true, func(a *ActorState) { a.Balance = big.NewInt(77) }, false},
		{"head", false, func(a *ActorState) { a.Head = someCID(99) }, false},
		{"nonce", false, func(a *ActorState) { a.Nonce++ }, false},
	} {
		store := newStore()
		tree := New(store)
		st := sample(9)
		if err := tree.SetActor(9, st); err != nil {
			t.Fatal(err)
		}
		f := tree.Fork(tree, blockstore.NewBuffered(store))
		got, err := f.Described(ctx, 9)
		if err != nil || got.Head != st.Head || got.Balance.Int != nil {
			t.Fatalf("%s: %+v, %v", tt.name, got, err)
		}
		if ok, err := f.Credit(ctx, 9, big.NewInt(5)); !ok || err != nil {
			t.Fatal(tt.name, ok, err)
		}
		if tt.balance {
			got, err := f.Actor(ctx, 9)
			if err != nil || !got.Balance.Equals(big.Add(st.Balance, big.NewInt(5))) {
				t.Fatalf("%s: %+v, %v", tt.name, got, err)
			}
		}
		tt.change(&st)
		if err := tree.SetActor(9, st); err != nil {
			t.Fatal(err)
		}
		ok, err := tree.Holds(ctx, f)
		if ok != tt.holds || err != nil {
			t.Errorf("%s: %v, %v", tt.name, ok, err)
		}
		if !ok {
			continue
		}
		if err := tree.Merge(ctx, f); err != nil {
			t.Fatal(err)
		}
		if got, err := tree.Actor(ctx, 9); err != nil || !got.Balance.Equals(big.NewInt(82)) {
			t.Errorf("%s: after the merge %+v, %v", tt.name, got, err)
		}
	}
}

// A flush of many actors ends when its context does, long before it would be done, and the next one writes what is left.
func TestFlushManyInterrupted(t *testing.T) {
	const many = 20_000
	fill := func() *Tree {
		tree := New(newStore())
		for id := range abi.ActorID(many) {
			if err := tree.SetActor(id, ActorState{Code: someCID(1), Head: someCID(2), Balance: big.NewInt(int64(id))}); err != nil {
				t.Fatal(err)
			}
		}
		return tree
	}
	want, err := fill().Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, looks := range []int{0, 1, many / 2, many, many + 100} { // the last among the nodes
		tree := fill()
		ctx := &execerrtest.Countdown{Context: t.Context(), Left: looks}
		if _, err := tree.Flush(ctx); !isNode(err) || !errors.Is(err, context.Canceled) {
			t.Errorf("after %d looks: %v", looks, err)
		}
		if root, err := tree.Flush(t.Context()); err != nil || root != want {
			t.Errorf("after %d looks, then to the end: %v, %v, not %v", looks, root, err, want)
		}
	}
}
