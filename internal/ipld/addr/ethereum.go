package addr

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/filecoin-project/go-address"
)

const (
	// EthNamespace is the namespace of Ethereum's addresses among delegated ones: the ID of the actor that manages them
	// (FIP-0055).
	EthNamespace = 10
	// EthLen is how many bytes an address of Ethereum has.
	EthLen = 20
)

// An actor's ID as an address of Ethereum is 0xff, eleven zeros, and the ID in 8 bytes (FIP-0054, "masked ID").
const maskedLen = EthLen - 8

func masked(eth []byte) bool { return [maskedLen]byte(eth) == [maskedLen]byte{0xff} }

// FromEthereum is the Filecoin address of an Ethereum one: f0 for a masked ID, else f410f.
func FromEthereum(eth [EthLen]byte) address.Address {
	if masked(eth[:]) {
		return NewID(binary.BigEndian.Uint64(eth[maskedLen:]))
	}
	return fromBytes(append([]byte{address.Delegated, EthNamespace}, eth[:]...))
}

// Ethereum is the 0x form of an address in small letters, as nodes write it: of an f410f address its own, of an f0 address
// the masked ID. Other addresses have none, and neither has an f410f address whose bytes are those of a masked ID.
func Ethereum(a address.Address) (eth string, ok bool) {
	b, ok := EthereumBytes(a)
	if !ok {
		return "", false
	}
	return "0x" + hex.EncodeToString(b[:]), true
}

// EthereumBytes are the bytes of what Ethereum writes.
func EthereumBytes(a address.Address) (eth [EthLen]byte, ok bool) {
	if id, is := ID(a); is {
		eth[0] = 0xff
		binary.BigEndian.PutUint64(eth[maskedLen:], id)
		return eth, true
	}
	namespace, sub, is := Delegated(a)
	if !is || namespace != EthNamespace || len(sub) != EthLen || masked(sub) {
		return eth, false
	}
	return [EthLen]byte(sub), true
}
