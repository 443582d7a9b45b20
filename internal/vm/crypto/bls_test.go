package crypto

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"testing"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
	"github.com/filecoin-project/go-address"

	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
)

// Keys and signatures made by blst: key A is generated from 32 bytes 0x65, key B from 32 bytes 0x66.
const (
	blsKeyA    = "864350e49b8b46468478af45cfb9c167357c8701e0c7a2dcd401028de506080f632400e2059ab58532eb2b3912078d80"
	blsKeyB    = "8d853fd76e121f2bcb38e55da2b81e45e51255487fcc1b0a60c10ef21d54e6c7586c138f35f346002082b08b0232cc9d"
	blsSigANil = "937910ae350d7e046fc9af0cf1c7eb13d2eafcbe95b732238b17a035d3af12dded4f2eee8b972a634db40389c64c79a1" +
		"06489a5f25d877f106a9a9b4b8f8e3dbe8c18811ddf14ed45fab7e2650f3de6ce84d48a0247642d62e8329cd91aa10d4"
	blsSigAABC = "a5bda505d28373c59ecb4326929640fb4b0aabce2f5d35227a81edaf13dc4a574c47c875188a53fb74e9738054caebe5" +
		"11e44e3deb156e7fce47db6293d7348181139eb400a69ae13649685af4740cc96aff885ce5d1c85dc31464fda7f55cac"
	blsSigBABC = "99ad1d04bdc9d2a70290bc7d3d43c6b7c19248cd5e12a8ef5e3aac73521071f7cc609e1e3c4ea2fe106fbc8dd4b882bf" +
		"1343567f99bb3f1f867bfd4aeab612279a718c29976c0e8dc7a800a079e5a001f610a2773d3bf6a654b718d9f0d1187e"
	blsSigBMessage = "8eb6ba8cd23ff768b423a45302da7e3307575afd214cdc5858c0f0a1e2f0a0423472da832fd1910db70aaf5368817060" +
		"146b75c4b61954f51731bc05c726df750db4ebb7c639188fbd930dc876330f6a00414959a85a8c41885b690d2bc22ce0"
	// The sum of A's signature of "abc" and B's of "message".
	blsSum = "8d412a4794360faab79c80e6cb0484be0d5b230f837f1cd77fc342caf615a9ab462a5b742d5654e92545f37483ec814a" +
		"13a9a6ba101593ece55fe588168e5965249b3efc7c91ac562bd53bd9cbe0973d544a047cdd036858106f4d60afccae0f"
)

func blsAddress(t testing.TB, key []byte) address.Address {
	t.Helper()
	a, err := address.NewBLSAddress(key)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// blsKey is a key of the tests: the n-th scalar and its point.
func blsKey(n uint64) (secret *big.Int, public [48]byte) {
	seed := Blake2b256(binary.BigEndian.AppendUint64([]byte("bls"), n))
	secret = new(big.Int).Mod(new(big.Int).SetBytes(seed[:]), fr.Modulus())
	var p bls12381.G1Affine
	p.ScalarMultiplicationBase(secret)
	return secret, p.Bytes()
}

func blsSign(t testing.TB, secret *big.Int, msg []byte) bls12381.G2Affine {
	t.Helper()
	h, err := bls12381.HashToG2(msg, []byte(blsDomain))
	if err != nil {
		t.Fatal(err)
	}
	return *h.ScalarMultiplication(&h, secret)
}

func sum(points ...bls12381.G2Affine) [96]byte {
	var total bls12381.G2Affine
	for i := range points {
		total.Add(&total, &points[i])
	}
	return total.Bytes()
}

func TestVerifyBLS(t *testing.T) {
	a, b := blsAddress(t, unhex(t, blsKeyA)), blsAddress(t, unhex(t, blsKeyB))
	f1, _ := address.NewSecp256k1Address([]byte("x"))
	for name, c := range map[string]struct {
		sig    string
		signer address.Address
		data   string
		want   bool
	}{
		"of nothing":       {blsSigANil, a, "", true},
		"of abc":           {blsSigAABC, a, "abc", true},
		"of abc, by B":     {blsSigBABC, b, "abc", true},
		"of a message":     {blsSigBMessage, b, "message", true},
		"other signer":     {blsSigAABC, b, "abc", false},
		"other data":       {blsSigAABC, a, "abd", false},
		"too short":        {blsSigAABC[:190], a, "abc", false},
		"too long":         {blsSigAABC + "00", a, "abc", false},
		"empty":            {"", a, "abc", false},
		"signer no f3":     {blsSigAABC, f1, "abc", false},
		"undefined signer": {blsSigAABC, address.Undef, "abc", false},
	} {
		if got := VerifyBLS(unhex(t, c.sig), c.signer, []byte(c.data)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestVerifyBLSAggregate(t *testing.T) {
	keyA, keyB := [48]byte(unhex(t, blsKeyA)), [48]byte(unhex(t, blsKeyB))
	abc, message := []byte("abc"), []byte("message")
	for name, c := range map[string]struct {
		sig  string
		keys [][48]byte
		msgs [][]byte
		want bool
	}{
		"two":              {blsSum, [][48]byte{keyA, keyB}, [][]byte{abc, message}, true},
		"two, reversed":    {blsSum, [][48]byte{keyB, keyA}, [][]byte{message, abc}, true},
		"messages swapped": {blsSum, [][48]byte{keyA, keyB}, [][]byte{message, abc}, false},
		"one missing":      {blsSum, [][48]byte{keyA}, [][]byte{abc}, false},
		"a key missing":    {blsSum, [][48]byte{keyA}, [][]byte{abc, message}, false},
		"a message less":   {blsSum, [][48]byte{keyA, keyB}, [][]byte{abc}, false},
		"one":              {blsSigAABC, [][48]byte{keyA}, [][]byte{abc}, true},
	} {
		if got := VerifyBLSAggregate([96]byte(unhex(t, c.sig)), c.keys, c.msgs); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestVerifyBLSAggregateMany(t *testing.T) {
	for _, n := range []int{1, 2, 3, 9, signersPart - 1, signersPart, 2*signersPart - 1, 2*signersPart + 1} {
		var keys [][48]byte
		var msgs [][]byte
		var sigs []bls12381.G2Affine
		for i := range n {
			secret, public := blsKey(uint64(i))
			msg := []byte(fmt.Sprint("message ", i))
			keys, msgs, sigs = append(keys, public), append(msgs, msg), append(sigs, blsSign(t, secret, msg))
		}
		if !VerifyBLSAggregate(sum(sigs...), keys, msgs) {
			t.Errorf("%d signers are not believed", n)
		}
		msgs[n-1] = []byte("another")
		if VerifyBLSAggregate(sum(sigs...), keys, msgs) {
			t.Errorf("%d signers, one of another message", n)
		}
	}
}

func TestQuirkNoSigners(t *testing.T) {
	for _, first := range []byte{0x00, 0x80, 0xc0, 0xff} {
		if !VerifyBLSAggregate([96]byte{first}, nil, nil) {
			t.Errorf("%#x", first)
		}
	}
	if VerifyBLSAggregate([96]byte{0xc0}, nil, [][]byte{nil}) {
		t.Error("a message without a key")
	}
}

func TestVerifyBLSEqualMessages(t *testing.T) {
	secretA, keyA := blsKey(1)
	secretB, keyB := blsKey(2)
	secretC, keyC := blsKey(3)
	msg, other := []byte("m"), []byte("o")
	if VerifyBLSAggregate(sum(blsSign(t, secretA, msg), blsSign(t, secretB, msg)), [][48]byte{keyA, keyB}, [][]byte{msg, msg}) {
		t.Error("two")
	}
	all := sum(blsSign(t, secretA, msg), blsSign(t, secretB, other), blsSign(t, secretC, msg))
	if VerifyBLSAggregate(all, [][48]byte{keyA, keyB, keyC}, [][]byte{msg, other, msg}) {
		t.Error("first and last of three")
	}
}

func TestVerifyBLSInfinity(t *testing.T) {
	infinity := [48]byte{0xc0}
	secret, key := blsKey(1)
	msg, other := []byte("m"), []byte("o")
	if VerifyBLS(append([]byte{0xc0}, make([]byte, 95)...), blsAddress(t, infinity[:]), msg) {
		t.Error("key and signature of infinity")
	}
	if VerifyBLSAggregate(sum(blsSign(t, secret, msg)), [][48]byte{key, infinity}, [][]byte{msg, other}) {
		t.Error("a key of infinity, which adds nothing")
	}
	if VerifyBLSAggregate([96]byte{0xc0}, [][48]byte{key}, [][]byte{msg}) {
		t.Error("a signature of infinity")
	}
	// Opposite keys of one message would add up to infinity, but messages must differ.
	opposite := key
	opposite[0] ^= 0x20
	if VerifyBLSAggregate([96]byte{0xc0}, [][48]byte{key, opposite}, [][]byte{msg, msg}) {
		t.Error("opposite keys")
	}
}

// outside finds a point on the curve but outside the subgroup, in compressed form.
func outside(t *testing.T, size int, decode func([]byte) error) []byte {
	t.Helper()
	for x := byte(1); x < 100; x++ {
		b := make([]byte, size)
		b[0], b[size-1] = 0x80, x
		if decode(b) == nil {
			return b
		}
	}
	t.Fatal("none found")
	return nil
}

func TestVerifyBLSBadPoints(t *testing.T) {
	good, sig := unhex(t, blsKeyA), unhex(t, blsSigAABC)
	keyOutside := outside(t, 48, func(b []byte) error {
		return bls12381.NewDecoder(bytes.NewReader(b), bls12381.NoSubgroupChecks()).Decode(new(bls12381.G1Affine))
	})
	sigOutside := outside(t, 96, func(b []byte) error {
		return bls12381.NewDecoder(bytes.NewReader(b), bls12381.NoSubgroupChecks()).Decode(new(bls12381.G2Affine))
	})
	// change copies b with the flags of its first byte and one byte set.
	change := func(b []byte, flags byte, at int, v byte) []byte {
		c := bytes.Clone(b)
		c[at] |= v
		c[0] = c[0]&0x1f | flags
		return c
	}
	ones := func(b []byte) []byte { return append([]byte{0x9f}, bytes.Repeat([]byte{0xff}, len(b)-1)...) }
	zeros := func(b []byte) []byte { return make([]byte, len(b)) }
	bad := func(b, outside []byte) map[string][]byte {
		return map[string][]byte{
			"not compressed":               change(b, 0x00, 1, 0),
			"not compressed, sign":         change(b, 0x20, 1, 0),
			"not compressed, infinity":     change(b, 0x40, 1, 0),
			"infinity, not compressed":     change(zeros(b), 0x40, 1, 0),
			"infinity with sign":           change(zeros(b), 0xe0, 1, 0),
			"infinity, first byte not 0":   change(zeros(b), 0xc0, 0, 1),
			"infinity, last byte not 0":    change(zeros(b), 0xc0, len(b)-1, 1),
			"infinity with a point":        change(b, 0xc0, 1, 0),
			"x = 0":                        change(zeros(b), 0x80, 1, 0),
			"x beyond the field":           ones(b),
			"the other y":                  change(b, b[0]&0xe0^0x20, 1, 0),
			"all zeros":                    zeros(b),
			"outside the subgroup":         outside,
			"outside, the other y":         change(outside, 0xa0, 1, 0),
			"last part beyond the field":   append(bytes.Clone(b[:len(b)-48]), bytes.Repeat([]byte{0x9f}, 48)...),
			"on no point (or another one)": change(b, b[0]&0xe0, len(b)-1, 0x13),
		}
	}
	for name, key := range bad(good, keyOutside) {
		if VerifyBLS(sig, blsAddress(t, key), []byte("abc")) {
			t.Errorf("key, %s", name)
		}
	}
	for name, sig := range bad(sig, sigOutside) {
		if VerifyBLS(sig, blsAddress(t, good), []byte("abc")) {
			t.Errorf("signature, %s", name)
		}
	}
}

// A point whose order divides the cofactor, added to a good signature, would not change the pairing: only the check of
// the subgroup finds it.
func TestVerifyBLSSignaturePlusSmallOrder(t *testing.T) {
	var low bls12381.G2Affine
	outside(t, 96, func(b []byte) error {
		return bls12381.NewDecoder(bytes.NewReader(b), bls12381.NoSubgroupChecks()).Decode(&low)
	})
	// r times any point has an order that divides the cofactor.
	var jac bls12381.G2Jac
	jac.FromAffine(&low)
	acc := bls12381.G2Jac{}
	for i := fr.Modulus().BitLen() - 1; i >= 0; i-- {
		acc.DoubleAssign()
		if fr.Modulus().Bit(i) == 1 {
			acc.AddAssign(&jac)
		}
	}
	low.FromJacobian(&acc)
	if low.IsInfinity() || !low.IsOnCurve() {
		t.Fatal("no point of low order")
	}
	secret, key := blsKey(4)
	good := blsSign(t, secret, []byte("m"))
	if !VerifyBLSAggregate(sum(good), [][48]byte{key}, [][]byte{[]byte("m")}) {
		t.Fatal("the good one")
	}
	if VerifyBLSAggregate(sum(good, low), [][48]byte{key}, [][]byte{[]byte("m")}) {
		t.Error("good plus low order")
	}
}

func FuzzVerifyBLSAggregate(f *testing.F) {
	f.Add(unhex(f, blsSigAABC), unhex(f, blsKeyA), []byte("abc"))
	f.Add([]byte{0xc0}, []byte{0xc0}, []byte(nil))
	f.Fuzz(func(t *testing.T, sig, key, msg []byte) {
		var s [96]byte
		var k [48]byte
		copy(s[:], sig)
		copy(k[:], key)
		if VerifyBLSAggregate(s, [][48]byte{k, k}, [][]byte{msg, msg}) {
			t.Fatal("equal messages")
		}
		VerifyBLSAggregate(s, [][48]byte{k}, [][]byte{msg})
	})
}

func BenchmarkVerifyBLS(b *testing.B) {
	sig, signer := unhex(b, blsSigAABC), blsAddress(b, unhex(b, blsKeyA))
	b.ReportAllocs()
	for b.Loop() {
		if !VerifyBLS(sig, signer, []byte("abc")) {
			b.Fatal("refused")
		}
	}
}

// Whenever the context is done, there is an error and no verdict.
func TestVerifyBLSAggregateWhile(t *testing.T) {
	var keys [][48]byte
	var msgs [][]byte
	var sigs []bls12381.G2Affine
	for i := range 2*signersPart + 1 {
		secret, public := blsKey(uint64(i))
		msg := []byte(fmt.Sprint("message ", i))
		keys, msgs, sigs = append(keys, public), append(msgs, msg), append(sigs, blsSign(t, secret, msg))
	}
	sig := sum(sigs...)
	for n := 0; ; n++ {
		ok, err := VerifyBLSAggregateWhile(&execerrtest.Countdown{Context: t.Context(), Left: n}, sig, keys, msgs)
		switch {
		case err == nil && ok && n >= 3: // of 33 signers
			return
		case !errors.Is(err, context.Canceled) || ok:
			t.Fatalf("after %d looks: %v, %v", n, ok, err)
		}
	}
}
