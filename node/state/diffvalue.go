package state

import (
	"reflect"
	"slices"
	"strconv"

	"github.com/filecoin-project/go-bitfield"

	"github.com/edgefvm/fvm/node/actors/jsonview"
)

// values compares values that lead nowhere.
func (d *differ) values(a, b *Node) error {
	va, err := a.plain(a.val)
	if err != nil {
		return err
	}
	vb, err := b.plain(b.val)
	if err != nil {
		return err
	}
	if reflect.DeepEqual(va, vb) {
		return nil
	}
	c := Change{Op: Changed, Path: b.path, Type: b.shape.String(), Before: va, After: vb}
	oa, isA := va.(jsonview.Object)
	ob, isB := vb.(jsonview.Object)
	if isA && isB {
		c.Fields = differing(oa, ob)
	}
	la, isA := va.([]any)
	lb, isB := vb.([]any)
	if isA && isB && hasObjects(la) && hasObjects(lb) {
		return d.elements(b.path, la, lb)
	}
	if x, ok := deref(a.val).Interface().(bitfield.BitField); ok {
		if y, ok := deref(b.val).Interface().(bitfield.BitField); ok {
			if c.More, c.Less, err = members(x, y); err != nil {
				return &FormError{b.path, "bitfield", err}
			}
		}
	}
	return d.tell(c)
}

// differing are the names of fields whose values are not the same, or that only one has.
func differing(a, b jsonview.Object) (names []string) {
	for _, f := range a {
		if v, ok := b.Get(f.Name); !ok || !reflect.DeepEqual(f.Value, v) {
			names = append(names, f.Name)
		}
	}
	for _, f := range b {
		if _, ok := a.Get(f.Name); !ok {
			names = append(names, f.Name)
		}
	}
	return names
}

// members are what a bitfield got and lost.
func members(before, after bitfield.BitField) (more, less string, err error) {
	got, err := bitfield.SubtractBitField(after, before)
	if err != nil {
		return "", "", err
	}
	lost, err := bitfield.SubtractBitField(before, after)
	if err != nil {
		return "", "", err
	}
	if more, err = jsonview.BitField(got); err != nil {
		return "", "", err
	}
	less, err = jsonview.BitField(lost)
	return more, less, err
}

func hasObjects(list []any) bool {
	return slices.ContainsFunc(list, func(v any) bool { _, ok := v.(jsonview.Object); return ok })
}

// elements compares lists of structs that are no links: what only one has came or went, wherever it stands. An index at
// which one went and another came is a change.
func (d *differ) elements(path string, a, b []any) error {
	onlyA, err := without(a, b)
	if err != nil {
		return err
	}
	onlyB, err := without(b, a)
	if err != nil {
		return err
	}
	for i := range max(len(a), len(b)) {
		c := Change{Path: path + "/" + strconv.Itoa(i)}
		switch {
		case onlyA[i] && onlyB[i]:
			c.Op, c.Before, c.After = Changed, a[i], b[i]
			x, isX := a[i].(jsonview.Object)
			if y, isY := b[i].(jsonview.Object); isX && isY {
				c.Fields = differing(x, y)
			}
		case onlyA[i]:
			c.Op, c.Before = Removed, a[i]
		case onlyB[i]:
			c.Op, c.After = Added, b[i]
		default:
			continue
		}
		if err := d.tell(c); err != nil {
			return err
		}
	}
	return nil
}

// without are the indexes of elements of a list that another lacks, each as often as there are more of it.
func without(list, other []any) (map[int]bool, error) {
	count := map[string]int{}
	for _, v := range other {
		key, err := jsonview.Marshal(v)
		if err != nil {
			return nil, err
		}
		count[string(key)]++
	}
	only := map[int]bool{}
	for i, v := range list {
		key, err := jsonview.Marshal(v)
		if err != nil {
			return nil, err
		}
		if count[string(key)]--; count[string(key)] < 0 {
			only[i] = true
		}
	}
	return only, nil
}
