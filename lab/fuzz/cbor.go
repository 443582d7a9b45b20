package fuzz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// item is a CBOR item, to be changed and written again.
type item struct {
	major byte
	value uint64 // a number, a tag, or a simple value
	data  []byte // of byte strings and texts; of floats, all their bytes
	items []*item
}

var errCBOR = errors.New("no CBOR that can be changed")

// parseItem reads one item; depth bounds its nesting.
func parseItem(b []byte, depth int) (*item, []byte, error) {
	if len(b) == 0 || depth == 0 {
		return nil, nil, errCBOR
	}
	it, low, head := &item{major: b[0] >> 5}, b[0]&31, b[0]
	b = b[1:]
	switch {
	case low < 24:
		it.value = uint64(low)
	case low > 27 || len(b) < 1<<(low-24):
		return nil, nil, errCBOR
	default:
		n := 1 << (low - 24)
		it.value = binary.BigEndian.Uint64(append(make([]byte, 8-n), b[:n]...))
		if it.major == 7 {
			it.data = append([]byte{head}, b[:n]...)
		}
		b = b[n:]
	}
	switch it.major {
	case 2, 3:
		if it.value > uint64(len(b)) {
			return nil, nil, errCBOR
		}
		it.data, b = b[:it.value], b[it.value:]
	case 4, 5, 6:
		n := it.value
		switch it.major {
		case 5:
			n *= 2
		case 6:
			n = 1
		}
		if n > uint64(len(b)) {
			return nil, nil, errCBOR
		}
		for range n {
			child, rest, err := parseItem(b, depth-1)
			if err != nil {
				return nil, nil, err
			}
			it.items, b = append(it.items, child), rest
		}
	}
	return it, b, nil
}

func (it *item) appendTo(b []byte) []byte {
	switch it.major {
	case 2, 3:
		return append(cbor.AppendHeader(b, it.major, uint64(len(it.data))), it.data...)
	case 4:
		b = cbor.AppendHeader(b, 4, uint64(len(it.items)))
	case 5:
		b = cbor.AppendHeader(b, 5, uint64(len(it.items)/2))
	case 7:
		if it.data != nil {
			return append(b, it.data...)
		}
		return cbor.AppendHeader(b, 7, it.value)
	default:
		b = cbor.AppendHeader(b, it.major, it.value)
	}
	for _, c := range it.items {
		b = c.appendTo(b)
	}
	return b
}

// all are the item and everything in it.
func (it *item) all() []*item {
	list := []*item{it}
	for _, c := range it.items {
		list = append(list, c.all()...)
	}
	return list
}

// mutateCBOR changes params as their writer could have: numbers, bytes, lists, kinds. What is no CBOR is changed byte by byte.
func (g *gen) mutateCBOR(params []byte) []byte {
	it, rest, err := parseItem(params, 64)
	if err != nil || len(params) == 0 || g.one(12) {
		return g.mutateBytes(params)
	}
	for range 1 + g.IntN(3) {
		list := it.all()
		g.mutateItem(list[g.IntN(len(list))])
	}
	b := it.appendTo(nil)
	if g.one(40) {
		b = append(b, g.bytes(1+g.IntN(3))...)
	}
	return append(b, rest...)
}

func (g *gen) mutateBytes(b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + g.IntN(3) {
		switch n := len(b); {
		case n == 0 || g.one(6):
			b = slices.Insert(b, g.IntN(n+1), byte(g.Uint32()))
		case g.one(4):
			b = slices.Delete(b, g.IntN(n), n)
		default:
			b[g.IntN(n)] ^= 1 << g.IntN(8)
		}
	}
	return b
}

func number(r *rand.Rand, old uint64) uint64 {
	switch r.IntN(5) {
	case 0:
		return old + uint64(r.IntN(7)) - 3
	case 1:
		return pick[uint64](r, 0, 1, 2, 63, 64, 100, 255, 256, 1<<31-1, 1<<31, math.MaxUint32, 1<<32, math.MaxInt64, 1<<63, math.MaxUint64)
	case 2:
		return r.Uint64() >> r.IntN(64)
	case 3:
		return old * 2
	}
	return uint64(r.IntN(200))
}

func (g *gen) mutateItem(it *item) {
	switch it.major {
	case 0, 1:
		if g.one(8) {
			it.major ^= 1
			return
		}
		it.value = number(g.Rand, it.value)
	case 2, 3:
		it.data = g.mutateData(it.data)
		if g.one(20) {
			it.major ^= 1
		}
	case 4, 5:
		g.mutateList(it)
	case 6:
		if g.one(4) {
			it.value = number(g.Rand, it.value)
		}
	case 7:
		it.data, it.value = nil, pick[uint64](g.Rand, 20, 21, 22, 23)
	}
	if g.one(25) { // another kind altogether
		*it = *pick(g.Rand, &item{major: 7, value: 22}, &item{major: 0, value: 1}, &item{major: 2}, &item{major: 4}, &item{major: 5}, &item{major: 3, data: []byte("x")})
	}
}

// mutateData changes bytes that may be an address, an amount, a bitfield, a signature or a CID.
func (g *gen) mutateData(b []byte) []byte {
	switch g.IntN(7) {
	case 0:
		return g.receiver()
	case 1: // an amount
		return append([]byte{pick[byte](g.Rand, 0, 0, 0, 1, 2)}, g.bytes(g.IntN(18))...)
	case 2:
		return nil
	case 3:
		return g.bytes(g.IntN(100))
	}
	return g.mutateBytes(b)
}

func (g *gen) mutateList(it *item) {
	n := len(it.items)
	if n == 0 {
		if it.major == 4 {
			it.items = []*item{{value: uint64(g.IntN(100))}}
		}
		return
	}
	step := 1
	if it.major == 5 {
		step = 2
	}
	i := g.IntN(n/step) * step
	switch g.IntN(5) {
	case 0:
		it.items = slices.Delete(it.items, i, i+step)
	case 1: // once more
		it.items = slices.Insert(it.items, i, it.items[i:i+step]...)
	case 2: // many times
		part := slices.Clone(it.items[i : i+step])
		for range g.IntN(40) {
			it.items = append(it.items, part...)
		}
	case 3:
		j := g.IntN(n/step) * step
		it.items[i], it.items[j] = it.items[j], it.items[i]
	case 4:
		it.items = it.items[:i]
	}
}
