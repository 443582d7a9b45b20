package state

import (
	"errors"
	"fmt"
	"io"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// read takes an entry of the map of actors apart: [code, head, nonce, balance], and since version 5 of the tree the
// delegated address or null.
func (a *Actor) read(data []byte) error {
	r := cbor.NewReader(data)
	n := r.Len()
	if r.Err() == nil && n != 4 && n != 5 {
		return fmt.Errorf("an actor of %d fields, not 4 or 5", n)
	}
	a.Code, a.Head, a.Nonce = r.CID(), r.CID(), r.Uint()
	balance := r.Bytes()
	a.DelegatedAddress = nil
	if n == 5 && !r.Null() {
		at, err := addr.ParseAddress(r.Bytes())
		if err == nil && r.Err() == nil {
			a.DelegatedAddress = &at
		} else if r.Err() == nil {
			return fmt.Errorf("the delegated address: %w", err)
		}
	}
	if err := r.End(); err != nil {
		return err
	}
	var err error
	if a.Balance, err = big.FromBytes(balance); err != nil {
		return fmt.Errorf("the balance: %w", err)
	}
	return nil
}

// append writes the entry again, for a tree of that version.
func (a *Actor) append(dst []byte, version int) ([]byte, error) {
	balance, err := a.Balance.Bytes()
	if err != nil {
		return nil, err
	}
	fields := 4
	if version >= 5 {
		fields = 5
	} else if a.DelegatedAddress != nil {
		return nil, errors.New("a delegated address in a tree that has none")
	}
	dst = cbor.AppendArray(dst, fields)
	dst = cbor.AppendCID(cbor.AppendCID(dst, a.Code), a.Head)
	dst = cbor.AppendBytes(cbor.AppendUint(dst, a.Nonce), balance)
	switch {
	case fields == 5 && a.DelegatedAddress == nil:
		dst = append(dst, cbor.Null)
	case fields == 5:
		dst = cbor.AppendBytes(dst, a.DelegatedAddress.Bytes())
	}
	return dst, nil
}

// actorEntry is an entry of the map of actors as a value that reads itself, with the names that paths and differences have.
type actorEntry struct {
	Code             cid.Cid
	Head             cid.Cid
	Nonce            uint64
	Balance          big.Int
	DelegatedAddress *address.Address
}

// UnmarshalCBOR reads an entry of the map of actors.
func (e *actorEntry) UnmarshalCBOR(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	var a Actor
	err = a.read(data)
	*e = actorEntry{a.Code, a.Head, a.Nonce, a.Balance, a.DelegatedAddress}
	return err
}
