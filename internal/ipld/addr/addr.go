// Package addr reads Filecoin addresses from bytes, by the rules that the network's nodes agree on.
//
// go-address follows the same specification but refuses actor IDs and namespaces of 2^63 and more, which the
// network reads. An actor can tell the two apart (one is a bad argument, the other an actor that does not
// exist), so every address that comes from a guest or a message is read here.
//
// Callers are the kernel, the syscalls and the message decoder; this package calls go-address alone. What does
// not belong here: looking an address up in the state.
package addr

import (
	"encoding/binary"
	"errors"
	"strconv"
	"unsafe"

	"github.com/filecoin-project/go-address"
	"golang.org/x/crypto/blake2b"
)

// MaxSubaddressLen is the longest subaddress of a delegated address, in bytes (FIP-0048).
const MaxSubaddressLen = address.MaxSubaddressLen

// MaxLen is the longest address in its byte form.
const MaxLen = 1 + binary.MaxVarintLen64 + MaxSubaddressLen

// ErrInvalid is the error for every malformed address: the actor hears of an illegal argument whatever is wrong.
var ErrInvalid = errors.New("invalid address")

// ParseAddress reads an address from its byte form, a protocol byte and a payload. The result's Bytes are the
// canonical form and may differ from b (see ReadUvarint). The error is ErrInvalid.
//
// Quirk: IDs and namespaces of 2^63 and more are addresses. An address from outside is printed by String of this
// package, which knows them all, and not by the method String.
func ParseAddress(b []byte) (address.Address, error) {
	if len(b) < 2 {
		return address.Undef, ErrInvalid
	}
	protocol, payload := b[0], b[1:]
	switch protocol {
	case address.ID:
		id, rest, err := ReadUvarint(payload)
		if err != nil || len(rest) != 0 {
			return address.Undef, ErrInvalid
		}
		return NewID(id), nil
	case address.Delegated:
		namespace, sub, err := ReadUvarint(payload)
		if err != nil || len(sub) > MaxSubaddressLen {
			return address.Undef, ErrInvalid
		}
		buf := make([]byte, 0, MaxLen)
		buf = binary.AppendUvarint(append(buf, protocol), namespace)
		return fromBytes(append(buf, sub...)), nil
	case address.SECP256K1, address.Actor:
		if len(payload) != address.PayloadHashLength {
			return address.Undef, ErrInvalid
		}
	case address.BLS:
		if len(payload) != address.BlsPublicKeyBytes {
			return address.Undef, ErrInvalid
		}
	default:
		return address.Undef, ErrInvalid
	}
	return fromBytes(b), nil
}

// NewID is the address of an actor ID. Unlike address.NewIDAddress it takes every ID.
func NewID(id uint64) address.Address {
	var buf [1 + binary.MaxVarintLen64]byte // buf[0] is the protocol, ID
	n := binary.PutUvarint(buf[1:], id)
	return fromBytes(buf[:1+n])
}

// ID is the actor ID that an ID address stands for; ok is false for other addresses. Unlike
// address.IDFromAddress it knows every ID.
func ID(a address.Address) (id uint64, ok bool) {
	if a.Protocol() != address.ID {
		return 0, false
	}
	id, rest, err := ReadUvarint(a.Payload())
	return id, err == nil && len(rest) == 0
}

// Delegated takes a delegated (f4) address apart; ok is false for other addresses.
func Delegated(a address.Address) (namespace uint64, subaddress []byte, ok bool) {
	if a.Protocol() != address.Delegated {
		return 0, nil, false
	}
	namespace, subaddress, err := ReadUvarint(a.Payload())
	return namespace, subaddress, err == nil
}

// IsBLSZeroAddress tells whether a is the address of the BLS key that is the point at infinity. No account can
// be made for it.
func IsBLSZeroAddress(a address.Address) bool {
	return a.Protocol() == address.BLS && string(a.Payload()) == blsZeroKey
}

const blsZeroKey = "\xc0" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// String prints an address, whichever it is, as mainnet does.
func String(a address.Address) string {
	if a == address.Undef {
		return address.UndefAddressString
	}
	prefix := address.MainnetPrefix + strconv.Itoa(int(a.Protocol()))
	if id, ok := ID(a); ok {
		return prefix + strconv.FormatUint(id, 10)
	}
	tail := a.Payload()
	if namespace, sub, ok := Delegated(a); ok {
		prefix += strconv.FormatUint(namespace, 10) + "f"
		tail = sub
	}
	return prefix + address.AddressEncoding.WithPadding(-1).EncodeToString(append(tail[:len(tail):len(tail)], checksum(a)...))
}

func checksum(a address.Address) []byte {
	h, err := blake2b.New(address.ChecksumHashLength, nil)
	if err != nil {
		panic(err) // the length is a constant that blake2b takes
	}
	h.Write(a.Bytes())
	return h.Sum(nil)
}

// fromBytes makes an address of b, which ParseAddress or NewID has checked, through go-address where that takes it.
func fromBytes(b []byte) address.Address {
	a, err := address.NewFromBytes(b)
	if err == nil {
		return a
	}
	// address.Address is a struct of one string, and its package has no way in for an ID or namespace of 2^63
	// and more. TestLayout fails if that struct ever changes.
	s := string(b)
	return *(*address.Address)(unsafe.Pointer(&s))
}
