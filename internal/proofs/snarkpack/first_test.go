package snarkpack

import (
	"math/big"

	"github.com/edgefvm/fvm/internal/proofs/curve"
)

// Checks, in the order in which first looks at them.
const (
	mippZ = iota
	tippZ
	tippT
	tippU
	mippT
	mippU
	kzgV0
	kzgV1
	kzgW0
	kzgW1
	proofs
)

var names = [...]string{
	mippZ:  "MIPP: final_c does not fold to agg_c",
	tippZ:  "TIPP: e(final_a, final_b) is not what ip_ab folds to",
	tippT:  "TIPP: final_a and final_b do not open the first commitment of com_ab",
	tippU:  "TIPP: final_a and final_b do not open the second commitment of com_ab",
	mippT:  "MIPP: final_c does not open the first commitment of com_c",
	mippU:  "MIPP: final_c does not open the second commitment of com_c",
	kzgV0:  "KZG: the first of final_vkey is not the folded commitment key",
	kzgV1:  "KZG: the second of final_vkey is not the folded commitment key",
	kzgW0:  "KZG: the first of final_wkey is not the folded commitment key",
	kzgW1:  "KZG: the second of final_wkey is not the folded commitment key",
	proofs: "Groth16: the aggregated proofs do not prove the public inputs",
}

// firstFailure is Verify the slow way, which Verify is held against: the first check that fails, or "".
func (p *Proof) firstFailure(s *Statement) (string, error) {
	e, err := p.equationsOf(s)
	if err != nil {
		return "", err
	}
	return e.first(), nil
}

// first is the first equation that does not hold, each looked at alone, or "".
func (e *equations) first() string {
	for check := range names {
		if !e.holds(check) {
			return names[check]
		}
	}
	return ""
}

func (e *equations) holds(check int) bool {
	srs, key := e.s.SRS, e.s.Key
	var l pairs
	right := curve.GT{}
	right.SetOne()
	switch check {
	case mippZ:
		return e.mippZ()
	case tippZ:
		l.add(e.finalA, e.finalB)
		right = e.right()[0]
	case tippT, tippU:
		i := check - tippT
		l.add(e.finalA, e.vkey[i])
		l.add(e.wkey[i], e.finalB)
		right = e.right()[1+i]
	case mippT, mippU:
		i := check - mippT
		l.add(e.finalC, e.vkey[i])
		right = e.right()[3+i]
	case kzgV0, kzgV1:
		// e(g, v - y·h) = e(g^α - z·g, opening)
		i := check - kzgV0
		yh, zg := timesG2(&srs.H, e.fv), times(&srs.G, e.z)
		b, c := e.vkey[i], []curve.G1{srs.GAlpha, srs.GBeta}[i]
		b.Sub(&b, &yh)
		c.Sub(&c, &zg)
		l.add(negated(srs.G), b)
		l.add(c, e.vOpening[i])
	case kzgW0, kzgW1:
		// e(w - y·g, h) = e(opening, h^α - z·h)
		i := check - kzgW0
		yg, zh := times(&srs.G, e.fw), timesG2(&srs.H, e.z)
		a, d := e.wkey[i], []curve.G2{srs.HAlpha, srs.HBeta}[i]
		a.Sub(&a, &yg)
		d.Sub(&d, &zh)
		l.add(negated(a), srs.H)
		l.add(e.wOpening[i], d)
	case proofs:
		l.add(times(&key.Alpha, e.inputs.total), key.Beta)
		l.add(e.inputs.sum, key.Gamma)
		l.add(e.aggC, key.Delta)
		right = e.rightOfProofs()
	}
	left := l.product()
	return left.Equal(&right)
}

func negated(p curve.G1) curve.G1 { return *p.Neg(&p) }

func timesG2(p *curve.G2, s curve.Scalar) (q curve.G2) {
	q.ScalarMultiplication(p, s.BigInt(new(big.Int)))
	return q
}
