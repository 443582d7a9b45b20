package curve

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/big"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fp"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
)

func someScalar(r *rand.Rand, bits int) (s Scalar) {
	n := new(big.Int)
	for range 4 {
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(r.Uint64()))
	}
	n.Rsh(n, uint(256-bits))
	s.SetBigInt(n)
	return s
}

// somePoints are multiples of the generator.
func somePoints(n int) []G1 {
	_, _, g, _ := bls12381.Generators()
	scalars := make([]fr.Element, n)
	for i := range scalars {
		scalars[i].SetUint64(uint64(i)*0x9e3779b97f4a7c15 + 1)
	}
	return bls12381.BatchScalarMultiplicationG1(&g, scalars)
}

// outside is a point of the curve that is not in the subgroup: the lowest x that has one.
func outside(t testing.TB) G1 {
	t.Helper()
	four := fp.NewElement(4)
	for x := uint64(1); ; x++ {
		var p G1
		p.X.SetUint64(x)
		p.Y.Square(&p.X).Mul(&p.Y, &p.X).Add(&p.Y, &four)
		if p.Y.Sqrt(&p.Y) != nil && p.IsOnCurve() && !p.IsInSubGroup() {
			return p
		}
	}
}

// Which bytes are points, by case. Both backends are asked; so is the uncompressed form of the same points.
func TestDecode(t *testing.T) {
	_, _, g1, g2 := bls12381.Generators()
	c1, c2 := g1.Bytes(), g2.Bytes()
	out := outside(t)
	out1 := out.Bytes()
	with := func(b []byte, at int, to byte) []byte {
		b = bytes.Clone(b)
		b[at] = to
		return b
	}
	infinity := func(n int) []byte { return with(make([]byte, n), 0, 0xc0) }
	modulus := fp.Modulus().FillBytes(make([]byte, 48))
	compressedModulus := with(modulus, 0, modulus[0]|0x80)
	for _, c := range []struct {
		name string
		b    []byte
		g2   bool
		ok   bool
	}{
		{"G1: the generator", c1[:], false, true},
		{"G1: its negative", with(c1[:], 0, c1[0]^0x20), false, true},
		{"G1: infinity", infinity(48), false, true},
		{"G1: infinity with a sign", with(infinity(48), 0, 0xe0), false, false},
		{"G1: infinity with x", with(infinity(48), 47, 1), false, false},
		{"G1: infinity without the flag of compression", with(infinity(48), 0, 0x40), false, false},
		{"G1: no flag of compression", with(c1[:], 0, c1[0]&^0x80), false, false},
		{"G1: x is the modulus", compressedModulus, false, false},
		{"G1: x is all ones", bytes.Repeat([]byte{0xff}, 48), false, false},
		{"G1: outside the subgroup", out1[:], false, false},
		{"G1: zeroes", make([]byte, 48), false, false},
		{"G1: cut", c1[:47], false, false},
		{"G1: one byte more", append(c1[:], 0), false, false},
		{"G1: nothing", nil, false, false},
		{"G1: uncompressed", func() []byte { b := g1.RawBytes(); return b[:] }(), false, false},
		{"G2: the generator", c2[:], true, true},
		{"G2: its negative", with(c2[:], 0, c2[0]^0x20), true, true},
		{"G2: infinity", infinity(96), true, true},
		{"G2: infinity with x in the second half", with(infinity(96), 95, 1), true, false},
		{"G2: no flag of compression", with(c2[:], 0, c2[0]&^0x80), true, false},
		{"G2: the first half is the modulus", append(compressedModulus, c2[48:]...), true, false},
		{"G2: the second half is the modulus", append(bytes.Clone(c2[:48]), modulus...), true, false},
		{"G2: another bit of x", with(c2[:], 95, c2[95]^1), true, false},
		{"G2: cut", c2[:95], true, false},
		{"G2: a point of G1", c1[:], true, false},
	} {
		for backend, decode := range map[string]func() error{
			"gnark": func() error { return decodeBy(gnarkDecodeG1, gnarkDecodeG2, c.g2, c.b) },
			Backend: func() error { return decodeBy(DecodeG1, DecodeG2, c.g2, c.b) },
		} {
			if err := decode(); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrPoint) {
				t.Errorf("%s, %s: %v, want a point: %v", c.name, backend, err, c.ok)
			}
		}
	}
	if p, err := DecodeG1(c1[:]); err != nil || !p.Equal(&g1) {
		t.Errorf("%v, %v", p, err)
	}
	if p, err := DecodeG2(c2[:]); err != nil || !p.Equal(&g2) {
		t.Errorf("%v, %v", p, err)
	}
}

