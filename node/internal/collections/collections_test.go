package collections

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-amt-ipld/v4"
	"github.com/filecoin-project/go-hamt-ipld/v3"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipldcbor "github.com/ipfs/go-ipld-cbor"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/blockstore"
)

// shop is a store for the libraries that write, and for the Source of what reads.
type shop struct {
	*blockstore.Memory
	loads map[cid.Cid]int
}

func newShop() *shop { return &shop{blockstore.NewMemory(), map[cid.Cid]int{}} }

func (s *shop) ipld() ipldcbor.IpldStore { return ipldcbor.NewCborStore(oldStore{s}) }

func (s *shop) source() Source {
	return Source{Load: func(ctx context.Context, c cid.Cid) ([]byte, error) {
		s.loads[c]++
		b, err := s.Get(ctx, c)
		if err != nil {
			return nil, err
		}
		return b.RawData(), nil
	}}
}

// oldStore is the blockstore that go-ipld-cbor wants.
type oldStore struct{ *shop }

func (o oldStore) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	return o.Memory.Get(ctx, c)
}

func value(i uint64) *cbg.CborInt { v := cbg.CborInt(i); return &v }

func encoded(i uint64) string { return string(cbg.CborEncodeMajorType(cbg.MajUnsignedInt, i)) }

