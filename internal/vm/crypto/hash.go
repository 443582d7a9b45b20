package crypto

import (
	"crypto/sha256"
	"hash"

	"github.com/multiformats/go-multihash"
	"golang.org/x/crypto/blake2b"
	//lint:ignore SA1019 the network has this hash, so we need it
	"golang.org/x/crypto/ripemd160"
	"golang.org/x/crypto/sha3"
)

// The hash functions of crypto::hash, by multihash code.
const (
	SHA256     uint64 = multihash.SHA2_256
	Keccak256  uint64 = multihash.KECCAK_256
	RIPEMD160  uint64 = 0x1053 // which go-multihash does not name
	BLAKE2b256 uint64 = multihash.BLAKE2B_MIN + 31
	BLAKE2b512 uint64 = multihash.BLAKE2B_MAX
)

// SupportedHash tells whether actors can use a hash function.
func SupportedHash(code uint64) bool {
	switch code {
	case SHA256, Keccak256, RIPEMD160, BLAKE2b256, BLAKE2b512:
		return true
	}
	return false
}

// AppendHash appends the digest of data to dst. With room in dst it does not allocate for the SHA-2 and BLAKE2
// functions. If actors cannot use the hash function, ok is false and dst comes back as it was.
func AppendHash(dst []byte, code uint64, data []byte) (digest []byte, ok bool) {
	switch code {
	case SHA256:
		sum := sha256.Sum256(data)
		return append(dst, sum[:]...), true
	case BLAKE2b256:
		sum := blake2b.Sum256(data)
		return append(dst, sum[:]...), true
	case BLAKE2b512:
		sum := blake2b.Sum512(data)
		return append(dst, sum[:]...), true
	case Keccak256: // not by NewHash: what is made here stays on the stack
		h := sha3.NewLegacyKeccak256()
		h.Write(data)
		return h.Sum(dst), true
	case RIPEMD160:
		h := ripemd160.New()
		h.Write(data)
		return h.Sum(dst), true
	}
	return dst, false
}

// NewHash is a hash function for data that comes in parts. If actors cannot use it, ok is false.
func NewHash(code uint64) (h hash.Hash, ok bool) {
	var err error // of a key, and there is none
	switch code {
	case SHA256:
		h = sha256.New()
	case Keccak256:
		h = sha3.NewLegacyKeccak256()
	case RIPEMD160:
		h = ripemd160.New()
	case BLAKE2b256:
		h, err = blake2b.New256(nil)
	case BLAKE2b512:
		h, err = blake2b.New512(nil)
	default:
		return nil, false
	}
	return h, err == nil
}

// Blake2b256 is the hash of message signing and of the CIDs of blocks. It does not allocate.
func Blake2b256(data []byte) [32]byte { return blake2b.Sum256(data) }

// Blake2b160 is the hash that addresses of keys and actors are made of.
func Blake2b160(data []byte) (sum [20]byte) {
	h, err := blake2b.New(len(sum), nil)
	if err != nil {
		panic(err) // the length is a constant that blake2b takes
	}
	h.Write(data)
	h.Sum(sum[:0])
	return sum
}
