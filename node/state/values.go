package state

import (
	"errors"
	"fmt"
	"io"

	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/manifest"
	"github.com/filecoin-project/go-state-types/proof"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// Values that stand in maps and arrays of several actors.
type (
	amountValue    = big.Int
	bitfieldValue  = bitfield.BitField
	manifestValue  = manifest.ManifestData
	sealVerifyInfo = proof.SealVerifyInfo
)

// number is an unsigned integer that stands alone.
type number uint64

// UnmarshalCBOR reads the integer.
func (n *number) UnmarshalCBOR(r io.Reader) error {
	major, v, err := cbg.NewCborReader(r).ReadHeader()
	if err == nil && major != cbg.MajUnsignedInt {
		err = errors.New("an unsigned integer expected")
	}
	*n = number(v)
	return err
}

// MarshalCBOR writes the integer.
func (n *number) MarshalCBOR(w io.Writer) error {
	return cbg.NewCborWriter(w).WriteMajorTypeHeader(cbg.MajUnsignedInt, uint64(*n))
}

// Word is a slot's content in a contract: 256 bits, most significant byte first.
type Word [32]byte

// UnmarshalCBOR reads a word as contracts store it: a byte string without leading zeros.
func (w *Word) UnmarshalCBOR(r io.Reader) error {
	b, err := cbg.ReadByteArray(r, 32)
	if err != nil {
		return fmt.Errorf("a word of 32 bytes: %w", err)
	}
	*w = Word{}
	copy(w[32-len(b):], b)
	return nil
}

// MarshalCBOR writes the word without leading zeros.
func (w *Word) MarshalCBOR(to io.Writer) error {
	b := w[:]
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return cbg.WriteByteArray(to, b)
}
