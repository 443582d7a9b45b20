package jsonview

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	cbg "github.com/whyrusleeping/cbor-gen"
)

// Unmarshal reads what [Marshal] writes into a value, which must be a pointer to its type. What was in the value is lost.
func Unmarshal(text []byte, into any) error { return Coder{}.Unmarshal(text, into) }

// Assign is [Unmarshal] of a tree, as [Parse] and [View] make it.
func Assign(tree any, into any) error { return Coder{}.Assign(tree, into) }

// Unmarshal reads what [Coder.Marshal] writes.
func (c Coder) Unmarshal(text []byte, into any) error {
	tree, err := Parse(text)
	if err != nil {
		return err
	}
	return c.Assign(tree, into)
}

// Assign reads a tree, as [Parse] and [Coder.View] make it.
func (c Coder) Assign(tree any, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("cannot read JSON into a %T", into)
	}
	v.Elem().SetZero()
	return c.assign("", tree, v.Elem())
}

// assign sets v from a tree, part by part.
func (c Coder) assign(path string, tree any, v reflect.Value) error {
	if done, err := c.assignLeaf(path, tree, v); done || err != nil {
		return err
	}
	switch v.Kind() {
	case reflect.Pointer:
		if tree == nil {
			v.SetZero()
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		return c.assign(path, tree, v.Elem())
	case reflect.Struct:
		return c.assignStruct(path, tree, v)
	case reflect.Slice:
		list, ok := tree.([]any)
		if !ok {
			return want(path, "a list", tree)
		}
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
		return c.assignList(path, list, v)
	case reflect.Array:
		list, ok := tree.([]any)
		if !ok || len(list) != v.Len() {
			return want(path, fmt.Sprintf("a list of %d", v.Len()), tree)
		}
		return c.assignList(path, list, v)
	case reflect.Bool:
		b, ok := tree.(bool)
		if !ok {
			return want(path, "true or false", tree)
		}
		v.SetBool(b)
		return nil
	case reflect.String:
		s, ok := tree.(string)
		if !ok {
			return want(path, "text in quotes", tree)
		}
		v.SetString(s)
		return nil
	}
	if v.CanInt() || v.CanUint() {
		return assignInteger(path, tree, v)
	}
	return at(path, "JSON has nothing for a %s", v.Type())
}

func (c Coder) assignList(path string, list []any, v reflect.Value) error {
	for i, e := range list {
		if err := c.assign(element(path, i), e, v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (c Coder) assignStruct(path string, tree any, v reflect.Value) error {
	o, ok := tree.(Object)
	if !ok {
		return want(path, "an object", tree)
	}
	var known, missing []string
	for _, i := range fields(v.Type()) {
		name := v.Type().Field(i).Name
		known = append(known, name)
		if _, ok := o.Get(name); !ok {
			missing = append(missing, name)
		}
	}
	for _, f := range o {
		if !slices.Contains(known, f.Name) {
			return at(member(path, f.Name), "unknown field; known: %s", strings.Join(known, ", "))
		}
	}
	if len(missing) > 0 {
		return at(member(path, missing[0]), "missing; all of these are needed: %s", strings.Join(known, ", "))
	}
	var inside []int // fields whose bytes are known from what the others say
	for _, i := range fields(v.Type()) {
		name := v.Type().Field(i).Name
		part, _ := o.Get(name)
		if tree, ok := part.(Object); ok && len(tree) > 0 && tree[0].Name != "/" && isBytes(v.Field(i).Type()) {
			inside = append(inside, i)
			continue
		}
		if err := c.assign(member(path, name), part, v.Field(i)); err != nil {
			return err
		}
	}
	return c.assignInside(path, o, v, inside)
}

// assignInside makes the bytes of fields that say what is in them.
func (c Coder) assignInside(path string, o Object, v reflect.Value, inside []int) error {
	for _, i := range inside {
		name := v.Type().Field(i).Name
		part, _ := o.Get(name)
		inner := c.inner(v, i)
		if inner == nil {
			return want(member(path, name), `bytes in hex with 0x before them, such as "0x00ff"`, part)
		}
		data, err := inner.Assign(part.(Object))
		if err != nil {
			return at(member(path, name), "%w", err)
		}
		v.Field(i).SetBytes(data)
	}
	return nil
}

// assignInteger takes a number that fits; digits in quotes are one too, for numbers that other programs would round.
func assignInteger(path string, tree any, v reflect.Value) error {
	text := ""
	switch n := tree.(type) {
	case json.Number:
		text = n.String()
	case string:
		text = n
	default:
		return want(path, "a whole number", tree)
	}
	if v.CanInt() {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v.OverflowInt(n) {
			return want(path, fmt.Sprintf("a whole number of %d bits", v.Type().Bits()), tree)
		}
		v.SetInt(n)
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || v.OverflowUint(n) {
		return want(path, fmt.Sprintf("a whole number of %d bits, not below 0", v.Type().Bits()), tree)
	}
	v.SetUint(n)
	return nil
}

// setCBOR sets a value that only its CBOR can make.
func setCBOR(path string, v reflect.Value, raw []byte) error {
	u, ok := v.Addr().Interface().(cbg.CBORUnmarshaler)
	if !ok {
		return at(path, "JSON has nothing for a %s", v.Type())
	}
	if err := u.UnmarshalCBOR(bytes.NewReader(raw)); err != nil {
		return at(path, "%w", err)
	}
	return nil
}

// want is the error of a value of the wrong kind.
func want(path, what string, tree any) error {
	got := "null"
	switch t := tree.(type) {
	case string:
		got = strconv.Quote(shorten(t))
	case json.Number:
		got = shorten(t.String())
	case bool:
		got = strconv.FormatBool(t)
	case Object:
		got = "an object"
	case []any:
		got = fmt.Sprintf("a list of %d", len(t))
	}
	return at(path, "want %s, not %s", what, got)
}

func shorten(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
