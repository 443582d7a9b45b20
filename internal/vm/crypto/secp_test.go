package crypto

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/filecoin-project/go-address"
)

var secpOrder, _ = new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)

// testKey is the n-th key of the tests.
func testKey(n uint64) *secp256k1.PrivateKey {
	seed := Blake2b256(binary.BigEndian.AppendUint64(nil, n))
	return secp256k1.PrivKeyFromBytes(seed[:])
}

func signSecp(k *secp256k1.PrivateKey, hash []byte) (sig [65]byte) {
	compact := ecdsa.SignCompact(k, hash, false)
	copy(sig[:], compact[1:])
	sig[64] = compact[0] - 27
	return sig
}

// malleate turns s into -s and R into -R.
func malleate(sig [65]byte) [65]byte {
	new(big.Int).Sub(secpOrder, new(big.Int).SetBytes(sig[32:64])).FillBytes(sig[32:64])
	sig[64] ^= 1
	return sig
}

// The ecRecover example of the Ethereum clients' precompile tests; its s is above half the order.
func TestRecoverSecpHighS(t *testing.T) {
	hash := [32]byte(unhex(t, "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c"))
	sig := [65]byte(unhex(t, "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f"+
		"eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549"+"01"))
	key, err := RecoverSecp(hash, sig)
	if err != nil {
		t.Fatal(err)
	}
	sum, _ := AppendHash(nil, Keccak256, key[1:])
	if got, want := hex.EncodeToString(sum[12:]), "a94f5374fce5edbc8e2a8697c15331677e6ebf0b"; got != want {
		t.Errorf("ethereum address %s, want %s", got, want)
	}
	if again, err := RecoverSecp(hash, malleate(sig)); err != nil || again != key {
		t.Errorf("with a low s: %x, %v", again, err)
	}
}

func TestRecoverSecpSigned(t *testing.T) {
	for n := range uint64(50) {
		k := testKey(n)
		hash := Blake2b256([]byte{byte(n)})
		sig := signSecp(k, hash[:])
		for _, s := range [][65]byte{sig, malleate(sig)} {
			key, err := RecoverSecp(hash, s)
			if err != nil || !bytes.Equal(key[:], k.PubKey().SerializeUncompressed()) {
				t.Fatalf("%x: %x, %v", s, key, err)
			}
		}
		sig[64] ^= 1
		if key, err := RecoverSecp(hash, sig); err == nil && bytes.Equal(key[:], k.PubKey().SerializeUncompressed()) {
			t.Fatal("the parity of R does not matter")
		}
	}
}

