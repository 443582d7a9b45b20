package genesis

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/filecoin-project/go-address"

	"github.com/edgefvm/fvm/bls"
	"github.com/edgefvm/fvm/node/ethtx"
)

// TestMnemonic is the phrase whose keys everybody knows: the development nodes of Ethereum begin with it.
const TestMnemonic = "test test test test test test test test test test test junk"

// Key is a secp256k1 key with the addresses that it signs for.
type Key struct {
	Private [32]byte        // most significant byte first
	Eth     [20]byte        // the Ethereum address
	F410    address.Address // the same as a Filecoin address
	F1      address.Address // of the key itself
}

// ErrMnemonic is of a phrase that no keys are derived from.
var ErrMnemonic = errors.New("not a mnemonic")

const hardened = 1 << 31

// ethereumPath is m/44'/60'/0'/0, under which wallets number their accounts (BIP-44, SLIP-44).
var ethereumPath = []uint32{44 | hardened, 60 | hardened, hardened, 0}

// seedOf is the seed of a phrase (BIP-39, "From mnemonic to seed"). The phrase's words are taken as they are, with single spaces
// between: there is no list of words here, and no look at the checksum.
func seedOf(mnemonic string) ([]byte, error) {
	words := strings.Fields(mnemonic)
	if n := len(words); n < 12 || n > 24 || n%3 != 0 {
		return nil, fmt.Errorf("%w: it has %d words, not 12, 15, 18, 21 or 24", ErrMnemonic, len(words))
	}
	for i, w := range words {
		if strings.ContainsFunc(w, func(r rune) bool { return r < 'a' || r > 'z' }) {
			return nil, fmt.Errorf("%w: word %d has other characters than the letters a to z", ErrMnemonic, i+1)
		}
	}
	return pbkdf2.Key(sha512.New, strings.Join(words, " "), []byte("mnemonic"), 2048, 64)
}

// extended is an extended private key (BIP-32).
type extended struct {
	key   secp256k1.ModNScalar
	chain [32]byte
}

func master(seed []byte) (*extended, error) {
	mac := hmac.New(sha512.New, []byte("Bitcoin seed"))
	mac.Write(seed)
	var x extended
	sum := mac.Sum(nil)
	if x.key.SetByteSlice(sum[:32]) || x.key.IsZero() {
		return nil, fmt.Errorf("%w: its master key is none", ErrMnemonic)
	}
	copy(x.chain[:], sum[32:])
	return &x, nil
}

// child is CKDpriv of BIP-32.
func (x *extended) child(i uint32) (*extended, error) {
	mac := hmac.New(sha512.New, x.chain[:])
	private := x.key.Bytes()
	if i >= hardened {
		mac.Write([]byte{0})
		mac.Write(private[:])
	} else {
		mac.Write(secp256k1.NewPrivateKey(&x.key).PubKey().SerializeCompressed())
	}
	var index [4]byte
	binary.BigEndian.PutUint32(index[:], i)
	mac.Write(index[:])
	sum := mac.Sum(nil)
	var c extended
	if c.key.SetByteSlice(sum[:32]) || c.key.Add(&x.key).IsZero() {
		return nil, fmt.Errorf("the mnemonic has no key at index %d", i&^hardened) // one in 2^127
	}
	copy(c.chain[:], sum[32:])
	return &c, nil
}

// KeysOf derives the first n keys of a mnemonic, at most 1000, as wallets of Ethereum do: m/44'/60'/0'/0/i, without a passphrase.
func KeysOf(mnemonic string, n int) ([]Key, error) {
	if n > mostAccounts {
		return nil, fmt.Errorf("%w: %d accounts, the most is %d", ErrOptions, n, mostAccounts)
	}
	seed, err := seedOf(mnemonic)
	if err != nil {
		return nil, err
	}
	x, err := master(seed)
	if err != nil {
		return nil, err
	}
	for _, i := range ethereumPath {
		if x, err = x.child(i); err != nil {
			return nil, err
		}
	}
	var keys []Key
	for i := range n {
		c, err := x.child(uint32(i))
		if err != nil {
			return nil, err
		}
		k, err := KeyOf(c.key.Bytes())
		if err != nil {
			return nil, err
		}
		keys = append(keys, *k)
	}
	return keys, nil
}

// KeyOf is a private key, its most significant byte first, with its addresses.
func KeyOf(private [32]byte) (*Key, error) {
	var s secp256k1.ModNScalar
	if s.SetByteSlice(private[:]) || s.IsZero() {
		return nil, errors.New("not a private key of secp256k1: it is 0, or not below the group's order")
	}
	public := secp256k1.NewPrivateKey(&s).PubKey()
	k := &Key{Private: private, Eth: ethtx.KeyAddress(public)}
	var err error
	if k.F410, err = address.NewDelegatedAddress(eamID, k.Eth[:]); err != nil {
		return nil, err
	}
	k.F1, err = address.NewSecp256k1Address(public.SerializeUncompressed())
	return k, err
}

// BLSKey is a key of an f3 address.
type BLSKey struct {
	Private bls.PrivateKey
	F3      address.Address
}

// derived is a digest of a mnemonic's seed for another use than its accounts.
func derived(seed []byte, use string, i int) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "edgefvm development %s %d %x", use, i, seed))
}

func blsKey(seed []byte, use string, i int) (*BLSKey, error) {
	k := &BLSKey{Private: bls.KeyFromSeed(derived(seed, use, i))}
	public, ok := bls.PublicKeyOf(k.Private)
	if !ok {
		return nil, fmt.Errorf("the mnemonic has no BLS key for %s %d", use, i)
	}
	var err error
	k.F3, err = address.NewBLSAddress(public[:])
	return k, err
}

func secpKey(seed []byte, use string) (*Key, error) { return KeyOf(derived(seed, use, 0)) }
