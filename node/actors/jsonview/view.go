package jsonview

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// Coder shows and reads values. The zero value does what the functions of this package do.
type Coder struct {
	// Nested knows the bytes that hold a value of their own: the parameters inside a proposal, the payload of a hook. It is
	// asked about each field of bytes, with the struct that has it, and returns nil for bytes that are just that.
	Nested func(owner any, field string) Inner
}

// Inner reads and writes what is inside bytes. View returns false for bytes that it would not write again as they are, which are
// then shown in hex; the tree must be an [Object], by which [Coder.Assign] tells it from bytes.
type Inner interface {
	View(data []byte) (tree Object, ok bool)
	Assign(tree Object) (data []byte, err error)
}

// Marshal is the JSON of a value, on one line.
func Marshal(v any) ([]byte, error) { return Coder{}.Marshal(v) }

// View is a value as a tree of what JSON has: nil, bool, json.Number, string, [Object] and []any. It errs for what JSON cannot
// say, text that is no UTF-8, and for types that hold no data, such as channels.
func View(v any) (any, error) { return Coder{}.View(v) }

// Marshal is the JSON of a value, on one line.
func (c Coder) Marshal(v any) ([]byte, error) {
	view, err := c.View(v)
	if err != nil {
		return nil, err
	}
	return encode(view)
}

// View is a value as a tree, as the function View makes it.
func (c Coder) View(v any) (any, error) { return c.view("", reflect.ValueOf(v)) }

// label is what the deal labels of all versions are: text or bytes.
type label interface {
	IsString() bool
	ToString() (string, error)
	ToBytes() ([]byte, error)
}

var (
	addressType   = reflect.TypeFor[address.Address]()
	cidType       = reflect.TypeFor[cid.Cid]()
	bigType       = reflect.TypeFor[big.Int]()
	bitfieldType  = reflect.TypeFor[bitfield.BitField]()
	signatureType = reflect.TypeFor[crypto.Signature]()
	deferredType  = reflect.TypeFor[cbg.Deferred]()
	emptyType     = reflect.TypeFor[abi.EmptyValue]()
	labelType     = reflect.TypeFor[label]()
)

// maxDepth bounds how deep values nest; no type of the network comes near.
const maxDepth = 100

func (c Coder) view(path string, v reflect.Value) (any, error) {
	if strings.Count(path, ".")+strings.Count(path, "[") > maxDepth {
		return nil, at(path, "it nests too deep")
	}
	if !v.IsValid() {
		return nil, nil
	}
	if leaf, ok, err := viewLeaf(path, v); ok || err != nil {
		return leaf, err
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil, nil
		}
		return c.view(path, v.Elem())
	case reflect.Struct:
		return c.viewStruct(path, v)
	case reflect.Slice, reflect.Array:
		list := make([]any, 0, v.Len())
		for i := range v.Len() {
			e, err := c.view(element(path, i), v.Index(i))
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
		return list, nil
	case reflect.Map:
		return c.viewMap(path, v)
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return nil, at(path, "the text is not UTF-8")
		}
		return v.String(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return json.Number(strconv.FormatInt(v.Int(), 10)), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return json.Number(strconv.FormatUint(v.Uint(), 10)), nil
	}
	return nil, at(path, "JSON has nothing for a %s", v.Type())
}

