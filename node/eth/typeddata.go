package eth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/edgefvm/fvm/node/ethtx"
)

// TypedData are what eth_signTypedData_v4 signs (EIP-712; arrays and missing structs as MetaMask's version 4 has them).
type TypedData struct {
	Types       map[string][]TypedField    `json:"types"`
	PrimaryType string                     `json:"primaryType"`
	Domain      map[string]json.RawMessage `json:"domain"`
	Message     map[string]json.RawMessage `json:"message"`
}

// TypedField is a field of a struct.
type TypedField struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

const (
	maxTypes   = 256
	maxNesting = 64 // of structs and arrays
	domainType = "EIP712Domain"
)

// ParseTypedData reads typed data from an object, or from text that holds one, as some clients send it.
func ParseTypedData(param []byte) (*TypedData, error) {
	var s string
	if json.Unmarshal(param, &s) == nil {
		param = []byte(s)
	}
	t := new(TypedData)
	if err := json.Unmarshal(param, t); err != nil {
		return nil, invalid("typed data: %v", err)
	}
	if len(t.Types) > maxTypes {
		return nil, invalid("typed data have %d types; at most %d are read", len(t.Types), maxTypes)
	}
	return t, nil
}

// Hash is what is signed.
func (t *TypedData) Hash() (Hash, error) {
	h := hasher{types: t.Types, typeHashes: map[string][32]byte{}}
	domain, err := h.object(domainType, t.Domain, 0)
	if err != nil {
		return Hash{}, invalid("typed data: domain: %v", err)
	}
	if t.PrimaryType == domainType {
		return ethtx.Keccak256([]byte{0x19, 1}, domain), nil
	}
	message, err := h.object(t.PrimaryType, t.Message, 0)
	if err != nil {
		return Hash{}, invalid("typed data: message: %v", err)
	}
	return ethtx.Keccak256([]byte{0x19, 1}, domain, message), nil
}

// hasher encodes values by their types.
type hasher struct {
	types      map[string][]TypedField
	typeHashes map[string][32]byte
}

// object is the hash of a struct.
func (h *hasher) object(name string, fields map[string]json.RawMessage, depth int) ([]byte, error) {
	typeHash, err := h.typeHash(name)
	if err != nil {
		return nil, err
	}
	data := typeHash[:]
	for _, f := range h.types[name] {
		b, err := h.value(f.Type, fields[f.Name], depth+1)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		data = append(data, b...)
	}
	sum := ethtx.Keccak256(data)
	return sum[:], nil
}

// typeHash is the hash of a struct's definition: itself, and those it needs by their names' order.
func (h *hasher) typeHash(name string) ([32]byte, error) {
	if sum, ok := h.typeHashes[name]; ok {
		return sum, nil
	}
	if _, ok := h.types[name]; !ok {
		return [32]byte{}, fmt.Errorf("there is no type %q", show([]byte(name)))
	}
	needs := []string{name}
	seen := map[string]bool{name: true}
	for i := 0; i < len(needs); i++ {
		for _, f := range h.types[needs[i]] {
			base, _, _ := strings.Cut(f.Type, "[")
			if _, ok := h.types[base]; ok && !seen[base] {
				seen[base] = true
				needs = append(needs, base)
			}
		}
	}
	slices.Sort(needs[1:])
	var text strings.Builder
	for _, n := range needs {
		text.WriteString(n + "(")
		for i, f := range h.types[n] {
			if i > 0 {
				text.WriteByte(',')
			}
			text.WriteString(f.Type + " " + f.Name)
		}
		text.WriteByte(')')
	}
	sum := ethtx.Keccak256([]byte(text.String()))
	h.typeHashes[name] = sum
	return sum, nil
}

