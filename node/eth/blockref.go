package eth

import (
	"encoding/json"
	"fmt"
)

// Tags of blocks.
const (
	Earliest  = "earliest"
	Latest    = "latest"
	Pending   = "pending"
	Safe      = "safe"
	Finalized = "finalized"
)

// BlockRef names a block: by a tag, a number or a hash. The zero value names none.
type BlockRef struct {
	Tag    string
	Number *Quantity
	Hash   *Hash
	// Canonical asks that the block of the hash is on the chain (EIP-1898).
	Canonical bool
}

func (r BlockRef) String() string {
	switch {
	case r.Tag != "":
		return r.Tag
	case r.Number != nil:
		return r.Number.String()
	case r.Hash != nil:
		return r.Hash.String()
	}
	return "no block"
}

// UnmarshalJSON reads a tag, a number in hex or decimal, a hash of 32 bytes, or an object with blockNumber or blockHash
// (EIP-1898). null is no block.
func (r *BlockRef) UnmarshalJSON(b []byte) error {
	*r = BlockRef{}
	if isNull(b) {
		return nil
	}
	if len(b) > 0 && b[0] == '{' {
		var v struct {
			BlockNumber      *Quantity
			BlockHash        *Hash
			RequireCanonical bool
		}
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		if (v.BlockNumber == nil) == (v.BlockHash == nil) {
			return fmt.Errorf("%s: want either blockNumber or blockHash", show(b))
		}
		*r = BlockRef{Number: v.BlockNumber, Hash: v.BlockHash, Canonical: v.RequireCanonical}
		return nil
	}
	var s string
	if json.Unmarshal(b, &s) == nil {
		switch s {
		case Earliest, Latest, Pending, Safe, Finalized:
			r.Tag = s
			return nil
		}
		if len(s) == 66 {
			r.Hash = new(Hash)
			return r.Hash.UnmarshalJSON(b)
		}
	}
	r.Number = new(Quantity)
	if err := r.Number.UnmarshalJSON(b); err != nil {
		*r = BlockRef{}
		return fmt.Errorf("%s is no block: want latest, pending, earliest, safe, finalized, a number or a hash", show(b))
	}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (r BlockRef) MarshalJSON() ([]byte, error) {
	switch {
	case r.Hash != nil && r.Canonical:
		return json.Marshal(map[string]any{"blockHash": r.Hash, "requireCanonical": true})
	case r.Tag == "" && r.Number == nil && r.Hash == nil:
		return []byte("null"), nil
	}
	return json.Marshal(r.String())
}

func invalid(format string, args ...any) *Error {
	return &Error{Code: CodeInvalidParams, Message: fmt.Sprintf(format, args...)}
}
