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
func Unmarshal(text []byte, into any) error {
	tree, err := Parse(text)
	if err != nil {
		return err
	}
	return Assign(tree, into)
}

// Assign is [Unmarshal] of a tree, as [Parse] and [View] make it.
func Assign(tree any, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("cannot read JSON into a %T", into)
	}
	v.Elem().SetZero()
	return assign("", tree, v.Elem())
}

// assign sets v from a tree, part by part.
func assign(path string, tree any, v reflect.Value) error {
	if done, err := assignLeaf(path, tree, v); done || err != nil {
		return err
	}
	switch v.Kind() {
	case reflect.Pointer:
		if tree == nil {
			v.SetZero()
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		return assign(path, tree, v.Elem())
	case reflect.Struct:
		return assignStruct(path, tree, v)
	case reflect.Slice:
		list, ok := tree.([]any)
		if !ok {
			return want(path, "a list", tree)
		}
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
		return assignList(path, list, v)
	case reflect.Array:
		list, ok := tree.([]any)
		if !ok || len(list) != v.Len() {
			return want(path, fmt.Sprintf("a list of %d", v.Len()), tree)
		}
		return assignList(path, list, v)
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

func assignList(path string, list []any, v reflect.Value) error {
	for i, e := range list {
		if err := assign(element(path, i), e, v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func assignStruct(path string, tree any, v reflect.Value) error {
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
	for _, i := range fields(v.Type()) {
		name := v.Type().Field(i).Name
		part, _ := o.Get(name)
		if err := assign(member(path, name), part, v.Field(i)); err != nil {
			return err
		}
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
