package jsonrpc

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strings"
)

// Methods is a table of methods. Fill it before it serves; after that it may be read by any number of goroutines.
// The zero value is an empty table.
type Methods struct {
	// PlainCode is the code of errors that name none; 0 is [CodeServer]. Filecoin's nodes say 1.
	PlainCode int
	// Strict makes parameters that are Go integers take JSON numbers only. Otherwise they take hex ("0x5") and decimal text and
	// whole numbers in any notation (5.0, 5e3) too, as Ethereum's tools send them.
	Strict bool

	table map[string]*method
}

// Optional is a trailing parameter that may be left out or null; Set says whether it was there.
type Optional[T any] struct {
	Value T
	Set   bool
}

// Or returns the value, or another if there was none.
func (o Optional[T]) Or(other T) T {
	if o.Set {
		return o.Value
	}
	return other
}

// UnmarshalJSON reads a value; null is none.
func (o *Optional[T]) UnmarshalJSON(b []byte) error {
	*o = Optional[T]{}
	if isNull(b) {
		return nil
	}
	o.Set = true
	return json.Unmarshal(b, &o.Value)
}

// MarshalJSON writes the value, or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if !o.Set {
		return null, nil
	}
	return json.Marshal(o.Value)
}

func (o *Optional[T]) optional() (value any, set *bool) { return &o.Value, &o.Set }

type optional interface{ optional() (any, *bool) }

// Raw as the type of a method's only parameter takes the member params as it was sent: nil, a list or an object.
type Raw json.RawMessage

// MethodOption says something of a method.
type MethodOption func(*method)

// Names names the parameters, for messages, and so that params may be an object.
func Names(names ...string) MethodOption { return func(m *method) { m.names = names } }

// Trailing lets the last n parameters be left out or null: their Go values are zero then.
func Trailing(n int) MethodOption { return func(m *method) { m.trailing = n } }

// Waits is for methods that wait for something to happen: no limit of time, and they are not counted as work.
func Waits() MethodOption { return func(m *method) { m.waits = true } }

// Extra lets clients send more parameters than the method takes; they are ignored. Without it trailing nulls alone are.
func Extra() MethodOption { return func(m *method) { m.extra = true } }

// method is a Go function as a method.
type method struct {
	name     string
	fn       reflect.Value
	context  bool
	raw      bool
	params   []parameter
	names    []string
	trailing int // how many of the last may be left out
	waits    bool
	extra    bool
	result   int // index of the result; -1: none
	err      int // index of the error; -1: none
	channel  bool
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
	rawType     = reflect.TypeFor[Raw]()
)

// Register puts a function into the table: func([context.Context], parameters…) ([result], [error]), each parameter any type that
// encoding/json reads. A variadic function takes any number of its last. The last ones may be of type [Optional]. A result that is
// a channel goes to the client value by value, over WebSocket only; the function must close it when its context ends.
// It panics when fn is no such function or the name is taken, as both are mistakes of the program.
func (ms *Methods) Register(name string, fn any, options ...MethodOption) {
	m := &method{name: name, fn: reflect.ValueOf(fn), result: -1, err: -1}
	for _, o := range options {
		o(m)
	}
	if err := m.inspect(ms.Strict); err != nil {
		panic(fmt.Sprintf("jsonrpc: method %s: %v", name, err))
	}
	ms.add(name, m)
}

func (ms *Methods) add(name string, m *method) {
	if ms.table == nil {
		ms.table = map[string]*method{}
	}
	if name == "" || ms.table[name] != nil {
		panic(fmt.Sprintf("jsonrpc: the method %q is registered twice, or has no name", name))
	}
	ms.table[name] = m
}

// Alias gives a registered method more names.
func (ms *Methods) Alias(name string, aliases ...string) {
	m := ms.table[name]
	if m == nil {
		panic(fmt.Sprintf("jsonrpc: alias of %q, which is not registered", name))
	}
	for _, alias := range aliases {
		ms.add(alias, m)
	}
}

