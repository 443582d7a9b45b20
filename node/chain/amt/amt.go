// Package amt reads and builds the arrays that a chain's blocks have: lists of messages and of receipts.
//
// They are AMTs of the first kind, [height, count, node] with eight slots a node, which the chain kept when actors went on to
// later ones (Filecoin specification, "Sharray"; go-amt-ipld version 2). Package chain calls it; it calls the CBOR of the machine.
package amt

import (
	"context"
	"errors"
	"fmt"
	"math/bits"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/crypto"
)

const (
	bitWidth  = 3
	width     = 1 << bitWidth
	maxHeight = 63/bitWidth - 1 // indexes are below 2^63
)

// ErrMalformed is wrapped by errors about blocks that are not those of an array. Other errors are the store's.
var ErrMalformed = errors.New("malformed array")

// Getter gives a block's bytes.
type Getter func(ctx context.Context, c cid.Cid) ([]byte, error)

// Values are the items of the array with a root, in order. It must have no gaps and at most most items: more are ErrMalformed,
// before they are read.
func Values(ctx context.Context, get Getter, root cid.Cid, most uint64) ([][]byte, error) {
	data, err := get(ctx, root)
	if err != nil {
		return nil, err
	}
	r := cbor.NewReader(data)
	r.Tuple(3)
	height, count := r.Uint(), r.Uint()
	w := walk{get: get, most: most}
	switch {
	case r.Failed():
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, root, r.Err())
	case height > maxHeight:
		return nil, fmt.Errorf("%w: %s: a height of %d, more than %d", ErrMalformed, root, height, maxHeight)
	case count > most:
		return nil, fmt.Errorf("%w: %s: %d items, more than %d", ErrMalformed, root, count, most)
	}
	if err := w.node(ctx, &r, root, height); err != nil {
		return nil, err
	}
	if err := r.End(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, root, err)
	}
	if uint64(len(w.values)) != count {
		return nil, fmt.Errorf("%w: %s: %d items, but its root says %d", ErrMalformed, root, len(w.values), count)
	}
	return w.values, nil
}

type walk struct {
	get    Getter
	most   uint64
	values [][]byte
	ended  bool // a slot was empty: no item may follow
}

func (w *walk) node(ctx context.Context, r *cbor.Reader, at cid.Cid, height uint64) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: node %s: %s", ErrMalformed, at, fmt.Sprintf(format, args...))
	}
	r.Tuple(3)
	bitmap := r.Bytes()
	var links []cid.Cid
	for n := r.Len(); n > 0 && !r.Failed(); n-- {
		links = append(links, r.CID())
	}
	var values [][]byte
	for n := r.Len(); n > 0 && !r.Failed(); n-- {
		values = append(values, r.Raw())
	}
	if r.Failed() {
		return bad("%v", r.Err())
	}
	if len(bitmap) != width/8 {
		return bad("a bitmap of %d bytes", len(bitmap))
	}
	set := bits.OnesCount8(bitmap[0])
	if height == 0 && (len(links) > 0 || len(values) != set) || height > 0 && (len(values) > 0 || len(links) != set) {
		return bad("%d slots, %d links and %d items at height %d", set, len(links), len(values), height)
	}
	for slot := range width {
		if bitmap[0]&(1<<slot) == 0 {
			w.ended = true
			continue
		}
		if w.ended {
			return bad("a gap before slot %d", slot)
		}
		if height == 0 {
			if uint64(len(w.values)) >= w.most {
				return bad("more than %d items", w.most)
			}
			w.values, values = append(w.values, values[0]), values[1:]
			continue
		}
		below := links[0]
		links = links[1:]
		data, err := w.get(ctx, below)
		if err != nil {
			return err
		}
		sub := cbor.NewReader(data)
		if err := w.node(ctx, &sub, below, height-1); err != nil {
			return err
		}
		if err := sub.End(); err != nil {
			return fmt.Errorf("%w: node %s: %w", ErrMalformed, below, err)
		}
	}
	return nil
}

// Build makes the array of items, each the bytes of one CBOR item, and gives put its blocks, the root last.
func Build(items [][]byte, put func(cid.Cid, []byte) error) (cid.Cid, error) {
	height, level := uint64(0), make([][]byte, 0, len(items)/width+1)
	for i := 0; i < len(items) || i == 0; i += width {
		part := items[i:min(i+width, len(items))]
		level = append(level, node(nil, part))
	}
	for len(level) > 1 {
		height++
		above := make([][]byte, 0, len(level)/width+1)
		for i := 0; i < len(level); i += width {
			var links []cid.Cid
			for _, n := range level[i:min(i+width, len(level))] {
				c, err := store(n, put)
				if err != nil {
					return cid.Undef, err
				}
				links = append(links, c)
			}
			above = append(above, node(links, nil))
		}
		level = above
	}
	root := cbor.AppendUint(cbor.AppendArray(nil, 3), height)
	root = append(cbor.AppendUint(root, uint64(len(items))), level[0]...)
	return store(root, put)
}

// node is one whose first slots are taken, by links or by items.
func node(links []cid.Cid, items [][]byte) []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendBytes(b, []byte{byte(1<<(len(links)+len(items)) - 1)})
	b = cbor.AppendArray(b, len(links))
	for _, c := range links {
		b = cbor.AppendCID(b, c)
	}
	b = cbor.AppendArray(b, len(items))
	for _, item := range items {
		b = append(b, item...)
	}
	return b
}

func store(data []byte, put func(cid.Cid, []byte) error) (cid.Cid, error) {
	c := cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(data))
	return c, put(c, data)
}
