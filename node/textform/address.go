package textform

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-address"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/ethtx"
)

// EthNamespace is the namespace of Ethereum's addresses among delegated ones: the ID of the actor that manages them (FIP-0055).
const EthNamespace = addr.EthNamespace

var base32 = address.AddressEncoding.WithPadding(-1) // small letters, digits 2 to 7

const ethLen = addr.EthLen

// Address reads an address in any of its forms: f0 to f4, with t for f on test networks, in which IDs and namespaces
// have up to 64 bits; and 0x with 40 hex digits, which is the f410f address of the same bytes, or the f0 address
// of a masked ID (FIP-0048, FIP-0054, FIP-0055). Capital and small letters together in a 0x address are a checksum (EIP-55), which
// must be right. White space around it does not count. What is not written as nodes write it is ErrNoReading.
func Address(s string) (address.Address, error) {
	s = strings.TrimSpace(s)
	if rest, is := cutPrefix(s, "0x"); is {
		return ethAddress(rest)
	}
	switch {
	case s == "":
		return address.Undef, noReading("it is empty")
	case isDigits(s):
		return address.Undef, noReading("a number alone is no address; the actor of that ID is f0%s", show(s))
	case len(s) == 2*ethLen && isHex(s):
		return address.Undef, noReading("an Ethereum address begins with 0x")
	case s[0] == 'F' || s[0] == 'T':
		return address.Undef, noReading("addresses have small letters: %s", show(strings.ToLower(s)))
	case s[0] != 'f' && s[0] != 't':
		return address.Undef, noReading("addresses begin with f, on test networks with t, or with 0x")
	case len(s) < 2 || s[1] < '0' || s[1] > '4':
		return address.Undef, noReading("after the %c comes a digit from 0 to 4 and the rest of the address", s[0])
	}
	kind, body := s[1]-'0', s[2:]
	if kind == address.ID {
		id, err := strconv.ParseUint(body, 10, 64)
		if err != nil || !isDigits(body) {
			return address.Undef, noReading("after f0 comes the actor's ID, a number below 2^64")
		}
		return addr.NewID(id), nil
	}
	raw := []byte{kind}
	if kind == address.Delegated {
		digits, rest, cut := strings.Cut(body, "f")
		namespace, err := strconv.ParseUint(digits, 10, 64)
		if !cut || err != nil || !isDigits(digits) {
			return address.Undef, noReading("after f4 comes a namespace, a number, and an f: f410f... for Ethereum's")
		}
		raw, body = binary.AppendUvarint(raw, namespace), rest
	}
	payload, err := base32.DecodeString(body)
	if err != nil || len(payload) < address.ChecksumHashLength || strings.ContainsAny(body, "\r\n") {
		return address.Undef, noReading("a letter of it is wrong, or some are missing: it has small letters and digits from 2 to 7")
	}
	sum := payload[len(payload)-address.ChecksumHashLength:]
	raw = append(raw, payload[:len(payload)-address.ChecksumHashLength]...)
	if want, ok := lengths[kind]; ok && len(raw) != want {
		return address.Undef, noReading("an f%d address has %d characters, and this one %d", kind, 2+base32.EncodedLen(want-1+address.ChecksumHashLength), len(s))
	}
	a, err := addr.ParseAddress(raw)
	if err != nil {
		return address.Undef, noReading("what is after the namespace has at most %d bytes", address.MaxSubaddressLen)
	}
	if !bytes.Equal(address.Checksum(raw), sum) {
		return address.Undef, noReading("its checksum is wrong: a letter was changed, lost or added")
	}
	if addr.String(a)[1:] != s[1:] {
		return address.Undef, noReading("it is not written as addresses are; the same one is %s", addr.String(a))
	}
	return a, nil
}

// lengths of addresses in bytes, protocol and payload, where they are fixed.
var lengths = map[byte]int{
	address.SECP256K1: 1 + address.PayloadHashLength, address.Actor: 1 + address.PayloadHashLength, address.BLS: 1 + address.BlsPublicKeyBytes,
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// ethAddress reads what comes after 0x.
func ethAddress(digits string) (address.Address, error) {
	b, err := hex.DecodeString(digits)
	if err != nil {
		return address.Undef, noReading("after 0x come 40 hex digits")
	}
	if len(b) == 32 && bytes.Equal(b[:12], make([]byte, 12)) {
		return address.Undef, noReading("it has 32 bytes, as a word of calldata or a topic has: the address in it is 0x%s", digits[24:])
	}
	if len(b) != ethLen {
		return address.Undef, noReading("after 0x come 40 hex digits, and here are %d", len(digits))
	}
	if strings.ToLower(digits) != digits && strings.ToUpper(digits) != digits && checksummed(b) != "0x"+digits {
		return address.Undef, noReading("its checksum in capital and small letters (EIP-55) is wrong: a digit was changed; if not, write it in small letters, 0x%s", strings.ToLower(digits))
	}
	return FromEth([ethLen]byte(b)), nil
}

// FromEth is the Filecoin address of an Ethereum one: f0 for a masked ID, else f410f.
func FromEth(eth [ethLen]byte) address.Address { return addr.FromEthereum(eth) }

// ToEth is the 0x form of an address in small letters, as nodes write it: of an f410f address its own, of an f0 address the
// masked ID. Other addresses have none, and neither has an f410f address whose bytes are those of a masked ID.
func ToEth(a address.Address) (eth string, ok bool) { return addr.Ethereum(a) }

// checksummed is the 0x form with its checksum in capital and small letters (EIP-55).
func checksummed(b []byte) string {
	digits := []byte(hex.EncodeToString(b))
	sum := ethtx.Keccak256(digits)
	for i, c := range digits {
		if c >= 'a' && sum[i/2]>>(4*(1-i%2))&0xf >= 8 {
			digits[i] = c - 'a' + 'A'
		}
	}
	return "0x" + string(digits)
}
