package ethabi

import (
	"fmt"
	"strconv"
	"strings"
)

// kind is what a value is.
type kind uint8

const (
	kindUint kind = iota
	kindInt
	kindAddress
	kindBool
	kindFixedBytes // size bytes
	kindFunction   // an address and a selector, 24 bytes
	kindBytes
	kindString
	kindSlice
	kindArray // size elements
	kindTuple
)

// Type is the type of a value.
type Type struct {
	kind   kind
	size   int // bits of an integer, bytes, elements
	elem   *Type
	fields []Param
	static bool
	words  int // that a static one takes, 32 bytes each
}

// Param is a named value of a function, event or error.
type Param struct {
	Name    string
	Type    *Type
	Indexed bool // of an event
}

// maxWords bounds how large a static type may be, and how deep types nest.
const (
	maxWords = 1 << 16
	maxDepth = 32
)

// ParseType reads a type as an ABI has it: "uint256", "bytes4[]", "tuple[2]". fields are those of a tuple.
func ParseType(text string, fields []Param) (*Type, error) { return parseType(text, fields, 0) }

func parseType(text string, fields []Param, depth int) (*Type, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the type nests deeper than %d", maxDepth)
	}
	if inner, ok := strings.CutSuffix(text, "]"); ok {
		i := strings.LastIndexByte(inner, '[')
		if i < 0 {
			return nil, fmt.Errorf("unknown type %q", text)
		}
		elem, err := parseType(inner[:i], fields, depth+1)
		if err != nil {
			return nil, err
		}
		if inner[i+1:] == "" {
			return (&Type{kind: kindSlice, elem: elem}).measure()
		}
		n, err := strconv.Atoi(inner[i+1:])
		if err != nil || n < 0 || n > maxWords {
			return nil, fmt.Errorf("type %q: want a number of elements up to %d", text, maxWords)
		}
		return (&Type{kind: kindArray, elem: elem, size: n}).measure()
	}
	switch text {
	case "address", "address payable", "contract":
		return (&Type{kind: kindAddress}).measure()
	case "bool":
		return (&Type{kind: kindBool}).measure()
	case "bytes":
		return (&Type{kind: kindBytes}).measure()
	case "string":
		return (&Type{kind: kindString}).measure()
	case "function":
		return (&Type{kind: kindFunction}).measure()
	case "tuple":
		return (&Type{kind: kindTuple, fields: fields}).measure()
	case "uint", "int":
		text += "256"
	}
	for prefix, k := range map[string]kind{"uint": kindUint, "int": kindInt, "bytes": kindFixedBytes} {
		digits, ok := strings.CutPrefix(text, prefix)
		n, err := strconv.Atoi(digits)
		if !ok || err != nil || digits != strconv.Itoa(n) {
			continue
		}
		if k == kindFixedBytes && n >= 1 && n <= 32 || k != kindFixedBytes && n >= 8 && n <= 256 && n%8 == 0 {
			return (&Type{kind: k, size: n}).measure()
		}
	}
	return nil, fmt.Errorf("unknown type %q", text)
}

// measure fills what follows from the rest.
func (t *Type) measure() (*Type, error) {
	t.static, t.words = true, 1
	switch t.kind {
	case kindBytes, kindString, kindSlice:
		t.static = false
	case kindArray:
		t.static, t.words = t.elem.static, t.elem.words*t.size
	case kindTuple:
		t.words = 0
		for _, f := range t.fields {
			t.static = t.static && f.Type.static
			t.words += f.Type.words
		}
	}
	if !t.static {
		t.words = 1 // an offset
	}
	if t.words > maxWords {
		return nil, fmt.Errorf("a value of this type takes more than %d words", maxWords)
	}
	return t, nil
}

// String is the type as signatures have it: a tuple is the list of its fields.
func (t *Type) String() string {
	switch t.kind {
	case kindUint:
		return "uint" + strconv.Itoa(t.size)
	case kindInt:
		return "int" + strconv.Itoa(t.size)
	case kindAddress:
		return "address"
	case kindBool:
		return "bool"
	case kindFixedBytes:
		return "bytes" + strconv.Itoa(t.size)
	case kindFunction:
		return "function"
	case kindBytes:
		return "bytes"
	case kindString:
		return "string"
	case kindSlice:
		return t.elem.String() + "[]"
	case kindArray:
		return t.elem.String() + "[" + strconv.Itoa(t.size) + "]"
	}
	return list(t.fields)
}

func list(params []Param) string {
	var names []string
	for _, p := range params {
		names = append(names, p.Type.String())
	}
	return "(" + strings.Join(names, ",") + ")"
}
