package crypto

import (
	"errors"

	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/filecoin-project/go-address"
)

// Lengths in bytes.
const (
	SecpSignatureLen = 65 // r, s and a recovery number
	SecpKeyLen       = 65 // uncompressed
)

// ErrRecovery is the error for a signature that no key can have made.
var ErrRecovery = errors.New("no public key can be recovered from the signature")

// RecoverSecp recovers the public key, uncompressed, that signed hash. sig is r, s (32 bytes each, big-endian,
// both in [1, n-1]) and the recovery number, 0 to 3: bit 0 tells the parity of R's y, bit 1 that R's x is r + n.
//
// A large s is as good as its negative, as on Ethereum. Nodes normalise s and flip the parity with it, but
// (s, R) and (-s, -R) recover the same key, so there is nothing to do. The error is ErrRecovery.
func RecoverSecp(hash [32]byte, sig [SecpSignatureLen]byte) (key [SecpKeyLen]byte, err error) {
	const (
		maxRecovery    = 3
		compactRecover = 27 // what Bitcoin adds to the recovery number in its compact form
	)
	if sig[64] > maxRecovery {
		return key, ErrRecovery
	}
	var compact [SecpSignatureLen]byte
	compact[0] = compactRecover + sig[64]
	copy(compact[1:], sig[:64])
	pub, _, err := ecdsa.RecoverCompact(compact[:], hash[:])
	if err != nil {
		return key, ErrRecovery
	}
	return [SecpKeyLen]byte(pub.SerializeUncompressed()), nil
}

// VerifySecp tells whether sig is signer's signature of data. It is false for a signer that is not an f1 address.
func VerifySecp(sig []byte, signer address.Address, data []byte) bool {
	if signer.Protocol() != address.SECP256K1 || len(sig) != SecpSignatureLen {
		return false
	}
	key, err := RecoverSecp(Blake2b256(data), [SecpSignatureLen]byte(sig))
	if err != nil {
		return false
	}
	hash := Blake2b160(key[:])
	return string(hash[:]) == string(signer.Payload())
}