// RegisterAll registers the exported Go methods of a value, each by the name that naming makes of its Go name; those that it makes
// "" of are left out.
func (ms *Methods) RegisterAll(receiver any, naming func(goName string) string, options ...MethodOption) {
	v := reflect.ValueOf(receiver)
	for i := range v.NumMethod() {
		if name := naming(v.Type().Method(i).Name); name != "" {
			ms.Register(name, v.Method(i).Interface(), options...)
		}
	}
}

// Has says whether there is a method of this name.
func (ms *Methods) Has(name string) bool { return ms.table[name] != nil }

// List returns the names of all methods, sorted.
func (ms *Methods) List() []string {
	names := make([]string, 0, len(ms.table))
	for name := range ms.table {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// inspect looks at the function's type.
func (m *method) inspect(strict bool) error {
	if m.fn.Kind() != reflect.Func || m.fn.IsNil() {
		return fmt.Errorf("%v is not a function", m.fn)
	}
	t := m.fn.Type()
	first := 0
	if t.NumIn() > 0 && t.In(0) == contextType {
		m.context, first = true, 1
	}
	if t.NumIn() == first+1 && t.In(first) == rawType {
		m.raw = true
	} else {
		for i := first; i < t.NumIn(); i++ {
			p := t.In(i)
			if t.IsVariadic() && i == t.NumIn()-1 {
				p = p.Elem()
			}
			m.params = append(m.params, newParameter(p, strict))
		}
	}
	if m.names != nil && len(m.names) != len(m.params) {
		return fmt.Errorf("%d names for %d parameters", len(m.names), len(m.params))
	}
	if m.trailing > len(m.params) {
		return fmt.Errorf("%d of %d parameters optional", m.trailing, len(m.params))
	}
	fixed := len(m.params)
	if t.IsVariadic() && !m.raw {
		fixed--
		m.trailing = max(m.trailing, 1)
	}
	n := len(m.params) - fixed
	for i := fixed - 1; i >= 0 && m.params[i].optional; i-- {
		n++
	}
	m.trailing = max(m.trailing, n)
	return m.inspectResults(t)
}

func (m *method) inspectResults(t reflect.Type) error {
	n := t.NumOut()
	if n > 0 && t.Out(n-1) == errorType {
		n--
		m.err = n
	}
	if n > 1 {
		return fmt.Errorf("%v has more than one result beside the error", t)
	}
	if n == 1 {
		m.result = 0
		m.channel = t.Out(0).Kind() == reflect.Chan && t.Out(0).ChanDir()&reflect.RecvDir != 0
	}
	return nil
}

// unknown is the error for a name that the table does not have, with the nearest name that it has if that is asked for.
func (ms *Methods) unknown(name string, hint bool) *Error {
	const longest = 64 // no method is longer; the search for the nearest would take time
	shown := name
	if len(shown) > longest || !hint {
		return Errorf(CodeMethodNotFound, "the method %s does not exist", short([]byte(name)))
	}
	family := strings.IndexAny(name, "._") + 1 // hits in it do not count: eth_, Filecoin.
	best, distance := "", (len(name)-family)/3+1
	for _, has := range ms.List() {
		if d := editDistance(strings.ToLower(name), strings.ToLower(has), distance); d < distance {
			best, distance = has, d
		}
	}
	if best == "" {
		if _, rest, ok := strings.Cut(name, "_"); ok { // the right name, of another family
			for _, has := range ms.List() {
				if _, other, ok := strings.Cut(has, "_"); ok && strings.EqualFold(rest, other) {
					best = has
				}
			}
		}
	}
	if best == "" {
		return Errorf(CodeMethodNotFound, "the method %s does not exist", shown)
	}
	return Errorf(CodeMethodNotFound, "the method %s does not exist: did you mean %s?", shown, best)
}

// editDistance is the number of bytes to insert, remove or change, or limit if it is not below.
func editDistance(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		corner, least := row[0], i
		row[0] = i
		for j := 1; j <= len(b); j++ {
			d := corner
			if a[i-1] != b[j-1] {
				d++
			}
			corner = row[j]
			row[j] = min(d, row[j]+1, row[j-1]+1)
			least = min(least, row[j])
		}
		if least >= limit {
			return limit
		}
	}
	return min(row[len(b)], limit)
}