// value is a value as 32 bytes.
func (h *hasher) value(kind string, v json.RawMessage, depth int) ([]byte, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("nested more than %d times", maxNesting)
	}
	if strings.HasSuffix(kind, "]") {
		return h.array(kind, v, depth)
	}
	if _, ok := h.types[kind]; ok {
		if len(v) == 0 || isNull(v) {
			return make([]byte, word), nil
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(v, &fields); err != nil {
			return nil, fmt.Errorf("%s is no object", show(v))
		}
		return h.object(kind, fields, depth)
	}
	if len(v) == 0 || isNull(v) {
		return nil, fmt.Errorf("a value of type %s is missing", show([]byte(kind)))
	}
	return atom(kind, v)
}

func (h *hasher) array(kind string, v json.RawMessage, depth int) ([]byte, error) {
	open := strings.LastIndexByte(kind, '[')
	if open < 0 {
		return nil, fmt.Errorf("there is no type %q", show([]byte(kind)))
	}
	var list []json.RawMessage
	if err := json.Unmarshal(v, &list); err != nil || list == nil {
		return nil, fmt.Errorf("%s is no list", show(v))
	}
	if size := kind[open+1 : len(kind)-1]; size != "" {
		if n, err := strconv.Atoi(size); err != nil || n != len(list) {
			return nil, fmt.Errorf("a list of %d for %s", len(list), show([]byte(kind)))
		}
	}
	var data []byte
	for i, one := range list {
		b, err := h.value(kind[:open], one, depth+1)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
		data = append(data, b...)
	}
	sum := ethtx.Keccak256(data)
	return sum[:], nil
}

// atom is a value that is neither a struct nor a list.
func atom(kind string, v json.RawMessage) ([]byte, error) {
	out := make([]byte, word)
	switch kind {
	case "string":
		var s string
		if err := json.Unmarshal(v, &s); err != nil {
			return nil, fmt.Errorf("%s is no text", show(v))
		}
		sum := ethtx.Keccak256([]byte(s))
		return sum[:], nil
	case "bytes":
		b, err := hexText(v)
		sum := ethtx.Keccak256(b)
		return sum[:], err
	case "address":
		b, err := hexText(v)
		if err == nil && len(b) != len(Address{}) {
			err = fmt.Errorf("%s is no address", show(v))
		}
		if err == nil {
			copy(out[12:], b)
		}
		return out, err
	case "bool":
		var is bool
		if err := json.Unmarshal(v, &is); err != nil {
			return nil, fmt.Errorf("%s is neither true nor false", show(v))
		}
		if is {
			out[word-1] = 1
		}
		return out, nil
	}
	name := strings.TrimRight(kind, "0123456789")
	size, err := strconv.Atoi(kind[len(name):])
	if len(name) == len(kind) {
		size, err = 256, nil // uint and int
	}
	switch {
	case err != nil:
	case name == "bytes" && size >= 1 && size <= word:
		b, err := hexText(v)
		if err == nil && len(b) != size {
			err = fmt.Errorf("%s has %d bytes for %s", show(v), len(b), kind)
		}
		copy(out, b)
		return out, err
	case (name == "uint" || name == "int") && size >= 8 && size <= 256 && size%8 == 0:
		return integer(name == "int", size, v)
	}
	return nil, fmt.Errorf("there is no type %q", show([]byte(kind)))
}

// integer is a number, with its sign through all of the word.
func integer(signed bool, bits int, v json.RawMessage) ([]byte, error) {
	text := string(v)
	d := json.NewDecoder(bytes.NewReader(v))
	d.UseNumber()
	var any any
	if err := d.Decode(&any); err != nil && err != io.EOF {
		return nil, err
	}
	switch t := any.(type) {
	case string:
		text = t
	case json.Number:
		text = t.String()
	}
	digits, minus := strings.CutPrefix(text, "-")
	n, err := number([]byte(digits), 256)
	if err != nil {
		return nil, err
	}
	if minus {
		n.Neg(n)
	}
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(bits))
	if signed {
		high.Rsh(high, 1)
		low.Neg(high)
	}
	if n.Cmp(low) < 0 || n.Cmp(high) >= 0 {
		return nil, fmt.Errorf("%s does not fit %d bits", show(v), bits)
	}
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), 256))
	}
	return n.FillBytes(make([]byte, word)), nil
}
