package script

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"

	bls "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/blake2b"
)

// SecpKey is a secp256k1 key made from a seed.
type SecpKey struct{ priv *secp256k1.PrivateKey }

func newSecpKey(seed string) SecpKey {
	d := sha256.Sum256([]byte(seed))
	return SecpKey{secp256k1.PrivKeyFromBytes(d[:])}
}

// Public gives the uncompressed public key.
func (k SecpKey) Public() []byte { return k.priv.PubKey().SerializeUncompressed() }

// Address gives the f1 address.
func (k SecpKey) Address() []byte {
	h, _ := blake2b.New(20, nil)
	h.Write(k.Public())
	return append([]byte{1}, h.Sum(nil)...)
}

// SignDigest signs a 32-byte digest: r, s, recovery id.
func (k SecpKey) SignDigest(digest []byte) []byte {
	c := ecdsa.SignCompact(k.priv, digest, false)
	return append(append([]byte{}, c[1:]...), c[0]-27)
}

// Sign signs a message as Filecoin does.
func (k SecpKey) Sign(msg []byte) []byte {
	d := blake2b.Sum256(msg)
	return k.SignDigest(d[:])
}

// highS turns a signature into its other form: s -> n-s, with the recovery id flipped.
func highS(sig []byte) []byte {
	out := append([]byte{}, sig...)
	n := secp256k1.Params().N
	s := new(big.Int).SetBytes(sig[32:64])
	s.Sub(n, s).FillBytes(out[32:64])
	out[64] ^= 1
	return out
}

// BlsKey is a BLS12-381 key made from a seed.
type BlsKey struct{ secret *big.Int }

func newBlsKey(seed string) BlsKey {
	d := sha256.Sum256([]byte(seed))
	return BlsKey{new(big.Int).Mod(new(big.Int).SetBytes(d[:]), fr.Modulus())}
}

// Public gives the 48-byte compressed public key.
func (k BlsKey) Public() []byte {
	var p bls.G1Affine
	p.ScalarMultiplicationBase(k.secret)
	b := p.Bytes()
	return b[:]
}

// Address gives the f3 address.
func (k BlsKey) Address() []byte { return append([]byte{3}, k.Public()...) }

const blsDST = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_"

func (k BlsKey) point(msg []byte) bls.G2Affine {
	h, err := bls.HashToG2(msg, []byte(blsDST))
	if err != nil {
		panic(err)
	}
	var p bls.G2Affine
	p.ScalarMultiplication(&h, k.secret)
	return p
}

// Sign gives the 96-byte signature.
func (k BlsKey) Sign(msg []byte) []byte {
	p := k.point(msg)
	b := p.Bytes()
	return b[:]
}

// blsAggregate signs message i with key i and adds the signatures up.
func blsAggregate(keys []BlsKey, msgs [][]byte) []byte {
	var sum bls.G2Jac
	for i, k := range keys {
		p := k.point(msgs[i])
		sum.AddMixed(&p)
	}
	var a bls.G2Affine
	a.FromJacobian(&sum)
	b := a.Bytes()
	return b[:]
}

func le32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
func le64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }
