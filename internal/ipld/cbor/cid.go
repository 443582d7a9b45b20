package cbor

import (
	"encoding/binary"
	"errors"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// What the machine knows of multicodec's table.
const (
	CodecCBOR    = 0x51 // which go-cid does not name
	CodecRaw     = cid.Raw
	CodecDagPB   = cid.DagProtobuf
	CodecDagCBOR = cid.DagCBOR

	CodecFilCommitmentUnsealed = cid.FilCommitmentUnsealed
	CodecFilCommitmentSealed   = cid.FilCommitmentSealed

	HashIdentity   = multihash.IDENTITY
	HashSHA256     = multihash.SHA2_256
	HashBlake2b256 = multihash.BLAKE2B_MIN + 31
)

const (
	maxDigest    = 64 // bytes: the network's nodes hold no longer digest in a CID
	digestLen256 = 32
	maxUvarint   = 10 // bytes
	uvarintMore  = 0x80
)

// ErrCID is the error for bytes that begin with no CID.
var ErrCID = errors.New("invalid CID")

// CIDParts is a CID taken apart. Digest is a part of what it was read from.
type CIDParts[T ~string | ~[]byte] struct {
	Version, Codec, Hash uint64
	Digest               T
	canonical            bool // the bytes read are the CID's own form
	hashAt               int  // where in them the multihash begins
}

// Linkable reports whether the CID is one that actors can make blocks of: by blake2b-256, not cut short.
func (p *CIDParts[T]) Linkable() bool {
	return p.Hash == HashBlake2b256 && len(p.Digest) == digestLen256
}

// readUvarint is addr.ReadUvarint for strings too: n is 0 if b begins with no shortest-form varint.
//
// Quirk: bits of the tenth byte above the 64th are dropped.
func readUvarint[T ~string | ~[]byte](b T) (v uint64, n int) {
	for i := 0; i < len(b) && i < maxUvarint; i++ {
		c := b[i]
		v |= uint64(c&^uvarintMore) << (7 * i)
		if c < uvarintMore {
			if c == 0 && i > 0 {
				return 0, 0
			}
			return v, i + 1
		}
	}
	return 0, 0
}

// SplitCID takes apart the CID that b begins with and says how many bytes it has. The error is ErrCID.
func SplitCID[T ~string | ~[]byte](b T) (p CIDParts[T], n int, err error) {
	version, n1 := readUvarint(b)
	if n1 == 0 {
		return p, 0, ErrCID
	}
	codec, n2 := readUvarint(b[n1:])
	if n2 == 0 {
		return p, 0, ErrCID
	}
	n = n1 + n2
	if version == HashSHA256 && codec == digestLen256 { // version 0 is a bare SHA-256 multihash
		if len(b)-n < digestLen256 {
			return p, 0, ErrCID
		}
		p = CIDParts[T]{Codec: CodecDagPB, Hash: HashSHA256, Digest: b[n : n+digestLen256], canonical: n == 2}
		return p, n + digestLen256, nil
	}
	if version != 1 {
		return p, 0, ErrCID
	}
	p = CIDParts[T]{Version: 1, Codec: codec, hashAt: n}
	hash, n3 := readUvarint(b[n:])
	if n3 == 0 {
		return p, 0, ErrCID
	}
	n += n3
	size, n4 := readUvarint(b[n:])
	n += n4
	if n4 == 0 || size > maxDigest || size > uint64(len(b)-n) {
		return p, 0, ErrCID
	}
	p.Hash, p.Digest = hash, b[n:n+int(size)]
	p.canonical = n1+n2+n3+n4 == uvarintLen(version)+uvarintLen(codec)+uvarintLen(hash)+uvarintLen(size)
	return p, n + int(size), nil
}

func uvarintLen(v uint64) int {
	n := 1
	for ; v >= uvarintMore; v >>= 7 {
		n++
	}
	return n
}

// ParseCID reads the CID that b begins with, of version 0 or 1, and says how many bytes it has. Varints are in
// their shortest form and a digest has at most 64 bytes. Unlike go-cid it takes codecs and hash codes of 2^63
// and more. The error is ErrCID.
func ParseCID(b []byte) (c cid.Cid, n int, err error) {
	p, n, err := SplitCID(b)
	if err != nil {
		return cid.Undef, 0, err
	}
	return p.CID(b[:n]), n, nil
}

// Bytes is the CID's own form, which is raw, the bytes it was read from, unless that has too long a varint (see
// readUvarint).
func (p *CIDParts[T]) Bytes(raw []byte) []byte {
	if p.canonical {
		return raw
	}
	return p.CID(raw).Bytes()
}

// CID puts the CID together again; raw is what it was read from.
func (p *CIDParts[T]) CID(raw []byte) cid.Cid {
	if p.canonical && p.Version == 1 {
		return cid.NewCidV1(p.Codec, raw[p.hashAt:])
	}
	mh := make(multihash.Multihash, 0, 2*binary.MaxVarintLen64+maxDigest)
	mh = binary.AppendUvarint(binary.AppendUvarint(mh, p.Hash), uint64(len(p.Digest)))
	mh = append(mh, p.Digest...)
	if p.Version == 0 {
		return cid.NewCidV0(mh)
	}
	return cid.NewCidV1(p.Codec, mh)
}

// Split takes a CID apart; ok is false for one that is not defined or not the network's.
func Split(c cid.Cid) (p CIDParts[string], ok bool) {
	s := c.KeyString()
	p, n, err := SplitCID(s)
	return p, err == nil && n == len(s)
}

// Blake2bCID is the CID of a block with the given codec and blake2b-256 digest.
func Blake2bCID(codec uint64, digest [32]byte) cid.Cid {
	mh := make(multihash.Multihash, 0, 1+binary.MaxVarintLen32+digestLen256)
	mh = append(binary.AppendUvarint(mh, HashBlake2b256), digestLen256)
	return cid.NewCidV1(codec, append(mh, digest[:]...))
}

// AppendCID appends a link: tag 42 on a byte string of a zero byte and the CID (DAG-CBOR).
func AppendCID(dst []byte, c cid.Cid) []byte {
	s := c.KeyString()
	dst = AppendHeader(dst, Tag, TagCID)
	dst = append(AppendHeader(dst, Bytes, uint64(len(s)+1)), 0)
	return append(dst, s...)
}
