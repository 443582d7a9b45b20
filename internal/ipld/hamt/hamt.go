// Package hamt is the map of the state tree and of the init actor's addresses: the HAMT of the Filecoin
// specification with bit width 5, SHA-256 and buckets of 3, version 3.
//
// It does what go-hamt-ipld does, with the same blocks as the result; values and unread parts of nodes stay as
// the bytes they came in, since nearly all that the machine does is to look up a few keys in huge maps of which it
// changes little. Callers are state alone; it calls cbor. What keys and values mean does not belong here.
package hamt

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// ErrMalformed is wrapped by the errors about nodes that are not those of such a map. Other errors are the
// store's.
var ErrMalformed = errors.New("malformed HAMT")

// Store is where nodes come from and go to. Bytes are not changed once they are in it.
type Store interface {
	GetRaw(ctx context.Context, c cid.Cid) ([]byte, error)
	PutRaw(c cid.Cid, data []byte)
}

// Map maps keys to values, each the bytes of one CBOR item. Nodes are loaded when needed and then kept. It belongs to one
// goroutine at a time. A method that fails leaves the map as it was.
type Map struct {
	store Store
	root  *node
}

// New makes an empty map.
func New(s Store) *Map { return &Map{store: s, root: &node{}} }

// Load makes the map whose root node is c.
func Load(ctx context.Context, s Store, c cid.Cid) (*Map, error) {
	root, err := load(ctx, s, c, 0)
	if err != nil {
		return nil, err
	}
	return &Map{store: s, root: root}, nil
}

func load(ctx context.Context, s Store, c cid.Cid, depth int) (*node, error) {
	data, err := s.GetRaw(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("reading the HAMT node %s: %w", c, err)
	}
	n, err := decode(data, depth)
	if err != nil {
		return nil, fmt.Errorf("%w: the node %s: %w", ErrMalformed, c, err)
	}
	return n, nil
}

// child is the node that pointer i of n leads to, nil if that is a bucket.
func (m *Map) child(ctx context.Context, n *node, i, depth int) (*node, error) {
	p := &n.pointers[i]
	if p.node != nil || p.isBucket() {
		return p.node, nil
	}
	r := cbor.NewReader(p.raw)
	c := r.CID()
	if err := r.End(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	sub, err := load(ctx, m.store, c, depth+1)
	if err != nil {
		return nil, err
	}
	p.node = sub
	return sub, nil
}

// Get returns the value of a key, which is not to be changed; ok is false if there is none.
func (m *Map) Get(ctx context.Context, key []byte) (value []byte, ok bool, err error) {
	h := newHash(key)
	n := m.root
	for depth := 0; ; depth++ {
		bit, err := h.next(depth)
		if err != nil {
			return nil, false, err
		}
		i, set := n.index(bit)
		if !set {
			return nil, false, nil
		}
		sub, err := m.child(ctx, n, i, depth)
		if err != nil {
			return nil, false, err
		}
		if sub == nil {
			value, ok = find(n.pointers[i].raw, key)
			return value, ok, nil
		}
		n = sub
	}
}

// Set gives a key a value, one CBOR item, which the map keeps.
func (m *Map) Set(ctx context.Context, key, value []byte) error {
	_, err := m.set(ctx, m.root, newHash(key), 0, entry{key, value})
	return err
}

// set reports whether n has changed.
func (m *Map) set(ctx context.Context, n *node, h hash, depth int, e entry) (bool, error) {
	bit, err := h.next(depth)
	if err != nil {
		return false, err
	}
	i, set := n.index(bit)
	if !set {
		n.insert(i, bit, pointer{raw: encodeBucket([]entry{e})})
		return true, nil
	}
	sub, err := m.child(ctx, n, i, depth)
	if err != nil {
		return false, err
	}
	p := &n.pointers[i]
	if sub != nil {
		changed, err := m.set(ctx, sub, h, depth+1, e)
		if changed {
			p.raw = nil
		}
		return changed, err
	}
	bucket := decodeBucket(p.raw)
	at, found := search(bucket, e.key)
	switch {
	case found && bytes.Equal(bucket[at].value, e.value):
		return false, nil
	case found:
		bucket[at] = e
	case len(bucket) == maxBucket:
		// A full bucket becomes a node of its own.
		sub := &node{}
		for _, e := range append(bucket, e) {
			if _, err := m.set(ctx, sub, newHash(e.key), depth+1, e); err != nil {
				return false, err
			}
		}
		*p = pointer{node: sub}
		return true, nil
	default:
		bucket = append(bucket, entry{})
		copy(bucket[at+1:], bucket[at:])
		bucket[at] = e
	}
	p.raw = encodeBucket(bucket)
	return true, nil
}

// Delete removes a key and reports whether it was there.
func (m *Map) Delete(ctx context.Context, key []byte) (bool, error) {
	return m.delete(ctx, m.root, newHash(key), 0, key)
}

func (m *Map) delete(ctx context.Context, n *node, h hash, depth int, key []byte) (bool, error) {
	bit, err := h.next(depth)
	if err != nil {
		return false, err
	}
	i, set := n.index(bit)
	if !set {
		return false, nil
	}
	sub, err := m.child(ctx, n, i, depth)
	if err != nil {
		return false, err
	}
	if sub != nil {
		found, err := m.delete(ctx, sub, h, depth+1, key)
		if found {
			n.pointers[i].raw = nil
			n.pointers[i].collapse()
		}
		return found, err
	}
	bucket := decodeBucket(n.pointers[i].raw)
	at, found := search(bucket, key)
	switch {
	case !found:
	case len(bucket) == 1:
		n.remove(i, bit)
	default:
		n.pointers[i].raw = encodeBucket(append(bucket[:at], bucket[at+1:]...))
	}
	return found, nil
}

// Flush puts the nodes that have changed into the store, children first, and returns the root's CID. The map stays
// usable, also after an error, which is ctx's once that is done.
func (m *Map) Flush(ctx context.Context) (cid.Cid, error) { return m.flush(ctx, m.root) }

func (m *Map) flush(ctx context.Context, n *node) (cid.Cid, error) {
	if err := ctx.Err(); err != nil {
		return cid.Undef, err
	}
	for i := range n.pointers {
		if p := &n.pointers[i]; p.raw == nil {
			c, err := m.flush(ctx, p.node)
			if err != nil {
				return cid.Undef, err
			}
			p.raw = cbor.AppendCID(nil, c)
		}
	}
	data := n.encode()
	c := cbor.Blake2bCID(cbor.CodecDagCBOR, blake2b.Sum256(data))
	m.store.PutRaw(c, data)
	return c, nil
}

// ForEach calls fn with every key and value, in the order of the keys' hashes. It keeps no node that it loads. An
// error of fn ends it and is returned.
func (m *Map) ForEach(ctx context.Context, fn func(key, value []byte) error) error {
	return m.each(ctx, m.root, 0, fn)
}

func (m *Map) each(ctx context.Context, n *node, depth int, fn func(key, value []byte) error) error {
	for i := range n.pointers {
		p := n.pointers[i] // a copy, so that what is loaded is not kept
		sub, err := m.child(ctx, &node{pointers: []pointer{p}}, 0, depth)
		if err != nil {
			return err
		}
		if sub != nil {
			if err := m.each(ctx, sub, depth+1, fn); err != nil {
				return err
			}
			continue
		}
		for _, e := range decodeBucket(p.raw) {
			if err := fn(e.key, e.value); err != nil {
				return err
			}
		}
	}
	return nil
}
