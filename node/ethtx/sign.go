package ethtx

import (
	"errors"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/sha3"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// Keccak256 is Ethereum's hash, which differs from SHA3-256 in its padding.
func Keccak256(parts ...[]byte) (sum [32]byte) {
	h := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(sum[:0])
	return sum
}

// body are the fields that are signed, in their order.
func (t *Transaction) body() []byte {
	var body []byte
	add := func(parts ...[]byte) {
		for _, p := range parts {
			body = appendRLP(body, false, p)
		}
	}
	number := func(v uint64) []byte { return new(big.Int).SetUint64(v).Bytes() }
	if t.Dynamic {
		add(number(t.ChainID), number(t.Nonce), t.Premium.Bytes(), t.FeeCap.Bytes(), number(t.GasLimit), t.To, t.Value.Bytes(), t.Input)
		return appendRLP(body, true, nil) // the access list
	}
	add(number(t.Nonce), t.FeeCap.Bytes(), number(t.GasLimit), t.To, t.Value.Bytes(), t.Input)
	return body
}

func (t *Transaction) wrap(body []byte) []byte {
	if t.Dynamic {
		return appendRLP([]byte{2}, true, body)
	}
	return appendRLP(nil, true, body)
}

// Unsigned is what the sender signs the hash of.
func (t *Transaction) Unsigned() []byte {
	body := t.body()
	if !t.Dynamic && t.ChainID != 0 {
		for _, p := range [][]byte{new(big.Int).SetUint64(t.ChainID).Bytes(), nil, nil} {
			body = appendRLP(body, false, p)
		}
	}
	return t.wrap(body)
}

// Encode is the raw transaction, as Decode reads it.
func (t *Transaction) Encode() []byte {
	body := t.body()
	for _, p := range []*big.Int{t.V, t.R, t.S} {
		body = appendRLP(body, false, p.Bytes())
	}
	return t.wrap(body)
}

// Hash is what Ethereum calls the transaction.
func (t *Transaction) Hash() [32]byte { return Keccak256(t.Encode()) }

// Odd is the bit that tells the sender's two possible keys apart (yParity).
func (t *Transaction) Odd() byte {
	switch {
	case t.Dynamic:
		return byte(t.V.Uint64())
	case t.ChainID == 0:
		return byte(t.V.Uint64() - 27)
	}
	return 1 - byte(t.V.Bit(0)) // 35 and twice the chain's id is odd
}

// Sender finds who signed.
func (t *Transaction) Sender() (eth [addr.EthLen]byte, err error) {
	var sig Signature
	sig.Odd = t.Odd()
	t.R.FillBytes(sig.R[:])
	t.S.FillBytes(sig.S[:])
	return sig.Recover(Keccak256(t.Unsigned()))
}

// Sign signs for the transaction's chain: V, R and S become those of key. A legacy transaction whose ChainID is 0 is signed
// as before EIP-155, and is good on any chain.
func (t *Transaction) Sign(key *secp256k1.PrivateKey) {
	sig := SignHash(key, Keccak256(t.Unsigned()))
	v := big.NewInt(int64(sig.Odd))
	if !t.Dynamic {
		v.Add(v, big.NewInt(27))
		if t.ChainID != 0 {
			v.Add(v, big.NewInt(8))
			v.Add(v, new(big.Int).Lsh(new(big.Int).SetUint64(t.ChainID), 1))
		}
	}
	t.V, t.R, t.S = v, new(big.Int).SetBytes(sig.R[:]), new(big.Int).SetBytes(sig.S[:])
}

// Signature is one on secp256k1 of which the key can be found again.
type Signature struct {
	R, S [32]byte
	Odd  byte // 0 or 1
}

// SignHash signs a hash, always alike (RFC 6979), with the smaller of the two possible S.
func SignHash(key *secp256k1.PrivateKey, hash [32]byte) Signature {
	sig := ecdsa.SignCompact(key, hash[:], false)
	return Signature{[32]byte(sig[1:33]), [32]byte(sig[33:65]), sig[0] - 27}
}

// Recover finds whose signature it is of a hash.
func (s *Signature) Recover(hash [32]byte) (eth [addr.EthLen]byte, err error) {
	sig := append(append([]byte{27 + s.Odd}, s.R[:]...), s.S[:]...)
	key, _, err := ecdsa.RecoverCompact(sig, hash[:])
	if err != nil || s.Odd > 1 {
		return eth, errors.New("nobody can have made its signature")
	}
	return KeyAddress(key), nil
}

// Bytes is the signature as wallets show it: R, S, and 27 or 28.
func (s *Signature) Bytes() []byte {
	return append(append(append(make([]byte, 0, 65), s.R[:]...), s.S[:]...), 27+s.Odd)
}

// KeyAddress is the address of a key.
func KeyAddress(key *secp256k1.PublicKey) [addr.EthLen]byte {
	sum := Keccak256(key.SerializeUncompressed()[1:])
	return [addr.EthLen]byte(sum[12:])
}
