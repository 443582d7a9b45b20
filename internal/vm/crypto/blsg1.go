package crypto

import (
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
)

// Lengths in bytes of the ciphersuite that has signatures in G1, and keys in G2.
const (
	BLSShortSignatureLen = 48
	BLSLongKeyLen        = 96
)

// blsShortDomain is its domain separation tag (RFC 9380, basic scheme).
const blsShortDomain = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"

// VerifyBLSShort tells whether sig is key's signature of data where signatures are in G1. drand signs so since its chain quicknet; no
// Filecoin address has such a key. A bad encoding, a point outside the prime-order subgroup and a point at infinity make it false.
func VerifyBLSShort(sig [BLSShortSignatureLen]byte, key [BLSLongKeyLen]byte, data []byte) bool {
	var s bls12381.G1Affine
	var k bls12381.G2Affine
	if !isCompressed(sig[0]) || !isCompressed(key[0]) {
		return false
	}
	if _, err := s.SetBytes(sig[:]); err != nil || s.IsInfinity() {
		return false
	}
	if _, err := k.SetBytes(key[:]); err != nil || k.IsInfinity() {
		return false
	}
	h, err := bls12381.HashToG1(data, []byte(blsShortDomain))
	if err != nil {
		return false
	}
	s.Neg(&s)
	_, _, _, generator := bls12381.Generators()
	ok, err := bls12381.PairingCheck([]bls12381.G1Affine{s, h}, []bls12381.G2Affine{generator, k})
	return err == nil && ok
}