// viewLeaf shows the types that have a form of their own; ok is false for others.
func viewLeaf(path string, v reflect.Value) (leaf any, ok bool, err error) {
	switch v.Type() {
	case addressType:
		a := v.Interface().(address.Address)
		if a == address.Undef {
			return "", true, nil
		}
		return Address(a), true, nil
	case cidType:
		c := v.Interface().(cid.Cid)
		if !c.Defined() {
			return nil, true, nil
		}
		return c.String(), true, nil
	case bigType:
		n := v.Interface().(big.Int)
		if n.Int == nil {
			return "0", true, nil // as it is written on chain
		}
		return n.String(), true, nil
	case bitfieldType:
		text, err := BitField(v.Interface().(bitfield.BitField))
		if err != nil {
			err = at(path, "%w", err)
		}
		return text, true, err
	case signatureType:
		s := v.Interface().(crypto.Signature)
		return Object{{"Type", enumView(reflect.ValueOf(s.Type))}, {"Data", Hex(s.Data)}}, true, nil
	case deferredType:
		return Object{{"CBOR", Hex(v.Interface().(cbg.Deferred).Raw)}}, true, nil
	case emptyType:
		return nil, true, nil
	}
	if isCID(v.Type()) {
		return viewLeaf(path, v.Convert(cidType))
	}
	if v.Kind() == reflect.Struct && v.Type().Implements(labelType) {
		return viewLabel(path, v.Interface().(label))
	}
	if b, is := bytesOf(v); is {
		return Hex(b), true, nil
	}
	if named := enumView(v); named != nil {
		return named, true, nil
	}
	return nil, false, nil
}

// isCID tells types like cbor-gen's CborCid, which are CIDs by another name.
func isCID(t reflect.Type) bool { return t.Kind() == reflect.Struct && t.ConvertibleTo(cidType) }

func viewLabel(path string, l label) (any, bool, error) {
	if l.IsString() {
		s, err := l.ToString()
		if err == nil && !utf8.ValidString(s) {
			err = at(path, "the label is text that is not UTF-8")
		}
		return s, true, err
	}
	b, err := l.ToBytes()
	return Object{{"Bytes", Hex(b)}}, true, err
}

// bytesOf are the bytes of a slice or array of bytes.
func bytesOf(v reflect.Value) ([]byte, bool) {
	if !isBytes(v.Type()) {
		return nil, false
	}
	if v.Kind() == reflect.Slice {
		return v.Bytes(), true
	}
	b := make([]byte, v.Len())
	reflect.Copy(reflect.ValueOf(b), v)
	return b, true
}

func isBytes(t reflect.Type) bool {
	return (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && t.Elem().Kind() == reflect.Uint8
}

func (c Coder) viewStruct(path string, v reflect.Value) (any, error) {
	o := Object{}
	for _, i := range fields(v.Type()) {
		name := v.Type().Field(i).Name
		if inner := c.inner(v, i); inner != nil {
			if tree, ok := inner.View(v.Field(i).Bytes()); ok {
				o = append(o, Field{name, tree})
				continue
			}
		}
		e, err := c.view(member(path, name), v.Field(i))
		if err != nil {
			return nil, err
		}
		o = append(o, Field{name, e})
	}
	return o, nil
}

// inner is what is known of the bytes in a field, if anything.
func (c Coder) inner(owner reflect.Value, i int) Inner {
	t := owner.Type().Field(i)
	if c.Nested == nil || t.Type.Kind() != reflect.Slice || !isBytes(t.Type) {
		return nil
	}
	return c.Nested(owner.Interface(), t.Name)
}

// fields are the fields of a struct that count, by index.
func fields(t reflect.Type) (list []int) {
	for i := range t.NumField() {
		if t.Field(i).IsExported() {
			list = append(list, i)
		}
	}
	return list
}

// viewMap is for states: no parameter and no return value has a map.
func (c Coder) viewMap(path string, v reflect.Value) (any, error) {
	o := Object{}
	iter := v.MapRange()
	for iter.Next() {
		name := fmt.Sprint(iter.Key().Interface())
		e, err := c.view(member(path, name), iter.Value())
		if err != nil {
			return nil, err
		}
		o = append(o, Field{name, e})
	}
	slices.SortFunc(o, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return o, nil
}

// Hex is how bytes are shown.
func Hex(b []byte) string { return "0x" + hex.EncodeToString(b) }

// member and element name a part of a value, as errors have them.
func member(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func element(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// at is an error with the part that it is about.
func at(path, format string, a ...any) error {
	if path == "" {
		return fmt.Errorf(format, a...)
	}
	return fmt.Errorf("%s: "+format, append([]any{path}, a...)...)
}
