package crypto

import (
	"context"

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
	ok, err := VerifyBLSAggregateWhile(context.Background(), sig, keys, msgs)
	return ok && err == nil
}

// VerifyBLSAggregateWhile is VerifyBLSAggregate that gives up, with ctx's error, once ctx is done.
func VerifyBLSAggregateWhile(ctx context.Context, sig [BLSSignatureLen]byte, keys [][BLSKeyLen]byte, msgs [][]byte) (bool, error) {
	if len(keys) != len(msgs) {
		return false, nil
	}
	if len(keys) == 0 {
		return true, nil
	}
	if !distinct(msgs) {
		return false, nil
	}
	return verifyPairs(ctx, sig, keys, msgs)
}

// signersPart is how many signers are dealt with between two looks at the context: some milliseconds.
const signersPart = 16

// verifyPairsGo is VerifyBLSAggregateWhile for one or more signers of different messages.
func verifyPairsGo(ctx context.Context, sig [BLSSignatureLen]byte, keys [][BLSKeyLen]byte, msgs [][]byte) (bool, error) {
	s, ok := DecodeBLSSignature(sig)
	if !ok {
		return false, nil
	}
	ks, hashes := make([]bls12381.G1Affine, len(keys)), make([]bls12381.G2Affine, len(msgs))
	for i := range keys {
		if i%signersPart == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		if ks[i], ok = publicKey(keys[i]); !ok {
			return false, nil
		}
		var err error
		if hashes[i], err = HashBLS(msgs[i]); err != nil {
			return false, nil
		}
	}
	return pairs(ctx, s, ks, hashes)
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
	ks := make([]bls12381.G1Affine, len(keys))
	for i := range keys {
		if ks[i], ok = publicKey(keys[i]); !ok {
			return false
		}
	}
	good, err := pairs(context.Background(), s, ks, hashes)
	return good && err == nil
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

// publicKey decodes a key. It is false for what is no key.
func publicKey(key [BLSKeyLen]byte) (p bls12381.G1Affine, ok bool) {
	if !isCompressed(key[0]) {
		return p, false
	}
	_, err := p.SetBytes(key[:])
	return p, err == nil && !p.IsInfinity()
}

// pairs tells whether the product of e(key, hash) over all signers is e(g, sig), so that times e(-g, sig) it is one. It gives up once
// ctx is done.
func pairs(ctx context.Context, sig bls12381.G2Affine, keys []bls12381.G1Affine, hashes []bls12381.G2Affine) (bool, error) {
	_, _, g, _ := bls12381.Generators()
	g.Neg(&g)
	p, q := append([]bls12381.G1Affine{g}, keys...), append([]bls12381.G2Affine{sig}, hashes...)
	var product, one bls12381.GT
	product.SetOne()
	one.SetOne()
	for len(p) > 0 {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n := min(len(p), signersPart)
		f, err := bls12381.MillerLoop(p[:n], q[:n])
		if err != nil {
			return false, nil
		}
		product.Mul(&product, &f)
		p, q = p[n:], q[n:]
	}
	e := bls12381.FinalExponentiation(&product)
	return e.Equal(&one), nil
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
