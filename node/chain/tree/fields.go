package tree

import (
	"bytes"
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// Fields are those of an actor's own state, each the bytes of a CBOR item.
type Fields struct {
	what string
	list [][]byte
}

// Fields reads the list that an actor's state is.
func (t *Tree) Fields(ctx context.Context, id abi.ActorID) (*Fields, error) {
	act, err := t.Actor(ctx, id)
	if err != nil {
		return nil, err
	}
	return t.fields(ctx, act.Head, fmt.Sprintf("the state of f0%d", id))
}

func (t *Tree) fields(ctx context.Context, c cid.Cid, what string) (*Fields, error) {
	data, err := t.Block(ctx, c)
	if err != nil {
		return nil, err
	}
	return ParseFields(data, what)
}

// At reads the list that a block is. what names it in errors.
func (t *Tree) At(ctx context.Context, c cid.Cid, what string) (*Fields, error) {
	return t.fields(ctx, c, what)
}

// ParseFields reads a list. what names it in errors.
func ParseFields(data []byte, what string) (*Fields, error) {
	f := &Fields{what: what}
	r := cbor.NewReader(data)
	for n := r.Len(); n > 0 && !r.Failed(); n-- {
		f.list = append(f.list, r.Raw())
	}
	return f, f.malformed(r.End())
}

func (f *Fields) malformed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %s: %w", ErrMalformed, f.what, err)
}

// Len is how many there are.
func (f *Fields) Len() int { return len(f.list) }

func (f *Fields) at(i int) cbor.Reader {
	if i >= len(f.list) {
		return cbor.NewReader(nil) // which has nothing to read: an error
	}
	return cbor.NewReader(f.list[i])
}

// Amount is field i, an amount in attoFIL.
func (f *Fields) Amount(i int) (abi.TokenAmount, error) {
	var v big.Int
	err := f.read(i, &v)
	return v, err
}

// Address is field i, an address.
func (f *Fields) Address(i int) (address.Address, error) {
	var a address.Address
	err := f.read(i, &a)
	return a, err
}

// CID is field i, a link.
func (f *Fields) CID(i int) (cid.Cid, error) {
	r := f.at(i)
	c := r.CID()
	return c, f.malformed(r.End())
}

// Int is field i, an integer from -2^63 to 2^63-1.
func (f *Fields) Int(i int) (int64, error) {
	var v cbg.CborInt
	err := f.read(i, &v)
	return int64(v), err
}

// Bits is field i, a set of numbers.
func (f *Fields) Bits(i int) (bitfield.BitField, error) {
	var v bitfield.BitField
	err := f.read(i, &v)
	return v, err
}

// List is field i, a list, as fields of its own.
func (f *Fields) List(i int) (*Fields, error) {
	if i >= len(f.list) {
		return nil, f.malformed(fmt.Errorf("%d fields: field %d is missing", len(f.list), i))
	}
	return ParseFields(f.list[i], f.what)
}

func (f *Fields) read(i int, into cbg.CBORUnmarshaler) error {
	if i >= len(f.list) {
		return f.malformed(fmt.Errorf("%d fields: field %d is missing", len(f.list), i))
	}
	if err := into.UnmarshalCBOR(bytes.NewReader(f.list[i])); err != nil {
		return f.malformed(fmt.Errorf("field %d: %w", i, err))
	}
	return nil
}

// Raw is field i as it stands in the state.
func (f *Fields) Raw(i int) ([]byte, error) {
	if i < 0 || i >= len(f.list) {
		return nil, fmt.Errorf("%w: %s: it has %d fields, none of number %d", ErrMalformed, f.what, len(f.list), i)
	}
	return f.list[i], nil
}