func decodeBy(one func([]byte) (G1, error), two func([]byte) (G2, error), ofG2 bool, b []byte) error {
	if ofG2 {
		_, err := two(b)
		return err
	}
	_, err := one(b)
	return err
}

func TestDecodeRaw(t *testing.T) {
	_, _, g1, g2 := bls12381.Generators()
	r1, r2 := g1.RawBytes(), g2.RawBytes()
	out := outside(t)
	rawOut := out.RawBytes()
	with := func(b []byte, at int, to byte) []byte {
		b = bytes.Clone(b)
		b[at] = to
		return b
	}
	modulus := fp.Modulus().FillBytes(make([]byte, 48))
	for _, c := range []struct {
		name string
		b    []byte
		ok   bool
	}{
		{"G1: the generator", r1[:], true},
		{"G1: outside the subgroup, which is not looked at", rawOut[:], true},
		{"G1: infinity", with(make([]byte, 96), 0, 0x40), true},
		{"G1: infinity with y", with(with(make([]byte, 96), 0, 0x40), 95, 1), false},
		{"G1: zeroes without the flag", make([]byte, 96), false},
		{"G1: the flag of compression", with(r1[:], 0, r1[0]|0x80), false},
		{"G1: a sign", with(r1[:], 0, r1[0]|0x20), false},
		{"G1: not on the curve", with(r1[:], 95, r1[95]^1), false},
		{"G1: x is the modulus", append(bytes.Clone(modulus), r1[48:]...), false},
		{"G1: y is the modulus", append(bytes.Clone(r1[:48]), modulus...), false},
		{"G1: cut", r1[:95], false},
		{"G2: the generator", r2[:], true},
		{"G2: infinity", with(make([]byte, 192), 0, 0x40), true},
		{"G2: zeroes without the flag", make([]byte, 192), false},
		{"G2: the flag of compression", with(r2[:], 0, r2[0]|0x80), false},
		{"G2: not on the curve", with(r2[:], 191, r2[191]^1), false},
		{"G2: cut", r2[:191], false},
	} {
		var err error
		if strings.HasPrefix(c.name, "G2") {
			_, err = DecodeRawG2(c.b)
		} else {
			_, err = DecodeRawG1(c.b)
		}
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrPoint) {
			t.Errorf("%s: %v, want a point: %v", c.name, err, c.ok)
		}
	}
}

// Sums of all shapes against multiples that are added one by one.
func TestSum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 3, 39, 60, 400} {
		for name, bits := range map[string]func() int{
			"short": func() int { return 30 }, "long": func() int { return 254 }, "coefficients": func() int { return 128 },
			"mixed": func() int { return r.IntN(255) }, "zeroes": func() int { return 0 },
		} {
			points, scalars := somePoints(n), make([]Scalar, n)
			var want bls12381.G1Jac
			for i := range points {
				scalars[i] = someScalar(r, bits())
				var p bls12381.G1Jac
				p.FromAffine(&points[i])
				p.ScalarMultiplication(&p, scalars[i].BigInt(new(big.Int)))
				want.AddAssign(&p)
			}
			if n > 2 { // equal points, opposite ones, and infinity
				points[1], scalars[1] = G1{}, someScalar(r, 254)
				want = bls12381.G1Jac{}
				points[2].Neg(&points[0])
				for i := range points {
					var p bls12381.G1Jac
					p.FromAffine(&points[i])
					p.ScalarMultiplication(&p, scalars[i].BigInt(new(big.Int)))
					want.AddAssign(&p)
				}
			}
			var affine G1
			affine.FromJacobian(&want)
			for _, cores := range []int{1, 2, 5} {
				before := runtime.GOMAXPROCS(cores)
				got := Sum(points, scalars)
				runtime.GOMAXPROCS(before)
				if !got.Equal(&affine) {
					t.Errorf("%d %s scalars on %d cores: %v, want %v", n, name, cores, got, affine)
				}
			}
		}
	}
}

