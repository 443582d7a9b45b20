package collections

import (
	"bytes"
	"context"
	"errors"
)

// DiffMaps calls fn for each key whose value differs; before or after is nil where there is none. It loads only nodes that
// differ, if both maps have the same format and width; where they have not, it reads all of both and looks each key up
// in the other.
func DiffMaps(ctx context.Context, a, b *Map, fn func(key, before, after []byte) error) error {
	if a.Root == b.Root && a.Format == b.Format {
		return nil
	}
	d := mapDiff{ctx: ctx, a: a, b: b, fn: fn}
	if a.Format != b.Format || a.Bits != b.Bits {
		return d.apart()
	}
	return d.slots(slot{link: a.Root}, slot{link: b.Root}, prefix{})
}

type mapDiff struct {
	ctx  context.Context
	a, b *Map
	fn   func(key, before, after []byte) error
}

// slots compares what lies at one place of both maps.
func (d *mapDiff) slots(a, b slot, p prefix) error {
	switch {
	case !a.isLink() && !b.isLink():
		return d.entries(a.entries, b.entries)
	case !a.isLink():
		return d.few(d.b, b, a.entries, p, func(key, few, all []byte) error { return d.fn(key, few, all) })
	case !b.isLink():
		return d.few(d.a, a, b.entries, p, func(key, few, all []byte) error { return d.fn(key, all, few) })
	case a.link == b.link && a.skip.equal(b.skip):
		return nil
	}
	// Nodes of two KAMTs stand at different depths where one skips what the other does not. A link that skips places is
	// opened as the node that would stand there: one place, with the link that skips the rest.
	na, oka, err := d.open(d.a, a)
	if err != nil {
		return err
	}
	nb, okb, err := d.open(d.b, b)
	if err != nil || !oka || !okb {
		return err
	}
	for i, j := 0, 0; i < len(na.at) || j < len(nb.at); {
		var sa, sb slot
		first := 1 << 8
		if i < len(na.at) {
			first = na.at[i]
		}
		if j < len(nb.at) {
			first = min(first, nb.at[j])
		}
		if i < len(na.at) && na.at[i] == first {
			sa = na.slots[i]
			i++
		}
		if j < len(nb.at) && nb.at[j] == first {
			sb = nb.slots[j]
			j++
		}
		below := p
		if err := below.add(first, d.a.Bits); err != nil {
			return malformed(d.a.what(), b.link, err)
		}
		if err := d.slots(sa, sb, below); err != nil {
			return err
		}
	}
	return nil
}

func (d *mapDiff) open(m *Map, s slot) (*mapNode, bool, error) {
	if s.skip.len() == 0 {
		n, err := m.node(d.ctx, s.link)
		return n, n != nil, err
	}
	place, err := s.skip.next(m.Bits)
	if err != nil || s.skip.len()%m.Bits != 0 {
		return nil, false, malformed(m.what(), s.link, errors.New("an extension that is no whole number of places"))
	}
	return &mapNode{at: []int{place}, slots: []slot{s}}, true, nil
}

// entries compares two lists.
func (d *mapDiff) entries(a, b []entry) error {
	for _, e := range a {
		if after, _ := lookup(b, e.key); !bytes.Equal(e.value, after) {
			if err := d.fn(e.key, e.value, after); err != nil {
				return err
			}
		}
	}
	for _, e := range b {
		if _, ok := lookup(a, e.key); !ok {
			if err := d.fn(e.key, nil, e.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// few compares all that a link of m leads to with a list of entries.
func (d *mapDiff) few(m *Map, link slot, list []entry, p prefix, fn func(key, few, all []byte) error) error {
	found := make([]bool, len(list))
	err := m.each(d.ctx, link, p, func(e entry) error {
		value, _ := lookup(list, e.key)
		for i := range list {
			found[i] = found[i] || bytes.Equal(list[i].key, e.key)
		}
		if bytes.Equal(value, e.value) {
			return nil
		}
		return fn(e.key, value, e.value)
	})
	if err != nil {
		return err
	}
	for i, e := range list {
		if !found[i] {
			if err := fn(e.key, e.value, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func lookup(list []entry, key []byte) (value []byte, ok bool) {
	for _, e := range list {
		if bytes.Equal(e.key, key) {
			return e.value, true
		}
	}
	return nil, false
}

// apart compares maps that are laid out differently.
func (d *mapDiff) apart() error {
	err := d.a.ForEach(d.ctx, func(key, before []byte) error {
		after, _, err := d.b.Get(d.ctx, key)
		if err != nil || bytes.Equal(before, after) {
			return err
		}
		return d.fn(key, before, after)
	})
	if err != nil {
		return err
	}
	return d.b.ForEach(d.ctx, func(key, after []byte) error {
		if _, ok, err := d.a.Get(d.ctx, key); ok || err != nil {
			return err
		}
		return d.fn(key, nil, after)
	})
}
