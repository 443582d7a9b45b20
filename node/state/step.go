package state

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/textform"
)

// stepTyped goes into a struct or list.
func (n *Node) stepTyped(ctx context.Context, name string) (*Node, error) {
	if c, ok := cidOf(n.val); ok { // one of which it is not known what it leads to
		next, err := n.env.open(ctx, n.path, unknown, c)
		if err != nil {
			return nil, err
		}
		return next.step(ctx, name)
	}
	v := n.val
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil, &PathError{Path: n.where(), Name: name, Why: "it is null", Err: ErrNotFound}
		}
		v = v.Elem()
	}
	view, err := n.plain(v)
	if err != nil {
		return nil, err
	}
	switch view.(type) {
	case jsonview.Object:
		if v.Kind() == reflect.Struct {
			return n.stepField(ctx, v, name)
		}
	case []any:
		if i, err := n.index(name, v.Len()); err != nil {
			return nil, err
		} else {
			return n.part(name, v.Index(i), n.to), nil
		}
	}
	return nil, &PathError{Path: n.where(), Name: name, Why: "it has no parts", Err: ErrNotFound}
}

// index reads the index of a list.
func (n *Node) index(name string, length int) (int, error) {
	i, err := strconv.ParseUint(name, 10, 64)
	switch {
	case err != nil:
		return 0, &PathError{Path: n.where(), Name: name, Why: fmt.Sprintf("%q is no index of this list of %d", name, length), Err: ErrNotFound}
	case i >= uint64(length):
		return 0, &PathError{Path: n.where(), Name: name, Why: fmt.Sprintf("there is no index %s in this list of %d", name, length), Err: ErrNotFound}
	}
	return int(i), nil
}

// stepField goes into a field, by name or by place.
func (n *Node) stepField(ctx context.Context, v reflect.Value, name string) (*Node, error) {
	isActor := n.shape == actorShape
	if isActor && strings.EqualFold(name, "state") {
		return n.state(ctx, v.Interface().(actorEntry), name)
	}
	var names []string
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() {
			own := n.fieldName(f.Name)
			if strings.EqualFold(own, name) || strings.EqualFold(f.Name, name) || strconv.Itoa(len(names)) == name {
				return n.field(v, i), nil
			}
			names = append(names, own)
		}
	}
	if isActor {
		names = append(names, "state")
	}
	return nil, &PathError{Path: n.where(), Name: name, Known: names, Why: fmt.Sprintf("there is no field %q", name), Err: ErrNotFound}
}

// state is the state of an actor.
func (n *Node) state(ctx context.Context, a actorEntry, name string) (*Node, error) {
	return n.env.open(ctx, n.path+"/"+strings.ToLower(name), n.env.tree.Kind(ctx, a.Code).state(), a.Head)
}

// field is a field of a struct that is the node, or part of it. A link is not followed yet.
func (n *Node) field(v reflect.Value, i int) *Node {
	f := v.Type().Field(i)
	return n.part(n.fieldName(f.Name), v.Field(i), n.fieldTo(v, f.Name))
}

// treeNames are the names of what is on top of actors' states, where no type of go-state-types has the say.
var treeNames = map[string]string{
	"Version": "version", "Actors": "actors", "Info": "info",
	"Code": "code", "Head": "head", "Nonce": "nonce", "Balance": "balance", "DelegatedAddress": "delegated_address",
}

// fieldName is a field's name in paths and views.
func (n *Node) fieldName(name string) string {
	if n.shape.layout == treeLayout {
		return treeNames[name]
	}
	return name
}

// plain is a value's view in which no link is followed.
func (n *Node) plain(v reflect.Value) (any, error) {
	view, err := jsonview.View(v.Interface())
	if err != nil {
		return nil, &FormError{n.where(), n.shape.String(), err}
	}
	if o, ok := view.(jsonview.Object); ok && n.shape.layout == treeLayout {
		for i := range o {
			o[i].Name = treeNames[o[i].Name]
		}
	}
	return view, nil
}

// part is a part of a typed node.
func (n *Node) part(name string, v reflect.Value, to *Shape) *Node {
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return &Node{env: n.env, path: n.path + "/" + name, shape: &Shape{kind: typed, name: typeName(t), typ: v.Type(), layout: n.shape.layout}, val: v, to: to}
}

