package eth

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/layout"
)

// Quantity is a number of up to 64 bits: 0x and hex digits without zeros before them. Decimal text and JSON numbers are
// read as well, since clients send them.
type Quantity uint64

// Amount is a number of up to 256 bits, written as a Quantity is. Without a number it is 0.
type Amount struct{ Int *big.Int }

// Data are bytes: 0x and two digits each; 0x for none.
type Data []byte

// Hash is of a block, a transaction, or a topic.
type Hash [32]byte

// Address is one of Ethereum's.
type Address [addr.EthLen]byte

const maxDigits = 80 // of a number: enough for 256 bits in decimal

// number reads a number that JSON has as hex, decimal text or a number.
func number(b []byte, bits int) (*big.Int, error) {
	text := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &text); err != nil {
			return nil, err
		}
	}
	digits, base := text, 10
	if rest, is := strings.CutPrefix(text, "0x"); is {
		digits, base = rest, 16
	}
	v, ok := new(big.Int), false
	if len(digits) <= maxDigits && strings.Trim(digits, "0123456789abcdefABCDEF") == "" {
		v, ok = v.SetString(digits, base)
	}
	switch {
	case !ok:
		return nil, fmt.Errorf("%s is no number: want 0x and hex digits", show(b))
	case v.BitLen() > bits:
		return nil, fmt.Errorf("%s has more than %d bits", show(b), bits)
	}
	return v, nil
}

func show(b []byte) string { return layout.OneLine(layout.Cut(string(b), 80)) }

// isNull tells JSON's null, which sets nothing.
func isNull(b []byte) bool { return string(bytes.TrimSpace(b)) == "null" }

func (q Quantity) String() string { return "0x" + strconv.FormatUint(uint64(q), 16) }

// MarshalJSON writes "0x…".
func (q Quantity) MarshalJSON() ([]byte, error) { return []byte(`"` + q.String() + `"`), nil }

// UnmarshalJSON reads hex, decimal text or a number.
func (q *Quantity) UnmarshalJSON(b []byte) error {
	if isNull(b) {
		return nil
	}
	v, err := number(b, 64)
	if err != nil {
		return err
	}
	*q = Quantity(v.Uint64())
	return nil
}

// NewAmount is an amount of an int64.
func NewAmount(v int64) Amount { return Amount{big.NewInt(v)} }

// Big is the number, and never nil.
func (a Amount) Big() *big.Int {
	if a.Int == nil {
		return new(big.Int)
	}
	return a.Int
}

func (a Amount) String() string { return fmt.Sprintf("%#x", a.Big()) }

// MarshalJSON writes "0x…".
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(`"` + a.String() + `"`), nil }

// UnmarshalJSON reads hex, decimal text or a number.
func (a *Amount) UnmarshalJSON(b []byte) error {
	if isNull(b) {
		return nil
	}
	v, err := number(b, 256)
	if err == nil {
		a.Int = v
	}
	return err
}

// text reads a string of hex with or without 0x.
func hexText(b []byte) ([]byte, error) {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("%s is no string: want 0x and hex digits", show(b))
	}
	if rest, is := strings.CutPrefix(s, "0x"); is {
		s = rest
	} else {
		s = strings.TrimPrefix(s, "0X")
	}
	if len(s)%2 == 1 { // some clients leave the zero out
		s = "0" + s
	}
	data, err := hex.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("%s is no hex: want 0x and hex digits", show(b))
	}
	return data, nil
}

func fixed(to, b []byte) error {
	if isNull(b) {
		return nil
	}
	data, err := hexText(b)
	if err != nil {
		return err
	}
	if len(data) != len(to) {
		return fmt.Errorf("%s has %d bytes: want %d", show(b), len(data), len(to))
	}
	copy(to, data)
	return nil
}

func (d Data) String() string { return "0x" + hex.EncodeToString(d) }

// MarshalJSON writes "0x…".
func (d Data) MarshalJSON() ([]byte, error) { return []byte(`"` + d.String() + `"`), nil }

// UnmarshalJSON reads hex, with or without 0x.
func (d *Data) UnmarshalJSON(b []byte) error {
	if isNull(b) {
		return nil
	}
	data, err := hexText(b)
	*d = data
	return err
}

func (h Hash) String() string { return Data(h[:]).String() }

// MarshalJSON writes "0x…".
func (h Hash) MarshalJSON() ([]byte, error) { return Data(h[:]).MarshalJSON() }

// MarshalText writes the same as the name of a member of an object.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalJSON reads the hex of 32 bytes.
func (h *Hash) UnmarshalJSON(b []byte) error { return fixed(h[:], b) }

func (a Address) String() string { return Data(a[:]).String() }

// MarshalJSON writes "0x…" in small letters.
func (a Address) MarshalJSON() ([]byte, error) { return Data(a[:]).MarshalJSON() }

// MarshalText writes the same as the name of a member of an object.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalJSON reads the hex of 20 bytes. A checksum in capital and small letters (EIP-55) is not looked at, as nodes do
// not.
func (a *Address) UnmarshalJSON(b []byte) error { return fixed(a[:], b) }

// UnmarshalText reads the same as the name of a member of an object.
func (a *Address) UnmarshalText(b []byte) error {
	return fixed(a[:], append(append([]byte{'"'}, b...), '"'))
}

// Filecoin is the address on Filecoin: f0 of a masked ID, else f410f.
func (a Address) Filecoin() address.Address { return addr.FromEthereum(a) }

// MaskedID is the address of an actor that has no other: 0xff, eleven zeros, and its ID.
func MaskedID(id uint64) Address {
	eth, _ := addr.EthereumBytes(addr.NewID(id))
	return eth
}

// HashOf is the hash of a CID of the chain: of a tipset's key, or of a message (FIP-0055).
func HashOf(c cid.Cid) (h Hash, err error) {
	p := c.Prefix()
	if p.Version != 1 || p.Codec != cid.DagCBOR || p.MhType != multihash.BLAKE2B_MIN+31 || p.MhLength != len(h) {
		return h, fmt.Errorf("%s is no hash of the chain's: want a CID of CBOR with blake2b-256", c)
	}
	copy(h[:], c.Hash()[len(c.Hash())-len(h):])
	return h, nil
}

// CID is the CID that HashOf made the hash of. Hashes of Ethereum's transactions are of none.
func (h Hash) CID() cid.Cid {
	mh, err := multihash.Encode(h[:], multihash.BLAKE2B_MIN+31)
	if err != nil {
		panic(err) // the hash is one that multihash knows
	}
	return cid.NewCidV1(cid.DagCBOR, mh)
}

// maskedID is the ID, if the address is a masked one.
func (a Address) maskedID() uint64 { return binary.BigEndian.Uint64(a[len(a)-8:]) }