// writeHAMT writes a map by the library.
func writeHAMT(t testing.TB, s *shop, bits int, content map[string]uint64) cid.Cid {
	t.Helper()
	n, err := hamt.NewNode(s.ipld(), hamt.UseTreeBitWidth(bits), hamt.UseHashFunction(func(b []byte) []byte { h := sha256.Sum256(b); return h[:] }))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range slices.Sorted(maps.Keys(content)) {
		if err := n.Set(t.Context(), k, value(content[k])); err != nil {
			t.Fatal(err)
		}
	}
	c, err := n.Write(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// writeAMT writes an array by the library.
func writeAMT(t testing.TB, s *shop, bits uint, content map[uint64]uint64) cid.Cid {
	t.Helper()
	a, err := amt.NewAMT(s.ipld(), amt.UseTreeBitWidth(bits))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range slices.Sorted(maps.Keys(content)) {
		if err := a.Set(t.Context(), k, value(content[k])); err != nil {
			t.Fatal(err)
		}
	}
	c, err := a.Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// edit is a copy of content with some keys gone, some new, some with other values.
func edit[K comparable](r *rand.Rand, content map[K]uint64, n int, key func() K) map[K]uint64 {
	other := maps.Clone(content)
	for k := range content {
		if n--; n < 0 {
			break
		}
		switch r.Intn(3) {
		case 0:
			delete(other, k)
		case 1:
			other[k]++
		case 2:
			other[key()] = uint64(r.Int63n(1 << 50))
		}
	}
	return other
}

// change is a value before and after, as CBOR; "" for none.
type change struct{ before, after string }

// differences are what must be told of two contents.
func differences[K comparable](a, b map[K]uint64) map[K]change {
	d := map[K]change{}
	text := func(m map[K]uint64, k K) string {
		if v, ok := m[k]; ok {
			return encoded(v)
		}
		return ""
	}
	for k := range a {
		d[k] = change{text(a, k), text(b, k)}
	}
	for k := range b {
		d[k] = change{text(a, k), text(b, k)}
	}
	maps.DeleteFunc(d, func(_ K, c change) bool { return c.before == c.after })
	return d
}

// What the library writes is read: each entry, each key, what differs, and no node that both maps have.
func TestMapsAsTheLibraryWrites(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for _, bits := range []int{3, 5, 6, 8} {
		for _, size := range []int{0, 1, 3, 40, 2000} {
			t.Run(fmt.Sprintf("%d bits, %d entries", bits, size), func(t *testing.T) {
				s := newShop()
				key := func() string { return string(binary.AppendUvarint(nil, uint64(r.Int63n(1<<40)))) }
				content := map[string]uint64{}
				for range size {
					content[key()] = uint64(r.Int63n(1 << 50))
				}
				m := &Map{Source: s.source(), Root: writeHAMT(t, s, bits, content), Bits: bits}
				checkMap(t, m, content)
				if _, ok, err := m.Get(t.Context(), []byte("none")); ok || err != nil {
					t.Errorf("a key that is not there: %v, %v", ok, err)
				}
				other := edit(r, content, 1+size/50, key)
				n := &Map{Source: s.source(), Root: writeHAMT(t, s, bits, other), Bits: bits}
				of := func(m *Map) map[cid.Cid]int {
					clear(s.loads)
					checkMap(t, m, map[*Map]map[string]uint64{m: content, n: other}[m])
					return maps.Clone(s.loads)
				}
				nodesM, nodesN := of(m), of(n)
				clear(s.loads)
				checkMapDiff(t, m, n, differences(content, other))
				checkShared(t, s, nodesM, nodesN)
				// Another width: the slow way.
				w := &Map{Source: s.source(), Root: writeHAMT(t, s, 4, other), Bits: 4}
				checkMapDiff(t, m, w, differences(content, other))
				checkMapDiff(t, w, m, differences(other, content))
			})
		}
	}
}

// checkShared checks that no node was loaded that both have.
func checkShared(t *testing.T, s *shop, a, b map[cid.Cid]int) {
	t.Helper()
	shared := 0
	for c := range a {
		if b[c] > 0 {
			shared++
			if s.loads[c] > 0 {
				t.Errorf("%s was read, which both have", c)
			}
		}
	}
	t.Logf("%d nodes read, %d shared", len(s.loads), shared)
}

func checkMap(t *testing.T, m *Map, content map[string]uint64) {
	t.Helper()
	got := map[string]string{}
	if err := m.ForEach(t.Context(), func(k, v []byte) error { got[string(k)] = string(v); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(content) {
		t.Fatalf("%d entries, not %d", len(got), len(content))
	}
	for k, v := range content {
		if got[k] != encoded(v) {
			t.Fatalf("entry %x: %x", k, got[k])
		}
		if data, ok, err := m.Get(t.Context(), []byte(k)); err != nil || !ok || string(data) != encoded(v) {
			t.Fatalf("key %x: %x, %v, %v", k, data, ok, err)
		}
	}
}

func checkMapDiff(t *testing.T, a, b *Map, want map[string]change) {
	t.Helper()
	got := map[string]change{}
	err := DiffMaps(t.Context(), a, b, func(k, before, after []byte) error {
		if _, twice := got[string(k)]; twice {
			t.Errorf("%x is told twice", k)
		}
		got[string(k)] = change{string(before), string(after)}
		return nil
	})
	if err != nil || !maps.Equal(got, want) {
		t.Fatalf("%v\n got %x\nwant %x", err, got, want)
	}
}

func TestArraysAsTheLibraryWrites(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	for _, bits := range []uint{1, 3, 5, 6} {
		for _, c := range []struct {
			name string
			size int
			most int64
		}{{"empty", 0, 1}, {"one", 1, 1}, {"low", 5, 8}, {"dense", 3000, 3000}, {"sparse", 300, 1 << 50}} {
			t.Run(fmt.Sprintf("%d bits, %s", bits, c.name), func(t *testing.T) {
				s := newShop()
				key := func() uint64 { return uint64(r.Int63n(c.most)) }
				content := map[uint64]uint64{}
				for range c.size {
					content[key()] = uint64(r.Int63n(1 << 50))
				}
				a := open(t, s, writeAMT(t, s, bits, content))
				checkArray(t, a, content)
				far := func() uint64 { return uint64(r.Int63n(1 << 45)) } // another height
				for _, other := range []map[uint64]uint64{edit(r, content, 1+c.size/50, key), edit(r, content, 3, far), {}, {far(): uint64(r.Int63n(1 << 50))}} {
					b := open(t, s, writeAMT(t, s, bits, other))
					of := func(a *Array) map[cid.Cid]int {
						clear(s.loads)
						_ = a.ForEach(t.Context(), func(uint64, []byte) error { return nil })
						return maps.Clone(s.loads)
					}
					nodesA, nodesB := of(a), of(b)
					clear(s.loads)
					checkArrayDiff(t, a, b, differences(content, other))
					checkShared(t, s, nodesA, nodesB)
					checkArrayDiff(t, b, a, differences(other, content))
					w := open(t, s, writeAMT(t, s, 4, other))
					checkArrayDiff(t, a, w, differences(content, other))
				}
			})
		}
	}
}

func open(t *testing.T, s *shop, c cid.Cid) *Array {
	t.Helper()
	a, err := OpenArray(t.Context(), s.source(), c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func checkArray(t *testing.T, a *Array, content map[uint64]uint64) {
	t.Helper()
	var keys []uint64
	if err := a.ForEach(t.Context(), func(i uint64, v []byte) error {
		keys = append(keys, i)
		if string(v) != encoded(content[i]) {
			t.Errorf("index %d: %x", i, v)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if want := slices.Sorted(maps.Keys(content)); !slices.Equal(keys, want) || a.Count() != uint64(len(want)) {
		t.Fatalf("%d indexes of %d, counted %d", len(keys), len(want), a.Count())
	}
	for k, v := range content {
		if data, ok, err := a.Get(t.Context(), k); err != nil || !ok || string(data) != encoded(v) {
			t.Fatalf("index %d: %x, %v, %v", k, data, ok, err)
		}
	}
	for _, k := range []uint64{1 << 51, 1<<64 - 1} {
		if _, ok, err := a.Get(t.Context(), k); ok || err != nil {
			t.Errorf("index %d: %v, %v", k, ok, err)
		}
	}
}

func checkArrayDiff(t *testing.T, a, b *Array, want map[uint64]change) {
	t.Helper()
	got := map[uint64]change{}
	last, first := uint64(0), true
	err := DiffArrays(t.Context(), a, b, func(i uint64, before, after []byte) error {
		if !first && i <= last {
			t.Errorf("%d comes after %d", i, last)
		}
		last, first = i, false
		got[i] = change{string(before), string(after)}
		return nil
	})
	if err != nil || !maps.Equal(got, want) {
		t.Fatalf("%v\n got %x\nwant %x", err, got, want)
	}
}

// A node that is missing ends a walk, or is passed over, as the source says; so are nodes that it skips.
func TestMissingNodes(t *testing.T) {
	s := newShop()
	content, list := map[string]uint64{}, map[uint64]uint64{}
	for i := range uint64(500) {
		content[fmt.Sprint(i)], list[i] = i, i
	}
	root, array := writeHAMT(t, s, 5, content), writeAMT(t, s, 3, list)
	gone := errors.New("gone")
	for _, kind := range []string{"HAMT", "AMT"} {
		var keep []cid.Cid
		source := s.source()
		walk := func(source Source) (n int, err error) {
			if kind == "HAMT" {
				m := Map{Source: source, Root: root, Bits: 5}
				return n, m.ForEach(t.Context(), func(_, _ []byte) error { n++; return nil })
			}
			a, err := OpenArray(t.Context(), source, array)
			if err != nil {
				return 0, err
			}
			return n, a.ForEach(t.Context(), func(uint64, []byte) error { n++; return nil })
		}
		inner := source.Load
		source.Load = func(ctx context.Context, c cid.Cid) ([]byte, error) {
			keep = append(keep, c)
			return inner(ctx, c)
		}
		if _, err := walk(source); err != nil {
			t.Fatal(err)
		}
		hole := keep[1]
		source.Load = func(ctx context.Context, c cid.Cid) ([]byte, error) {
			if c == hole {
				return nil, gone
			}
			return inner(ctx, c)
		}
		if _, err := walk(source); !errors.Is(err, gone) {
			t.Errorf("%s: %v", kind, err)
		}
		count := func(s Source) (n int) {
			if kind == "HAMT" {
				m := Map{Source: s, Root: root, Bits: 5}
				if err := m.ForEach(t.Context(), func(_, _ []byte) error { n++; return nil }); err != nil {
					t.Errorf("%s: %v", kind, err)
				}
				return n
			}
			a, err := OpenArray(t.Context(), s, array)
			if err == nil {
				err = a.ForEach(t.Context(), func(uint64, []byte) error { n++; return nil })
			}
			if err != nil {
				t.Errorf("%s: %v", kind, err)
			}
			return n
		}
		var heard []cid.Cid
		source.Failed = func(c cid.Cid, err error) error { heard = append(heard, c); return nil }
		if n := count(source); n == 0 || n >= 500 || len(heard) != 1 || heard[0] != hole {
			t.Errorf("%s: %d entries without %v", kind, n, heard)
		}
		source.Load, source.Skip = inner, func(c cid.Cid) bool { return c == hole }
		if n := count(source); n == 0 || n >= 500 {
			t.Errorf("%s: %d entries where a node is skipped", kind, n)
		}
	}
}

// A walk ends when its context does.
func TestContext(t *testing.T) {
	s := newShop()
	root := writeHAMT(t, s, 5, map[string]uint64{"a": 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := Map{Source: s.source(), Root: root, Bits: 5}
	if err := m.ForEach(ctx, func(_, _ []byte) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func put(t testing.TB, s *shop, data []byte) cid.Cid {
	t.Helper()
	c, err := cid.V1Builder{Codec: cid.DagCBOR, MhType: 0xb220, MhLength: 32}.Sum(data)
	if err != nil {
		t.Fatal(err)
	}
	b, err := blocks.NewBlockWithCid(data, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return c
}

func link(c cid.Cid) []byte {
	var b bytes.Buffer
	if err := cbg.WriteCid(&b, c); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func join(parts ...any) (all []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case []byte:
			all = append(all, p...)
		case string:
			all = append(all, p...)
		case int:
			all = append(all, byte(p))
		}
	}
	return all
}

// Nodes that are none are errors that say so.
func TestMalformed(t *testing.T) {
	s := newShop()
	leaf := put(t, s, join("\x82\x41\x01\x81\x81\x82\x41k\x01"))      // k → 1 at place 0, where it does not belong
	empty := put(t, s, []byte("\x82\x40\x80"))                        // an empty map
	up := put(t, s, join("\x82\x41\x03\x82", link(leaf), link(leaf))) // the same node at two places
	deep := leaf
	for range 60 {
		deep = put(t, s, join("\x82\x41\x01\x81", link(deep)))
	}
	for name, c := range map[string]struct {
		root cid.Cid
		want string
	}{
		"no list":          {put(t, s, []byte("\x01")), "array"},
		"trailing":         {put(t, s, []byte("\x82\x40\x80\x00")), "the end"},
		"too few pointers": {put(t, s, []byte("\x82\x41\x03\x80")), "0 pointers, and 2 in its bitfield"},
		"a wide bitfield":  {put(t, s, join("\x82\x58\x21", bytes.Repeat([]byte{1}, 33), "\x80")), "33 bytes"},
		"beyond the width": {put(t, s, join("\x82\x45\x01\x00\x00\x00\x00\x81", link(leaf))), "place 32"},
		"a pointer":        {put(t, s, []byte("\x82\x41\x01\x81\x01")), "neither a link nor a list"},
		"a bucket":         {put(t, s, join("\x82\x41\x01\x81\x98\x41", bytes.Repeat([]byte("\x82\x41k\x01"), 65))), "a bucket of 65"},
		"a key elsewhere":  {leaf, "does not belong"},
		"one node twice":   {up, "does not belong"},
		"an empty node":    {put(t, s, join("\x82\x41\x01\x81", link(empty))), "an empty node"},
		"too deep":         {deep, "deeper than its keys are long"},
	} {
		m := Map{Source: s.source(), Root: c.root, Bits: 5}
		err := m.ForEach(t.Context(), func(_, _ []byte) error { return nil })
		if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("map, %s: %v", name, err)
		}
	}
	for name, c := range map[string]struct{ data, want string }{
		"no list":        {"\x01", "array"},
		"width 0":        {"\x84\x00\x00\x00\x83\x41\x00\x80\x80", "a width of 0"},
		"width 2^60":     {"\x84\x1b\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x83\x41\x00\x80\x80", "a width of"},
		"height 2^60":    {"\x84\x03\x1b\x10\x00\x00\x00\x00\x00\x00\x00\x00\x83\x41\x00\x80\x80", "a height of"},
		"a long bitmap":  {"\x84\x03\x00\x00\x83\x42\x00\x00\x80\x80", "a bitmap of 2 bytes, not 1"},
		"too few values": {"\x84\x03\x00\x01\x83\x41\x03\x80\x81\x01", "1 items, and 2 in its bitmap"},
		"beyond":         {"\x84\x01\x00\x01\x83\x41\x04\x80\x81\x01", "place 2"},
		"values above":   {"\x84\x03\x01\x01\x83\x41\x01\x80\x81\x01", "values above the leaves"},
		"a huge list":    {"\x84\x03\x00\x01\x83\x41\x01\x80\x9b\x10\x00\x00\x00\x00\x00\x00\x00", "fits the data"},
	} {
		_, err := OpenArray(t.Context(), s.source(), put(t, s, []byte(c.data)))
		if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("array, %s: %v", name, err)
		}
	}
}

// Maps of actors before v3 have another form of pointers.
func TestOldPointers(t *testing.T) {
	s := newShop()
	content := map[string]uint64{}
	for i := range uint64(100) {
		content[fmt.Sprint(i)] = i
	}
	now := &Map{Source: s.source(), Root: writeHAMT(t, s, 5, content), Bits: 5}
	var old func(c cid.Cid) cid.Cid
	old = func(c cid.Cid) cid.Cid {
		data, _ := s.Get(t.Context(), c)
		n, err := now.parse(data.RawData(), true)
		if err != nil {
			t.Fatal(err)
		}
		out := append([]byte{}, data.RawData()[:2+int(data.RawData()[1]&0x1f)]...)
		out = append(out, cbg.CborEncodeMajorType(cbg.MajArray, uint64(len(n.slots)))...)
		for _, sl := range n.slots {
			if sl.isLink() {
				out = join(out, "\xa1\x610", link(old(sl.link)))
				continue
			}
			out = join(out, "\xa1\x611", 0x80|len(sl.entries))
			for _, e := range sl.entries {
				out = join(out, "\x82", 0x40|len(e.key), e.key, e.value)
			}
		}
		return put(t, s, out)
	}
	before := &Map{Source: s.source(), Root: old(now.Root), Bits: 5}
	checkMap(t, before, content)
	checkMapDiff(t, before, now, map[string]change{})
}
