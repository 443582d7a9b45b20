package hamt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"testing"

	gohamt "github.com/filecoin-project/go-hamt-ipld/v3"
	"github.com/ipfs/go-cid"
	cbornode "github.com/ipfs/go-ipld-cbor"
	cbg "github.com/whyrusleeping/cbor-gen"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
)

func flush(t testing.TB, m *Map) cid.Cid {
	t.Helper()
	root, err := m.Flush(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func newStore() *blockstore.Buffered { return blockstore.NewBuffered(blockstore.NewMemory()) }

func options() []gohamt.Option {
	return []gohamt.Option{gohamt.UseTreeBitWidth(bitWidth), gohamt.UseHashFunction(func(b []byte) []byte {
		h := newHash(b)
		return h[:]
	})}
}

// reference is go-hamt-ipld over the same kind of store.
func reference(t testing.TB) *gohamt.Node {
	t.Helper()
	n, err := gohamt.NewNode(cbornode.NewCborStore(blockstore.NewMemory()), options()...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func key(i int) []byte { return cbor.AppendUint([]byte{0}, uint64(i)) }

func value(rnd *rand.Rand) []byte {
	return cbor.AppendBytes(nil, make([]byte, rnd.Intn(5)))
}

// TestAgainstReference makes the same random changes to a Map, to go-hamt-ipld and to a Go map.
func TestAgainstReference(t *testing.T) {
	ctx := context.Background()
	for seed := range int64(8) {
		rnd := rand.New(rand.NewSource(seed))
		space := []int{5, 40, 400, 3000}[seed%4]
		store := newStore()
		m, ref, model := New(store), reference(t), map[string][]byte{}
		for step := range 3000 {
			k := key(rnd.Intn(space))
			switch op := rnd.Intn(10); {
			case op < 5:
				v := value(rnd)
				if err := errors.Join(m.Set(ctx, k, v), ref.Set(ctx, string(k), &cbg.Deferred{Raw: v})); err != nil {
					t.Fatal(err)
				}
				model[string(k)] = v
			case op < 9:
				_, want := model[string(k)]
				got, err := m.Delete(ctx, k)
				if _, rerr := ref.Delete(ctx, string(k)); err != nil || rerr != nil || got != want {
					t.Fatalf("delete: %v, not %v, %v, %v", got, want, err, rerr)
				}
				delete(model, string(k))
			default:
				got, ok, err := m.Get(ctx, k)
				if want, has := model[string(k)]; err != nil || ok != has || !bytes.Equal(got, want) {
					t.Fatalf("get: %x %v, not %x %v, %v", got, ok, want, has, err)
				}
			}
			if step%500 != 499 {
				continue
			}
			root := flush(t, m)
			want, err := ref.Write(ctx)
			if err != nil || root != want {
				t.Fatalf("seed %d, step %d: the root is %v, not %v (%v)", seed, step, root, want, err)
			}
			if rnd.Intn(2) == 0 { // read all again
				if m, err = Load(ctx, store, root); err != nil {
					t.Fatal(err)
				}
			}
			n := 0
			if err := m.ForEach(ctx, func(k, v []byte) error {
				n++
				if !bytes.Equal(model[string(k)], v) {
					return fmt.Errorf("%x has %x, not %x", k, v, model[string(k)])
				}
				return nil
			}); err != nil || n != len(model) {
				t.Fatalf("%d entries of %d, %v", n, len(model), err)
			}
		}
	}
}

func TestEmpty(t *testing.T) {
	want, err := reference(t).Write(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := flush(t, New(newStore())); got != want {
		t.Errorf("the empty map is %v, not %v", got, want)
	}
}

// failing is a store that loses blocks.
type failing struct {
	*blockstore.Buffered
	err error
}

func (f *failing) GetRaw(ctx context.Context, c cid.Cid) ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.Buffered.GetRaw(ctx, c)
}

// TestMissingNodes checks that what fails leaves the map as it was.
func TestMissingNodes(t *testing.T) {
	ctx := context.Background()
	s := &failing{Buffered: newStore()}
	m := New(s)
	for i := range 500 {
		if err := m.Set(ctx, key(i), []byte{1}); err != nil {
			t.Fatal(err)
		}
	}
	root := flush(t, m)
	m, err := Load(ctx, s, root)
	if err != nil {
		t.Fatal(err)
	}
	s.err = errors.New("lost")
	for i := range 500 {
		_, _, gerr := m.Get(ctx, key(i))
		_, derr := m.Delete(ctx, key(i))
		for _, err := range []error{gerr, derr, m.Set(ctx, key(i), []byte{2})} {
			if !errors.Is(err, s.err) || errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
		}
	}
	if got := flush(t, m); got != root {
		t.Errorf("the root is %v, not %v", got, root)
	}
	if _, err := Load(ctx, s, root); !errors.Is(err, s.err) {
		t.Error(err)
	}
}

func TestMalformedNodes(t *testing.T) {
	ctx := context.Background()
	bucket := func(keys ...string) []byte {
		var b []entry
		for _, k := range keys {
			b = append(b, entry{[]byte(k), []byte{1}})
		}
		return encodeBucket(b)
	}
	node := func(field string, pointers ...[]byte) []byte {
		b := cbor.AppendBytes(cbor.AppendArray(nil, 2), field)
		return append(cbor.AppendArray(b, len(pointers)), slices.Concat(pointers...)...)
	}
	sub := cbor.AppendCID(nil, cbor.Blake2bCID(cbor.CodecRaw, [32]byte{}))
	for name, data := range map[string][]byte{
		"nothing":            {},
		"no array":           {0xa0},
		"cut short":          node("\x01", bucket("a"))[:6],
		"bytes after it":     append(node("\x01", bucket("a")), 0),
		"too few pointers":   node("\x03", bucket("a")),
		"too many pointers":  node("", bucket("a")),
		"high bit":           node("\x01\x00\x00\x00\x00", bucket("a")),
		"long bitfield":      node(string(make([]byte, 33))),
		"empty bucket":       node("\x01", bucket()),
		"full bucket":        node("\x01", bucket("a", "b", "c", "d")),
		"unsorted bucket":    node("\x01", bucket("b", "a")),
		"doubled key":        node("\x01", bucket("a", "a")),
		"link to a raw":      node("\x01", sub),
		"pointer is integer": node("\x01", []byte{7}),
		"key is text":        node("\x01", []byte{0x81, 0x82, 0x61, 0x61, 0x01}),
	} {
		s := newStore()
		c := cbor.Blake2bCID(cbor.CodecDagCBOR, blake2b.Sum256(data))
		s.PutRaw(c, data)
		if _, err := Load(ctx, s, c); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := decode(node(""), 1); err == nil {
		t.Error("an empty node below the root is taken")
	}
}

// FuzzNode decodes arbitrary nodes and uses what is well.
func FuzzNode(f *testing.F) {
	ctx := context.Background()
	m := New(newStore())
	for i := range 40 {
		if err := m.Set(ctx, key(i), []byte{1}); err != nil {
			f.Fatal(err)
		}
	}
	flush(f, m)
	f.Add(m.root.encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newStore()
		c := cbor.Blake2bCID(cbor.CodecDagCBOR, blake2b.Sum256(data))
		s.PutRaw(c, data)
		m, err := Load(ctx, s, c)
		if err != nil {
			return
		}
		for i := range 40 {
			if err := m.Set(ctx, key(i), []byte{2}); err != nil {
				continue // a node is missing
			}
			if v, ok, err := m.Get(ctx, key(i)); err != nil || !ok || v[0] != 2 {
				t.Fatal(v, ok, err)
			}
			if ok, err := m.Delete(ctx, key(i)); err != nil || !ok {
				t.Fatal(ok, err)
			}
		}
		if _, err := Load(ctx, s, flush(t, m)); err != nil {
			t.Fatal(err)
		}
	})
}

const benchSize = 100_000

func benchMap(b *testing.B) (*blockstore.Buffered, cid.Cid) {
	s := newStore()
	m := New(s)
	v := cbor.AppendBytes(nil, make([]byte, 110)) // about as long as an actor
	for i := range benchSize {
		if err := m.Set(context.Background(), key(i), v); err != nil {
			b.Fatal(err)
		}
	}
	return s, flush(b, m)
}

func BenchmarkGetCold(b *testing.B) {
	ctx := context.Background()
	s, root := benchMap(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		m, err := Load(ctx, s, root)
		if err != nil {
			b.Fatal(err)
		}
		if _, ok, err := m.Get(ctx, key(i%benchSize)); !ok || err != nil {
			b.Fatal(ok, err)
		}
		i++
	}
}

func BenchmarkGetColdReference(b *testing.B) {
	ctx := context.Background()
	s, root := benchMap(b)
	cs := cbornode.NewCborStore(s)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		n, err := gohamt.LoadNode(ctx, cs, root, options()...)
		if err != nil {
			b.Fatal(err)
		}
		var d cbg.Deferred
		if ok, err := n.Find(ctx, string(key(i%benchSize)), &d); !ok || err != nil {
			b.Fatal(ok, err)
		}
		i++
	}
}

func BenchmarkGetWarm(b *testing.B) {
	ctx := context.Background()
	s, root := benchMap(b)
	m, err := Load(ctx, s, root)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, ok, err := m.Get(ctx, key(i%100)); !ok || err != nil {
			b.Fatal(ok, err)
		}
		i++
	}
}

// BenchmarkFlush sets a hundred values of a big map and flushes.
func BenchmarkFlush(b *testing.B) {
	ctx := context.Background()
	s, root := benchMap(b)
	v := cbor.AppendBytes(nil, make([]byte, 111))
	b.ReportAllocs()
	for b.Loop() {
		m, err := Load(ctx, s, root)
		if err != nil {
			b.Fatal(err)
		}
		for i := range 100 {
			if err := m.Set(ctx, key(i*977), v); err != nil {
				b.Fatal(err)
			}
		}
		flush(b, m)
	}
}

func BenchmarkFlushReference(b *testing.B) {
	ctx := context.Background()
	s, root := benchMap(b)
	cs := cbornode.NewCborStore(s)
	v := &cbg.Deferred{Raw: cbor.AppendBytes(nil, make([]byte, 111))}
	b.ReportAllocs()
	for b.Loop() {
		n, err := gohamt.LoadNode(ctx, cs, root, options()...)
		if err != nil {
			b.Fatal(err)
		}
		for i := range 100 {
			if err := n.Set(ctx, string(key(i*977)), v); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := n.Write(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// A flush whose context is done midway leaves the map as it is: the next one writes the rest.
func TestFlushInterrupted(t *testing.T) {
	fill := func() *Map {
		m := New(newStore())
		for i := range 500 {
			if err := m.Set(t.Context(), key(i), []byte{1}); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	want := flush(t, fill())
	for n := 0; ; n++ {
		m := fill()
		got, err := m.Flush(&execerrtest.Countdown{Context: t.Context(), Left: n})
		if err == nil {
			if got != want || n < 10 {
				t.Errorf("after %d looks: %v", n, got)
			}
			break
		}
		if !errors.Is(err, context.Canceled) || got.Defined() {
			t.Fatalf("after %d looks: %v, %v", n, got, err)
		}
		if got := flush(t, m); got != want {
			t.Fatalf("after %d looks, then to the end: %v, not %v", n, got, want)
		}
	}
}
