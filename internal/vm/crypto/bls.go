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
	return distinct(msgs) && verifyPairs(sig, keys, msgs)
}

// verifyPairsGo is VerifyBLSAggregate for one or more signers of different messages.
func verifyPairsGo(sig [BLSSignatureLen]byte, keys [][BLSKeyLen]byte, msgs [][]byte) bool {
	s, good := DecodeBLSSignature(sig)
	ks, ok := publicKeys(keys)
	if !good || !ok {
		return false
	}
	hashes := make([]bls12381.G2Affine, len(msgs))
	for i, msg := range msgs {
		h, err := HashBLS(msg)
		if err != nil {
			return false
		}
		hashes[i] = h
	}
	return pairs(s, ks, hashes)
}

// VerifyBLSDigests is VerifyBLSAggregate for messages whose hashes are given as points. Nobody's signature is bad here,
// and points that are equal are refused as messages are.
func VerifyBLSDigests(sig [BLSSignatureLen]byte, keys [][BLSKeyLen]byte, digests [][BLSSignatureLen]byte) bool {
	s, ok := DecodeBLSSignature(sig)
	if !ok || len(keys) != len(digests) || len(keys) == 0 {
		return false
	}
	hashes := make([]bls12381.G2Affine, len(digests))
	seen := make(map[[BLSSignatureLen]byte]struct{}, len(digests))
	for i, d := range digests {
		if _, dup := seen[d]; dup {
			return false
		}
		seen[d] = struct{}{} // a point has one encoding
		if hashes[i], ok = DecodeBLSSignature(d); !ok {
			return false
		}
	}
	ks, ok := publicKeys(keys)
	return ok && pairs(s, ks, hashes)
}

// DecodeBLSSignature reads a compressed point of G2. It is false for other bytes, and outside the prime-order subgroup.
func DecodeBLSSignature(sig [BLSSignatureLen]byte) (p bls12381.G2Affine, ok bool) {
	if !isCompressed(sig[0]) {
		return p, false
	}
	_, err := p.SetBytes(sig[:])
	return p, err == nil
}

// HashBLS is the point that a message is signed by.
func HashBLS(msg []byte) (bls12381.G2Affine, error) {
	return bls12381.HashToG2(msg, []byte(blsDomain))
}

// publicKeys decodes keys. It is false if one of them is no key.
func publicKeys(keys [][BLSKeyLen]byte) ([]bls12381.G1Affine, bool) {
	points := make([]bls12381.G1Affine, len(keys))
	for i, key := range keys {
		if !isCompressed(key[0]) {
			return nil, false
		}
		if _, err := points[i].SetBytes(key[:]); err != nil || points[i].IsInfinity() {
			return nil, false
		}
	}
	return points, true
}

// pairs tells whether the product of e(key, hash) over all signers is e(g, sig), so that times e(-g, sig) it is one.
func pairs(sig bls12381.G2Affine, keys []bls12381.G1Affine, hashes []bls12381.G2Affine) bool {
	_, _, g, _ := bls12381.Generators()
	g.Neg(&g)
	ok, err := bls12381.PairingCheck(append([]bls12381.G1Affine{g}, keys...), append([]bls12381.G2Affine{sig}, hashes...))
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
