package filapi

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/state"
)

// What actors keep has the same names in all versions of the actors but not the same Go types, and fields came and went. So fields are
// found by name: a field that a version does not have is what it was before anybody had it, its zero value.

// field is a field of a struct, by name; its zero value if the struct has none, or has one of another type.
func field[T any](v any, name string) T {
	var out T
	fill(reflect.ValueOf(&out).Elem(), fieldIn(reflect.ValueOf(v), name))
	return out
}

// fieldIn is a field of a struct or of what points to one; invalid if there is none.
func fieldIn(v reflect.Value, name string) reflect.Value {
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return v.FieldByName(name)
}

// copyFields sets those fields of a struct that have the name and the type of one of another.
func copyFields(into any, from any) {
	dst := reflect.ValueOf(into).Elem()
	for i := range dst.NumField() {
		fill(dst.Field(i), fieldIn(reflect.ValueOf(from), dst.Type().Field(i).Name))
	}
}

func fill(dst, src reflect.Value) {
	switch {
	case !src.IsValid():
	case src.Type().AssignableTo(dst.Type()):
		dst.Set(src)
	case dst.Kind() == reflect.Pointer && src.Type().AssignableTo(dst.Type().Elem()):
		p := reflect.New(dst.Type().Elem())
		p.Elem().Set(src)
		dst.Set(p)
	case src.Kind() == dst.Kind() && src.Type().ConvertibleTo(dst.Type()):
		dst.Set(src.Convert(dst.Type()))
	}
}

// at is a place in a state; the parts of the path are not escaped, as none has a slash.
func at(ctx context.Context, t *state.Tree, format string, args ...any) (*state.Node, error) {
	return t.Get(ctx, fmt.Sprintf(format, args...))
}

// found tells an entry that is not there from what cannot be read.
func found(n *state.Node, err error) (*state.Node, bool, error) {
	if errors.Is(err, state.ErrNotFound) {
		return nil, false, nil
	}
	return n, err == nil, err
}

// idText is an actor as paths of states have it.
func idText(id abi.ActorID) string { return addr.String(addr.NewID(uint64(id))) }

// errNoActor is of an address that no actor has.
var errNoActor = errors.New("actor not found")

// actor is an actor of a state, which must be of a kind unless that is "".
func actor(ctx context.Context, t *state.Tree, a Address, kind string) (*state.Actor, error) {
	if err := a.must(); err != nil {
		return nil, err
	}
	act, err := t.Actor(ctx, a.Address)
	if errors.Is(err, state.ErrNotFound) {
		return nil, errNoActor
	}
	if err != nil || kind == "" {
		return act, err
	}
	if k := t.Kind(ctx, act.Code); k.Name != kind {
		return nil, fmt.Errorf("actor %s is no %s but of the kind %s, code %s", idText(act.ID), kind, k, act.Code)
	}
	return act, nil
}

func idAddress(id abi.ActorID) address.Address { return addr.NewID(uint64(id)) }

// fieldValue is a field of a struct; nil if there is none, or if it is a nil pointer.
func fieldValue(v any, name string) any {
	f := fieldIn(reflect.ValueOf(v), name)
	if !f.IsValid() || f.Kind() == reflect.Pointer && f.IsNil() {
		return nil
	}
	return f.Interface()
}

// elements are those of a list.
func elements(list any) (out []any) {
	v := reflect.ValueOf(list)
	if v.Kind() != reflect.Slice {
		return nil
	}
	for i := range v.Len() {
		out = append(out, v.Index(i).Interface())
	}
	return out
}
