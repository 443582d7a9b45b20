package ethabi

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/edgefvm/fvm/node/actors/jsonview"
)

// Decode reads the values of a list of parameters. Names are the parameters', or their places where they have none. It errs
// for data that are too short, that have something where there must be zeros, and for offsets that lead outside.
func Decode(params []Param, data []byte) (jsonview.Object, error) {
	d := &decoder{data: data, budget: 4096 + 4*len(data)/word}
	return d.fields("", params, 0)
}

const word = 32

// decoder reads data. budget is how many values may still be made, so that work is bounded by the size of the data.
type decoder struct {
	data   []byte
	budget int
}

// take spends the budget, of which a value of its size has one a word.
func (d *decoder) take(path string, words int) error {
	if d.budget -= max(1, words); d.budget < 0 {
		return at(path, "these data name more values than they have room for")
	}
	return nil
}

func (d *decoder) fields(path string, params []Param, base int) (jsonview.Object, error) {
	o := jsonview.Object{}
	pos := base
	for i, p := range params {
		name := nameOf(params, i)
		v, err := d.value(member(path, name), p.Type, base, pos)
		if err != nil {
			return nil, err
		}
		o = append(o, jsonview.Field{Name: name, Value: v})
		pos += p.Type.words * word
	}
	return o, nil
}

// nameOf is a parameter's name, or its place if it has none of its own.
func nameOf(params []Param, i int) string {
	name := params[i].Name
	for j, p := range params {
		if j != i && p.Name == name {
			name = ""
		}
	}
	if name == "" {
		return strconv.Itoa(i)
	}
	return name
}

// value reads a value whose head is at pos; offsets count from base.
func (d *decoder) value(path string, t *Type, base, pos int) (any, error) {
	if t.static {
		return d.body(path, t, pos)
	}
	offset, err := d.number(path, pos)
	if err != nil {
		return nil, err
	}
	if offset > len(d.data)-base {
		return nil, at(path, "its offset %d leads beyond the end", offset)
	}
	return d.body(path, t, base+offset)
}

// body reads a value itself.
func (d *decoder) body(path string, t *Type, pos int) (any, error) {
	if err := d.take(path, 1); err != nil {
		return nil, err
	}
	switch t.kind {
	case kindTuple:
		return d.fields(path, t.fields, pos)
	case kindArray:
		return d.elements(path, t.elem, t.size, pos)
	case kindSlice:
		n, err := d.number(path, pos)
		if err != nil {
			return nil, err
		}
		return d.elements(path, t.elem, n, pos+word)
	case kindBytes, kindString:
		n, err := d.number(path, pos)
		if err != nil {
			return nil, err
		}
		return d.text(path, t, n, pos+word)
	}
	w, err := d.word(path, pos)
	if err != nil {
		return nil, err
	}
	return scalar(path, t, w)
}

func (d *decoder) text(path string, t *Type, n, pos int) (any, error) {
	if n > len(d.data)-pos {
		return nil, at(path, "it has %d bytes, and %d are left", n, len(d.data)-pos)
	}
	if err := d.take(path, n/word); err != nil {
		return nil, err
	}
	b := d.data[pos : pos+n]
	if t.kind == kindString && utf8.Valid(b) {
		return string(b), nil
	}
	return jsonview.Hex(b), nil
}

func (d *decoder) elements(path string, t *Type, n, pos int) (any, error) {
	if n > d.budget {
		return nil, at(path, "a list of %d is more than these data have room for", n)
	}
	list := []any{}
	for i := range n {
		v, err := d.value(path+"["+strconv.Itoa(i)+"]", t, pos, pos+i*t.words*word)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (d *decoder) word(path string, pos int) ([]byte, error) {
	if pos < 0 || pos > len(d.data)-word {
		return nil, at(path, "the data end at byte %d, before it does", len(d.data))
	}
	return d.data[pos : pos+word], nil
}

// number is a length or an offset.
func (d *decoder) number(path string, pos int) (int, error) {
	w, err := d.word(path, pos)
	if err != nil {
		return 0, err
	}
	n := new(big.Int).SetBytes(w)
	if n.BitLen() > 31 {
		return 0, at(path, "its length or offset, %s, is absurd", n)
	}
	return int(n.Int64()), nil
}

// scalar reads what one word holds.
func scalar(path string, t *Type, w []byte) (any, error) {
	n := new(big.Int).SetBytes(w)
	switch t.kind {
	case kindUint:
		if n.BitLen() > t.size {
			return nil, at(path, "%s is too large for a %s", n, t)
		}
		return n.String(), nil
	case kindInt:
		if w[0]&0x80 != 0 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), 256))
		}
		if fits := new(big.Int).Rsh(n, uint(t.size-1)); fits.Sign() != 0 && fits.Cmp(big.NewInt(-1)) != 0 {
			return nil, at(path, "%s is too large for an %s", n, t)
		}
		return n.String(), nil
	case kindAddress:
		if n.BitLen() > 160 {
			return nil, at(path, "an address has zeros before it, and these are not")
		}
		return jsonview.Hex(w[12:]), nil
	case kindBool:
		if n.BitLen() > 1 {
			return nil, at(path, "want 0 or 1 for a bool, not %s", n)
		}
		return n.Sign() != 0, nil
	}
	size := t.size
	if t.kind == kindFunction {
		size = 24
	}
	for _, b := range w[size:] {
		if b != 0 {
			return nil, at(path, "%s has zeros behind it, and these are not", t)
		}
	}
	return jsonview.Hex(w[:size]), nil
}

func member(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func at(path, format string, a ...any) error {
	if path == "" {
		return fmt.Errorf(format, a...)
	}
	return fmt.Errorf(path+": "+format, a...)
}

// errShort is data that have no selector.
var errShort = errors.New("calldata begin with a selector of 4 bytes, and these are shorter")
