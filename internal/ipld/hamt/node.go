package hamt

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

const (
	bitWidth    = 5
	width       = 1 << bitWidth
	maxBucket   = 3
	maxBitfield = 32 // bytes: the network's reader has room for 256 bits, of which 32 can be set here
)

// node is a node of the tree: a bitfield of which places are taken, and a pointer for each.
type node struct {
	bitfield uint32
	pointers []pointer
}

// pointer leads to a node or is a bucket.
type pointer struct {
	raw  []byte // the pointer's encoding, a link or a bucket; nil: node has changed since it was stored
	node *node  // nil: a bucket, or a node not loaded
}

func (p *pointer) isBucket() bool { return p.raw != nil && p.raw[0]>>5 == cbor.Array }

// entry is a key and its value in a bucket.
type entry struct{ key, value []byte }

// index is the place of a bit's pointer, taken or not.
func (n *node) index(bit int) (i int, set bool) {
	mask := uint32(1) << bit
	return bits.OnesCount32(n.bitfield & (mask - 1)), n.bitfield&mask != 0
}

func (n *node) insert(i, bit int, p pointer) {
	n.bitfield |= 1 << bit
	n.pointers = slices.Insert(n.pointers, i, p)
}

func (n *node) remove(i, bit int) {
	n.bitfield &^= 1 << bit
	n.pointers = slices.Delete(n.pointers, i, i+1)
}

// collapse makes a bucket of a node from which a key was deleted, if what is left fits one: every set of keys has
// but one tree.
func (p *pointer) collapse() {
	if len(p.node.pointers) > maxBucket {
		return
	}
	all := make([]entry, 0, maxBucket)
	for i := range p.node.pointers {
		sub := &p.node.pointers[i]
		if !sub.isBucket() {
			return
		}
		if all = append(all, decodeBucket(sub.raw)...); len(all) > maxBucket {
			return
		}
	}
	if len(all) == 0 {
		return // only the root may be empty, and no pointer leads to that
	}
	slices.SortFunc(all, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	*p = pointer{raw: encodeBucket(all)}
}

// search finds a key in a bucket, or where it belongs.
func search(bucket []entry, key []byte) (at int, found bool) {
	return slices.BinarySearchFunc(bucket, key, func(e entry, k []byte) int { return bytes.Compare(e.key, k) })
}

// find looks a key up in a bucket's encoding.
func find(raw, key []byte) (value []byte, ok bool) {
	r := cbor.NewReader(raw)
	for range r.Len() {
		r.Tuple(2)
		k, v := r.Bytes(), r.Raw()
		if bytes.Equal(k, key) {
			return v, !r.Failed()
		}
	}
	return nil, false
}

// decodeBucket reads a bucket that decode has checked or encodeBucket has made. There is room for one entry more.
func decodeBucket(raw []byte) []entry {
	r := cbor.NewReader(raw)
	n := r.Len()
	bucket := make([]entry, n, n+1)
	for i := range bucket {
		r.Tuple(2)
		bucket[i] = entry{r.Bytes(), r.Raw()}
	}
	return bucket
}

func encodeBucket(bucket []entry) []byte {
	size := 1
	for _, e := range bucket {
		size += 10 + len(e.key) + len(e.value)
	}
	dst := cbor.AppendArray(make([]byte, 0, size), len(bucket))
	for _, e := range bucket {
		dst = append(cbor.AppendBytes(cbor.AppendArray(dst, 2), e.key), e.value...)
	}
	return dst
}

// encode is the node's block, [bitfield, pointers]. No pointer's raw is nil.
func (n *node) encode() []byte {
	size := 8
	for i := range n.pointers {
		size += len(n.pointers[i].raw)
	}
	var field [4]byte
	binary.BigEndian.PutUint32(field[:], n.bitfield)
	dst := cbor.AppendArray(make([]byte, 0, size), 2)
	dst = cbor.AppendBytes(dst, bytes.TrimLeft(field[:], "\x00"))
	dst = cbor.AppendArray(dst, len(n.pointers))
	for i := range n.pointers {
		dst = append(dst, n.pointers[i].raw...)
	}
	return dst
}

// decode reads a node's block, of which the node keeps parts.
func decode(data []byte, depth int) (*node, error) {
	r := cbor.NewReader(data)
	r.Tuple(2)
	field := r.Bytes()
	count := r.Len()
	if r.Failed() {
		return nil, r.Err()
	}
	if len(field) > maxBitfield {
		return nil, fmt.Errorf("its bitfield has %d bytes", len(field))
	}
	n := &node{}
	for i, b := range field {
		if len(field)-i > width/8 && b != 0 {
			return nil, errors.New("its bitfield has bits that no pointer can have")
		}
		n.bitfield = n.bitfield<<8 | uint32(b)
	}
	switch {
	case bits.OnesCount32(n.bitfield) != count:
		return nil, fmt.Errorf("it has %d pointers and %d bits", count, bits.OnesCount32(n.bitfield))
	case count == 0 && depth > 0:
		return nil, errors.New("it is empty")
	}
	n.pointers = make([]pointer, count, count+1)
	for i := range n.pointers {
		raw := r.Raw()
		if r.Failed() {
			return nil, r.Err()
		}
		if err := checkPointer(raw); err != nil {
			return nil, fmt.Errorf("its pointer %d: %w", i, err)
		}
		n.pointers[i].raw = raw
	}
	return n, r.End()
}

func checkPointer(raw []byte) error {
	r := cbor.NewReader(raw)
	if r.Peek() == cbor.Tag {
		link := r.LinkBytes()
		if err := r.End(); err != nil {
			return err
		}
		p, size, err := cbor.SplitCID(link)
		switch {
		case err != nil:
			return err
		case size != len(link):
			return errors.New("it has bytes after its CID")
		case p.Codec != cbor.CodecDagCBOR:
			return fmt.Errorf("it links to a block of codec %#x", p.Codec)
		}
		return nil
	}
	count := r.Len()
	if r.Failed() {
		return errors.New("it is neither a link nor a bucket")
	}
	if count == 0 || count > maxBucket {
		return fmt.Errorf("its bucket has %d entries", count)
	}
	var last []byte
	for i := range count {
		r.Tuple(2)
		key := r.Bytes()
		r.Raw()
		if i > 0 && !r.Failed() && bytes.Compare(last, key) >= 0 {
			return errors.New("the keys of its bucket are out of order")
		}
		last = key
	}
	return r.End()
}

// hash is the hash of a key, of which each level of the tree takes five bits, the first ones first.
type hash [sha256.Size]byte

func newHash(key []byte) hash { return sha256.Sum256(key) }

func (h *hash) next(depth int) (int, error) {
	at := depth * bitWidth
	if at+bitWidth > 8*len(h) {
		return 0, fmt.Errorf("%w: it is deeper than its keys' hashes", ErrMalformed)
	}
	two := uint(h[at/8]) << 8
	if at/8+1 < len(h) {
		two |= uint(h[at/8+1])
	}
	return int(two>>(16-bitWidth-at%8)) & (width - 1), nil
}
