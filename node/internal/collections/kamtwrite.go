package collections

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// Slots changes a contract's KAMT as fvm_ipld_kamt does with their setting: a node has 32 places, a place has one entry or
// a link, and a link skips the places that all keys below it share. The form depends on the content alone, so that the same entries
// have the same root whatever way they came. It belongs to one goroutine at a time.
type Slots struct {
	Map
	// Save stores a node and gives its CID.
	Save func(ctx context.Context, data []byte) (cid.Cid, error)
}

// kamtBits is how many bits of a slot's number choose the place.
const kamtBits = 5

// NewSlots takes up the map with a root, or an empty one if root is undefined.
func NewSlots(root cid.Cid, load func(context.Context, cid.Cid) ([]byte, error), save func(context.Context, []byte) (cid.Cid, error)) *Slots {
	return &Slots{Map: Map{Source: Source{Load: load}, Root: root, Format: KAMT, Bits: kamtBits}, Save: save}
}

// Set puts a value, a whole CBOR item, under a key of 32 bytes; nil deletes the key. Root is the new root after it.
func (m *Slots) Set(ctx context.Context, key, value []byte) error {
	if len(key) != keyBytes {
		return errors.New("the key of a KAMT has 32 bytes")
	}
	root := &mapNode{}
	if m.Root.Defined() {
		var err error
		if root, err = m.node(ctx, m.Root); err != nil {
			return err
		}
	}
	c := setting{m, entry{key, value}}
	if err := c.in(ctx, root, bitsOf(key)); err != nil {
		return err
	}
	next, err := m.save(ctx, root)
	if err == nil {
		m.Root = next
	}
	return err
}

// setting is one entry to set, or to delete if its value is nil.
type setting struct {
	m *Slots
	entry
}

// in makes it in a node, where being what is left of the key.
func (c *setting) in(ctx context.Context, n *mapNode, where runOfBits) error {
	place, err := where.next(kamtBits)
	if err != nil {
		return err
	}
	s := n.find(place)
	if len(s.entries) > 1 {
		return fmt.Errorf("%w KAMT %s: a place with %d entries", ErrMalformed, c.m.Root, len(s.entries))
	}
	switch {
	case s.isLink():
		s, err = c.below(ctx, s, where)
	case len(s.entries) == 0 || bytes.Equal(s.entries[0].key, c.key):
		s = c.alone()
	case c.value != nil:
		s, err = c.beside(ctx, s.entries[0], where)
	}
	if err != nil {
		return err
	}
	n.put(place, s)
	return nil
}

// alone is a place with nothing but the entry.
func (c *setting) alone() slot {
	if c.value == nil {
		return slot{}
	}
	return slot{entries: []entry{c.entry}}
}

// beside makes a node of two entries that came to one place.
func (c *setting) beside(ctx context.Context, other entry, where runOfBits) (slot, error) {
	there := bitsOf(other.key)
	there.off = where.off
	skip := where
	if err := shared(&where, &there); err != nil {
		return slot{}, err
	}
	skip.end = where.off
	n := &mapNode{}
	for _, e := range []struct {
		entry
		where runOfBits
	}{{c.entry, where}, {other, there}} {
		place, err := e.where.next(kamtBits)
		if err != nil {
			return slot{}, err
		}
		n.put(place, slot{entries: []entry{e.entry}})
	}
	link, err := c.m.save(ctx, n)
	return slot{link: link, skip: skip}, err
}

// below makes it behind a link.
func (c *setting) below(ctx context.Context, s slot, where runOfBits) (slot, error) {
	from, rest := where, s.skip
	if err := shared(&where, &rest); err != nil {
		return slot{}, err
	}
	if rest.len() > 0 {
		if c.value == nil {
			return s, nil // no such key
		}
		return c.midway(ctx, s, from, where, rest)
	}
	n, err := c.m.node(ctx, s.link)
	if err != nil {
		return slot{}, err
	}
	if err := c.in(ctx, n, where); err != nil {
		return slot{}, err
	}
	if len(n.slots) == 1 {
		only := n.slots[0]
		if only.isLink() { // two links one after the other are one
			only.skip, err = joined(s.skip, n.at[0], only.skip)
		}
		return only, err
	}
	link, err := c.m.save(ctx, n)
	return slot{link: link, skip: s.skip}, err
}