// Products of pairings do not depend on the number of cores, and are those of gnark-crypto.
func TestMiller(t *testing.T) {
	_, _, _, g2 := bls12381.Generators()
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 2, 3, 7, 12} {
		p, q := somePoints(n), make([]G2, n)
		for i := range q {
			s := someScalar(r, 250)
			q[i].ScalarMultiplication(&g2, s.BigInt(new(big.Int)))
		}
		if n > 2 {
			p[1], q[2] = G1{}, G2{}
		}
		want := new(GT)
		want.SetOne()
		for i := range p {
			one, err := bls12381.Pair(p[i:i+1], q[i:i+1])
			if err != nil {
				t.Fatal(err)
			}
			want.Mul(want, &one)
		}
		for _, cores := range []int{1, 2, 5} {
			before := runtime.GOMAXPROCS(cores)
			f := Miller(p, q)
			got := Final(&f)
			runtime.GOMAXPROCS(before)
			if !got.Equal(want) {
				t.Errorf("%d pairs on %d cores: %v, want %v", n, cores, got, want)
			}
		}
		if isOne(p, q) != (n == 0) {
			t.Errorf("%d pairs: their product is one", n)
		}
	}
	p := somePoints(1)[0]
	var minus G1
	minus.Neg(&p)
	if !isOne([]G1{p, minus}, []G2{g2, g2}) {
		t.Error("a pairing and its inverse are not one")
	}
}

func TestParallel(t *testing.T) {
	defer func() {
		if p := recover(); p != "seven" {
			t.Errorf("panicked with %v", p)
		}
	}()
	Parallel(20, func(i int) {
		if i == 7 {
			panic("seven")
		}
	})
}

// The backends take the same bytes for points, and for the same points. Without the tag blst they are one.
func FuzzDecode(f *testing.F) {
	_, _, g1, g2 := bls12381.Generators()
	c1, c2 := g1.Bytes(), g2.Bytes()
	f.Add(c1[:])
	f.Add(c2[:])
	f.Add(bytes.Repeat([]byte{0xc0}, 48))
	f.Add(append([]byte{0xc0}, make([]byte, 95)...))
	out := outside(f)
	b := out.Bytes()
	f.Add(b[:])
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := DecodeG1(b)
		q, gnark := gnarkDecodeG1(b)
		if (err == nil) != (gnark == nil) || !p.Equal(&q) {
			t.Errorf("G1 %s: %v, %v and %v, %v", hex.EncodeToString(b), p, err, q, gnark)
		}
		if back := p.Bytes(); err == nil && !bytes.Equal(back[:], b) {
			t.Errorf("G1 %x is %x", b, back)
		}
		p2, err := DecodeG2(b)
		q2, gnark := gnarkDecodeG2(b)
		if (err == nil) != (gnark == nil) || !p2.Equal(&q2) {
			t.Errorf("G2 %s: %v, %v and %v, %v", hex.EncodeToString(b), p2, err, q2, gnark)
		}
		if back := p2.Bytes(); err == nil && !bytes.Equal(back[:], b) {
			t.Errorf("G2 %x is %x", b, back)
		}
		if raw, err := DecodeRawG1(b); err == nil && !raw.IsInfinity() && !raw.IsOnCurve() {
			t.Errorf("raw G1 %x", b)
		}
		if _, err := DecodeRawG2(b); err != nil && !errors.Is(err, ErrPoint) {
			t.Error(err)
		}
	})
}

// isOne tells whether the product of the pairings of the pairs is one.
func isOne(p []G1, q []G2) bool {
	f := Miller(p, q)
	f = Final(&f)
	return f.IsOne()
}
