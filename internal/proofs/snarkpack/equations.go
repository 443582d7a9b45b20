package snarkpack

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/gt"
)

// folded are the values that the rounds leave.
type folded struct {
	tab, uab, zab, tc, uc curve.GT
	zc                    curve.G1
}

// fold multiplies each left part with x and each right part with 1/x, and all with what was there at first.
func (p *Proof) fold(c *challenges) (f folded) {
	exponents := make([]curve.Scalar, 0, 1+2*len(p.rounds))
	exponents = append(exponents, fr.One())
	for i := range p.rounds {
		exponents = append(exponents, c.x[i], c.inv[i])
	}
	all := func(begin *curve.GT, sides func(*round) (left, right *curve.GT)) curve.GT {
		bases := make([]curve.GT, 0, 2*len(p.rounds))
		for i := range p.rounds {
			left, right := sides(&p.rounds[i])
			bases = append(bases, *left, *right)
		}
		product := gt.Product(bases, exponents[1:])
		product.Mul(&product, begin)
		return product
	}
	curve.Parallel(6, func(i int) {
		switch i {
		case 0:
			f.tab = all(&p.comAB[0], func(r *round) (_, _ *curve.GT) { return &r.ab[0], &r.ab[2] })
		case 1:
			f.uab = all(&p.comAB[1], func(r *round) (_, _ *curve.GT) { return &r.ab[1], &r.ab[3] })
		case 2:
			f.zab = all(&p.ipAB, func(r *round) (_, _ *curve.GT) { return &r.z[0], &r.z[1] })
		case 3:
			f.tc = all(&p.comC[0], func(r *round) (_, _ *curve.GT) { return &r.c[0], &r.c[2] })
		case 4:
			f.uc = all(&p.comC[1], func(r *round) (_, _ *curve.GT) { return &r.c[1], &r.c[3] })
		case 5:
			points := []curve.G1{p.aggC}
			for i := range p.rounds {
				points = append(points, p.rounds[i].zc[0], p.rounds[i].zc[1])
			}
			f.zc = curve.Sum(points, exponents)
		}
	})
	return f
}

// equations are what must hold.
type equations struct {
	*Proof
	folded
	s         *Statement
	c         *challenges
	inputs    *combined
	fr        curve.Scalar // the polynomial of 1/x at r: what finalC is multiplied with
	fv, fw, z curve.Scalar // the commitment keys' polynomials at z, and z
}

func (p *Proof) equations(s *Statement, c *challenges, inputs *combined) *equations {
	e := &equations{Proof: p, folded: p.fold(c), s: s, c: c, inputs: inputs, z: c.z}
	var one, rInv, zn curve.Scalar
	one.SetOne()
	rInv.Inverse(&c.r)
	zn.Set(&c.z)
	for range p.rounds { // z^n
		zn.Square(&zn)
	}
	e.fr = product(c.inv, &c.r, &one)
	e.fv = product(c.inv, &c.z, &one)
	e.fw = product(c.x, &c.z, &rInv)
	e.fw.Mul(&e.fw, &zn)
	return e
}

// mippZ is the one equation without pairings.
func (e *equations) mippZ() bool {
	z := times(&e.finalC, e.fr)
	return z.Equal(&e.zc)
}

// neutral takes the generator for one.
//
// Quirk: where bellperson compares pairings with an element, the generator of the target group stands for "no element",
// that is for one (accumulator.rs).
func neutral(z curve.GT) curve.GT {
	if isGenerator(&z) {
		z.SetOne()
	}
	return z
}

func isGenerator(z *curve.GT) bool {
	g := gt.Generator()
	return z.Equal(&g)
}

// right are the elements that pairings are compared with: Z, T, U of A and B, T and U of C.
func (e *equations) right() []curve.GT {
	return []curve.GT{neutral(e.zab), neutral(e.tab), neutral(e.uab), neutral(e.tc), neutral(e.uc)}
}

// rightOfProofs is what Groth16's pairings are compared with: the last element, which remains if there is no other.
func (e *equations) rightOfProofs() curve.GT {
	for _, z := range []*curve.GT{&e.zab, &e.tab, &e.uab, &e.tc, &e.uc} {
		if !isGenerator(z) {
			return neutral(e.ipAB)
		}
	}
	return e.ipAB
}

// pairs are pairings to multiply.
type pairs struct {
	p []curve.G1
	q []curve.G2
}

func (l *pairs) add(p curve.G1, q curve.G2) { l.p, l.q = append(l.p, p), append(l.q, q) }

func (l *pairs) product() curve.GT {
	f := curve.Miller(l.p, l.q)
	return curve.Final(&f)
}

