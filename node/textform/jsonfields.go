package textform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/layout"
)

// object is an object of JSON by the names of its fields, which are compared in small letters and without underscores:
// nodes write GasLimit, wallets gaslimit, indexers gas_limit.
type object struct {
	fields map[string]json.RawMessage
	names  []string // as they are written, in their order
	used   map[string]bool
	err    error // the first that was found
}

func plainName(s string) string { return strings.ReplaceAll(strings.ToLower(s), "_", "") }

// readObject takes an object apart. Two fields of one name are an error: which one counts, differs between programs.
func readObject(text []byte) (*object, error) {
	o := &object{fields: map[string]json.RawMessage{}, used: map[string]bool{}}
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("an object is wanted: %w", orNot(err))
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, err
		}
		if _, twice := o.fields[plainName(name)]; twice {
			return nil, fmt.Errorf("the field %s is there twice", layout.OneLine(layout.Cut(name, 40)))
		}
		o.fields[plainName(name)] = raw
		o.names = append(o.names, name)
	}
	return o, nil
}

func orNot(err error) error {
	if err == nil {
		return ErrNoReading
	}
	return err
}

// has tells whether a field is there and not null.
func (o *object) has(name string) bool {
	raw, is := o.fields[name]
	return is && !isNull(raw)
}

func isNull(raw json.RawMessage) bool { return string(bytes.TrimSpace(raw)) == "null" }

// take is a field's value, nil for one that is missing or null.
func (o *object) take(name string) json.RawMessage {
	o.used[name] = true
	if !o.has(name) {
		return nil
	}
	return bytes.TrimSpace(o.fields[name])
}

// rest are the names of the fields that were not taken.
func (o *object) rest() (names []string) {
	for _, n := range o.names {
		if !o.used[plainName(n)] {
			names = append(names, layout.OneLine(layout.Cut(n, 40)))
		}
	}
	return names
}

func (o *object) fail(name string, err error) {
	if o.err == nil && err != nil {
		o.err = fmt.Errorf("%s: %w", name, err)
	}
}

// text is a field that is a string, or the digits of a number; ok is false if it is missing.
func (o *object) text(name string) (s string, ok bool) {
	raw := o.take(plainName(name))
	if raw == nil {
		return "", false
	}
	switch c := raw[0]; {
	case c == '"':
		if err := json.Unmarshal(raw, &s); err != nil {
			o.fail(name, err)
		}
		return s, true
	case c == '-' || c >= '0' && c <= '9':
		return string(raw), true
	}
	o.fail(name, noReading("%s is neither a string nor a number", layout.OneLine(layout.Cut(string(raw), 40))))
	return "", false
}

// number is a whole number of at most max, decimal or, in a string, hex that begins with 0x.
func (o *object) number(name string, max uint64) uint64 {
	s, ok := o.text(name)
	if !ok {
		return 0
	}
	v, ok := wholeNumber(s)
	switch {
	case !ok:
		o.fail(name, noReading("%s is no whole number without a sign", layout.OneLine(layout.Cut(s, 40))))
		return 0
	case !v.IsUint64() || v.Uint64() > max:
		o.fail(name, noReading("%s is more than %d", layout.Cut(s, 40), max))
		return 0
	}
	return v.Uint64()
}

// quantity is a number of any size up to 256 bits.
func (o *object) quantity(name string) *big.Int {
	s, ok := o.text(name)
	if !ok {
		return new(big.Int)
	}
	v, ok := wholeNumber(s)
	if !ok || v.BitLen() > 256 {
		o.fail(name, noReading("%s is no number of at most 256 bits", layout.OneLine(layout.Cut(s, 40))))
		return new(big.Int)
	}
	return v
}

const longestNumber = 400 // digits

func wholeNumber(s string) (*big.Int, bool) {
	if digits, is := cutPrefix(s, "0x"); is {
		if !isHex(digits) || len(digits) > longestNumber {
			return nil, false
		}
		return new(big.Int).SetString(digits, 16)
	}
	if !isDigits(s) || len(s) > longestNumber {
		return nil, false
	}
	return new(big.Int).SetString(s, 10)
}

func (o *object) amount(name string) abi.TokenAmount {
	s, _ := o.text(name)
	v, err := Amount(s)
	o.fail(name, err)
	return v
}

func (o *object) address(name string) address.Address {
	s, _ := o.text(name)
	a, err := Address(s)
	o.fail(name, err)
	return a
}