// fieldTo is what the CID in a field leads to. Tokens keep the width of their maps in a field.
func (n *Node) fieldTo(v reflect.Value, name string) *Shape {
	s := n.shape.layout.linkOf(v.Type(), name)
	width := v.FieldByName("HamtBitWidth")
	if s == nil || s.kind != kindHAMT || !width.IsValid() {
		return s
	}
	own := *s
	own.bits = int(min(width.Uint(), 9)) // more than a map can have is an error when it is read
	if own.elem.kind == link {
		inner := *own.elem.elem
		inner.bits = own.bits
		own.elem = &Shape{kind: link, elem: &inner}
	}
	return &own
}

// stepKey looks a key up.
func (n *Node) stepKey(ctx context.Context, name string) (*Node, error) {
	key := n.shape.key
	raw, err := key.parse(name)
	if err != nil {
		return nil, &PathError{Path: n.where(), Name: name, Why: fmt.Sprintf("%q is no %s, such as %s", name, key.name, key.form), Err: err}
	}
	value, ok, err := n.lookup(ctx, raw)
	if err == nil && !ok {
		// Most maps have ids where people have other addresses.
		if id, resolved := n.resolve(ctx, name); resolved {
			raw = id
			value, ok, err = n.lookup(ctx, raw)
		}
	}
	if err != nil {
		return nil, n.located(err)
	}
	if !ok {
		known, more := n.someKeys(ctx)
		return nil, &PathError{Path: n.where(), Name: name, Known: known, More: more, Why: fmt.Sprintf("there is no %s %s", key.name, name), Err: ErrNotFound}
	}
	_, v, err := n.entry(ctx, raw, value)
	return v, err
}

func (n *Node) lookup(ctx context.Context, raw []byte) (value []byte, ok bool, err error) {
	if n.shape.kind != kindAMT {
		return n.mapAt(nil).Get(ctx, raw)
	}
	a, err := n.arrayAt(ctx, nil)
	if err != nil {
		return nil, false, err
	}
	i, err := arrayIndex(raw)
	if err != nil {
		return nil, false, err
	}
	return a.Get(ctx, i)
}

// resolve is the key of the id that an address stands for.
func (n *Node) resolve(ctx context.Context, name string) ([]byte, bool) {
	if n.env.tree == nil || n.shape.key.ofID == nil {
		return nil, false
	}
	a, err := textform.Address(name)
	if err != nil {
		return nil, false
	}
	id, err := n.env.tree.Resolve(ctx, a)
	if err != nil {
		return nil, false
	}
	return n.shape.key.ofID(addr.NewID(uint64(id))), true
}

var errEnough = errors.New("enough")

// someKeys are the first keys of a collection, for an error.
func (n *Node) someKeys(ctx context.Context) (keys []string, more bool) {
	const most = 6
	err := n.each(ctx, nil, func(raw, _ []byte) error {
		key, err := n.shape.key.show(raw)
		if err != nil || len(keys) == most {
			return errEnough
		}
		keys = append(keys, key)
		return nil
	})
	return keys, err != nil
}

// stepRaw goes into data of no known type. Links are followed.
func (n *Node) stepRaw(ctx context.Context, name string) (*Node, error) {
	switch v := n.raw.(type) {
	case Link:
		next, err := n.env.open(ctx, n.path, unknown, v.Cid)
		if err != nil {
			return nil, err
		}
		return next.step(ctx, name)
	case []any:
		i, err := n.index(name, len(v))
		if err != nil {
			return nil, err
		}
		return n.rawPart(name, v[i]), nil
	case jsonview.Object:
		if part, ok := v.Get(name); ok {
			return n.rawPart(name, part), nil
		}
		var names []string
		for _, f := range v {
			names = append(names, f.Name)
		}
		return nil, &PathError{Path: n.where(), Name: name, Known: names, Why: fmt.Sprintf("there is no key %q", name), Err: ErrNotFound}
	}
	return nil, &PathError{Path: n.where(), Name: name, Why: "it has no parts", Err: ErrNotFound}
}

func (n *Node) rawPart(name string, v any) *Node {
	return &Node{env: n.env, path: n.path + "/" + name, shape: unknown, raw: v}
}
