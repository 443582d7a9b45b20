// Package bls signs and verifies as Filecoin's f3 addresses do: BLS12-381 with keys in G1 and signatures in G2,
// ciphersuite BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_. What it accepts and refuses, and the order of bytes, are
// those of the Rust library that the network's nodes use (bls-signatures 0.15).
//
// Machines verify with the same code. All functions are safe for concurrent use. Signing is not in constant time: keys
// that hold value belong where nobody can measure it.
package bls

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"slices"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
	"golang.org/x/crypto/chacha20"

	"github.com/edgefvm/fvm/internal/vm/crypto"
)

type (
	// PrivateKey is a number below the group's order, its least significant byte first.
	PrivateKey = [32]byte
	// PublicKey is a compressed point of G1, the payload of an f3 address.
	PublicKey = [48]byte
	// Signature is a compressed point of G2.
	Signature = [96]byte
	// Digest is the hash of a message, a compressed point of G2.
	Digest = [96]byte
)

// Infinity is the signature that adds nothing, used as a placeholder.
func Infinity() Signature { return Signature{0xc0} }

// GenerateKey makes a key from the system's randomness.
func GenerateKey() PrivateKey {
	var ikm [32]byte
	rand.Read(ikm[:]) // never fails: crypto/rand ends the program
	return keyOf(ikm[:])
}

// KeyFromSeed makes the key that the network's nodes make of a seed: KeyGen of the first 32 bytes of the seed's ChaCha20
// stream.
func KeyFromSeed(seed [32]byte) PrivateKey {
	var ikm [32]byte
	stream, err := chacha20.NewUnauthenticatedCipher(seed[:], make([]byte, chacha20.NonceSize))
	if err != nil {
		panic(err) // the lengths are right
	}
	stream.XORKeyStream(ikm[:], ikm[:])
	return keyOf(ikm[:])
}

// keyOf is KeyGen of the draft draft-irtf-cfrg-bls-signature-04, section 2.3, without key_info.
func keyOf(ikm []byte) PrivateKey {
	const length = 48
	salt := []byte("BLS-SIG-KEYGEN-SALT-")
	for {
		hashed := sha256.Sum256(salt)
		salt = hashed[:]
		okm, err := hkdf.Key(sha256.New, append(slices.Clone(ikm), 0), salt, string([]byte{0, length}), length)
		if err != nil {
			panic(err) // the length is right
		}
		k := new(big.Int).SetBytes(okm)
		if k.Mod(k, fr.Modulus()).Sign() != 0 {
			var key PrivateKey
			k.FillBytes(key[:])
			slices.Reverse(key[:])
			return key
		}
	}
}

// number is a key as a number. It is false if that is not below the group's order. Zero is a key, if a useless one:
// nobody verifies its signatures.
func number(k PrivateKey) (*big.Int, bool) {
	slices.Reverse(k[:])
	n := new(big.Int).SetBytes(k[:])
	return n, n.Cmp(fr.Modulus()) < 0
}

// PublicKeyOf is the key that verifies what k signs. It is false if k is no key.
func PublicKeyOf(k PrivateKey) (PublicKey, bool) {
	n, ok := number(k)
	if !ok {
		return PublicKey{}, false
	}
	var p bls12381.G1Affine
	p.ScalarMultiplicationBase(n)
	return p.Bytes(), true
}

// Sign signs a message of any length. It is false if k is no key.
func Sign(k PrivateKey, msg []byte) (Signature, bool) {
	n, ok := number(k)
	if !ok {
		return Signature{}, false
	}
	p := hash(msg)
	p.ScalarMultiplication(&p, n)
	return p.Bytes(), true
}

func hash(msg []byte) bls12381.G2Affine {
	p, err := crypto.HashBLS(msg)
	if err != nil {
		panic(err) // only the domain's length could fail
	}
	return p
}

// Hash is a message's digest.
func Hash(msg []byte) Digest {
	p := hash(msg)
	return p.Bytes()
}

// Aggregate is the sum of signatures. It is false if there are none or one of them is no signature.
func Aggregate(sigs []Signature) (Signature, bool) {
	if len(sigs) == 0 {
		return Signature{}, false
	}
	var sum bls12381.G2Jac
	for _, sig := range sigs {
		p, ok := crypto.DecodeBLSSignature(sig)
		if !ok {
			return Signature{}, false
		}
		sum.AddMixed(&p)
	}
	var p bls12381.G2Affine
	p.FromJacobian(&sum)
	return p.Bytes(), true
}

// Verify tells whether sig is the sum of a signature of each message by the key beside it. It is false without
// messages, for two equal messages (against rogue keys), and where anything is no point of its group or a key is the
// point at infinity.
func Verify(sig Signature, msgs [][]byte, keys []PublicKey) bool {
	return len(msgs) > 0 && crypto.VerifyBLSAggregate(sig, keys, msgs)
}

// VerifyDigests is Verify for messages that are hashed already.
func VerifyDigests(sig Signature, digests []Digest, keys []PublicKey) bool {
	return crypto.VerifyBLSDigests(sig, keys, digests)
}
