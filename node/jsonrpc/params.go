package jsonrpc

import (
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"
)

// parameter reads one parameter.
type parameter struct {
	t        reflect.Type
	optional bool // of type Optional
	null     bool // null is a value of the type
	decode   func(raw []byte, v reflect.Value) error
}

func newParameter(t reflect.Type, strict bool) parameter {
	p := parameter{t: t}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[optional]()) {
		o := reflect.New(t).Interface().(optional)
		inner, _ := o.optional()
		p.optional, p.null = true, true
		of := newParameter(reflect.TypeOf(inner).Elem(), strict)
		p.decode = func(raw []byte, v reflect.Value) error {
			if isNull(raw) {
				return nil
			}
			value, set := v.Addr().Interface().(optional).optional()
			*set = true
			return of.decode(raw, reflect.ValueOf(value).Elem())
		}
		return p
	}
	p.decode = func(raw []byte, v reflect.Value) error { return json.Unmarshal(raw, v.Addr().Interface()) }
	own := reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
	if own || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		p.null = own // its own method decides
		return p
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		p.null = true
	case reflect.String:
		p.decode = func(raw []byte, v reflect.Value) error {
			s, ok := text(raw)
			if !ok {
				return fmt.Errorf("want text, got %s", kind(raw))
			}
			v.SetString(s)
			return nil
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if !strict {
			p.decode = lenientInteger
		}
	}
	return p
}

// lenientInteger reads an integer as tools send them.
func lenientInteger(raw []byte, v reflect.Value) error {
	s, quoted := text(raw)
	if !quoted {
		if raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
			return fmt.Errorf("want a whole number, got %s", kind(raw))
		}
		s = string(raw)
	}
	base := 10
	digits := strings.TrimSpace(s)
	if quoted && (strings.HasPrefix(digits, "0x") || strings.HasPrefix(digits, "0X")) {
		digits, base = digits[2:], 16
	}
	if !quoted && strings.ContainsAny(digits, ".eE") {
		whole, err := wholeNumber(digits)
		if err != nil {
			return err
		}
		digits = whole
	}
	var err error
	if v.CanInt() {
		var n int64
		if n, err = strconv.ParseInt(digits, base, v.Type().Bits()); err == nil {
			v.SetInt(n)
		}
	} else {
		var n uint64
		if n, err = strconv.ParseUint(digits, base, v.Type().Bits()); err == nil {
			v.SetUint(n)
		}
	}
	switch {
	case errors.Is(err, strconv.ErrRange):
		return fmt.Errorf("%s does not fit %v", short([]byte(s)), v.Type())
	case err != nil:
		return fmt.Errorf("want a whole number, as a number, hex or decimal text, got %s", short(raw))
	}
	return nil
}

