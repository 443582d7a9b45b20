package bls

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The vector of filecoin-ffi's own test, private_key_with_seed: ChaCha20 and KeyGen together.
func TestKeyFromSeed(t *testing.T) {
	seed := [32]byte(bytes.Repeat([]byte{5}, 32))
	want := []byte{
		56, 13, 181, 159, 37, 1, 12, 96, 45, 77, 254, 118, 103, 235, 218, 176, 220, 241,
		142, 119, 206, 233, 83, 35, 26, 15, 118, 198, 192, 120, 179, 52,
	}
	if got := KeyFromSeed(seed); !bytes.Equal(got[:], want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// The vector of bls-signatures 0.15, test_key_gen with blst.
func TestKeyOf(t *testing.T) {
	want := "7d7f259e0f3b228ac46ceaf5b7f7802d9c00a00e3a069ecc0951b75cedba734a"
	if got := keyOf([]byte("hello world (it's a secret!) very secret stuff")); hex.EncodeToString(got[:]) != want {
		t.Errorf("%x, want %s", got, want)
	}
}

type vector struct {
	Msg          string
	Ciphersuite  string
	G2Compressed []byte
	BLSPrivKey   string
	BLSPubKey    string
	BLSSigG2     string
}

// The vectors of bls-signatures 0.15 (every 13th of tests/data.json) of the network's ciphersuite: keys, hashes and signatures.
func TestVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/bls-signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []vector
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 8 {
		t.Fatalf("%d vectors, want 8", len(cases))
	}
	for _, c := range cases {
		n, ok := new(big.Int).SetString(c.BLSPrivKey, 10)
		if !ok {
			t.Fatal(c.BLSPrivKey)
		}
		var key PrivateKey
		n.FillBytes(key[:])
		slices.Reverse(key[:])
		if got := Hash([]byte(c.Msg)); !bytes.Equal(got[:], c.G2Compressed) {
			t.Errorf("%q: hash %x, want %x", c.Msg, got, c.G2Compressed)
		}
		public, ok := PublicKeyOf(key)
		if want := unbase64(t, c.BLSPubKey); !ok || !bytes.Equal(public[:], want) {
			t.Errorf("%q: public key %x, want %x", c.Msg, public, want)
		}
		sig, ok := Sign(key, []byte(c.Msg))
		if want := unbase64(t, c.BLSSigG2); !ok || !bytes.Equal(sig[:], want) {
			t.Errorf("%q: signature %x, want %x", c.Msg, sig, want)
		}
		if !Verify(sig, [][]byte{[]byte(c.Msg)}, []PublicKey{public}) || !VerifyDigests(sig, []Digest{Hash([]byte(c.Msg))}, []PublicKey{public}) {
			t.Errorf("%q: not believed", c.Msg)
		}
	}
}

func unbase64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Signatures by blst, as internal/vm/crypto has them: keys A and B, and the sum of A's of "abc" and B's of "message".
const (
	keyA       = "864350e49b8b46468478af45cfb9c167357c8701e0c7a2dcd401028de506080f632400e2059ab58532eb2b3912078d80"
	keyB       = "8d853fd76e121f2bcb38e55da2b81e45e51255487fcc1b0a60c10ef21d54e6c7586c138f35f346002082b08b0232cc9d"
	sigABC     = "a5bda505d28373c59ecb4326929640fb4b0aabce2f5d35227a81edaf13dc4a574c47c875188a53fb74e9738054caebe511e44e3deb156e7fce47db6293d7348181139eb400a69ae13649685af4740cc96aff885ce5d1c85dc31464fda7f55cac"
	sigMessage = "8eb6ba8cd23ff768b423a45302da7e3307575afd214cdc5858c0f0a1e2f0a0423472da832fd1910db70aaf5368817060146b75c4b61954f51731bc05c726df750db4ebb7c639188fbd930dc876330f6a00414959a85a8c41885b690d2bc22ce0"
	sumOfBoth  = "8d412a4794360faab79c80e6cb0484be0d5b230f837f1cd77fc342caf615a9ab462a5b742d5654e92545f37483ec814a13a9a6ba101593ece55fe588168e5965249b3efc7c91ac562bd53bd9cbe0973d544a047cdd036858106f4d60afccae0f"
)

func TestAggregate(t *testing.T) {
	a, b := Signature(unhex(t, sigABC)), Signature(unhex(t, sigMessage))
	sum, ok := Aggregate([]Signature{a, b})
	if !ok || hex.EncodeToString(sum[:]) != sumOfBoth {
		t.Errorf("%x, want %s", sum, sumOfBoth)
	}
	if same, ok := Aggregate([]Signature{a}); !ok || same != a {
		t.Errorf("of one: %x", same)
	}
	if same, ok := Aggregate([]Signature{Infinity(), a, Infinity()}); !ok || same != a {
		t.Errorf("with infinity: %x", same)
	}
	if none, ok := Aggregate([]Signature{Infinity()}); !ok || none != Infinity() {
		t.Errorf("of infinity: %x", none)
	}
	for name, list := range map[string][]Signature{"none": nil, "empty": {}, "no point": {a, {0x80, 1}}, "not compressed": {a, {}}} {
		if _, ok := Aggregate(list); ok {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestVerify(t *testing.T) {
	a, b := PublicKey(unhex(t, keyA)), PublicKey(unhex(t, keyB))
	abc, message := []byte("abc"), []byte("message")
	one, sum := Signature(unhex(t, sigABC)), Signature(unhex(t, sumOfBoth))
	infinity := PublicKey{0xc0}
	for name, c := range map[string]struct {
		sig  Signature
		msgs [][]byte
		keys []PublicKey
		want bool
	}{
		"one":                      {one, [][]byte{abc}, []PublicKey{a}, true},
		"two":                      {sum, [][]byte{abc, message}, []PublicKey{a, b}, true},
		"two, turned round":        {sum, [][]byte{message, abc}, []PublicKey{b, a}, true},
		"messages swapped":         {sum, [][]byte{message, abc}, []PublicKey{a, b}, false},
		"nobody":                   {Infinity(), nil, nil, false},
		"nobody, of bytes":         {Signature{}, nil, nil, false},
		"a key too few":            {sum, [][]byte{abc, message}, []PublicKey{a}, false},
		"a message too few":        {sum, [][]byte{abc}, []PublicKey{a, b}, false},
		"other key":                {one, [][]byte{abc}, []PublicKey{b}, false},
		"infinity, one":            {Infinity(), [][]byte{abc}, []PublicKey{infinity}, false},
		"infinity among two":       {one, [][]byte{abc, message}, []PublicKey{a, infinity}, false},
		"equal messages":           {one, [][]byte{abc, abc}, []PublicKey{a, b}, false},
		"signature is no point":    {Signature{0x80, 1}, [][]byte{abc}, []PublicKey{a}, false},
		"signature of zeros":       {Signature{}, [][]byte{abc}, []PublicKey{a}, false},
		"key is no point":          {one, [][]byte{abc}, []PublicKey{{0x80, 1}}, false},
		"signature of infinity":    {Infinity(), [][]byte{abc}, []PublicKey{a}, false},
		"signature not compressed": {Signature(append([]byte{one[0] &^ 0x80}, one[1:]...)), [][]byte{abc}, []PublicKey{a}, false},
	} {
		if got := Verify(c.sig, c.msgs, c.keys); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		var digests []Digest
		for _, m := range c.msgs {
			digests = append(digests, Hash(m))
		}
		if got := VerifyDigests(c.sig, digests, c.keys); got != c.want {
			t.Errorf("%s, of digests: %v", name, got)
		}
	}
	if VerifyDigests(one, []Digest{{0x80, 1}}, []PublicKey{a}) {
		t.Error("a digest that is no point")
	}
}

// Sums of the same message by two keys verify by arithmetic; the refusal is the library's.
func TestEqualMessages(t *testing.T) {
	k1, k2 := GenerateKey(), GenerateKey()
	p1, _ := PublicKeyOf(k1)
	p2, _ := PublicKeyOf(k2)
	s1, _ := Sign(k1, []byte("m"))
	s2, _ := Sign(k2, []byte("m"))
	sum, _ := Aggregate([]Signature{s1, s2})
	if Verify(sum, [][]byte{[]byte("m"), []byte("m")}, []PublicKey{p1, p2}) || VerifyDigests(sum, []Digest{Hash([]byte("m")), Hash([]byte("m"))}, []PublicKey{p1, p2}) {
		t.Error("accepted")
	}
}

func TestPrivateKeys(t *testing.T) {
	little := func(n *big.Int) (k PrivateKey) {
		n.FillBytes(k[:])
		slices.Reverse(k[:])
		return k
	}
	last := little(new(big.Int).Sub(fr.Modulus(), big.NewInt(1)))
	p, ok := PublicKeyOf(last)
	s, signs := Sign(last, []byte("m"))
	if !ok || !signs || !Verify(s, [][]byte{[]byte("m")}, []PublicKey{p}) {
		t.Error("the last key")
	}
	for name, k := range map[string]PrivateKey{"order": little(fr.Modulus()), "all ones": PrivateKey(bytes.Repeat([]byte{0xff}, 32))} {
		if _, ok := PublicKeyOf(k); ok {
			t.Errorf("%s: has a public key", name)
		}
		if _, ok := Sign(k, nil); ok {
			t.Errorf("%s: signs", name)
		}
	}
	// Zero is a key of the library's; nobody verifies what it signs.
	p, ok = PublicKeyOf(PrivateKey{})
	s, signs = Sign(PrivateKey{}, []byte("m"))
	if !ok || !signs || p != (PublicKey{0xc0}) || s != Infinity() || Verify(s, [][]byte{[]byte("m")}, []PublicKey{p}) {
		t.Errorf("zero: %x %x", p, s)
	}
	if a, b := GenerateKey(), GenerateKey(); a == b {
		t.Error("a key twice")
	}
}

func BenchmarkVerify(b *testing.B) {
	const n = 200 // about what a block has
	var sigs []Signature
	var msgs [][]byte
	var keys []PublicKey
	for i := range n {
		k := KeyFromSeed([32]byte{byte(i), 1})
		msg := []byte{byte(i)}
		sig, _ := Sign(k, msg)
		key, _ := PublicKeyOf(k)
		sigs, msgs, keys = append(sigs, sig), append(msgs, msg), append(keys, key)
	}
	sum, _ := Aggregate(sigs)
	b.ResetTimer()
	for b.Loop() {
		if !Verify(sum, msgs, keys) {
			b.Fatal("refused")
		}
	}
}
