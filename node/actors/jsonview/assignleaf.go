package jsonview

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	gobig "math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/node/textform"
)

// assignLeaf reads the types that have a form of their own; done is false for others.
func (c Coder) assignLeaf(path string, tree any, v reflect.Value) (done bool, err error) {
	var value any
	switch v.Type() {
	case addressType:
		value, err = parseAddress(tree)
	case cidType:
		value, err = parseCID(tree)
	case bigType:
		value, err = parseBig(tree)
	case bitfieldType:
		s, ok := tree.(string)
		if !ok {
			return true, want(path, `a bitfield as text, such as "0-4,7"`, tree)
		}
		value, err = ParseBitField(s)
	case signatureType:
		return true, c.assignSignature(path, tree, v)
	case deferredType:
		o, _ := tree.(Object)
		raw, ok := o.Get("CBOR")
		if !ok || len(o) != 1 {
			return true, want(path, `CBOR as {"CBOR": "0x…"}`, tree)
		}
		b, err := parseBytes(raw)
		if err != nil {
			return true, at(member(path, "CBOR"), "%w", err)
		}
		return true, setDeferred(member(path, "CBOR"), v, b)
	case emptyType:
		if tree != nil {
			return true, want(path, "null: there is nothing to say", tree)
		}
		return true, nil
	default:
		return c.assignOther(path, tree, v)
	}
	var kind *kindError
	switch {
	case errors.As(err, &kind):
		return true, want(path, kind.want, tree)
	case err != nil:
		return true, at(path, "%w", err)
	}
	v.Set(reflect.ValueOf(value))
	return true, nil
}

func setDeferred(path string, v reflect.Value, raw []byte) error {
	r := bytes.NewReader(raw)
	var d cbg.Deferred
	if err := d.UnmarshalCBOR(r); err != nil {
		return at(path, "%w", err)
	}
	if r.Len() > 0 {
		return at(path, "there is more after the CBOR value")
	}
	v.Set(reflect.ValueOf(d))
	return nil
}

// assignOther reads labels, bytes and enumerations.
func (c Coder) assignOther(path string, tree any, v reflect.Value) (bool, error) {
	switch {
	case isCID(v.Type()):
		c, err := parseCID(tree)
		if err != nil {
			return true, at(path, "%w", err)
		}
		v.Set(reflect.ValueOf(c).Convert(v.Type()))
		return true, nil
	case v.Kind() == reflect.Struct && v.Type().Implements(labelType):
		return true, assignLabel(path, tree, v)
	case isBytes(v.Type()):
		b, err := parseBytes(tree)
		if err != nil {
			return true, at(path, "%w", err)
		}
		if v.Kind() == reflect.Array && len(b) != v.Len() {
			return true, at(path, "want %d bytes, not %d", v.Len(), len(b))
		}
		if v.Kind() == reflect.Slice {
			v.SetBytes(b)
		} else {
			reflect.Copy(v, reflect.ValueOf(b))
		}
		return true, nil
	}
	names, isEnum := enums[v.Type()]
	name, isText := tree.(string)
	if !isEnum || !isText {
		return false, nil
	}
	n := slices.Index(names, name)
	if n < 0 || name == "" {
		if _, err := strconv.ParseInt(name, 10, 64); err == nil {
			return true, assignInteger(path, tree, v)
		}
		known := slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "" })
		return true, at(path, "unknown name %q; known: %s, or a number", shorten(name), strings.Join(known, ", "))
	}
	if v.CanInt() {
		v.SetInt(int64(n))
	} else {
		v.SetUint(uint64(n))
	}
	return true, nil
}

func (c Coder) assignSignature(path string, tree any, v reflect.Value) error {
	var parts struct {
		Type crypto.SigType
		Data []byte
	}
	if err := c.assign(path, tree, reflect.ValueOf(&parts).Elem()); err != nil {
		return err
	}
	v.Set(reflect.ValueOf(crypto.Signature{Type: parts.Type, Data: parts.Data}))
	return nil
}

func assignLabel(path string, tree any, v reflect.Value) error {
	if s, ok := tree.(string); ok {
		return setCBOR(path, v, append(cbg.CborEncodeMajorType(cbg.MajTextString, uint64(len(s))), s...))
	}
	o, _ := tree.(Object)
	raw, ok := o.Get("Bytes")
	if !ok || len(o) != 1 {
		return want(path, `a label: text, or {"Bytes": "0x…"}`, tree)
	}
	b, err := parseBytes(raw)
	if err != nil {
		return at(member(path, "Bytes"), "%w", err)
	}
	return setCBOR(path, v, append(cbg.CborEncodeMajorType(cbg.MajByteString, uint64(len(b))), b...))
}

// kindError says what was wanted where something of another kind is.
type kindError struct{ want string }

func (e *kindError) Error() string { return "want " + e.want }

func parseAddress(tree any) (address.Address, error) {
	s, ok := tree.(string)
	if !ok {
		return address.Undef, &kindError{`an address, such as "f01234"`}
	}
	if s == "" { // how an address that is not set is shown
		return address.Undef, nil
	}
	a, err := textform.Address(s)
	if err != nil {
		return address.Undef, fmt.Errorf("address %q: %w", shorten(s), err)
	}
	return a, nil
}

func parseCID(tree any) (cid.Cid, error) {
	if tree == nil {
		return cid.Undef, nil
	}
	if o, ok := tree.(Object); ok && len(o) == 1 && o[0].Name == "/" {
		tree = o[0].Value
	}
	s, ok := tree.(string)
	if !ok {
		return cid.Undef, &kindError{`a CID, such as "bafy2bzace…"`}
	}
	c, err := textform.CID(s)
	if err != nil {
		return cid.Undef, fmt.Errorf("CID %q: %w", shorten(s), err)
	}
	return c, nil
}

// maxDigits is more than the longest integer has that a chain takes, 128 bytes.
const maxDigits = 320

func parseBig(tree any) (big.Int, error) {
	text, isText := tree.(string)
	if n, ok := tree.(json.Number); ok {
		text, isText = n.String(), true
	}
	if !isText {
		return big.Int{}, &kindError{"a whole number in quotes"}
	}
	n, ok := new(gobig.Int), len(text) <= maxDigits && strings.Trim(strings.TrimPrefix(text, "-"), "0123456789") == ""
	if ok {
		n, ok = n.SetString(text, 10)
	}
	if !ok {
		return big.Int{}, &kindError{"a whole number in quotes, amounts in attoFIL"}
	}
	return big.Int{Int: n}, nil
}

// parseBytes reads 0x and hex, or DAG-JSON's {"/": {"bytes": "base64 without padding"}}.
func parseBytes(tree any) ([]byte, error) {
	if o, ok := tree.(Object); ok && len(o) == 1 && o[0].Name == "/" {
		inner, _ := o[0].Value.(Object)
		text, _ := inner.Get("bytes")
		s, ok := text.(string)
		if !ok || len(inner) != 1 {
			return nil, errors.New(`want bytes as "0x…", or {"/": {"bytes": "base64"}}`)
		}
		b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
		if err != nil {
			return nil, fmt.Errorf("bytes: %w", err)
		}
		return b, nil
	}
	s, ok := tree.(string)
	if !ok || !strings.HasPrefix(s, "0x") {
		return nil, want("", `bytes in hex with 0x before them, such as "0x00ff"`, tree)
	}
	b, err := hex.DecodeString(s[2:])
	if err != nil {
		return nil, fmt.Errorf("bytes %q: %w", shorten(s), err)
	}
	return b, nil
}
