package filapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/crypto"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/bls"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/ethtx"
)

// The types of keys as nodes name them.
const (
	KeySecp256k1 = "secp256k1"
	KeyBLS       = "bls"
	KeyDelegated = "delegated"
)

// mostKeys is how many keys are kept: clients make them, and nobody else deletes them.
const mostKeys = 10_000

// NewKeys makes a set of keys in memory.
func NewKeys(list ...KeyInfo) (Keys, error) {
	k := &memoryKeys{by: map[address.Address]KeyInfo{}}
	for _, key := range list {
		if _, err := k.Import(context.Background(), key); err != nil {
			return nil, err
		}
	}
	return k, nil
}

type memoryKeys struct {
	mu    sync.Mutex
	order []address.Address
	by    map[address.Address]KeyInfo
}

// List implements Keys.
func (k *memoryKeys) List(context.Context) ([]address.Address, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]address.Address(nil), k.order...), nil
}

func (k *memoryKeys) get(a address.Address) (KeyInfo, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.by[a]
	if !ok {
		return key, fmt.Errorf("there is no key of %s", addr.String(a))
	}
	return key, nil
}

// Sign implements Keys.
func (k *memoryKeys) Sign(_ context.Context, by address.Address, data []byte) (*crypto.Signature, error) {
	key, err := k.get(by)
	if err != nil {
		return nil, err
	}
	return key.sign(data)
}

// Export implements Keys.
func (k *memoryKeys) Export(_ context.Context, of address.Address) (*KeyInfo, error) {
	key, err := k.get(of)
	return &key, err
}

// Import implements Keys.
func (k *memoryKeys) Import(_ context.Context, key KeyInfo) (address.Address, error) {
	a, err := key.address()
	if err != nil {
		return address.Undef, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.by[a]; !ok {
		if len(k.order) >= mostKeys {
			return address.Undef, fmt.Errorf("there are %d keys, and more are not kept", mostKeys)
		}
		k.order = append(k.order, a)
	}
	k.by[a] = key
	return a, nil
}

// Delete implements Keys.
func (k *memoryKeys) Delete(_ context.Context, of address.Address) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.by[of]; !ok {
		return fmt.Errorf("there is no key of %s", addr.String(of))
	}
	delete(k.by, of)
	for i, a := range k.order {
		if a == of {
			k.order = append(k.order[:i:i], k.order[i+1:]...)
			break
		}
	}
	return nil
}

// newKey makes a key of a type.
func newKey(kind string) (KeyInfo, error) {
	switch kind {
	case KeyBLS:
		b := bls.GenerateKey()
		return KeyInfo{kind, b[:]}, nil
	case KeySecp256k1, KeyDelegated:
		key, err := secp256k1.GeneratePrivateKeyFromRand(rand.Reader)
		if err != nil {
			return KeyInfo{}, err
		}
		return KeyInfo{kind, key.Serialize()}, nil
	}
	return KeyInfo{}, fmt.Errorf("unknown key type %q: there are %s, %s and %s", cut(kind), KeySecp256k1, KeyBLS, KeyDelegated)
}

// secp is the key of an address that secp256k1 signs for.
func (k *KeyInfo) secp() (*secp256k1.PrivateKey, error) {
	if len(k.PrivateKey) != secp256k1.PrivKeyBytesLen {
		return nil, fmt.Errorf("a secp256k1 key has %d bytes, not %d", secp256k1.PrivKeyBytesLen, len(k.PrivateKey))
	}
	var s secp256k1.ModNScalar
	if s.SetByteSlice(k.PrivateKey) || s.IsZero() {
		return nil, errors.New("no secp256k1 key: it is 0, or not below the order of the group")
	}
	return secp256k1.NewPrivateKey(&s), nil
}

func (k *KeyInfo) bls() (key bls.PrivateKey, public bls.PublicKey, err error) {
	if len(k.PrivateKey) != len(key) {
		return key, public, fmt.Errorf("a BLS key has %d bytes, not %d", len(key), len(k.PrivateKey))
	}
	copy(key[:], k.PrivateKey)
	public, ok := bls.PublicKeyOf(key)
	if !ok {
		err = errors.New("no BLS key")
	}
	return key, public, err
}

// address is the one that the key signs for.
func (k *KeyInfo) address() (address.Address, error) {
	switch k.Type {
	case KeyBLS:
		_, public, err := k.bls()
		if err != nil {
			return address.Undef, err
		}
		return address.NewBLSAddress(public[:])
	case KeySecp256k1, KeyDelegated:
		key, err := k.secp()
		if err != nil {
			return address.Undef, err
		}
		if k.Type == KeyDelegated {
			return ethAddress(ethtx.KeyAddress(key.PubKey())), nil
		}
		return address.NewSecp256k1Address(key.PubKey().SerializeUncompressed())
	}
	return address.Undef, fmt.Errorf("unknown key type %q: there are %s, %s and %s", cut(k.Type), KeySecp256k1, KeyBLS, KeyDelegated)
}

func ethAddress(eth [addr.EthLen]byte) address.Address { return addr.FromEthereum(eth) }

// sign signs bytes.
func (k *KeyInfo) sign(data []byte) (*crypto.Signature, error) {
	if k.Type == KeyBLS {
		key, _, err := k.bls()
		if err != nil {
			return nil, err
		}
		sig, ok := bls.Sign(key, data)
		if !ok {
			return nil, errors.New("the BLS key does not sign")
		}
		return &crypto.Signature{Type: crypto.SigTypeBLS, Data: sig[:]}, nil
	}
	key, err := k.secp()
	if err != nil {
		return nil, err
	}
	kind, hash := crypto.SigTypeSecp256k1, blake2b.Sum256(data)
	if k.Type == KeyDelegated {
		kind, hash = crypto.SigTypeDelegated, ethtx.Keccak256(data)
	}
	s := ethtx.SignHash(key, hash)
	sig := append(append(append(make([]byte, 0, 65), s.R[:]...), s.S[:]...), s.Odd)
	return &crypto.Signature{Type: kind, Data: sig}, nil
}
