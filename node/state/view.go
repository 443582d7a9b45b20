package state

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"

	"github.com/edgefvm/fvm/node/actors/jsonview"
)

// ViewOptions say how far a view follows links. The zero value follows none.
type ViewOptions struct {
	// Depth is how many links deep a view goes.
	Depth int
	// Entries is how many entries of a map or array are shown at most; the rest is told by "more".
	Entries int
	// Missing hears of blocks that are not there; nil goes on, and null stands in their place. Default: they are errors.
	Missing func(*MissingError) error
}

// View is the node as a tree of what JSON has: see package jsonview for values of the actors' types. Links are CIDs as
// text. Where the options follow one, in its place stands an object: "cid", "type", and "value", or of maps and arrays
// "count" (of arrays, and of empty maps), "entries" (a list of objects with "key" and "value") and "more" where there are more.
func (n *Node) View(ctx context.Context, o ViewOptions) (any, error) {
	n, err := n.settle(ctx)
	if err != nil {
		return nil, err
	}
	if n.shape.isCollection() {
		return n.linked(ctx, o)
	}
	return n.inner(ctx, o)
}

// inner is a node that is no collection.
func (n *Node) inner(ctx context.Context, o ViewOptions) (any, error) {
	switch n.shape.kind {
	case octets:
		return jsonview.Hex(n.raw.([]byte)), nil
	case anything:
		return n.raw, nil
	}
	if n.shape == actorShape && o.Depth > 0 {
		return n.actorView(ctx, o)
	}
	return n.typedView(ctx, n.val, n.to, o)
}

// typedView is a value, in which links with a known end are followed.
func (n *Node) typedView(ctx context.Context, v reflect.Value, to *Shape, o ViewOptions) (any, error) {
	plain, err := n.plain(v)
	if err != nil {
		return nil, err
	}
	if o.Depth <= 0 {
		return plain, nil
	}
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if c, ok := cidOf(v); ok && to != nil {
		return n.follow(ctx, &Node{env: n.env, path: n.path, block: c, shape: to}, o)
	}
	switch view := plain.(type) {
	case jsonview.Object:
		if v.Kind() != reflect.Struct {
			return plain, nil
		}
		at := 0
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue
			}
			if at >= len(view) || view[at].Name != n.fieldName(v.Type().Field(i).Name) {
				return plain, nil // a type with a form of its own
			}
			part := n.field(v, i)
			if view[at].Value, err = part.typedView(ctx, part.val, part.to, o); err != nil {
				return nil, err
			}
			at++
		}
	case []any:
		for i := range view {
			part := n.part(strconv.Itoa(i), v.Index(i), to)
			if view[i], err = part.typedView(ctx, part.val, to, o); err != nil {
				return nil, err
			}
		}
	}
	return plain, nil
}

// follow is what stands in the place of a link.
func (n *Node) follow(ctx context.Context, to *Node, o ViewOptions) (any, error) {
	o.Depth--
	if !to.shape.isCollection() {
		var err error
		if to, err = n.env.open(ctx, to.path, to.shape, to.block); err != nil {
			return nil, o.missing(err)
		}
	}
	return to.linked(ctx, o)
}

// missing passes an error on, or null in place of a block that is not there.
func (o *ViewOptions) missing(err error) error {
	var m *MissingError
	if o.Missing != nil && errors.As(err, &m) {
		return o.Missing(m)
	}
	return err
}

