package state

import (
	"reflect"
	"strconv"

	"github.com/edgefvm/fvm/node/internal/collections"
)

// nodes compares what stands at the same place of two states.
func (d *differ) nodes(a, b *Node) error {
	switch {
	case a.Collection() && b.Collection() && a.shape.kind == b.shape.kind:
		return d.entries(a, b)
	case a.Collection() || b.Collection():
		if a.block == b.block {
			return nil
		}
		return d.tell(Change{Op: Changed, Path: b.path, Type: b.shape.String(), Before: a.block.String(), After: b.block.String()})
	case a.shape.kind == typed && b.shape.kind == typed:
		return d.typed(a, b)
	}
	va, err := a.inner(d.ctx, ViewOptions{})
	if err != nil {
		return err
	}
	vb, err := b.inner(d.ctx, ViewOptions{})
	if err != nil {
		return err
	}
	return d.raw(b.path, va, vb)
}

// typed compares values of types.
func (d *differ) typed(a, b *Node) error {
	va, vb := deref(a.val), deref(b.val)
	ca, isA := cidOf(a.val)
	cb, isB := cidOf(b.val)
	switch {
	case isA && isB && a.to != nil && b.to != nil:
		if ca == cb {
			return nil
		}
		x, err := d.open(a.env, a.path, a.to, ca)
		if err != nil || x == nil {
			return err
		}
		y, err := d.open(b.env, b.path, b.to, cb)
		if err != nil || y == nil {
			return err
		}
		return d.nodes(x, y)
	case va.Kind() == reflect.Struct && vb.Kind() == reflect.Struct && (a.leads(va) || b.leads(vb)):
		return d.fields(a, b, va, vb)
	case isList(va) && isList(vb) && a.to != nil && b.to != nil:
		return d.lists(a, b, va, vb)
	}
	return d.values(a, b)
}

func deref(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		return v.Elem()
	}
	return v
}

func isList(v reflect.Value) bool { return v.Kind() == reflect.Slice || v.Kind() == reflect.Array }

func (n *Node) leads(v reflect.Value) bool { return n.shape.layout.leads(v.Type()) }

// fields compares structs by the names of their fields.
func (d *differ) fields(a, b *Node, va, vb reflect.Value) error {
	for i := range va.NumField() {
		f := va.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		x := a.field(va, i)
		other, ok := vb.Type().FieldByName(f.Name)
		if !ok {
			if err := d.one(x, Removed); err != nil {
				return err
			}
			continue
		}
		if err := d.typed(x, b.field(vb, other.Index[0])); err != nil {
			return err
		}
	}
	for i := range vb.NumField() {
		f := vb.Type().Field(i)
		if _, ok := va.Type().FieldByName(f.Name); !ok && f.IsExported() {
			if err := d.one(b.field(vb, i), Added); err != nil {
				return err
			}
		}
	}
	return nil
}

// lists compares lists of links by index.
func (d *differ) lists(a, b *Node, va, vb reflect.Value) error {
	for i := range max(va.Len(), vb.Len()) {
		name := strconv.Itoa(i)
		var err error
		switch {
		case i >= vb.Len():
			err = d.one(a.part(name, va.Index(i), a.to), Removed)
		case i >= va.Len():
			err = d.one(b.part(name, vb.Index(i), b.to), Added)
		default:
			err = d.typed(a.part(name, va.Index(i), a.to), b.part(name, vb.Index(i), b.to))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// one tells of a part that only one of the states has.
func (d *differ) one(n *Node, op Op) error {
	if c, ok := cidOf(n.val); ok && n.to != nil {
		to, err := d.open(n.env, n.path, n.to, c)
		if err != nil || to == nil {
			return err
		}
		return d.oneNode(to, op)
	}
	return d.oneNode(n, op)
}

func (d *differ) oneNode(n *Node, op Op) error {
	if !n.Collection() {
		view, err := n.inner(d.ctx, ViewOptions{})
		if err != nil {
			return err
		}
		if err := d.tellOne(n, view, op); err != nil {
			return err
		}
	}
	return d.below(n, op)
}

// below tells of all that the links in a node lead to, which only one of the states has. The node itself is told already.
func (d *differ) below(n *Node, op Op) error {
	if n.Collection() {
		return n.each(d.ctx, d.o.Missing, func(raw, value []byte) error {
			_, v, err := n.entry(d.ctx, raw, value)
			if err != nil {
				return d.missing(err)
			}
			return d.oneNode(v, op)
		})
	}
	if n.shape.kind != typed {
		return nil
	}
	if c, ok := cidOf(n.val); ok {
		if n.to == nil {
			return nil
		}
		to, err := d.open(n.env, n.path, n.to, c)
		if err != nil || to == nil {
			return err
		}
		return d.oneNode(to, op)
	}
	v := deref(n.val)
	switch {
	case v.Kind() == reflect.Struct && n.leads(v):
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				if err := d.below(n.field(v, i), op); err != nil {
					return err
				}
			}
		}
	case isList(v) && n.to != nil:
		for i := range v.Len() {
			if err := d.below(n.part(strconv.Itoa(i), v.Index(i), n.to), op); err != nil {
				return err
			}
		}
	}
	return nil
}

// entries compares two maps or arrays.
func (d *differ) entries(a, b *Node) error {
	entry := func(raw, before, after []byte) error { return d.entry(a, b, raw, before, after) }
	if a.shape.kind != kindAMT {
		return d.missing(b.located(collections.DiffMaps(d.ctx, a.mapAt(d.o.Missing), b.mapAt(d.o.Missing), entry)))
	}
	x, err := a.arrayAt(d.ctx, d.o.Missing)
	if err != nil {
		return d.missing(err)
	}
	y, err := b.arrayAt(d.ctx, d.o.Missing)
	if err != nil {
		return d.missing(err)
	}
	err = collections.DiffArrays(d.ctx, x, y, func(i uint64, before, after []byte) error { return entry(rawIndex(i), before, after) })
	return d.missing(b.located(err))
}

// entry compares two entries under one key.
func (d *differ) entry(a, b *Node, raw, before, after []byte) error {
	var x, y *Node
	var err error
	if before != nil {
		if _, x, err = a.entry(d.ctx, raw, before); err != nil {
			return d.missing(err)
		}
	}
	if after != nil {
		if _, y, err = b.entry(d.ctx, raw, after); err != nil {
			return d.missing(err)
		}
	}
	switch {
	case x == nil:
		return d.oneNode(y, Added)
	case y == nil:
		return d.oneNode(x, Removed)
	}
	return d.nodes(x, y)
}

// raw compares data of no known type. Links are compared, not followed.
func (d *differ) raw(path string, a, b any) error {
	if reflect.DeepEqual(a, b) {
		return nil
	}
	if la, ok := a.([]any); ok {
		if lb, ok := b.([]any); ok && len(la) == len(lb) {
			for i := range la {
				if err := d.raw(path+"/"+strconv.Itoa(i), la[i], lb[i]); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return d.tell(Change{Op: Changed, Path: path, Before: a, After: b})
}
