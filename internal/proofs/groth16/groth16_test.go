package groth16_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fp"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
)

// trapdoor is what the maker of a key knows: with it there is a proof of anything.
type trapdoor struct {
	r                         *rand.Rand
	alpha, beta, gamma, delta fr.Element
	ic                        []fr.Element
}

func newTrapdoor(inputs int) *trapdoor {
	d := trapdoor{r: rand.New(rand.NewPCG(7, uint64(inputs))), ic: make([]fr.Element, inputs+1)}
	for _, s := range []*fr.Element{&d.alpha, &d.beta, &d.gamma, &d.delta} {
		*s = d.scalar()
	}
	for i := range d.ic {
		d.ic[i] = d.scalar()
	}
	return &d
}

func (d *trapdoor) scalar() (s fr.Element) {
	var n big.Int
	for range 4 {
		n.Lsh(&n, 64).Or(&n, new(big.Int).SetUint64(d.r.Uint64()))
	}
	s.SetBigInt(&n)
	return s
}

func g1(s *fr.Element) (p curve.G1) {
	p.ScalarMultiplicationBase(s.BigInt(new(big.Int)))
	return p
}

func g2(s *fr.Element) (p curve.G2) {
	p.ScalarMultiplicationBase(s.BigInt(new(big.Int)))
	return p
}

// file is the key as the network writes it.
func (d *trapdoor) file() []byte {
	var b []byte
	one := func(s *fr.Element) { p := g1(s); raw := p.RawBytes(); b = append(b, raw[:]...) }
	two := func(s *fr.Element) { p := g2(s); raw := p.RawBytes(); b = append(b, raw[:]...) }
	one(&d.alpha)
	one(&d.beta)
	two(&d.beta)
	two(&d.gamma)
	one(&d.delta)
	two(&d.delta)
	b = binary.BigEndian.AppendUint32(b, uint32(len(d.ic)))
	for i := range d.ic {
		one(&d.ic[i])
	}
	return b
}

// prove makes (aG, bH, cG) with ab = alpha·beta + gamma·Σ xᵢ·icᵢ + c·delta.
func (d *trapdoor) prove(inputs []fr.Element) []byte {
	a, b := d.scalar(), d.scalar()
	sum := d.ic[0]
	var x fr.Element
	for i := range inputs {
		sum.Add(&sum, x.Mul(&inputs[i], &d.ic[i+1]))
	}
	var c fr.Element
	c.Mul(&a, &b)
	c.Sub(&c, x.Mul(&d.alpha, &d.beta))
	c.Sub(&c, x.Mul(&d.gamma, &sum))
	c.Mul(&c, x.Inverse(&d.delta))
	pa, pb, pc := g1(&a), g2(&b), g1(&c)
	ba, bb, bc := pa.Bytes(), pb.Bytes(), pc.Bytes()
	return append(append(ba[:], bb[:]...), bc[:]...)
}

// example is a key and some proofs of statements.
type example struct {
	*trapdoor
	key        *groth16.Key
	bytes      []byte
	proofs     []groth16.Proof
	statements []groth16.Statement
}

func newExample(t testing.TB, inputs, proofs int) *example {
	t.Helper()
	e := example{trapdoor: newTrapdoor(inputs)}
	var err error
	if e.key, err = groth16.ParseKey(e.file(), false); err != nil {
		t.Fatal(err)
	}
	for range proofs {
		in := make([]fr.Element, inputs)
		for i := range in {
			if in[i] = e.scalar(); i%2 == 1 {
				in[i].SetUint64(e.r.Uint64() >> 34)
			}
		}
		e.bytes = append(e.bytes, e.prove(in)...)
		e.statements = append(e.statements, groth16.Statement{Inputs: in})
	}
	if e.proofs, err = groth16.DecodeProofs(e.bytes, proofs); err != nil {
		t.Fatal(err)
	}
	return &e
}

