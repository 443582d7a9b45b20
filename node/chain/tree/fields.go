package tree

import (
	"bytes"
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
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
	data, err := t.block(ctx, c)
	if err != nil {
		return nil, err
	}
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

// Int is field i, an integer.
func (f *Fields) Int(i int) (int64, error) {
	var v cbg.CborInt
	err := f.read(i, &v)
	return int64(v), err
}

// Address is field i, an address.
func (f *Fields) Address(i int) (address.Address, error) {
	var a address.Address
	err := f.read(i, &a)
	return a, err
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
