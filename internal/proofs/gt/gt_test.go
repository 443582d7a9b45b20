package gt

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fp"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"

	"github.com/edgefvm/fvm/internal/proofs/curve"
)

func randomScalar(r *rand.Rand) (s fr.Element) {
	for i := range s {
		s[i] = r.Uint64()
	}
	s[3] >>= 2
	return s
}

func someElements(r *rand.Rand, n int) []curve.GT {
	list := make([]curve.GT, n)
	for i := range list {
		s := randomScalar(r)
		list[i].Exp(Generator(), s.BigInt(new(big.Int)))
	}
	return list
}

// encode is the other way round, by gnark-crypto.
func encode(t testing.TB, z curve.GT) []byte {
	b, err := z.CompressTorus()
	if err != nil {
		t.Fatal(err)
	}
	return encodeE6(&b)
}

func encodeE6(b *bls12381.E6) (out []byte) {
	for _, c := range []fp.Element{b.B0.A0, b.B0.A1, b.B1.A0, b.B1.A1, b.B2.A0, b.B2.A1} {
		var le [48]byte
		fp.LittleEndian.PutElement(&le, c)
		out = append(out, le[:]...)
	}
	return out
}

func TestDecode(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	want := someElements(r, 9)
	encoded := make([][]byte, len(want))
	for i := range want {
		encoded[i] = encode(t, want[i])
	}
	got, err := Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if !got[i].Equal(&want[i]) {
			t.Errorf("element %d is another one", i)
		}
	}
	if got, err := Decode(nil); err != nil || len(got) != 0 {
		t.Errorf("of nothing: %v, %v", got, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	good := encode(t, someElements(r, 1)[0])
	var cyclotomic curve.GT // of the right field, in the torus, but of another order
	var b bls12381.E6
	b.B0.A0.SetUint64(3)
	cyclotomic = b.DecompressTorus()
	if cyclotomic.IsInSubGroup() {
		t.Fatal("the example is in the subgroup")
	}
	modulus := fp.Modulus().FillBytes(make([]byte, 48))
	reverse(modulus)
	with := func(at int, b []byte) []byte {
		e := bytes.Clone(good)
		copy(e[at:], b)
		return e
	}
	cases := []struct {
		name  string
		bytes []byte
		want  error
	}{
		{"empty", nil, ErrForm},
		{"short", good[:Len-1], ErrForm},
		{"long", append(bytes.Clone(good), 0), ErrForm},
		{"first coordinate is the modulus", with(0, modulus), ErrForm},
		{"last coordinate is the modulus", with(5*48, modulus), ErrForm},
		{"a coordinate of ones", with(48, bytes.Repeat([]byte{255}, 48)), ErrForm},
		{"zero, which stands for minus one", make([]byte, Len), ErrSubgroup},
		{"outside the subgroup", encodeE6(&b), ErrSubgroup},
		{"a bit flipped", with(7, []byte{good[7] ^ 1}), ErrSubgroup},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Decode([][]byte{good, c.bytes}); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func reverse(b []byte) {
	for l, r := 0, len(b)-1; l < r; l, r = l+1, r-1 {
		b[l], b[r] = b[r], b[l]
	}
}

func TestAppendRaw(t *testing.T) {
	z := someElements(rand.New(rand.NewPCG(5, 6)), 1)[0]
	got := AppendRaw([]byte("before"), &z)
	if len(got) != len("before")+RawLen {
		t.Fatalf("%d bytes", len(got))
	}
	// gnark-crypto writes the coordinates the other way round: the last first, most significant byte first.
	want := z.Bytes()
	reverse(want[:])
	if !bytes.Equal(got[len("before"):], want[:]) {
		t.Error("other coordinates")
	}
}

func TestProduct(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	all := someElements(r, 9)
	word := func(n uint64) (s fr.Element) { s.SetUint64(n); return s }
	power := func(n int) (s fr.Element) {
		s.SetBigInt(new(big.Int).Exp(new(big.Int).SetUint64(base), big.NewInt(int64(n)), nil))
		return s
	}
	var minusOne fr.Element
	minusOne.SetOne().Neg(&minusOne)
	edges := []fr.Element{{}, word(1), word(2), word(7), word(8), word(9), word(15), word(base - 1), word(base), word(base + 1), word(1<<64 - 1),
		power(2), power(3), minusOne}
	for i := range edges {
		got, want := Product(all[:1], edges[i:i+1]), curve.GT{}
		want.Exp(all[0], edges[i].BigInt(new(big.Int)))
		if !got.Equal(&want) {
			t.Errorf("exponent %s: another power", edges[i].String())
		}
	}
	for n := range len(all) + 1 {
		exponents := make([]fr.Element, n)
		var want, power curve.GT
		want.SetOne()
		for i := range exponents {
			if exponents[i] = randomScalar(r); i == 3 {
				exponents[i] = word(5)
			}
			power.Exp(all[i], exponents[i].BigInt(new(big.Int)))
			want.Mul(&want, &power)
		}
		if got := Product(all[:n], exponents); !got.Equal(&want) {
			t.Errorf("%d elements: another product", n)
		}
	}
	var unit curve.GT
	unit.SetOne()
	if got := Product([]curve.GT{unit, unit}, edges[1:3]); !got.IsOne() {
		t.Error("a power of one is not one")
	}
}

func TestSigned(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for i := range 1000 {
		n := r.Uint64() >> r.IntN(64)
		if i < 3 {
			n = []uint64{0, 1<<64 - 1, 1<<64 - 8}[i]
		}
		var digits [places]int8
		top := signed(&digits, n)
		sum, last := new(big.Int), -4
		for place, d := range digits {
			if d == 0 {
				continue
			}
			if d%2 == 0 || d > 7 || d < -7 || place-last < 4 || place > top {
				t.Fatalf("%d: digit %d at %d, the one before at %d, top %d", n, d, place, last, top)
			}
			last = place
			sum.Add(sum, new(big.Int).Lsh(big.NewInt(int64(d)), uint(place)))
		}
		if sum.Cmp(new(big.Int).SetUint64(n)) != 0 || last > top {
			t.Fatalf("%d is written as %v", n, sum)
		}
	}
}

func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(11, 12))
	f.Add(encode(f, someElements(r, 1)[0]))
	f.Add(make([]byte, Len))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Decode([][]byte{b})
		// gnark-crypto's own way, one by one.
		var torus bls12381.E6
		want := decodeE6(&torus, b) == nil
		if want {
			z := torus.DecompressTorus()
			want = z.IsInSubGroup()
		}
		if (err == nil) != want {
			t.Fatalf("%x: %v, gnark-crypto takes it: %t", b, err, want)
		}
		if err != nil {
			return
		}
		if again := encode(t, got[0]); !bytes.Equal(again, b) {
			t.Errorf("%x reads as an element that is written %x", b, again)
		}
	})
}

func BenchmarkProduct(b *testing.B) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, n := range []int{1, 9, 27} {
		bases, exponents := someElements(r, n), make([]fr.Element, n)
		for i := range exponents {
			exponents[i] = randomScalar(r)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				Product(bases, exponents)
			}
		})
	}
	z := someElements(r, 1)[0]
	s := randomScalar(r)
	e := s.BigInt(new(big.Int))
	b.Run("gnark ExpGLV", func(b *testing.B) {
		var p curve.GT
		for b.Loop() {
			p.ExpGLV(z, e)
		}
	})
	encoded := [][]byte{encode(b, z)}
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			Decode(encoded)
		}
	})
}