func TestVerify(t *testing.T) {
	for _, inputs := range []int{0, 1, 4, 39} {
		for _, n := range []int{1, 2, 10} {
			e := newExample(t, inputs, n)
			if ok, err := e.key.Verify(e.proofs, e.statements); err != nil || !ok {
				t.Errorf("%d proofs of %d inputs: %v, %v", n, inputs, ok, err)
			}
			if inputs == 0 {
				continue
			}
			for _, at := range []int{0, n - 1} { // one statement is another
				in := append([]fr.Element(nil), e.statements[at].Inputs...)
				in[inputs-1].SetUint64(12345)
				spoiled := append([]groth16.Statement(nil), e.statements...)
				spoiled[at].Inputs = in
				if ok, err := e.key.Verify(e.proofs, spoiled); err != nil || ok {
					t.Errorf("%d proofs of %d inputs, statement %d is false: %v, %v", n, inputs, at, ok, err)
				}
				each, err := e.key.VerifyEach(e.proofs, spoiled)
				if err != nil {
					t.Fatal(err)
				}
				for i, ok := range each {
					if ok != (i != at) {
						t.Errorf("%d proofs, statement %d is false: proof %d is judged %v", n, at, i, ok)
					}
				}
			}
		}
	}
}

// Two false proofs whose errors cancel each other in a plain sum do not pass together.
func TestErrorsDoNotCancel(t *testing.T) {
	e := newExample(t, 4, 2)
	one := e.scalar()
	var p curve.G1 = g1(&one)
	e.proofs[0].C.Add(&e.proofs[0].C, &p)
	e.proofs[1].C.Sub(&e.proofs[1].C, &p)
	if ok, err := e.key.Verify(e.proofs, e.statements); err != nil || ok {
		t.Errorf("%v, %v", ok, err)
	}
}

// A sum in the place of inputs.
func TestStatementBySum(t *testing.T) {
	e := newExample(t, 4, 3)
	sum := e.ic[0]
	for i, x := range e.statements[1].Inputs {
		sum.Add(&sum, new(fr.Element).Mul(&x, &e.ic[i+1]))
	}
	p := g1(&sum)
	e.statements[1] = groth16.Statement{Sum: &p}
	if ok, err := e.key.Verify(e.proofs, e.statements); err != nil || !ok {
		t.Errorf("%v, %v", ok, err)
	}
	p = g1(&e.ic[0])
	if ok, err := e.key.Verify(e.proofs, e.statements); err != nil || ok {
		t.Errorf("another sum: %v, %v", ok, err)
	}
}

func TestWrongNumbers(t *testing.T) {
	e := newExample(t, 4, 2)
	for name, c := range map[string]struct {
		proofs     []groth16.Proof
		statements []groth16.Statement
	}{
		"nothing":            {},
		"more proofs":        {e.proofs, e.statements[:1]},
		"more statements":    {e.proofs[:1], e.statements},
		"an input too many":  {e.proofs[:1], []groth16.Statement{{Inputs: make([]fr.Element, 5)}}},
		"an input too few":   {e.proofs[:1], []groth16.Statement{{Inputs: make([]fr.Element, 3)}}},
		"no inputs":          {e.proofs[:1], []groth16.Statement{{}}},
		"the second too few": {e.proofs, []groth16.Statement{e.statements[0], {}}},
	} {
		if _, err := e.key.Verify(c.proofs, c.statements); !errors.Is(err, groth16.ErrInputs) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := e.key.VerifyEach(c.proofs, c.statements); !errors.Is(err, groth16.ErrInputs) {
			t.Errorf("%s, each: %v", name, err)
		}
	}
}

// Proofs are varied by anybody and stay valid; what is decoded as a proof but is none is false, not an error.
func TestVariedProofs(t *testing.T) {
	e := newExample(t, 4, 1)
	p := e.proofs[0]
	k := e.scalar()
	var inverse fr.Element
	inverse.Inverse(&k)
	for _, c := range []struct {
		name  string
		vary  func(*groth16.Proof)
		valid bool
	}{
		{"as it is", func(*groth16.Proof) {}, true},
		{"blinded", func(p *groth16.Proof) {
			p.A.ScalarMultiplication(&p.A, k.BigInt(new(big.Int)))
			p.B.ScalarMultiplication(&p.B, inverse.BigInt(new(big.Int)))
		}, true},
		{"A and B negated", func(p *groth16.Proof) { p.A.Neg(&p.A); p.B.Neg(&p.B) }, true},
		{"A negated", func(p *groth16.Proof) { p.A.Neg(&p.A) }, false},
		{"B negated", func(p *groth16.Proof) { p.B.Neg(&p.B) }, false},
		{"C negated", func(p *groth16.Proof) { p.C.Neg(&p.C) }, false},
		{"A and C exchanged", func(p *groth16.Proof) { p.A, p.C = p.C, p.A }, false},
	} {
		v := p
		c.vary(&v)
		if ok, err := e.key.Verify([]groth16.Proof{v}, e.statements); err != nil || ok != c.valid {
			t.Errorf("%s: %v, %v, want %v", c.name, ok, err, c.valid)
		}
	}
}

