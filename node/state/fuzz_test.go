package state

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
)

// A path is walked or is an error, whatever it says.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"", "/", "actors/f0100/balance", "1/0/state", "actors/f01/state/AddressMap/f0100", "actors//f00/state/BuiltinActors/Entries/0/Code/x", "0x1/\xff"} {
		f.Add(path)
	}
	store, root := wholeState(f)
	tree := openTree(f, store, root)
	f.Fuzz(func(t *testing.T, path string) {
		n, err := tree.Get(t.Context(), path)
		if err != nil {
			var at *PathError
			var missing *MissingError
			var form *FormError
			if !errors.As(err, &at) && !errors.As(err, &missing) && !errors.As(err, &form) {
				t.Errorf("%q: %v", path, err)
			}
			return
		}
		if _, err := n.View(t.Context(), ViewOptions{Depth: 2, Entries: 3}); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	})
}

// A block of any bytes is read as an actor's state, shown and compared, or is an error.
func FuzzState(f *testing.F) {
	store, root := wholeState(f)
	tree := openTree(f, store, root)
	err := tree.Actors(f.Context(), ListOptions{}, func(a *Actor) error {
		if b, err := store.Get(f.Context(), a.Head); err == nil {
			for kind, name := range Names(18) {
				if name == tree.Kind(f.Context(), a.Code).Name {
					f.Add(byte(18), byte(kind), b.RawData())
				}
			}
		}
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range store.Keys() {
		if b, err := store.Get(f.Context(), c); err == nil && c.Prefix().Codec == cid.DagCBOR {
			f.Add(byte(0), byte(0), b.RawData())
		}
	}
	f.Fuzz(func(t *testing.T, version, kind byte, data []byte) {
		first, last := Versions()
		names := Names(first + int(version)%(last-first+1))
		k := Kind{Name: names[int(kind)%len(names)], Version: first + int(version)%(last-first+1)}
		mine := blockstore.NewMemory()
		own := (&builder{t: t, store: mine}).raw(data)
		all := &blockstore.Overlay{Top: mine, Base: store}
		for _, k := range []Kind{k, {}} {
			n, err := OpenData(t.Context(), all, own, k)
			if err != nil {
				continue
			}
			going := func(*MissingError) error { return nil }
			v, err := n.View(t.Context(), ViewOptions{Depth: 4, Entries: 5, Missing: going})
			if err == nil {
				if _, err := json.Marshal(v); err != nil && !strings.Contains(err.Error(), "unsupported value") {
					t.Errorf("%v: %v", k, err)
				}
			}
			_, _ = n.Fields(t.Context())
			w := &walker{env: n.env, seen: blockSet{}, missing: going, block: func(func() string, cid.Cid, []byte, Part) error { return nil }}
			_ = w.walk(context.Background(), n.Path, n.Shape(), own, Part{})
			d := &differ{ctx: t.Context(), o: DiffOptions{Missing: going}, fn: func(c *Change) error { return errors.New(c.Path) }}
			if err := d.nodes(n, n); err != nil {
				t.Errorf("%v differs from itself: %v", k, err)
			}
			_ = d.below(n, Added)
		}
	})
}

// An entry of the map of actors is read, and written again as it was, or is an error.
func FuzzActor(f *testing.F) {
	store, root := wholeState(f)
	tree := openTree(f, store, root)
	if err := tree.actors.ForEach(f.Context(), func(_, value []byte) error { f.Add(value); return nil }); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var a Actor
		if a.read(data) != nil {
			return
		}
		again, err := a.append(nil, 5)
		if err != nil {
			return // an amount that is too long to be written
		}
		var b Actor
		if err := b.read(again); err != nil || b.Head != a.Head || b.Code != a.Code || b.Nonce != a.Nonce || !b.Balance.Equals(a.Balance) {
			t.Errorf("%x: %+v, again %+v, %v", data, a, b, err)
		}
	})
}