// wholeNumber turns a JSON number with a point or an exponent into digits, if it is whole and not too big for 64 bits.
func wholeNumber(s string) (string, error) {
	if f, err := strconv.ParseFloat(s, 64); err != nil || f > 1<<65 || f < -(1<<65) || len(s) > 100 {
		return "", fmt.Errorf("%s does not fit", short([]byte(s)))
	}
	if _, e, ok := strings.Cut(strings.ToLower(s), "e"); ok && len(e) > 4 {
		return "", fmt.Errorf("%s does not fit", short([]byte(s))) // 0e-99999999: small, but its fraction is not
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || !r.IsInt() {
		return "", fmt.Errorf("want a whole number, got %s", short([]byte(s)))
	}
	return r.Num().String(), nil
}

// arguments reads the parameters of a call into Go values.
func (m *method) arguments(ctx context.Context, raw []byte) ([]reflect.Value, *Error) {
	args := make([]reflect.Value, 0, len(m.params)+1)
	if m.context {
		args = append(args, reflect.ValueOf(ctx))
	}
	if m.raw {
		return append(args, reflect.ValueOf(Raw(raw))), nil
	}
	if raw != nil && raw[0] == '{' {
		var fault *Error
		if raw, fault = m.positions(raw); fault != nil {
			return nil, fault
		}
	}
	n, fixed := 0, len(m.params)
	if m.fn.Type().IsVariadic() {
		fixed--
	}
	var fault *Error
	if raw != nil {
		elements(raw, func(element []byte) bool {
			var p parameter
			switch {
			case n < fixed:
				p = m.params[n]
			case fixed < len(m.params):
				p = m.params[fixed]
			case m.extra || isNull(element):
				n++
				return true
			default:
				fault = m.count(countElements(raw))
				return false
			}
			v := reflect.New(p.t).Elem()
			if isNull(element) && !p.null {
				if n < len(m.params)-m.trailing {
					fault = m.wrong(n, errors.New("must not be null"))
					return false
				}
			} else if err := p.decode(element, v); err != nil {
				fault = m.wrong(n, err)
				return false
			}
			args = append(args, v)
			n++
			return true
		})
	}
	if fault != nil {
		return nil, fault
	}
	if n < len(m.params)-m.trailing {
		return nil, m.count(n)
	}
	for ; n < fixed; n++ {
		args = append(args, reflect.Zero(m.params[n].t))
	}
	return args, nil
}

func countElements(list []byte) (n int) {
	elements(list, func([]byte) bool { n++; return true })
	return n
}

// positions makes a list of an object with parameters by name. An empty object is no parameters; a method with one parameter that
// has no name takes the object as that parameter.
func (m *method) positions(object []byte) ([]byte, *Error) {
	count := 0
	members(object, func(_, _ []byte) { count++ })
	switch {
	case count == 0 && len(m.params) == m.trailing:
		return nil, nil
	case m.names == nil && len(m.params) == 1:
		return append(append([]byte{'['}, object...), ']'), nil
	case m.names == nil:
		return nil, Errorf(CodeInvalidParams, "%s: params must be a list", m.name)
	}
	values := make([][]byte, len(m.names))
	var fault *Error
	members(object, func(name, v []byte) {
		for i, n := range m.names {
			if n == string(name) {
				values[i] = v
				return
			}
		}
		if !m.extra && fault == nil {
			fault = Errorf(CodeInvalidParams, "%s has no parameter named %s: its parameters are %s", m.name, short(name), strings.Join(m.names, ", "))
		}
	})
	if fault != nil {
		return nil, fault
	}
	last := len(values)
	for last > 0 && values[last-1] == nil {
		last--
	}
	list := []byte{'['}
	for i, v := range values[:last] {
		if i > 0 {
			list = append(list, ',')
		}
		if v == nil {
			v = null
		}
		list = append(list, v...)
	}
	return append(list, ']'), nil
}

// wrong is the error for a parameter that cannot be read.
func (m *method) wrong(i int, err error) *Error {
	name := ""
	if i < len(m.names) {
		name = " (" + m.names[i] + ")"
	}
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	text := err.Error()
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		text = fmt.Sprintf("got a JSON %s", mismatch.Value)
		if mismatch.Field != "" {
			text += " in the member " + mismatch.Field
		}
		text += ", which does not go into " + mismatch.Type.String()
	}
	return Errorf(CodeInvalidParams, "%s: parameter %d%s: %s", m.name, i+1, name, cut([]byte(text), 400))
}

// count is the error for a number of parameters that does not fit.
func (m *method) count(got int) *Error {
	least, most := len(m.params)-m.trailing, len(m.params)
	want := fmt.Sprintf("%d to %d parameters", least, most)
	switch {
	case m.fn.Type().IsVariadic():
		want = fmt.Sprintf("at least %d parameters", least)
	case least == most && most == 0:
		want = "no parameters"
	case least == most && most == 1:
		want = "1 parameter"
	case least == most:
		want = fmt.Sprintf("%d parameters", most)
	}
	if m.names != nil {
		want += " (" + strings.Join(m.names, ", ") + ")"
	}
	return Errorf(CodeInvalidParams, "%s takes %s, got %d", m.name, want, got)
}
