package collections

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/bits"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// Array is an AMT in a store. Values are CBOR as they stand in the nodes.
type Array struct {
	Source
	Root cid.Cid

	bits, height int
	count        uint64
	top          *arrayNode
}

// arrayNode is a node of an AMT: links to nodes, or values in a leaf.
type arrayNode struct {
	at     []int // the places that are taken, rising
	links  []cid.Cid
	values [][]byte
}

// OpenArray reads the root of an AMT: [bit width, height, count, node].
func OpenArray(ctx context.Context, s Source, root cid.Cid) (*Array, error) {
	data, err := s.load(ctx, root, true)
	if err != nil {
		return nil, err
	}
	a := &Array{Source: s, Root: root}
	if err := a.parse(data); err != nil {
		return nil, malformed("AMT", root, err)
	}
	return a, nil
}

const maxArrayBits = 12 // wider nodes would not fit a block

func (a *Array) parse(data []byte) error {
	r := cbor.NewReader(data)
	r.Tuple(4)
	width, height, count := r.Uint(), r.Uint(), r.Uint()
	if err := r.Err(); err != nil {
		return err
	}
	if width < 1 || width > maxArrayBits {
		return fmt.Errorf("a width of %d bits", width)
	}
	if height > 64/width { // its last index would need more than 64 bits
		return fmt.Errorf("a height of %d", height)
	}
	a.bits, a.height, a.count = int(width), int(height), count
	var err error
	if a.top, err = a.node(&r, a.height); err != nil {
		return err
	}
	return r.End()
}

// node reads [bitmap, [link, ...], [value, ...]].
func (a *Array) node(r *cbor.Reader, height int) (*arrayNode, error) {
	r.Tuple(3)
	bitmap := r.Bytes()
	n := &arrayNode{}
	for range r.Len() {
		n.links = append(n.links, r.CID())
		if r.Failed() {
			break
		}
	}
	for range r.Len() {
		n.values = append(n.values, r.Raw())
		if r.Failed() {
			break
		}
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	if want := max(1, 1<<a.bits/8); len(bitmap) != want {
		return nil, fmt.Errorf("a bitmap of %d bytes, not %d", len(bitmap), want)
	}
	for i, b := range bitmap {
		for ; b != 0; b &= b - 1 {
			n.at = append(n.at, 8*i+bits.TrailingZeros8(b))
		}
	}
	have, none, what := len(n.values), len(n.links), "links in a leaf"
	if height > 0 {
		have, none, what = none, have, "values above the leaves"
	}
	if none > 0 {
		return nil, errors.New(what)
	}
	if len(n.at) != have {
		return nil, fmt.Errorf("%d items, and %d in its bitmap", have, len(n.at))
	}
	if have > 0 && n.at[have-1] >= 1<<a.bits {
		return nil, fmt.Errorf("place %d, where the width is %d bits", n.at[have-1], a.bits)
	}
	return n, nil
}

// child loads the node that a link leads to. It is nil if the walk is to go on without it.
func (a *Array) child(ctx context.Context, c cid.Cid, height int) (*arrayNode, error) {
	data, err := a.load(ctx, c, false)
	if err != nil || data == nil {
		return nil, err
	}
	r := cbor.NewReader(data)
	n, err := a.node(&r, height)
	if err == nil {
		err = r.End()
	}
	if err != nil {
		return nil, malformed("AMT", c, err)
	}
	return n, nil
}

// Count is the number of values, as the root says.
func (a *Array) Count() uint64 { return a.count }

// Bits is the width of a node, as the power of two.
func (a *Array) Bits() int { return a.bits }

// Get looks an index up.
func (a *Array) Get(ctx context.Context, index uint64) (value []byte, ok bool, err error) {
	if used := a.bits * (a.height + 1); used < 64 && index>>used != 0 {
		return nil, false, nil
	}
	n := a.top
	for height := a.height; ; height-- {
		place := int(index >> (a.bits * height) & (1<<a.bits - 1))
		i := 0
		for i < len(n.at) && n.at[i] != place {
			i++
		}
		if i == len(n.at) {
			return nil, false, nil
		}
		if height == 0 {
			return n.values[i], true, nil
		}
		if n, err = a.child(ctx, n.links[i], height-1); err != nil || n == nil {
			return nil, false, err
		}
	}
}

// ForEach calls fn for each value, in the order of indexes. The value is not changed later.
func (a *Array) ForEach(ctx context.Context, fn func(index uint64, value []byte) error) error {
	return a.each(ctx, a.top, a.height, 0, fn)
}

func (a *Array) each(ctx context.Context, n *arrayNode, height int, base uint64, fn func(uint64, []byte) error) error {
	for i, place := range n.at {
		index := base | uint64(place)<<(a.bits*height)
		if height == 0 {
			if err := fn(index, n.values[i]); err != nil {
				return err
			}
			continue
		}
		sub, err := a.child(ctx, n.links[i], height-1)
		if err != nil {
			return err
		}
		if sub == nil {
			continue
		}
		if err := a.each(ctx, sub, height-1, index, fn); err != nil {
			return err
		}
	}
	return nil
}

// item is a value of an AMT with its index, or what went wrong.
type item struct {
	index uint64
	value []byte
	err   error
}

var errStop = errors.New("stop")

func (a *Array) items(ctx context.Context) iter.Seq[item] {
	return func(yield func(item) bool) {
		err := a.ForEach(ctx, func(i uint64, v []byte) error {
			if !yield(item{i, v, nil}) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(item{err: err})
		}
	}
}
