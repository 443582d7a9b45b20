package crypto

import (
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/filecoin-project/go-address"
)

// Lengths in bytes, of compressed points.
const (
	BLSSignatureLen = 96 // in G2
	BLSKeyLen       = 48 // in G1
)

// blsDomain is the ciphersuite of the signatures (basic scheme, keys in G1), used as domain separation tag.
const blsDomain = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_"

// VerifyBLS tells whether sig is signer's signature of data. It is false for a signer that is not an f3 address.
func VerifyBLS(sig []byte, signer address.Address, data []byte) bool {
	if signer.Protocol() != address.BLS || len(sig) != BLSSignatureLen {
		return false
	}
	keys := [][BLSKeyLen]byte{[BLSKeyLen]byte(signer.Payload())}
	return VerifyBLSAggregate([BLSSignatureLen]byte(sig), keys, [][]byte{data})
}

// VerifyBLSAggregate tells whether sig is the sum of a signature of each message by the key beside it.
//
// Nobody's signature of nothing is good, whatever the bytes of sig. Otherwise a bad encoding, a point outside
// the prime-order subgroup, a key that is the point at infinity, and two equal messages make it false (the
// last against rogue keys). A signature that is the point at infinity is judged like any other.
func VerifyBLSAggregate(sig [BLSSignatureLen]byte, keys [][BLSKeyLen]byte, msgs [][]byte) bool {
	if len(keys) != len(msgs) {
		return false
	}
	if len(keys) == 0 {
		return true
	}
	// The product of e(key, H(msg)) over all signers must be e(g, sig), so that
	// times e(-g, sig) must be one.
	p := make([]bls12381.G1Affine, len(keys)+1)
	q := make([]bls12381.G2Affine, len(keys)+1)
	_, _, g, _ := bls12381.Generators()
	p[0].Neg(&g)
	if !isCompressed(sig[0]) {
		return false
	}
	if _, err := q[0].SetBytes(sig[:]); err != nil {
		return false
	}
	for i, key := range keys {
		if !isCompressed(key[0]) {
			return false
		}
		if _, err := p[i+1].SetBytes(key[:]); err != nil || p[i+1].IsInfinity() {
			return false
		}
	}
	if !distinct(msgs) {
		return false
	}
	for i, msg := range msgs {
		h, err := bls12381.HashToG2(msg, []byte(blsDomain))
		if err != nil {
			return false
		}
		q[i+1] = h
	}
	ok, err := bls12381.PairingCheck(p, q)
	return err == nil && ok
}

// isCompressed looks at the first byte of an encoded point. SetBytes takes the
// uncompressed form too, which is longer and so an error, but of the length.
func isCompressed(first byte) bool { return first&0x80 != 0 }

func distinct(msgs [][]byte) bool {
	if len(msgs) == 1 {
		return true
	}
	seen := make(map[string]struct{}, len(msgs))
	for _, msg := range msgs {
		if _, dup := seen[string(msg)]; dup {
			return false
		}
		seen[string(msg)] = struct{}{}
	}
	return true
}
