package proofduel

import (
	"encoding/binary"
	"math/bits"
)

// element is a place of an aggregate's bytes (SnarkPack).
type element struct{ at, length int }

// Lengths of elements, in bytes.
const (
	gtLen, g1Len, g2Len = 288, 48, 96
	countAt             = 5*gtLen + g1Len
	shortest            = countAt + 4 + 6*g1Len + 5*g2Len
)

// elements are the places of an aggregate's elements by kind: of the target group, of G1, of G2. It is false if b is no
// aggregate.
func elements(b []byte) (kinds [3][]element, ok bool) {
	if len(b) < shortest {
		return kinds, false
	}
	n := binary.LittleEndian.Uint32(b[countAt:])
	rounds := bits.Len32(n) - 1
	if n < 2 || n&(n-1) != 0 || len(b) < shortest+rounds*(10*gtLen+2*g1Len) {
		return kinds, false
	}
	at := 0
	lay := func(kind, length, count int) {
		for range count {
			kinds[kind] = append(kinds[kind], element{at, length})
			at += length
		}
	}
	lay(0, gtLen, 5)
	lay(1, g1Len, 1)
	at += 4
	lay(0, gtLen, 10*rounds)
	lay(1, g1Len, 2*rounds+1)
	lay(2, g2Len, 1)
	lay(1, g1Len, 1)
	lay(2, g2Len, 2)
	lay(1, g1Len, 2)
	lay(2, g2Len, 2)
	lay(1, g1Len, 2)
	return kinds, true
}

// aggregate changes an element of an aggregate to another one of its kind as often as not, so that the proof can still be
// read. It is false if b is no aggregate.
func (s *spoiler) aggregate(b []byte) bool {
	kinds, ok := elements(b)
	if !ok {
		return false
	}
	kind := s.r.IntN(len(kinds))
	list := kinds[kind]
	e := list[s.r.IntN(len(list))]
	to := b[e.at : e.at+e.length]
	switch s.r.IntN(8) {
	case 0, 1, 2: // another one of this proof
		from := list[s.r.IntN(len(list))]
		copy(to, b[from.at:from.at+from.length])
	case 3, 4: // one of another proof
		if len(s.others) > 0 {
			other := s.others[s.r.IntN(len(s.others))]
			if kinds, ok := elements(other); ok {
				from := kinds[kind][s.r.IntN(len(kinds[kind]))]
				copy(to, other[from.at:from.at+from.length])
			}
		}
	case 5:
		if kind == 0 {
			to[s.r.IntN(len(to))] ^= 1 << s.r.IntN(8)
		} else {
			to[0] ^= 0x20 // the other of two points with one x
		}
	case 6:
		if kind == 0 {
			clear(to)
		} else { // infinity
			clear(to)
			to[0] = 0xc0
		}
	default:
		binary.LittleEndian.PutUint32(b[countAt:], []uint32{0, 1, 2, 3, 4, 8, 16, 1 << 14, 1 << 15, 1 << 31, 1<<32 - 1, s.r.Uint32()}[s.r.IntN(12)])
	}
	return true
}
