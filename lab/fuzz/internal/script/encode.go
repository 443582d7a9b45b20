package script

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"

	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/crypto"
)

// Codecs and hash functions.
const (
	codecRaw     = cbor.CodecRaw
	codecCBOR    = cbor.CodecCBOR
	codecDagCBOR = cbor.CodecDagCBOR
	codecDagPB   = cbor.CodecDagPB

	hashIdentity   = cbor.HashIdentity
	hashSha256     = crypto.SHA256
	hashKeccak256  = crypto.Keccak256
	hashRipemd160  = crypto.RIPEMD160
	hashBlake2b256 = crypto.BLAKE2b256
	hashBlake2b512 = crypto.BLAKE2b512
)

func uvarint(v uint64) []byte { return binary.AppendUvarint(nil, v) }

func cat(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// cidV1 gives the bytes of a version 1 CID.
func cidV1(codec, hash uint64, digest []byte) []byte {
	return cat(uvarint(1), uvarint(codec), uvarint(hash), uvarint(uint64(len(digest))), digest)
}

// cidOf gives the CID of data with Filecoin's hash function.
func cidOf(codec uint64, data []byte) []byte {
	d := blake2b.Sum256(data)
	return cidV1(codec, hashBlake2b256, d[:])
}

// cidV0 gives the bytes of a version 0 CID.
func cidV0(data []byte) []byte {
	d := sha256.Sum256(data)
	return append([]byte{0x12, 0x20}, d[:]...)
}

// CBOR in pieces, so that malformed items can be made as well.

func cborHead(major byte, v uint64) []byte { return cbor.AppendHeader(nil, major, v) }

func cborUint(v uint64) []byte  { return cbor.AppendUint(nil, v) }
func cborBytes(b []byte) []byte { return cbor.AppendBytes(nil, b) }
func cborText(s string) []byte  { return cbor.AppendText(nil, s) }
func cborArray(items ...[]byte) []byte {
	return cat(cbor.AppendArray(nil, len(items)), cat(items...))
}
func cborTag(tag uint64, item []byte) []byte { return cat(cborHead(cbor.Tag, tag), item) }

func cborInt(v int64) []byte { return cbor.AppendInt(nil, v) }

// cborLink gives a DAG-CBOR link.
func cborLink(cid []byte) []byte { return cborTag(cbor.TagCID, cborBytes(append([]byte{0}, cid...))) }

// cborAmount gives a token amount: sign byte and big-endian magnitude, empty for zero.
func cborAmount(v *big.Int) []byte {
	if v == nil || v.Sign() == 0 {
		return cborBytes(nil)
	}
	sign := byte(0)
	if v.Sign() < 0 {
		sign = 1
	}
	return cborBytes(append([]byte{sign}, v.Bytes()...))
}

// Addresses.

func idAddr(id uint64) []byte                    { return append([]byte{0}, uvarint(id)...) }
func actorAddr(hash []byte) []byte               { return append([]byte{2}, hash...) }
func delegatedAddr(ns uint64, sub []byte) []byte { return cat([]byte{4}, uvarint(ns), sub) }

// Message is an unsigned Filecoin message.
type Message struct {
	To, From []byte
	Nonce    uint64
	Value    *big.Int
	GasLimit int64
	FeeCap   *big.Int
	Premium  *big.Int
	Method   uint64
	Params   []byte
}

// Marshal gives the message's CBOR.
func (m *Message) Marshal() []byte {
	return cborArray(cborUint(0), cborBytes(m.To), cborBytes(m.From), cborUint(m.Nonce), cborAmount(m.Value), cborInt(m.GasLimit),
		cborAmount(m.FeeCap), cborAmount(m.Premium), cborUint(m.Method), cborBytes(m.Params))
}
