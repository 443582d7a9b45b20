package collections

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"math/rand"
	"slices"
	"testing"

	"github.com/ipfs/go-cid"
)

func slots(t testing.TB, s *shop, root cid.Cid) *Slots {
	return NewSlots(root, s.source().Load, func(_ context.Context, data []byte) (cid.Cid, error) { return put(t, s, data), nil })
}

// However entries come and go, the root is that of the same entries written at once.
func TestSlots(t *testing.T) {
	r := rand.New(rand.NewSource(9))
	slot := func(n *big.Int) string { return string(n.FillBytes(make([]byte, 32))) }
	all := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	keys := map[string]func() string{
		"low slots": func() string { return slot(big.NewInt(r.Int63n(40))) },
		"hashes":    func() string { return slot(new(big.Int).Rand(r, all)) },
		"an array": func() string {
			at := new(big.Int).Lsh(big.NewInt(0x1234567), 200)
			return slot(at.Add(at, big.NewInt(r.Int63n(60))))
		},
		"far apart":    func() string { return slot(new(big.Int).Lsh(big.NewInt(1+r.Int63n(30)), uint(r.Intn(250)))) },
		"the last bit": func() string { return slot(new(big.Int).Sub(all, big.NewInt(r.Int63n(3)))) },
	}
	kinds := slices.Sorted(maps.Keys(keys))
	for _, kind := range append(kinds, "all") {
		t.Run(kind, func(t *testing.T) {
			s := newShop()
			content := map[string]uint64{}
			m := slots(t, s, cid.Undef)
			for i := range 600 {
				from := kind
				if kind == "all" {
					from = kinds[r.Intn(len(kinds))]
				}
				key := keys[from]()
				if len(content) > 0 && r.Intn(3) == 0 {
					key = slices.Sorted(maps.Keys(content))[r.Intn(len(content))]
				}
				var value []byte
				// It grows at first, and shrinks to nothing at the end.
				if n := uint64(r.Int63n(1 << 50)); r.Intn(600) >= i {
					content[key], value = n, []byte(encoded(n))
				} else {
					delete(content, key)
				}
				if err := m.Set(t.Context(), []byte(key), value); err != nil {
					t.Fatal(err)
				}
				if want := writeKAMT(t, s, content); m.Root != want {
					t.Fatalf("change %d, of %x to %x: the root is %s, not %s", i, key, value, m.Root, want)
				}
			}
			for key := range content {
				if err := m.Set(t.Context(), []byte(key), nil); err != nil {
					t.Fatal(err)
				}
			}
			if empty := writeKAMT(t, s, nil); m.Root != empty {
				t.Errorf("emptied, the root is %s, not %s", m.Root, empty)
			}
		})
	}
}

// A map that no contract has made is an error, and nothing is lost of it.
func TestSlotsOfStrangeMaps(t *testing.T) {
	s := newShop()
	two := put(t, s, join("\x82\x41\x01\x81\xa1\x61v\x82\x82\x41\x01\x01\x82\x41\x02\x01"))
	key := make([]byte, 32)
	for name, c := range map[string]struct {
		root cid.Cid
		key  []byte
	}{
		"two entries at a place": {two, key}, "a short key": {cid.Undef, key[1:]}, "a root that is missing": {put(t, newShop(), []byte("\x82\x40\x80")), key},
		"no map": {put(t, s, []byte("\x01")), key},
	} {
		t.Run(name, func(t *testing.T) {
			m := slots(t, s, c.root)
			if err := m.Set(t.Context(), c.key, []byte{1}); err == nil {
				t.Errorf("taken, and the root is %s", m.Root)
			}
		})
	}
	if err := slots(t, s, two).Set(t.Context(), key, nil); !errors.Is(err, ErrMalformed) {
		t.Error(fmt.Sprint(err))
	}
}