func TestRecoverSecpRange(t *testing.T) {
	hash := Blake2b256(nil)
	good := signSecp(testKey(1), hash[:])
	scalar := func(v *big.Int) []byte { return v.FillBytes(make([]byte, 32)) }
	with := func(r, s []byte, recovery byte) (sig [65]byte) {
		sig = good
		copy(sig[:32], r)
		copy(sig[32:64], s)
		sig[64] = recovery
		return sig
	}
	r, s := good[:32], good[32:64]
	one := big.NewInt(1)
	zero, order := make([]byte, 32), scalar(secpOrder)
	for name, sig := range map[string][65]byte{
		"r = 0":             with(zero, s, 0),
		"s = 0":             with(r, zero, good[64]),
		"r = n":             with(order, s, 0),
		"s = n":             with(r, order, good[64]),
		"r = n+1":           with(scalar(new(big.Int).Add(secpOrder, one)), s, 0),
		"r of all ones":     with(bytes.Repeat([]byte{0xff}, 32), s, 0),
		"s of all ones":     with(r, bytes.Repeat([]byte{0xff}, 32), good[64]),
		"r + n beyond p":    with(r, s, 2),
		"recovery 4":        with(r, s, 4|good[64]),
		"recovery 27":       with(r, s, 27+good[64]),
		"recovery 255":      with(r, s, 255),
		"no such x (r = 5)": with(scalar(big.NewInt(5)), s, 0),
		"r + n, no such x":  with(scalar(big.NewInt(1)), s, 2),
	} {
		if key, err := RecoverSecp(hash, sig); !errors.Is(err, ErrRecovery) || key != [65]byte{} {
			t.Errorf("%s: %x, %v", name, key, err)
		}
	}
	for name, sig := range map[string][65]byte{
		"r = 1, s = 1":   with(scalar(one), scalar(one), 0),
		"s = n-1":        with(r, scalar(new(big.Int).Sub(secpOrder, one)), good[64]),
		"r + n is an x":  with(scalar(big.NewInt(2)), s, 2),
		"and odd":        with(scalar(big.NewInt(2)), s, 3),
		"and without it": with(scalar(big.NewInt(2)), s, 1),
	} {
		if _, err := RecoverSecp(hash, sig); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRecoverSecpInfinity makes the recovered key the point at infinity: R = kG and hash = s*k.
func TestRecoverSecpInfinity(t *testing.T) {
	k := testKey(3)
	pub := k.PubKey().SerializeUncompressed()
	s := big.NewInt(77)
	var sig [65]byte
	copy(sig[:32], pub[1:33])
	s.FillBytes(sig[32:64])
	sig[64] = pub[64] & 1
	var hash [32]byte
	e := new(big.Int).Mul(s, new(big.Int).SetBytes(k.Serialize()))
	e.Mod(e, secpOrder).FillBytes(hash[:])
	if _, err := RecoverSecp(hash, sig); !errors.Is(err, ErrRecovery) {
		t.Fatal(err)
	}
}

func TestVerifySecp(t *testing.T) {
	k := testKey(9)
	signer, err := address.NewSecp256k1Address(k.PubKey().SerializeUncompressed())
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("a message")
	hash := Blake2b256(data)
	good := signSecp(k, hash[:])
	high := malleate(good)
	actor, _ := address.NewActorAddress([]byte("x"))
	asActor, _ := address.NewFromBytes(append([]byte{address.Actor}, signer.Payload()...))
	other, _ := address.NewSecp256k1Address(testKey(10).PubKey().SerializeUncompressed())
	flipped := good
	flipped[7] ^= 1
	for name, c := range map[string]struct {
		sig    []byte
		signer address.Address
		data   []byte
		want   bool
	}{
		"good":              {good[:], signer, data, true},
		"high s":            {high[:], signer, data, true},
		"other data":        {good[:], signer, data[1:], false},
		"no data":           {good[:], signer, nil, false},
		"other signer":      {good[:], other, data, false},
		"signer no f1":      {good[:], actor, data, false},
		"signer's hash, f2": {good[:], asActor, data, false},
		"undefined signer":  {good[:], address.Undef, data, false},
		"too short":         {good[:64], signer, data, false},
		"too long":          {append(good[:65:65], 0), signer, data, false},
		"empty":             {nil, signer, data, false},
		"a bit flipped":     {flipped[:], signer, data, false},
	} {
		if got := VerifySecp(c.sig, c.signer, c.data); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzRecoverSecp(f *testing.F) {
	hash := Blake2b256(nil)
	sig := signSecp(testKey(1), hash[:])
	f.Add(hash[:], sig[:])
	f.Fuzz(func(t *testing.T, h, s []byte) {
		var hash [32]byte
		var sig [65]byte
		copy(hash[:], h)
		copy(sig[:], s)
		key, err := RecoverSecp(hash, sig)
		if err != nil {
			return
		}
		// What is recovered verifies, with s and with -s.
		pub, err := secp256k1.ParsePubKey(key[:])
		if err != nil {
			t.Fatal(err)
		}
		var r, sc secp256k1.ModNScalar
		r.SetByteSlice(sig[:32])
		sc.SetByteSlice(sig[32:64])
		if !ecdsa.NewSignature(&r, &sc).Verify(hash[:], pub) {
			t.Fatalf("%x does not verify", sig)
		}
		if again, err := RecoverSecp(hash, malleate(sig)); err != nil || again != key {
			t.Fatalf("malleated: %x, %v", again, err)
		}
	})
}

func BenchmarkRecoverSecp(b *testing.B) {
	hash := Blake2b256(nil)
	sig := signSecp(testKey(1), hash[:])
	b.ReportAllocs()
	for b.Loop() {
		if _, err := RecoverSecp(hash, sig); err != nil {
			b.Fatal(err)
		}
	}
}
