package blockstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// ErrFlush is wrapped by the error of a flush that meets a block or a link that the network refuses to write.
var ErrFlush = errors.New("the new state cannot be written")

// FlushRules is what a flush refuses. The zero value has the rules of network versions 18 and later.
type FlushRules struct {
	// Skyr has the rules of network versions 16 and 17: integers in DAG-CBOR are in their shortest form, links have at
	// most 100 bytes, and no link has the codec CBOR.
	Skyr bool
}

const skyrMaxLink = 100 // bytes

func (r *FlushRules) links() *cbor.LinkRules {
	if r.Skyr {
		return &cbor.LinkRules{Shortest: true, LooseStrings: true, MaxLink: skyrMaxLink, AnyPrefix: true}
	}
	return &cbor.LinkRules{}
}

// walk finds the blocks of buf that a root reaches.
type walk struct {
	buf   map[string][]byte
	rules *FlushRules
	seen  map[string]bool // false: to be opened, true: opened
	stack []node
	order []string // children before parents
}

type node struct {
	key  string
	open bool // its children are above it on the stack, or done
}

// from finds the blocks that root reaches. It gives up once ctx is done.
func (w *walk) from(ctx context.Context, root cid.Cid) error {
	if _, ok := cbor.Split(root); !ok {
		return fmt.Errorf("%w: its root %q is no CID", ErrFlush, root.KeyString())
	}
	rules := w.rules.links()
	if err := w.visit([]byte(root.KeyString()), rules); err != nil {
		return fmt.Errorf("%w: the root %s: %w", ErrFlush, root, err)
	}
	for len(w.stack) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		top := &w.stack[len(w.stack)-1]
		if top.open {
			w.order = append(w.order, top.key)
			w.stack = w.stack[:len(w.stack)-1]
			continue
		}
		if w.seen[top.key] { // pushed by two parents and opened for the other
			w.stack = w.stack[:len(w.stack)-1]
			continue
		}
		top.open, w.seen[top.key] = true, true
		if err := w.children(top.key, rules); err != nil {
			return err
		}
	}
	return nil
}

// children pushes what a block links to.
func (w *walk) children(key string, rules *cbor.LinkRules) error {
	if p, _, err := cbor.SplitCID(key); err != nil || p.Codec != cbor.CodecDagCBOR {
		return err
	}
	from := len(w.stack)
	err := cbor.Links(w.buf[key], rules, func(raw []byte) error { return w.visit(raw, rules) })
	if err != nil {
		c, _ := castCID(key)
		return fmt.Errorf("%w: block %s: %w", ErrFlush, c, err)
	}
	slices.Reverse(w.stack[from:]) // the first link is written first
	return nil
}

// visit checks a link and pushes its block if that is in the buffer and new.
func (w *walk) visit(raw []byte, rules *cbor.LinkRules) error {
	p, n, err := cbor.SplitCID(raw)
	if err != nil {
		return err
	}
	switch p.Codec {
	case cbor.CodecFilCommitmentUnsealed, cbor.CodecFilCommitmentSealed:
		return nil // pieces and sectors are no blocks
	case cbor.CodecRaw, cbor.CodecDagCBOR:
	case cbor.CodecCBOR:
		if w.rules.Skyr {
			return fmt.Errorf("it links to a block of codec %#x", p.Codec)
		}
	default:
		return fmt.Errorf("it links to a block of codec %#x", p.Codec)
	}
	switch {
	case p.Hash == cbor.HashIdentity:
		if p.Codec != cbor.CodecDagCBOR {
			return nil
		}
		// A digest of at most 64 bytes bounds how deep this goes.
		return cbor.Links(p.Digest, rules, func(raw []byte) error { return w.visit(raw, rules) })
	case !p.Linkable():
		return fmt.Errorf("it links to a block by hash function %#x of %d bytes", p.Hash, len(p.Digest))
	}
	key := p.Bytes(raw[:n])
	if _, ok := w.buf[string(key)]; !ok || w.seen[string(key)] {
		return nil
	}
	w.stack = append(w.stack, node{key: string(key)})
	return nil
}

func castCID(key string) (cid.Cid, error) {
	c, n, err := cbor.ParseCID([]byte(key))
	if err != nil || n != len(key) {
		return cid.Undef, fmt.Errorf("%w: %q is no CID", ErrFlush, key)
	}
	return c, nil
}
