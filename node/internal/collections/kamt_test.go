package collections

import (
	"fmt"
	"maps"
	"math/big"
	"math/rand"
	"slices"
	"testing"

	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// writeKAMT writes a map as fvm_ipld_kamt does with the contracts' setting: width 5, buckets of one, an extension for the
// places that all keys below a link share. No Go module writes KAMTs; that this is their form, the contracts in the golden
// vectors show (package state's tests).
func writeKAMT(t testing.TB, s *shop, content map[string]uint64) cid.Cid {
	t.Helper()
	return kamtNode(t, s, slices.Sorted(maps.Keys(content)), content, 0)
}

// placeOf are the 5 bits of a key from a bit on; the last place has one bit.
func placeOf(key string, from int) int {
	n := new(big.Int).SetBytes([]byte(key))
	width := min(5, 256-from)
	return int(n.Rsh(n, uint(256-from-width)).Uint64() & (1<<width - 1))
}

func kamtNode(t testing.TB, s *shop, keys []string, content map[string]uint64, from int) cid.Cid {
	field := new(big.Int)
	var pointers []byte
	count := 0
	for len(keys) > 0 {
		place := placeOf(keys[0], from)
		n := slices.IndexFunc(keys, func(k string) bool { return placeOf(k, from) != place })
		if n < 0 {
			n = len(keys)
		}
		below := keys[:n]
		keys = keys[n:]
		field.SetBit(field, place, 1)
		count++
		if len(below) == 1 {
			short := new(big.Int).SetBytes([]byte(below[0])).Bytes()
			pointers = join(pointers, "\xa1\x61v\x81\x82", cbg.CborEncodeMajorType(cbg.MajByteString, uint64(len(short))), short, encoded(content[below[0]]))
			continue
		}
		next := from + 5
		path := new(big.Int)
		for place := placeOf(below[0], next); !slices.ContainsFunc(below, func(k string) bool { return placeOf(k, next) != place }); place = placeOf(below[0], next) {
			path.Or(path.Lsh(path, 5), big.NewInt(int64(place)))
			next += 5
		}
		skipped := next - from - 5
		pad := (8 - skipped%8) % 8
		ext := path.Lsh(path, uint(pad)).FillBytes(make([]byte, (skipped+pad)/8))
		child := kamtNode(t, s, below, content, next)
		pointers = join(pointers, "\xa1\x61l\x83", link(child), cbg.CborEncodeMajorType(cbg.MajUnsignedInt, uint64(skipped)), cbg.CborEncodeMajorType(cbg.MajByteString, uint64(len(ext))), ext)
	}
	bitmap := field.Bytes()
	return put(t, s, join("\x82", 0x40|len(bitmap), bitmap, cbg.CborEncodeMajorType(cbg.MajArray, uint64(count)), pointers))
}

// Keys of contracts: low slots, arrays that lie at a hash, words that differ in the last place only.
func TestKAMT(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	slot := func(n *big.Int) string { return string(n.FillBytes(make([]byte, 32))) }
	keys := map[string]func() string{
		"low slots": func() string { return slot(big.NewInt(r.Int63n(50))) },
		"hashes":    func() string { return slot(new(big.Int).Rand(r, new(big.Int).Lsh(big.NewInt(1), 256))) },
		"an array": func() string {
			at := new(big.Int).Lsh(big.NewInt(0x1234567), 200)
			return slot(at.Add(at, big.NewInt(r.Int63n(300))))
		},
		"far apart": func() string { return slot(new(big.Int).Lsh(big.NewInt(1+r.Int63n(30)), uint(r.Intn(250)))) },
	}
	for name, key := range keys {
		for _, size := range []int{0, 1, 2, 30, 400} {
			t.Run(fmt.Sprintf("%s, %d", name, size), func(t *testing.T) {
				s := newShop()
				content := map[string]uint64{}
				for range size {
					content[key()] = uint64(r.Int63n(1 << 50))
				}
				m := &Map{Source: s.source(), Root: writeKAMT(t, s, content), Format: KAMT, Bits: 5}
				checkMap(t, m, content)
				var order []string
				if err := m.ForEach(t.Context(), func(k, _ []byte) error { order = append(order, string(k)); return nil }); err != nil || !slices.IsSorted(order) {
					t.Errorf("keys out of order, %v", err)
				}
				if size > 0 {
					if v, ok, err := m.Get(t.Context(), []byte{}); err != nil || ok != (content[slot(new(big.Int))] > 0) {
						t.Errorf("slot 0: %x, %v, %v", v, ok, err)
					}
				}
				for _, from := range []func() string{key, keys["hashes"], keys["low slots"], keys["far apart"]} {
					other := edit(r, content, 1+size/20, from)
					n := &Map{Source: s.source(), Root: writeKAMT(t, s, other), Format: KAMT, Bits: 5}
					nodes := func(m *Map) map[cid.Cid]int {
						clear(s.loads)
						_ = m.ForEach(t.Context(), func(_, _ []byte) error { return nil })
						return maps.Clone(s.loads)
					}
					nodesM, nodesN := nodes(m), nodes(n)
					clear(s.loads)
					checkMapDiff(t, m, n, differences(content, other))
					checkShared(t, s, nodesM, nodesN)
					checkMapDiff(t, n, m, differences(other, content))
				}
			})
		}
	}
}
