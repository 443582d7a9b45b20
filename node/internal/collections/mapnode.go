package collections

import (
	"context"
	"errors"
	"fmt"
	"math/bits"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// mapNode is a node of a HAMT or KAMT.
type mapNode struct {
	at    []int // the places that are taken, rising
	slots []slot
}

// slot is what lies at a place of a node: entries, or a link to a node. The zero slot is empty.
type slot struct {
	entries []entry
	link    cid.Cid
	skip    extension // of a link in a KAMT
}

type entry struct{ key, value []byte }

// extension are the places, one of the map's width each, that a KAMT leaves out between a node and the next.
type extension = runOfBits

func (s *slot) isLink() bool { return s.link.Defined() }

// find is the slot at a place; the zero slot if there is none.
func (n *mapNode) find(place int) slot {
	for i, p := range n.at {
		if p == place {
			return n.slots[i]
		}
	}
	return slot{}
}

// node loads what a link leads to. It is nil if the walk is to go on without it.
func (m *Map) node(ctx context.Context, c cid.Cid) (*mapNode, error) {
	data, err := m.load(ctx, c, c == m.Root)
	if err != nil || data == nil {
		return nil, err
	}
	n, err := m.parse(data, c == m.Root)
	if err != nil {
		return nil, malformed(m.what(), c, err)
	}
	return n, nil
}

// parse reads a node: [bitfield, [pointer, ...]].
func (m *Map) parse(data []byte, root bool) (*mapNode, error) {
	r := cbor.NewReader(data)
	r.Tuple(2)
	field := r.Bytes()
	count := r.Len()
	if err := r.Err(); err != nil {
		return nil, err
	}
	const most = 32 // bytes of a bitfield: 8 bits are the widest
	if len(field) > most {
		return nil, fmt.Errorf("a bitfield of %d bytes, more than %d", len(field), most)
	}
	n := &mapNode{}
	for i := len(field) - 1; i >= 0; i-- {
		for b := field[i]; b != 0; b &= b - 1 {
			n.at = append(n.at, 8*(len(field)-1-i)+bits.TrailingZeros8(b))
		}
	}
	if len(n.at) != count {
		return nil, fmt.Errorf("%d pointers, and %d in its bitfield", count, len(n.at))
	}
	if count > 0 && m.Bits > 0 && n.at[count-1] >= 1<<m.Bits {
		return nil, fmt.Errorf("place %d, where the width is %d bits", n.at[count-1], m.Bits)
	}
	if count == 0 && !root {
		return nil, errors.New("an empty node below the root")
	}
	n.slots = make([]slot, count)
	for i := range n.slots {
		var err error
		if n.slots[i], err = m.pointer(&r); err != nil {
			return nil, fmt.Errorf("pointer %d: %w", i, err)
		}
	}
	return n, r.End()
}

// pointer reads a pointer of a node. In a HAMT it is a link or a list of entries; of actors before v3 a map with one key,
// "0" or "1", holds it. In a KAMT the key is "l" or "v".
func (m *Map) pointer(r *cbor.Reader) (slot, error) {
	kind := r.Peek()
	key := ""
	if kind == cbor.Map {
		if r.MapLen() != 1 {
			return slot{}, errors.New("a map of one entry expected")
		}
		key = r.Text()
		kind = r.Peek()
	}
	switch {
	case m.Format == KAMT && key == "l":
		r.Tuple(3)
		s := slot{link: r.CID()}
		length, path := r.Uint(), r.Bytes()
		if r.Err() == nil && (length > 8*uint64(len(path)) || length > keyBits) {
			return slot{}, fmt.Errorf("an extension of %d bits in %d bytes", length, len(path))
		}
		s.skip = runOfBits{data: path, end: int(length)}
		return s, r.Err()
	case m.Format == KAMT && key == "v", m.Format == HAMT && kind == cbor.Array && (key == "" || key == "1"):
		s := slot{entries: []entry{}}
		count := r.Len()
		if count > maxBucket {
			return slot{}, fmt.Errorf("a bucket of %d entries", count)
		}
		for range count {
			r.Tuple(2)
			e := entry{key: r.Bytes()}
			e.value = r.Raw()
			if r.Failed() {
				return slot{}, r.Err()
			}
			if m.Format == KAMT {
				if len(e.key) > keyBytes {
					return slot{}, fmt.Errorf("a key of %d bytes", len(e.key))
				}
				e.key = pad(e.key)
			}
			s.entries = append(s.entries, e)
		}
		return s, r.Err()
	case m.Format == HAMT && kind == cbor.Tag && (key == "" || key == "0"):
		return slot{link: r.CID()}, r.Err()
	}
	return slot{}, errors.New("neither a link nor a list of entries")
}

// maxBucket bounds the entries at one place; networks have at most 3.
const maxBucket = 64

// pad is a KAMT's key in full length: leading zeros are left out in nodes.
func pad(key []byte) []byte {
	full := make([]byte, keyBytes)
	copy(full[keyBytes-len(key):], key)
	return full
}
