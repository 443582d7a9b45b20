package collections

import (
	"errors"
	"testing"

	"github.com/ipfs/go-cid"
)

// A node of any bytes is walked, each of its keys found, and is the same as itself; or it is an error.
func FuzzNode(f *testing.F) {
	s := newShop()
	content, list := map[string]uint64{}, map[uint64]uint64{}
	for i := range uint64(9) {
		content[string(rune('a'+i))], list[i*3] = i, i
	}
	for _, c := range []cid.Cid{writeHAMT(f, s, 5, content), writeKAMT(f, s, map[string]uint64{string(make([]byte, 32)): 7}), writeAMT(f, s, 3, list), writeHAMT(f, s, 8, nil)} {
		b, err := s.Get(f.Context(), c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b.RawData(), byte(5))
	}
	f.Fuzz(func(t *testing.T, data []byte, bits byte) {
		s := newShop()
		root := put(t, s, data)
		going := s.source()
		going.Failed = func(cid.Cid, error) error { return nil }
		for _, format := range []Format{HAMT, KAMT} {
			m := &Map{Source: going, Root: root, Format: format, Bits: int(bits)}
			err := m.ForEach(t.Context(), func(k, v []byte) error {
				if got, ok, err := m.Get(t.Context(), k); err != nil || !ok || string(got) != string(v) {
					// A key that is there twice is found once.
					if err != nil || !ok {
						t.Errorf("%x is not found: %v", k, err)
					}
				}
				return nil
			})
			other := *m
			other.Bits = int(bits) + 1 // the slow way
			_ = DiffMaps(t.Context(), m, &other, func(_, _, _ []byte) error { return nil })
			if err != nil && !errors.Is(err, ErrMalformed) && bits >= 1 && bits <= 8 {
				t.Errorf("%v", err)
			}
		}
		a, err := OpenArray(t.Context(), going, root)
		if err != nil {
			return
		}
		if err := a.ForEach(t.Context(), func(i uint64, v []byte) error {
			if got, ok, err := a.Get(t.Context(), i); err != nil || !ok || string(got) != string(v) {
				t.Errorf("%d: %x, %v, %v", i, got, ok, err)
			}
			return nil
		}); err != nil {
			t.Errorf("%v", err)
		}
	})
}
