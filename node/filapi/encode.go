package filapi

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/filecoin-project/go-address"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// encoder writes values as encoding/json does, but for addresses: theirs begin with the letter of the chain's network. go-address has
// one letter for the whole process, and a process may serve chains of several networks.
type encoder struct {
	prefix byte // f or t
	out    []byte
}

// marshal is the JSON of a value.
func marshal(prefix byte, v any) (json.RawMessage, error) {
	e := encoder{prefix: prefix}
	if err := e.value(reflect.ValueOf(v)); err != nil {
		return nil, fmt.Errorf("the JSON of a %T: %w", v, err)
	}
	return e.out, nil
}

// addressText is an address with the letter of a network. The empty one is as go-address has it.
func addressText(prefix byte, a address.Address) string {
	s := addr.String(a)
	if a == address.Undef {
		return s
	}
	return string(prefix) + s[1:]
}

var (
	addressType   = reflect.TypeFor[address.Address]()
	marshalerType = reflect.TypeFor[json.Marshaler]()
	textType      = reflect.TypeFor[encoding.TextMarshaler]()
)

func (e *encoder) value(v reflect.Value) error {
	if !v.IsValid() {
		e.out = append(e.out, "null"...)
		return nil
	}
	t := v.Type()
	switch {
	case t == addressType:
		e.text(addressText(e.prefix, v.Interface().(address.Address)))
		return nil
	case (t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface) && v.IsNil():
		e.out = append(e.out, "null"...)
		return nil
	case t.Kind() == reflect.Pointer && t.Elem() == addressType, t.Kind() == reflect.Interface:
		return e.value(v.Elem())
	case t.Kind() != reflect.Pointer && (reflect.PointerTo(t).Implements(marshalerType) || reflect.PointerTo(t).Implements(textType)):
		// The pointer's method may be another one than the value's: big.Int has that of math/big, which writes a number, beside its own.
		if !v.CanAddr() {
			p := reflect.New(t)
			p.Elem().Set(v)
			v = p.Elem()
		}
		return e.plain(v.Addr().Interface())
	case t.Implements(marshalerType), t.Implements(textType):
		return e.plain(v.Interface())
	}
	switch t.Kind() {
	case reflect.Pointer:
		return e.value(v.Elem())
	case reflect.Struct:
		return e.structure(v)
	case reflect.Map:
		return e.table(v)
	case reflect.Slice:
		if v.IsNil() {
			e.out = append(e.out, "null"...)
			return nil
		}
		if t.Elem().Kind() == reflect.Uint8 {
			e.out = append(base64.StdEncoding.AppendEncode(append(e.out, '"'), v.Bytes()), '"')
			return nil
		}
		return e.list(v)
	case reflect.Array:
		return e.list(v)
	case reflect.String:
		e.text(v.String())
		return nil
	}
	return e.plain(v.Interface())
}

// plain is what encoding/json makes of a value.
func (e *encoder) plain(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	e.out = append(e.out, bytes.TrimRight(b.Bytes(), "\n")...)
	return nil
}

func (e *encoder) text(s string) {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			_ = e.plain(s) // text always has JSON
			return
		}
	}
	e.out = append(append(append(e.out, '"'), s...), '"')
}

func (e *encoder) list(v reflect.Value) error {
	e.out = append(e.out, '[')
	for i := range v.Len() {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		if err := e.value(v.Index(i)); err != nil {
			return err
		}
	}
	e.out = append(e.out, ']')
	return nil
}

// member is a field of a struct.
type member struct {
	name  string
	index []int
	omit  bool // omitempty
}

var members sync.Map // by reflect.Type: []member

// membersOf are the fields of a struct as encoding/json has them, those of embedded structs among them.
func membersOf(t reflect.Type) []member {
	if list, ok := members.Load(t); ok {
		return list.([]member)
	}
	var list []member
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case tag == "-":
		case f.Anonymous && tag == "" && inner.Kind() == reflect.Struct && !f.Type.Implements(marshalerType) && inner != addressType:
			for _, m := range membersOf(inner) {
				list = append(list, member{m.name, append([]int{i}, m.index...), m.omit})
			}
		case f.IsExported():
			if tag == "" {
				tag = f.Name
			}
			list = append(list, member{tag, []int{i}, slices.Contains(strings.Split(options, ","), "omitempty")})
		}
	}
	members.Store(t, list)
	return list
}

func (e *encoder) structure(v reflect.Value) error {
	e.out = append(e.out, '{')
	first := true
	for _, m := range membersOf(v.Type()) {
		f, err := v.FieldByIndexErr(m.index)
		if err != nil || m.omit && empty(f) {
			continue // of an embedded struct that is not there
		}
		if !first {
			e.out = append(e.out, ',')
		}
		first = false
		e.text(m.name)
		e.out = append(e.out, ':')
		if err := e.value(f); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	e.out = append(e.out, '}')
	return nil
}

func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.String, reflect.Array:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// table writes a map in the order of its keys' text.
func (e *encoder) table(v reflect.Value) error {
	if v.IsNil() {
		e.out = append(e.out, "null"...)
		return nil
	}
	type entry struct {
		key   string
		value reflect.Value
	}
	var list []entry
	for k, of := range v.Seq2() {
		key := ""
		switch {
		case k.Kind() == reflect.String:
			key = k.String()
		case k.CanInt():
			key = strconv.FormatInt(k.Int(), 10)
		case k.CanUint():
			key = strconv.FormatUint(k.Uint(), 10)
		default:
			return fmt.Errorf("a map by %v", k.Type())
		}
		list = append(list, entry{key, of})
	}
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	e.out = append(e.out, '{')
	for i, entry := range list {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.text(entry.key)
		e.out = append(e.out, ':')
		if err := e.value(entry.value); err != nil {
			return err
		}
	}
	e.out = append(e.out, '}')
	return nil
}