// Proofs cut at every byte, longer ones, and those with points that are none.
func TestProofsThatAreErrors(t *testing.T) {
	e := newExample(t, 1, 2)
	for n := range e.bytes {
		if _, err := groth16.DecodeProofs(e.bytes[:n], 2); !errors.Is(err, groth16.ErrProof) {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
	for _, n := range []int{-1, 0, 1, 3, 1 << 30, math.MaxInt} {
		if _, err := groth16.DecodeProofs(e.bytes, n); !errors.Is(err, groth16.ErrProof) {
			t.Errorf("as %d proofs: %v", n, err)
		}
	}
	if _, err := groth16.DecodeProofs(append(bytes.Clone(e.bytes), 0), 2); !errors.Is(err, groth16.ErrProof) {
		t.Errorf("a byte more: %v", err)
	}
	if none, err := groth16.DecodeProofs(nil, 0); err != nil || len(none) != 0 {
		t.Errorf("no proofs: %v, %v", none, err)
	}
	for i, width := range []int{48, 96, 48} { // A, B, C of the second proof
		at := 192 + []int{0, 48, 144}[i]
		for name, spoil := range map[string]func([]byte){
			"infinity":                   func(b []byte) { clear(b); b[0] = 0xc0 },
			"no flag":                    func(b []byte) { b[0] &^= 0x80 },
			"x too large":                func(b []byte) { copy(b, bytes.Repeat([]byte{0xff}, 48)); b[0] = 0x9f },
			"zeroes":                     func(b []byte) { clear(b) },
			"infinity and the rest kept": func(b []byte) { b[0] |= 0x40 },
		} {
			b := bytes.Clone(e.bytes)
			spoil(b[at : at+width])
			if _, err := groth16.DecodeProofs(b, 2); !errors.Is(err, groth16.ErrProof) || !strings.Contains(err.Error(), "partition 1") {
				t.Errorf("point %c, %s: %v", 'A'+i, name, err)
			}
		}
	}
}

// Keys cut at every byte, with counts that lie, and with points that are none.
func TestKeysThatAreErrors(t *testing.T) {
	const atCount, atIC = 864, 868
	file := newTrapdoor(2).file()
	if len(file) != groth16.KeyLen(2) {
		t.Fatalf("a key of two inputs has %d bytes, want %d", len(file), groth16.KeyLen(2))
	}
	for n := range file {
		if _, err := groth16.ParseKey(file[:n], true); !errors.Is(err, groth16.ErrKey) {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
	if k, err := groth16.ParseKey(append(bytes.Clone(file), 1, 2, 3), false); err != nil || k.Inputs() != 2 {
		t.Errorf("bytes after the end: %v", err)
	}
	for _, n := range []uint32{0, 4, 5, 1 << 16, 1 << 31, 1<<32 - 1} {
		b := bytes.Clone(file)
		binary.BigEndian.PutUint32(b[atCount:], n)
		if _, err := groth16.ParseKey(b, false); !errors.Is(err, groth16.ErrKey) {
			t.Errorf("%d points announced: %v", n, err)
		}
	}
	out := outside().RawBytes()
	for _, at := range []int{0, 96, 576, atIC, atIC + 96, atIC + 192} { // of G1
		b := bytes.Clone(file)
		copy(b[at:], out[:])
		if _, err := groth16.ParseKey(b, false); !errors.Is(err, groth16.ErrKey) || !strings.Contains(err.Error(), "subgroup") {
			t.Errorf("the point at byte %d is outside the subgroup: %v", at, err)
		}
	}
	for _, at := range []int{0, 96, 192, 384, 576, 672, atIC, atIC + 192} {
		for name, spoil := range map[string]func([]byte){
			"not on the curve":        func(b []byte) { b[95] ^= 1 },
			"the flag of compression": func(b []byte) { b[0] |= 0x80 },
			"zeroes":                  func(b []byte) { clear(b[:96]) },
		} {
			b := bytes.Clone(file)
			spoil(b[at:])
			if _, err := groth16.ParseKey(b, true); !errors.Is(err, groth16.ErrKey) {
				t.Errorf("the point at byte %d, %s: %v", at, name, err)
			}
		}
	}
	b := bytes.Clone(file)
	clear(b[atIC+96 : atIC+192])
	b[atIC+96] = 0x40
	if _, err := groth16.ParseKey(b, true); !errors.Is(err, groth16.ErrKey) || !strings.Contains(err.Error(), "point 1") {
		t.Errorf("infinity for an input: %v", err)
	}
}

// outside is a point of the curve that is not in the subgroup.
func outside() *curve.G1 {
	four := fp.NewElement(4)
	for x := uint64(1); ; x++ {
		var p bls12381.G1Affine
		p.X.SetUint64(x)
		p.Y.Square(&p.X).Mul(&p.Y, &p.X).Add(&p.Y, &four)
		if p.Y.Sqrt(&p.Y) != nil && p.IsOnCurve() && !p.IsInSubGroup() {
			return &p
		}
	}
}

func FuzzParseKey(f *testing.F) {
	file := newTrapdoor(1).file()
	f.Add(file)
	f.Add(file[:868])
	f.Add(append(bytes.Clone(file), file...))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := groth16.ParseKey(b, false)
		if err != nil {
			if !errors.Is(err, groth16.ErrKey) {
				t.Error(err)
			}
			return
		}
		if len(b) < groth16.KeyLen(k.Inputs()) {
			t.Errorf("a key of %d inputs from %d bytes", k.Inputs(), len(b))
		}
		if _, err := groth16.ParseKey(b, true); err != nil {
			t.Errorf("as a published one: %v", err)
		}
	})
}

func FuzzDecodeProofs(f *testing.F) {
	d := newTrapdoor(1)
	one := d.prove(make([]fr.Element, 1))
	f.Add(one, 1)
	f.Add(append(one, d.prove(make([]fr.Element, 1))...), 2)
	f.Add([]byte(nil), 0)
	key, err := groth16.ParseKey(d.file(), false)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		proofs, err := groth16.DecodeProofs(b, n)
		if err != nil {
			if !errors.Is(err, groth16.ErrProof) {
				t.Error(err)
			}
			return
		}
		if len(proofs) != n || len(b) != n*groth16.ProofLen {
			t.Fatalf("%d proofs of %d bytes, wanted %d", len(proofs), len(b), n)
		}
		for i, p := range proofs {
			pa, pb, pc := p.A.Bytes(), p.B.Bytes(), p.C.Bytes()
			if again := bytes.Join([][]byte{pa[:], pb[:], pc[:]}, nil); !bytes.Equal(again, b[i*192:(i+1)*192]) {
				t.Errorf("proof %d is written as %x", i, again)
			}
		}
		if n > 0 && n < 4 {
			statements := make([]groth16.Statement, n)
			for i := range statements {
				statements[i].Inputs = make([]fr.Element, 1)
			}
			all, err := key.Verify(proofs, statements)
			if err != nil {
				t.Fatal(err)
			}
			together := true
			for i := range proofs { // one by one they are judged as together
				ok, err := key.Verify(proofs[i:i+1], statements[i:i+1])
				together = together && ok && err == nil
			}
			if all != together {
				t.Errorf("together %v, alone %v", all, together)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for _, inputs := range []int{39, 327} {
		e := newExample(b, inputs, 10)
		for _, n := range []int{1, 10} {
			b.Run(fmt.Sprintf("%d inputs, %d together", inputs, n), func(b *testing.B) {
				for b.Loop() {
					if ok, err := e.key.Verify(e.proofs[:n], e.statements[:n]); !ok || err != nil {
						b.Fatal(ok, err)
					}
				}
			})
		}
	}
}
