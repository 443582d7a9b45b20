package gas

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/filecoin-project/go-state-types/network"
)

// Entry is a price that stands in a list.
type Entry struct {
	Name  string
	Price *Gas
}

// Entries are the prices of a network version's list that are not zero. What they point to is the list itself.
func Entries(nv network.Version) ([]Entry, error) {
	list, err := PricesFor(nv, false)
	if err != nil {
		return nil, err
	}
	var all []Entry
	collect(reflect.ValueOf(list).Elem(), "", &all)
	return all, nil
}

func collect(v reflect.Value, name string, all *[]Entry) {
	switch {
	case v.Type() == reflect.TypeFor[Gas]():
		if p := (*Gas)(unsafe.Pointer(v.UnsafeAddr())); *p != 0 {
			*all = append(*all, Entry{name, p})
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			collect(v.Field(i), name+"."+v.Type().Field(i).Name, all)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			collect(v.Index(i), fmt.Sprintf("%s[%d]", name, i), all)
		}
	}
}
