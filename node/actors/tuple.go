package actors

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"unicode/utf8"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

var (
	emptyType   = reflect.TypeFor[abi.EmptyValue]()
	cidType     = reflect.TypeFor[cid.Cid]()
	addressType = reflect.TypeFor[address.Address]()
)

// byOwnCode are structs that are no tuples on chain.
var byOwnCode = map[reflect.Type]bool{
	cidType: true, addressType: true, emptyType: true,
	reflect.TypeFor[big.Int](): true, reflect.TypeFor[bitfield.BitField](): true, reflect.TypeFor[crypto.Signature](): true,
	reflect.TypeFor[Nothing](): true, reflect.TypeFor[cbg.Deferred](): true, reflect.TypeFor[cbg.CborCid](): true,
}

// isTuple tells whether a type is the list of its fields on chain. Generated code writes the same, and refuses lists of more
// than 8192, which the network takes; so it is not asked.
func isTuple(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !byOwnCode[t] && t.Name() != "DealLabel" && t.Name() != "GetBytecodeReturn"
}

// marshal writes a value as actors do: a struct as the list of its fields, a pointer as null or what it points to, what has
// code of its own by that.
func marshal(w io.Writer, v reflect.Value) error {
	if v.Type() == emptyType {
		return nil
	}
	if v.Type() == cidType {
		return cbg.WriteCid(w, v.Interface().(cid.Cid))
	}
	if m, ok := v.Addr().Interface().(cbg.CBORMarshaler); ok && !isTuple(v.Type()) {
		return m.MarshalCBOR(w)
	}
	head := func(major byte, n uint64) error {
		_, err := w.Write(cbg.CborEncodeMajorType(major, n))
		return err
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			_, err := w.Write(cbg.CborNull)
			return err
		}
		return marshal(w, v.Elem())
	case reflect.Bool:
		return cbg.WriteBool(w, v.Bool())
	case reflect.Int, reflect.Int64, reflect.Int32:
		if n := v.Int(); n < 0 {
			return head(cbg.MajNegativeInt, uint64(-1-n))
		}
		return head(cbg.MajUnsignedInt, uint64(v.Int()))
	case reflect.Uint, reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint8:
		return head(cbg.MajUnsignedInt, v.Uint())
	case reflect.String:
		if err := head(cbg.MajTextString, uint64(v.Len())); err != nil {
			return err
		}
		_, err := io.WriteString(w, v.String())
		return err
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if err := head(cbg.MajByteString, uint64(v.Len())); err != nil {
				return err
			}
			_, err := w.Write(v.Bytes())
			return err
		}
		return marshalList(w, v.Len(), v.Index)
	case reflect.Struct:
		return marshalList(w, v.NumField(), v.Field)
	}
	return fmt.Errorf("CBOR has nothing for a %s", v.Type())
}

func marshalList(w io.Writer, n int, part func(int) reflect.Value) error {
	if _, err := w.Write(cbg.CborEncodeMajorType(cbg.MajArray, uint64(n))); err != nil {
		return err
	}
	for i := range n {
		if err := marshal(w, part(i)); err != nil {
			return err
		}
	}
	return nil
}

// unmarshal reads what marshal writes. Nothing is allocated by a number in the data.
func unmarshal(r *bytes.Reader, v reflect.Value) error {
	if v.Type() == emptyType {
		return nil
	}
	if v.Type() == cidType {
		c, err := cbg.ReadCid(r)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(c))
		return nil
	}
	if v.Type() == addressType {
		return unmarshalAddress(r, v)
	}
	if u, ok := v.Addr().Interface().(cbg.CBORUnmarshaler); ok && !isTuple(v.Type()) {
		return u.UnmarshalCBOR(r)
	}
	if v.Kind() == reflect.Pointer {
		if b, err := r.ReadByte(); err == nil && b == cbg.CborNull[0] {
			return nil
		} else if err == nil {
			_ = r.UnreadByte()
		}
		v.Set(reflect.New(v.Type().Elem()))
		return unmarshal(r, v.Elem())
	}
	major, n, err := cbg.CborReadHeader(r)
	if err != nil {
		return err
	}
	switch v.Kind() {
	case reflect.Bool:
		if major != cbg.MajOther || n != 20 && n != 21 {
			return errors.New("want true or false")
		}
		v.SetBool(n == 21)
		return nil
	case reflect.Int, reflect.Int64, reflect.Int32:
		i := int64(n)
		if major == cbg.MajNegativeInt {
			i = -1 - i
		}
		if major != cbg.MajUnsignedInt && major != cbg.MajNegativeInt || int64(n) < 0 || v.OverflowInt(i) {
			return fmt.Errorf("want a whole number of %d bits", v.Type().Bits())
		}
		v.SetInt(i)
		return nil
	case reflect.Uint, reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint8:
		if major != cbg.MajUnsignedInt || v.OverflowUint(n) {
			return fmt.Errorf("want a whole number of %d bits, not below 0", v.Type().Bits())
		}
		v.SetUint(n)
		return nil
	case reflect.String:
		b, err := take(r, major, cbg.MajTextString, n)
		if err == nil && !utf8.Valid(b) {
			err = errors.New("the text is not UTF-8")
		}
		v.SetString(string(b))
		return err
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			return unmarshalSlice(r, v, major, n)
		}
		b, err := take(r, major, cbg.MajByteString, n)
		if err != nil {
			return err
		}
		if v.Kind() == reflect.Slice {
			v.SetBytes(b)
			return nil
		}
		if len(b) != v.Len() {
			return fmt.Errorf("want %d bytes, not %d", v.Len(), len(b))
		}
		reflect.Copy(v, reflect.ValueOf(b))
		return nil
	case reflect.Struct:
		if major != cbg.MajArray || n != uint64(v.NumField()) {
			return fmt.Errorf("want a list of %d", v.NumField())
		}
		for i := range v.NumField() {
			if err := unmarshal(r, v.Field(i)); err != nil {
				return fmt.Errorf("%s: %w", v.Type().Field(i).Name, err)
			}
		}
		return nil
	}
	return fmt.Errorf("CBOR has nothing for a %s", v.Type())
}

// unmarshalAddress reads an address as the network does: ids and namespaces have 64 bits, go-address has 63.
func unmarshalAddress(r *bytes.Reader, v reflect.Value) error {
	major, n, err := cbg.CborReadHeader(r)
	if err != nil {
		return err
	}
	b, err := take(r, major, cbg.MajByteString, n)
	if err != nil {
		return err
	}
	a, err := addr.ParseAddress(b)
	if err != nil {
		return err
	}
	v.Set(reflect.ValueOf(a))
	return nil
}

func unmarshalSlice(r *bytes.Reader, v reflect.Value, major byte, n uint64) error {
	if v.Kind() == reflect.Array || major != cbg.MajArray || n > uint64(r.Len()) {
		return errors.New("want a list that is not longer than the data")
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	for i := range n {
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		if err := unmarshal(r, v.Index(int(i))); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

// take reads a string of bytes or text.
func take(r *bytes.Reader, major, want byte, n uint64) ([]byte, error) {
	if major != want {
		return nil, fmt.Errorf("want %s", map[byte]string{cbg.MajByteString: "bytes", cbg.MajTextString: "text"}[want])
	}
	if n > uint64(r.Len()) {
		return nil, io.ErrUnexpectedEOF
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

// unmarshalOne reads one value that is all of the data.
func unmarshalOne(data []byte, into any) error {
	return unmarshalAll(data, reflect.ValueOf(into).Elem())
}

func unmarshalBytes(data []byte, into *[]byte) error { return unmarshalOne(data, into) }