// midway puts a node where the key leaves the way of a link: from is the key there, where what is left of it, and rest what is left of
// the link's way.
func (c *setting) midway(ctx context.Context, s slot, from, where, rest runOfBits) (slot, error) {
	head := from
	head.end = where.off
	old, err := rest.next(kamtBits)
	if err != nil {
		return slot{}, err
	}
	place, err := where.next(kamtBits)
	if err != nil {
		return slot{}, err
	}
	n := &mapNode{}
	n.put(old, slot{link: s.link, skip: rest})
	n.put(place, slot{entries: []entry{c.entry}})
	link, err := c.m.save(ctx, n)
	return slot{link: link, skip: head}, err
}

// shared goes on in two runs of bits as far as their places are the same.
func shared(a, b *runOfBits) error {
	for a.len() > 0 && b.len() > 0 {
		x, y := *a, *b
		p, err := x.next(kamtBits)
		if err != nil {
			return err
		}
		q, err := y.next(kamtBits)
		if err != nil {
			return err
		}
		if p != q {
			return nil
		}
		*a, *b = x, y
	}
	return nil
}

// joined is the way over a node that has one link left.
func joined(before runOfBits, place int, after runOfBits) (runOfBits, error) {
	var p prefix
	err := errors.Join(p.addRun(before), p.add(place, kamtBits), p.addRun(after))
	return runOfBits{data: slices.Clone(p.data[:]), end: p.n}, err
}

// put sets what is at a place; an empty slot empties it.
func (n *mapNode) put(place int, s slot) {
	i, ok := slices.BinarySearch(n.at, place)
	empty := !s.isLink() && len(s.entries) == 0
	switch {
	case ok && empty:
		n.at, n.slots = slices.Delete(n.at, i, i+1), slices.Delete(n.slots, i, i+1)
	case ok:
		n.slots[i] = s
	case !empty:
		n.at, n.slots = slices.Insert(n.at, i, place), slices.Insert(n.slots, i, s)
	}
}

// save writes a node: [bitfield, [pointer, ...]].
func (m *Slots) save(ctx context.Context, n *mapNode) (cid.Cid, error) {
	var field [1 << kamtBits / 8]byte
	for _, p := range n.at {
		field[len(field)-1-p/8] |= 1 << (p % 8)
	}
	data := cbor.AppendBytes(cbor.AppendArray(nil, 2), bytes.TrimLeft(field[:], "\x00"))
	data = cbor.AppendArray(data, len(n.slots))
	for _, s := range n.slots {
		data = cbor.AppendHeader(data, cbor.Map, 1)
		if s.isLink() {
			data = cbor.AppendCID(cbor.AppendArray(cbor.AppendText(data, "l"), 3), s.link)
			way, err := s.skip.packed()
			if err != nil {
				return cid.Undef, err
			}
			data = cbor.AppendBytes(cbor.AppendUint(data, uint64(s.skip.len())), way)
			continue
		}
		data = cbor.AppendArray(cbor.AppendText(data, "v"), len(s.entries))
		for _, e := range s.entries {
			data = cbor.AppendBytes(cbor.AppendArray(data, 2), bytes.TrimLeft(e.key, "\x00"))
			data = append(data, e.value...)
		}
	}
	return m.Save(ctx, data)
}

// packed are the bits from the first byte's highest on.
func (b runOfBits) packed() ([]byte, error) {
	var p prefix
	err := p.addRun(b)
	return p.data[:(p.n+7)/8], err
}
