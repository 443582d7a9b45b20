package blockstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// sectionCID reads the CID that a section begins with, and says how many bytes it has. Archives may have longer digests than the
// network's nodes take, of identity above all.
func sectionCID(section []byte) (cid.Cid, int, error) {
	c, n, err := cbor.ParseCID(section)
	if err == nil {
		return c, n, nil
	}
	if n, c, long := cid.CidFromBytes(section); long == nil && c.Version() == 1 {
		return c, n, nil
	}
	return cid.Undef, 0, err
}

// hashPart is the multihash in a CID, given by its bytes.
func hashPart[T ~string | ~[]byte](c T) T {
	if len(c) == 34 && c[0] == cbor.HashSHA256 && c[1] == 32 { // version 0
		return c
	}
	for range 2 { // version and codec
		i := 0
		for i < len(c) && c[i] >= 0x80 {
			i++
		}
		c = c[min(i+1, len(c)):]
	}
	return c
}

// splitHash takes a multihash apart: the function and the digest. ok is false if it is none.
func splitHash[T ~string | ~[]byte](h T) (function uint64, digest T, ok bool) {
	function, n := uvarint(h)
	size, m := uvarint(h[n:])
	digest = h[n+m:]
	return function, digest, n > 0 && m > 0 && size == uint64(len(digest))
}

func uvarint[T ~string | ~[]byte](b T) (v uint64, n int) {
	for i := 0; i < len(b) && i < binary.MaxVarintLen64; i++ {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

// checkHash checks that a block's bytes hash to its CID, if the function is known.
func checkHash(c cid.Cid, data []byte) error {
	function, want, ok := splitHash(hashPart(c.KeyString()))
	if !ok {
		return errors.New("its CID has no multihash")
	}
	var sum []byte
	switch {
	case function == cbor.HashIdentity:
		sum = data
	case function == cbor.HashBlake2b256 && len(want) == blake2b.Size256:
		s := blake2b.Sum256(data)
		sum = s[:]
	case function == cbor.HashSHA256 && len(want) == sha256.Size:
		s := sha256.Sum256(data)
		sum = s[:]
	default:
		h, err := multihash.Sum(data, function, len(want))
		if errors.Is(err, multihash.ErrSumNotSupported) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("its digest of %d bytes by function %#x: %w", len(want), function, err)
		}
		_, sum, _ = splitHash([]byte(h))
	}
	if !bytes.Equal(sum, []byte(want)) {
		return errors.New("its bytes do not hash to its CID")
	}
	return nil
}
