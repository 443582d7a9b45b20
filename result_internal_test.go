package fvm

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/vm/event"
	"github.com/edgefvm/fvm/internal/vm/executor"
)

// The kinds are the executor's.
var (
	_ [Explicit]struct{} = [executor.Explicit]struct{}{}
	_ [Implicit]struct{} = [executor.Implicit]struct{}{}
)

// filled is a value with something else in each field.
func filled(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	for i := range v.NumField() {
		f := v.Field(i)
		*n++
		switch {
		case f.CanInt():
			f.SetInt(int64(*n))
		case f.CanUint():
			f.SetUint(uint64(*n))
		case f.Kind() == reflect.String:
			f.SetString(fmt.Sprint(*n))
		case f.Type() == reflect.TypeFor[[]byte]():
			f.SetBytes([]byte{byte(*n)})
		case f.Type() == reflect.TypeFor[abi.TokenAmount]():
			f.Set(reflect.ValueOf(abi.NewTokenAmount(int64(*n))))
		case f.Kind() == reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
		case f.Kind() == reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 2, 2))
			for j := range 2 {
				filled(t, f.Index(j), n)
			}
		default:
			t.Fatalf("the test does not know how to fill a %s", f.Type())
		}
	}
}

// A result is the executor's, field by field: none is forgotten, and there is none beside them.
func TestResultIsWhole(t *testing.T) {
	var r executor.Result
	n := 0
	filled(t, reflect.ValueOf(&r).Elem(), &n)
	from, to := reflect.ValueOf(r), reflect.ValueOf(*newResult(&r))
	if from.NumField() != to.NumField() {
		t.Fatalf("%d fields became %d", from.NumField(), to.NumField())
	}
	for i := range from.NumField() {
		name := from.Type().Field(i).Name
		got, want := to.Field(i).Interface(), from.Field(i).Interface()
		if name == "Events" {
			got, want = fmt.Sprint(got), fmt.Sprint(want) // the elements have other types with the same fields
		}
		if to.Type().Field(i).Name != name || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %s %v, want %v", name, to.Type().Field(i).Name, got, want)
		}
	}
	if newResult(nil) != nil {
		t.Error("a result of none")
	}
}

// Events are copied each with its own entries, and encode to the same bytes.
func TestEvents(t *testing.T) {
	entry := func(i int) event.Entry {
		return event.Entry{Flags: uint64(i), Key: fmt.Sprint("key ", i), Codec: 0x55, Value: []byte{byte(i)}}
	}
	from := []event.Stamped{{Emitter: 1, Entries: []event.Entry{entry(1), entry(2)}}, {Emitter: 2}, {Emitter: 3, Entries: []event.Entry{entry(3)}}}
	got := newEvents(from)
	if len(got) != len(from) {
		t.Fatalf("%d events", len(got))
	}
	got[0].Entries = append(got[0].Entries, EventEntry{}) // must not reach into the next event's
	got[0].Entries = got[0].Entries[:2]
	for i := range from {
		if a, b := got[i].AppendCBOR(nil), from[i].AppendCBOR(nil); !bytes.Equal(a, b) || got[i].Emitter != from[i].Emitter {
			t.Errorf("event %d: %x, want %x", i, a, b)
		}
	}
	if newEvents(nil) != nil {
		t.Error("no events are not nil")
	}
}
