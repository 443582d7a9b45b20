package ffi

import "github.com/edgefvm/fvm/bls"

// Lengths in bytes.
const (
	SignatureBytes  = 96
	PrivateKeyBytes = 32
	PublicKeyBytes  = 48
	DigestBytes     = 96
)

type (
	// Signature is a compressed point of G2.
	Signature = bls.Signature
	// PrivateKey is a number, its least significant byte first.
	PrivateKey = bls.PrivateKey
	// PublicKey is a compressed point of G1.
	PublicKey = bls.PublicKey
	// Message is what is signed.
	Message = []byte
	// Digest is a message's hash, a compressed point of G2.
	Digest = bls.Digest
	// PrivateKeyGenSeed is what a key is made from.
	PrivateKeyGenSeed = [32]byte
)

// Hash computes a message's digest.
func Hash(message Message) Digest { return bls.Hash(message) }

// Verify tells whether signature is the sum of a signature of each digest by the key beside it, see [bls.VerifyDigests].
func Verify(signature *Signature, digests []Digest, publicKeys []PublicKey) bool {
	return signature != nil && bls.VerifyDigests(*signature, digests, publicKeys)
}

// HashVerify tells whether signature is the sum of a signature of each message by the key beside it, see [bls.Verify].
func HashVerify(signature *Signature, messages []Message, publicKeys []PublicKey) bool {
	return signature != nil && bls.Verify(*signature, messages, publicKeys)
}

// Aggregate is the sum of signatures, nil if there are none or one of them is no signature.
func Aggregate(signatures []Signature) *Signature {
	return orNil(bls.Aggregate(signatures))
}

// PrivateKeyGenerate makes a key from the system's randomness.
func PrivateKeyGenerate() PrivateKey { return bls.GenerateKey() }

// PrivateKeyGenerateWithSeed makes a key from a seed, the same as the original makes.
func PrivateKeyGenerateWithSeed(seed PrivateKeyGenSeed) PrivateKey {
	return bls.KeyFromSeed(seed)
}

// PrivateKeySign signs a message. nil: the key is no number below the group's order.
func PrivateKeySign(privateKey PrivateKey, message Message) *Signature {
	return orNil(bls.Sign(privateKey, message))
}

// PrivateKeyPublicKey is the key that verifies. nil as above.
func PrivateKeyPublicKey(privateKey PrivateKey) *PublicKey {
	return orNil(bls.PublicKeyOf(privateKey))
}

// CreateZeroSignature is the signature that adds nothing, a placeholder.
func CreateZeroSignature() Signature { return bls.Infinity() }

func orNil[T any](v T, ok bool) *T {
	if !ok {
		return nil
	}
	return &v
}
