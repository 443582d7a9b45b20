package ethabi

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/textform"
)

// Encode makes data of values, as [Decode] shows them: an object by names, or a list in order. Addresses may be Filecoin's
// too, where they have an Ethereum form. An unknown, missing or repeated name is an error that says where.
func Encode(params []Param, values any) ([]byte, error) { return encodeFields("", params, values) }

func encodeFields(path string, params []Param, values any) ([]byte, error) {
	parts, err := partsOf(path, params, values)
	if err != nil {
		return nil, err
	}
	head := 0
	for _, p := range params {
		head += p.Type.words * word
	}
	return join(head, len(params), func(i int) (bool, []byte, error) {
		b, err := encodeValue(member(path, nameOf(params, i)), params[i].Type, parts[i])
		return params[i].Type.static, b, err
	})
}

// partsOf are the values in the order of the parameters.
func partsOf(path string, params []Param, values any) ([]any, error) {
	if list, ok := values.([]any); ok {
		if len(list) != len(params) {
			return nil, at(path, "want %d values, not %d", len(params), len(list))
		}
		return list, nil
	}
	o, ok := values.(jsonview.Object)
	if !ok && values == nil && len(params) == 0 {
		return nil, nil
	}
	if !ok {
		return nil, at(path, "want an object or a list of %d values", len(params))
	}
	var parts []any
	var known []string
	for i := range params {
		known = append(known, nameOf(params, i))
		v, ok := o.Get(known[i])
		if !ok {
			return nil, at(member(path, known[i]), "missing")
		}
		parts = append(parts, v)
	}
	for _, f := range o {
		found := false
		for _, k := range known {
			found = found || k == f.Name
		}
		if !found {
			return nil, at(member(path, f.Name), "unknown; known: %s", strings.Join(known, ", "))
		}
	}
	return parts, nil
}

// join lays n values out: static ones in the head, of others the offset there and themselves behind it.
func join(head, n int, part func(int) (static bool, data []byte, err error)) ([]byte, error) {
	var heads, tails []byte
	for i := range n {
		static, b, err := part(i)
		if err != nil {
			return nil, err
		}
		if static {
			heads = append(heads, b...)
			continue
		}
		heads = append(heads, uintWord(head+len(tails))...)
		tails = append(tails, b...)
	}
	return append(heads, tails...), nil
}

func uintWord(n int) []byte { return big.NewInt(int64(n)).FillBytes(make([]byte, word)) }

func encodeValue(path string, t *Type, v any) ([]byte, error) {
	switch t.kind {
	case kindTuple:
		return encodeFields(path, t.fields, v)
	case kindSlice, kindArray:
		list, ok := v.([]any)
		if !ok || t.kind == kindArray && len(list) != t.size {
			return nil, at(path, "want a list for %s", t)
		}
		b, err := join(len(list)*t.elem.words*word, len(list), func(i int) (bool, []byte, error) {
			b, err := encodeValue(fmt.Sprintf("%s[%d]", path, i), t.elem, list[i])
			return t.elem.static, b, err
		})
		if t.kind == kindSlice {
			b = append(uintWord(len(list)), b...)
		}
		return b, err
	case kindBytes, kindString:
		b, err := encodeBytes(path, t, v)
		if err != nil {
			return nil, err
		}
		padded := append(uintWord(len(b)), b...)
		return append(padded, make([]byte, (word-len(b)%word)%word)...), nil
	case kindFixedBytes, kindFunction:
		size := t.size
		if t.kind == kindFunction {
			size = 24
		}
		b, err := encodeBytes(path, t, v)
		if err == nil && len(b) != size {
			err = at(path, "want %d bytes for %s, not %d", size, t, len(b))
		}
		return append(b, make([]byte, word-min(word, len(b)))...), err
	case kindBool:
		b, ok := v.(bool)
		if !ok {
			return nil, at(path, "want true or false")
		}
		if b {
			return uintWord(1), nil
		}
		return uintWord(0), nil
	case kindAddress:
		s, _ := v.(string)
		a, err := textform.Address(s)
		if err != nil {
			return nil, at(path, "%w", err)
		}
		eth, ok := textform.ToEth(a)
		if !ok {
			return nil, at(path, "%s has no Ethereum form", s)
		}
		b, err := hex.DecodeString(eth[2:])
		return append(make([]byte, word-20), b...), err
	}
	return encodeInteger(path, t, v)
}

func encodeBytes(path string, t *Type, v any) ([]byte, error) {
	s, ok := v.(string)
	if t.kind == kindString {
		if !ok {
			return nil, at(path, "want text in quotes")
		}
		return []byte(s), nil
	}
	if !ok || !strings.HasPrefix(s, "0x") {
		return nil, at(path, `want bytes in hex with 0x before them for %s, such as "0x00ff"`, t)
	}
	b, err := hex.DecodeString(s[2:])
	if err != nil {
		return nil, at(path, "%w", err)
	}
	return b, nil
}

func encodeInteger(path string, t *Type, v any) ([]byte, error) {
	text := ""
	switch x := v.(type) {
	case string:
		text = x
	case json.Number:
		text = x.String()
	}
	n, ok := new(big.Int), len(text) > 0 && len(text) <= 80
	if digits, isHex := strings.CutPrefix(text, "0x"); ok && isHex {
		_, ok = n.SetString(digits, 16)
		ok = ok && !strings.ContainsAny(digits, "+-_")
	} else if ok {
		ok = strings.Trim(strings.TrimPrefix(text, "-"), "0123456789") == ""
		if ok {
			_, ok = n.SetString(text, 10)
		}
	}
	if !ok {
		return nil, at(path, "want a whole number for %s, in quotes if it is large", t)
	}
	low, high := big.NewInt(0), new(big.Int).Lsh(big.NewInt(1), uint(t.size))
	if t.kind == kindInt {
		high.Rsh(high, 1)
		low.Neg(high)
	}
	if n.Cmp(low) < 0 || n.Cmp(high) >= 0 {
		return nil, at(path, "%s does not fit a %s", n, t)
	}
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), 256))
	}
	return n.FillBytes(make([]byte, word)), nil
}
