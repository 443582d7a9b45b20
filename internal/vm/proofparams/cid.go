package proofparams

import (
	"encoding/binary"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// maxDigest is the longest digest that a CID can have on the network, in bytes.
const maxDigest = 64

// cid reads a link: tag 42 on a byte string of a zero byte and a CID. Bytes after the CID are ignored.
func (d *decoder) cid() cid.Cid {
	if tag, indefinite := d.header(majorTag); d.err == nil && (indefinite || tag != tagCID) {
		d.fail("a link was expected")
	}
	b := d.next()
	if d.err == nil && b>>5 != majorBytes {
		d.fail("link without a byte string")
	}
	raw := d.appendBytes(nil, b)
	if d.err == nil && (len(raw) < 2 || raw[0] != 0) {
		d.fail("link without the zero byte")
	}
	if d.err != nil {
		return cid.Undef
	}
	c, ok := parseCID(raw[1:])
	if !ok {
		d.fail("bad CID")
	}
	return c
}

// parseCID reads the CID at the start of b, of version 0 or 1. Unlike go-cid it takes codecs and hash codes of
// 2^63 and more; they are no use to anyone, but they decode.
func parseCID(b []byte) (cid.Cid, bool) {
	version, b, err := addr.ReadUvarint(b)
	if err != nil {
		return cid.Undef, false
	}
	codec, b, err := addr.ReadUvarint(b)
	if err != nil {
		return cid.Undef, false
	}
	if version == multihash.SHA2_256 && codec == 32 {
		if len(b) < 32 {
			return cid.Undef, false
		}
		return cid.NewCidV0(append(multihash.Multihash{multihash.SHA2_256, 32}, b[:32]...)), true
	}
	if version != 1 {
		return cid.Undef, false
	}
	code, b, err := addr.ReadUvarint(b)
	if err != nil {
		return cid.Undef, false
	}
	size, b, err := addr.ReadUvarint(b)
	if err != nil || size > maxDigest || size > uint64(len(b)) {
		return cid.Undef, false
	}
	mh := make(multihash.Multihash, 0, 2*binary.MaxVarintLen64+maxDigest)
	mh = binary.AppendUvarint(binary.AppendUvarint(mh, code), size)
	return cid.NewCidV1(codec, append(mh, b[:size]...)), true
}
