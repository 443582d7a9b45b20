package state

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/textform"
)

// Key is what the keys of a map or array are.
type Key struct {
	name string // such as "sector"
	form string // an example, for errors
	show func(raw []byte) (string, error)
	// parse reads what show writes, and what people write for it.
	parse func(text string) ([]byte, error)
	ofID  func(a address.Address) []byte // of keys that are addresses or ids: the key of an id; nil for others
}

var (
	keyAddress       = Key{"address", "f01000", showAddress, parseAddressKey, address.Address.Bytes}
	keyActorAddress  = Key{"actor", "f01000", showAddress, parseAddressKey, address.Address.Bytes}
	keyActor         = Key{"actor", "f01000", showActorKey, parseActorKey, address.Address.Payload}
	keyAddressPair   = Key{"pair of addresses", "f01000,f01001", showPair, parsePair, nil}
	keyCID           = Key{"CID", "bafy2bz...", showCID, parseCIDKey, nil}
	keySlot          = Key{"slot", "0x00", showSlot, parseSlot, nil}
	keyEpoch         = Key{"epoch", "2880", showSigned, parseSigned, nil}
	keyTransaction   = Key{"transaction", "0", showSigned, parseSigned, nil}
	keyEpochUnsigned = unsignedKey("epoch", "2880")
	keyDeal          = unsignedKey("deal", "0")
	keySector        = unsignedKey("sector", "0")
	keyAllocation    = unsignedKey("allocation", "1")
	// The next are those of arrays.
	keyPartition = unsignedKey("partition", "0")
	keyLane      = unsignedKey("lane", "0")
	keyIndex     = unsignedKey("index", "0")
)

func unsignedKey(name, form string) Key { return Key{name, form, showUnsigned, parseUnsigned, nil} }

// rawIndex is an array's index as the key of a map would be.
func rawIndex(i uint64) []byte { return binary.AppendUvarint(nil, i) }

func arrayIndex(raw []byte) (uint64, error) {
	v, n := binary.Uvarint(raw)
	if n != len(raw) {
		return 0, errors.New("not an index")
	}
	return v, nil
}

func showUnsigned(raw []byte) (string, error) {
	v, n := binary.Uvarint(raw)
	if n != len(raw) {
		return "", errors.New("not an unsigned varint")
	}
	return strconv.FormatUint(v, 10), nil
}

func parseUnsigned(text string) ([]byte, error) {
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return nil, errors.New("not a number")
	}
	return binary.AppendUvarint(nil, v), nil
}

func showSigned(raw []byte) (string, error) {
	v, n := binary.Varint(raw)
	if n != len(raw) {
		return "", errors.New("not a varint")
	}
	return strconv.FormatInt(v, 10), nil
}

func parseSigned(text string) ([]byte, error) {
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, errors.New("not a number")
	}
	return binary.AppendVarint(nil, v), nil
}

func showAddress(raw []byte) (string, error) {
	a, err := addr.ParseAddress(raw)
	if err != nil {
		return "", err
	}
	return addr.String(a), nil
}

func parseAddressKey(text string) ([]byte, error) {
	a, err := textform.Address(text)
	if err != nil {
		return nil, err
	}
	return a.Bytes(), nil
}

func showActorKey(raw []byte) (string, error) {
	v, n := binary.Uvarint(raw)
	if n != len(raw) {
		return "", errors.New("not an actor's id")
	}
	return addr.String(addr.NewID(v)), nil
}

func parseActorKey(text string) ([]byte, error) {
	if raw, err := parseUnsigned(text); err == nil {
		return raw, nil
	}
	a, err := textform.Address(text)
	if err != nil {
		return nil, err
	}
	// The bytes of another address than an id's are no key of such a map: what is asked for next is the id's.
	return a.Payload(), nil
}

func showPair(raw []byte) (string, error) {
	r := cbor.NewReader(raw)
	r.Tuple(2)
	first, second := r.Bytes(), r.Bytes()
	if err := r.End(); err != nil {
		return "", err
	}
	a, err := showAddress(first)
	if err != nil {
		return "", err
	}
	b, err := showAddress(second)
	return a + "," + b, err
}

func parsePair(text string) ([]byte, error) {
	first, second, ok := strings.Cut(text, ",")
	if !ok {
		return nil, errors.New("not two addresses with a comma between")
	}
	a, err := textform.Address(first)
	if err != nil {
		return nil, err
	}
	b, err := textform.Address(second)
	if err != nil {
		return nil, err
	}
	return cbor.AppendBytes(cbor.AppendBytes(cbor.AppendArray(nil, 2), a.Bytes()), b.Bytes()), nil
}

func showCID(raw []byte) (string, error) {
	c, n, err := cbor.ParseCID(raw)
	if err != nil || n != len(raw) {
		return "", errors.New("not a CID")
	}
	return c.String(), nil
}

func parseCIDKey(text string) ([]byte, error) {
	c, err := cid.Decode(text)
	if err != nil {
		return nil, errors.New("not a CID")
	}
	return c.Bytes(), nil
}

func showSlot(raw []byte) (string, error) { return fmt.Sprintf("0x%064x", raw), nil }

// parseSlot reads a slot's number, in decimal or, with 0x, in hex of up to 32 bytes.
func parseSlot(text string) ([]byte, error) {
	n, ok := new(big.Int).SetString(text, 0)
	if digits, isHex := strings.CutPrefix(strings.ToLower(text), "0x"); isHex && len(digits) <= 64 {
		if len(digits)%2 == 1 {
			digits = "0" + digits
		}
		b, err := hex.DecodeString(digits)
		n, ok = new(big.Int).SetBytes(b), err == nil && digits != ""
	}
	if !ok || n.Sign() < 0 || n.BitLen() > 256 || len(text) > 80 {
		return nil, errors.New("not a number of 256 bits")
	}
	return n.FillBytes(make([]byte, 32)), nil
}