// hold tells by one product of pairings whether all equations hold.
//
// Each equation but that of Groth16 is taken to a power of 128 bits, drawn from a hash over all that is in them: the
// verdict is the same on every node, and who makes an aggregate would have to try 2¹²⁸ to pass with a false one. Pairings
// with one point of G2 in common are one.
func (e *equations) hold() bool {
	if !e.mippZ() {
		return false
	}
	c := e.coefficients()
	left, right := e.left(c), curve.GT{}
	curve.Parallel(2, func(i int) {
		if i == 0 {
			left.product = left.pairs.product()
			return
		}
		right = gt.Product(e.right(), c[:5])
		ip := e.rightOfProofs()
		right.Mul(&right, &ip)
	})
	return left.product.Equal(&right)
}

// coefficients are the powers: of the checks of Z, T, U of A and B, of T and U of C, of the openings of v and w.
func (e *equations) coefficients() (c [9]curve.Scalar) {
	h := sha256.New()
	h.Write([]byte("edgefvm snarkpack"))
	h.Write(e.encoded)
	for _, b := range [][]byte{scalarBytes(&e.c.r), scalarBytes(&e.c.z), scalarBytes(&e.inputs.total)} {
		h.Write(b)
	}
	sum := e.inputs.sum.RawBytes()
	h.Write(sum[:])
	seed := h.Sum(nil)
	for i := range c {
		digest := sha256.Sum256(binary.LittleEndian.AppendUint64(seed[:len(seed):len(seed)], uint64(i)))
		c[i].SetBytes(digest[:16])
	}
	return c
}

func scalarBytes(s *curve.Scalar) []byte {
	b := s.Bytes()
	return b[:]
}

type leftSide struct {
	pairs   pairs
	product curve.GT
}

// term is a multiple of a point.
type term struct {
	p *curve.G1
	s curve.Scalar
}

// left is the pairings of all equations to their powers, by points of G2.
func (e *equations) left(c [9]curve.Scalar) (l leftSide) {
	srs, key := e.s.SRS, e.s.Key
	z, tab, uab, tc, uc := c[0], c[1], c[2], c[3], c[4]
	v, w := c[5:7], c[7:9]
	sides := []struct {
		q     curve.G2
		terms []term
	}{
		{e.finalB, []term{{&e.finalA, z}, {&e.wkey[0], tab}, {&e.wkey[1], uab}}},
		{e.vkey[0], []term{{&e.finalA, tab}, {&e.finalC, tc}, {&srs.G, neg(v[0])}}},
		{e.vkey[1], []term{{&e.finalA, uab}, {&e.finalC, uc}, {&srs.G, neg(v[1])}}},
		{e.vOpening[0], []term{{&srs.GAlpha, v[0]}, {&srs.G, neg(mul(v[0], e.z))}}},
		{e.vOpening[1], []term{{&srs.GBeta, v[1]}, {&srs.G, neg(mul(v[1], e.z))}}},
		{srs.H, []term{
			{&srs.G, add(mul(add(v[0], v[1]), e.fv), mul(add(w[0], w[1]), e.fw))},
			{&e.wkey[0], neg(w[0])}, {&e.wOpening[0], neg(mul(w[0], e.z))},
			{&e.wkey[1], neg(w[1])}, {&e.wOpening[1], neg(mul(w[1], e.z))},
		}},
		{srs.HAlpha, []term{{&e.wOpening[0], w[0]}}},
		{srs.HBeta, []term{{&e.wOpening[1], w[1]}}},
		{key.Beta, []term{{&key.Alpha, e.inputs.total}}},
	}
	l.pairs.p, l.pairs.q = make([]curve.G1, len(sides)), make([]curve.G2, len(sides))
	curve.Parallel(len(sides), func(i int) {
		points, scalars := make([]curve.G1, len(sides[i].terms)), make([]curve.Scalar, len(sides[i].terms))
		for k, t := range sides[i].terms {
			points[k], scalars[k] = *t.p, t.s
		}
		l.pairs.p[i], l.pairs.q[i] = curve.Sum(points, scalars), sides[i].q
	})
	l.pairs.add(e.inputs.sum, key.Gamma)
	l.pairs.add(e.aggC, key.Delta)
	return l
}

func neg(a curve.Scalar) curve.Scalar    { return *a.Neg(&a) }
func mul(a, b curve.Scalar) curve.Scalar { return *a.Mul(&a, &b) }
func add(a, b curve.Scalar) curve.Scalar { return *a.Add(&a, &b) }

func times(p *curve.G1, s curve.Scalar) curve.G1 {
	return curve.Sum([]curve.G1{*p}, []curve.Scalar{s})
}