// linked is a block's root with what it is, and the entries of a collection.
func (n *Node) linked(ctx context.Context, o ViewOptions) (any, error) {
	view := jsonview.Object{{Name: "cid", Value: n.block.String()}, {Name: "type", Value: n.shape.String()}}
	if !n.shape.isCollection() {
		value, err := n.inner(ctx, o)
		return append(view, jsonview.Field{Name: "value", Value: value}), err
	}
	count, counted, err := n.Count(ctx)
	if err != nil {
		return nil, o.missing(err)
	}
	if counted {
		view = append(view, jsonview.Field{Name: "count", Value: json.Number(strconv.FormatUint(count, 10))})
	}
	entries, more := []any{}, false
	err = n.each(ctx, o.Missing, func(raw, data []byte) error {
		if len(entries) >= o.Entries {
			more = true
			return errEnough
		}
		e, err := n.entryView(ctx, raw, data, o)
		entries = append(entries, e)
		return err
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, o.missing(err)
	}
	view = append(view, jsonview.Field{Name: "entries", Value: entries})
	if more {
		view = append(view, jsonview.Field{Name: "more", Value: true})
	}
	return view, nil
}

// EachView calls fn for each entry of a map or array with its view, an object with "key" and "value".
func (n *Node) EachView(ctx context.Context, o ViewOptions, fn func(entry any) error) error {
	return n.each(ctx, o.Missing, func(raw, data []byte) error {
		e, err := n.entryView(ctx, raw, data, o)
		if err != nil {
			return err
		}
		return fn(e)
	})
}

// entryView is an entry of a collection. One that leads to another is followed if there is depth left.
func (n *Node) entryView(ctx context.Context, raw, data []byte, o ViewOptions) (any, error) {
	key, err := n.shape.key.show(raw)
	if err != nil {
		return nil, &FormError{n.where(), "a key: " + n.shape.key.name, err}
	}
	path := n.path + "/" + key
	var value any
	if n.shape.elem.kind == link && o.Depth <= 0 {
		v, err := rawTree(data)
		l, ok := v.(Link)
		if err != nil || !ok {
			return nil, &FormError{path, "a link", err}
		}
		value = l.String()
	} else {
		v, err := n.env.value(ctx, path, n.shape.elem, data)
		if err == nil && n.shape.elem.kind == link {
			inner := o
			inner.Depth--
			value, err = v.linked(ctx, inner)
		} else if err == nil {
			value, err = v.inner(ctx, o)
		}
		if err != nil {
			return nil, o.missing(err)
		}
	}
	return jsonview.Object{{Name: "key", Value: key}, {Name: "value", Value: value}}, nil
}

// actorView is an actor with its state.
func (n *Node) actorView(ctx context.Context, o ViewOptions) (any, error) {
	plain, err := n.plain(n.val)
	if err != nil {
		return nil, err
	}
	s, err := n.state(ctx, n.val.Interface().(actorEntry), "state")
	if err != nil {
		return plain, o.missing(err)
	}
	o.Depth--
	value, err := s.linked(ctx, o)
	return append(plain.(jsonview.Object), jsonview.Field{Name: "state", Value: value}), err
}

// Field is a field of a state, for people: its value, or what its link leads to.
type Field struct {
	Name  string
	Value any     // as View shows it
	To    *Shape  // what the link leads to; nil if it is none
	Count *uint64 // the number of entries, of an array that is there and of an empty map; nil of others
}

// Fields are the fields of a node that is a struct, in their order; nil of other nodes.
func (n *Node) Fields(ctx context.Context) ([]Field, error) {
	if n.shape.kind != typed || n.val.Kind() != reflect.Struct {
		return nil, nil
	}
	view, err := n.plain(n.val)
	if err != nil {
		return nil, err
	}
	o, ok := view.(jsonview.Object)
	if !ok {
		return nil, nil
	}
	var list []Field
	for i := range n.val.NumField() {
		if !n.val.Type().Field(i).IsExported() {
			continue
		}
		part := n.field(n.val, i)
		name := n.fieldName(n.val.Type().Field(i).Name)
		value, _ := o.Get(name)
		f := Field{Name: name, Value: value}
		if c, ok := cidOf(part.val); ok && part.to != nil {
			f.To = part.to
			end := &Node{env: n.env, path: part.path, block: c, shape: part.to}
			var missing *MissingError
			if count, counted, err := end.Count(ctx); counted && err == nil {
				f.Count = &count
			} else if err != nil && !errors.As(err, &missing) {
				return nil, err
			}
		}
		list = append(list, f)
	}
	return list, nil
}
