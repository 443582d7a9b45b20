package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// All formats of trees are read: the bare map, and roots of versions 0 to 5.
func TestRoots(t *testing.T) {
	b := newBuilder(t)
	b.actor(100, "account", account18(b, 100), 5)
	for version := range maxTreeVersion + 1 {
		tree, err := Open(t.Context(), b.store, b.root(version), Options{})
		if err != nil {
			t.Errorf("version %d: %v", version, err)
			continue
		}
		a, err := tree.Actor(t.Context(), addr.NewID(100))
		if err != nil || a.Balance.String() != "5" || tree.Version() != version {
			t.Errorf("version %d: %+v, %v", version, a, err)
		}
		if kind := tree.Kind(t.Context(), a.Code); kind != (Kind{"account", "v18/mainnet", 18}) {
			t.Errorf("version %d: %+v", version, kind)
		}
	}
	actors := b.hamt(5, nil)
	link := append([]byte("\xd8\x2a\x58\x27\x00"), actors.Bytes()...)
	cat := func(parts ...[]byte) cid.Cid { return b.raw(slices.Concat(parts...)) }
	for name, c := range map[string]struct {
		root cid.Cid
		want string
	}{
		"a number":        {b.raw([]byte{1}), "it is no list"},
		"a header":        {cat([]byte{0x90}, bytes.Repeat([]byte{0}, 16)), "block header"},
		"two links":       {cat([]byte{0x82}, link, link), "a list of 2"},
		"version 6":       {cat([]byte{0x83, 6}, link, link), "versions up to 5 are known"},
		"no links":        {b.raw([]byte{0x83, 5, 0, 0}), "a link"},
		"more":            {cat([]byte{0x83, 5}, link, link, []byte{0}), "the end"},
		"something after": {b.raw([]byte{0x80}), "a list of 0"},
	} {
		if _, err := Open(t.Context(), b.store, c.root, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var missing *MissingError
	if _, err := Open(t.Context(), blockstore.NewMemory(), actors, Options{}); !errors.As(err, &missing) || missing.CID != actors {
		t.Errorf("a root that is not there: %v", err)
	}
}

// Code that the state's manifest does not name is looked up among all bundles.
func TestKinds(t *testing.T) {
	b := newBuilder(t)
	tree := b.tree(Options{})
	for text, want := range map[string]string{ // of the archives in the Lotus module
		"bafk2bzacea3yo22x4dsh4axioshrdp42eoeugef3tqtmtwz5untyvth7uc73o": "reward v10/calibrationnet",
		"bafk2bzacea3f43rxzemmakjpktq2ukayngean3oo2de5cdxlg2wsyn53wmepc": "storageminer v14/mainnet",
		"bafk2bzacea57ib7fosqleehx5z6uvockk3xk5wqycmge5m4rfq4ptr7xrkfsi": "evm v18/mainnet",
	} {
		c, err := cid.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		kind := tree.Kind(t.Context(), c)
		if got := strings.TrimSpace(kind.Name + " " + kind.Bundle); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if kind := tree.Kind(t.Context(), b.raw([]byte{0x80})); kind.Known() || kind.String() != "unknown" {
		t.Errorf("%+v", kind)
	}
	for v := range 21 {
		names := Names(v)
		first, last := Versions()
		if (len(names) > 0) != (v >= first && v <= last) {
			t.Errorf("v%d: %v", v, names)
		}
		for _, n := range names {
			if k := (Kind{Name: n, Version: v}); !k.Known() {
				t.Errorf("%+v is not known", k)
			}
		}
	}
}

func TestResolve(t *testing.T) {
	store, root := wholeState(t)
	tree := openTree(t, store, root)
	n, err := tree.Get(t.Context(), "actors/f01/state/AddressMap")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	err = n.Each(t.Context(), func(key string, v *Node) error {
		count++
		at, err := keyAddress.parse(key)
		if err != nil {
			return err
		}
		a, err := addr.ParseAddress(at)
		if err != nil {
			return err
		}
		id, err := tree.Resolve(t.Context(), a)
		view, _ := v.View(t.Context(), ViewOptions{})
		if err != nil || fmt.Sprint(id) != fmt.Sprint(view) {
			t.Errorf("%s: %d, not %v, %v", key, id, view, err)
		}
		return nil
	})
	if err != nil || count < 15 {
		t.Errorf("%d addresses, %v", count, err)
	}
	if _, err := tree.ActorByID(t.Context(), 12345); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// Actors come in the order of ids, also when they do not fit into memory.
func TestSorter(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	for _, limit := range []int{0, 1, 300, 5000} {
		s := &sorter{limit: limit}
		var want []string
		for i := range 1000 {
			id := uint64(r.Intn(400))
			data := fmt.Sprintf("%d %d", id, i)
			if err := s.add(id, []byte(data)); err != nil {
				t.Fatal(err)
			}
			want = append(want, data)
		}
		slices.SortStableFunc(want, func(a, b string) int {
			var x, y int
			_, _ = fmt.Sscan(a, &x)
			_, _ = fmt.Sscan(b, &y)
			return x - y
		})
		var got []string
		if err := s.each(t.Context(), func(id uint64, data []byte) error {
			if !strings.HasPrefix(string(data), fmt.Sprint(id)+" ") {
				t.Errorf("%d has %s", id, data)
			}
			got = append(got, string(data))
			return nil
		}); err != nil || !slices.Equal(got, want) {
			t.Errorf("limit %d: %d records, %v", limit, len(got), err)
		}
		if (s.file != nil) != (limit != 0) {
			t.Errorf("limit %d: a file %v", limit, s.file != nil)
		}
		if s.file != nil {
			name := s.file.Name()
			if err := s.close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is left", name)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &sorter{}
	_ = s.add(1, nil)
	if err := s.each(ctx, func(uint64, []byte) error { t.Error("called"); return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// The blocks of a state are counted once each, and those of an actor are what is exported.
func TestStatAndExport(t *testing.T) {
	store, root := wholeState(t)
	tree := openTree(t, store, root)
	st, err := tree.Stat(t.Context(), StatOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// These are all that the root reaches, found another way.
	blocks, size := st.Total(nil)
	count, sum := int64(0), int64(0)
	reached := map[cid.Cid]bool{}
	var reach func(c cid.Cid)
	reach = func(c cid.Cid) {
		if ok, _ := store.Has(t.Context(), c); !ok || reached[c] {
			return
		}
		reached[c] = true
		data := dataOf(t, store, c)
		count, sum = count+1, sum+int64(len(data))
		if err := cbg.ScanForLinks(bytes.NewReader(data), reach); err != nil {
			t.Fatal(err)
		}
	}
	reach(root)
	if blocks != count || size != sum {
		t.Errorf("%d blocks of %d, %d bytes of %d", blocks, count, size, sum)
	}
	actors := 0
	for _, n := range st.Actors {
		actors += n
	}
	if st.Actors["account"] != 15 || actors != 30 {
		t.Errorf("%v", st.Actors)
	}
	for _, id := range []abi.ActorID{0, 1, 5, 100} {
		var file bytes.Buffer
		done, err := tree.Export(t.Context(), &file, []abi.ActorID{id, id}, ExportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		part := blockstore.NewMemory()
		roots, err := blockstore.LoadCAR(t.Context(), &file, part, blockstore.CAROptions{})
		a, _ := tree.ActorByID(t.Context(), id)
		if err != nil || len(roots) != 1 || roots[0] != a.Head || int64(part.Len()) != done.Blocks {
			t.Errorf("f0%d: %v, %v, %d blocks", id, roots, err, part.Len())
		}
		// All of the state is there, and loads alone.
		n, err := OpenData(t.Context(), part, a.Head, tree.Kind(t.Context(), a.Code))
		if err == nil {
			_, err = n.View(t.Context(), ViewOptions{Depth: 9, Entries: 99})
		}
		if err != nil {
			t.Errorf("f0%d alone: %v", id, err)
		}
	}
}

// A block that is missing is told with its path, and passed over when asked.
func TestMissing(t *testing.T) {
	b := newBuilder(t)
	sectors := map[uint64]cbg.CBORMarshaler{}
	for i := range uint64(300) {
		sectors[i] = sector(abi.SectorNumber(i), 1)
	}
	b.actor(1000, "storageminer", b.miner(minerParts{sectors: sectors, owner: 100}), 0)
	root := b.root(5)
	whole := openTree(t, b.store, root)
	n, err := whole.Get(t.Context(), "actors/f01000/state/Sectors")
	if err != nil {
		t.Fatal(err)
	}
	var nodes []cid.Cid
	if err := cbg.ScanForLinks(bytes.NewReader(dataOf(t, b.store, n.CID())), func(c cid.Cid) { nodes = append(nodes, c) }); err != nil {
		t.Fatal(err)
	}
	hole := nodes[0]
	cut := blockstore.NewMemory()
	for _, c := range b.store.Keys() {
		if blk, _ := b.store.Get(t.Context(), c); c != hole {
			_ = cut.Put(t.Context(), blk)
		}
	}
	tree := openTree(t, cut, root)
	other := b.clone()
	other.actor(1000, "storageminer", other.miner(minerParts{sectors: map[uint64]cbg.CBORMarshaler{9000: sector(9000, 1)}, owner: 100}), 0)
	for name, run := range map[string]func(missing func(*MissingError) error) error{
		"stat": func(m func(*MissingError) error) error {
			_, err := tree.Stat(t.Context(), StatOptions{Missing: m})
			return err
		},
		"export": func(m func(*MissingError) error) error {
			_, err := tree.Export(t.Context(), &bytes.Buffer{}, []abi.ActorID{1000}, ExportOptions{Missing: m})
			return err
		},
		"view": func(m func(*MissingError) error) error {
			n, err := tree.Get(t.Context(), "actors/f01000/state/Sectors")
			if err == nil {
				_, err = n.View(t.Context(), ViewOptions{Entries: 1000, Missing: m})
			}
			return err
		},
		"diff": func(m func(*MissingError) error) error {
			return Diff(t.Context(), tree, other.tree(Options{}), DiffOptions{Missing: m}, func(*Change) error { return nil })
		},
	} {
		err := run(nil)
		var missing *MissingError
		if !errors.As(err, &missing) || missing.Path != "/actors/f01000/state/Sectors" || missing.CID != hole {
			t.Errorf("%s: %v", name, err)
		}
		var heard []string
		if err := run(func(m *MissingError) error { heard = append(heard, m.Path); return nil }); err != nil || !slices.Equal(heard, []string{"/actors/f01000/state/Sectors"}) {
			t.Errorf("%s, going on: %v, %v", name, heard, err)
		}
	}
}

func dataOf(t *testing.T, store Store, c cid.Cid) []byte {
	t.Helper()
	b, err := store.Get(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return b.RawData()
}
