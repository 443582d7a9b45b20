package snarkpack

import (
	"strconv"

	"github.com/edgefvm/fvm/internal/proofs/curve"
)

// Version is the version of SnarkPack, which is the registered number of the aggregation plus one.
type Version int

// Versions. In V1 the first round's challenge is drawn before what the round sends, and the KZG challenge does not hang on
// the final values.
const (
	V1 Version = 1 + iota
	V2
)

// challenges are all that a verifier draws.
type challenges struct {
	r     curve.Scalar // combines the proofs
	x     []curve.Scalar
	inv   []curve.Scalar // 1/x, the ones that were drawn
	extra curve.Scalar   // V2 draws z from it
	z     curve.Scalar   // where the commitment keys' polynomials are opened
}

// hcom is the challenge that the commitments give.
func (p *Proof) hcom() curve.Scalar {
	return newTranscript("hcom").gt(&p.comAB[0], &p.comAB[1], &p.comC[0], &p.comC[1]).challenge()
}

// combiner is r. include is what the statement adds to it: a hash.
func (p *Proof) combiner(include []byte) curve.Scalar {
	hcom := p.hcom()
	return newTranscript("random-r").scalar(&hcom).bytes(include).challenge()
}

func (p *Proof) challenges(r curve.Scalar, version Version) *challenges {
	c := &challenges{r: r, x: make([]curve.Scalar, len(p.rounds)), inv: make([]curve.Scalar, len(p.rounds))}
	hcom := p.hcom()
	drawn := newTranscript("gipa-0").scalar(&hcom).gt(&p.ipAB).g1(&p.aggC).scalar(&r).challenge()
	for i := range p.rounds {
		if i > 0 || version == V2 {
			drawn = newTranscript("gipa-" + strconv.Itoa(i)).scalar(&drawn).round(&p.rounds[i]).challenge()
		}
		c.inv[i] = drawn
		c.x[i].Inverse(&drawn)
	}
	last := len(p.rounds) - 1
	if version == V1 {
		c.z = newTranscript("random-z").scalar(&c.x[last]).g2(&p.vkey[0], &p.vkey[1]).g1(&p.wkey[0], &p.wkey[1]).challenge()
		return c
	}
	c.extra = newTranscript("gipa-extra-link").scalar(&c.x[last]).g1(&p.finalA).g2(&p.finalB).g1(&p.finalC).round(&p.rounds[last]).challenge()
	c.z = newTranscript("random-z").scalar(&c.extra).g2(&p.vkey[0], &p.vkey[1]).g1(&p.wkey[0], &p.wkey[1]).
		g1(&p.finalA).g2(&p.finalB).g1(&p.finalC).challenge()
	return c
}

// product is Π (1 + list[last-j]·(z·s)^(2ʲ)), from the last round to the first.
func product(list []curve.Scalar, z, s *curve.Scalar) (f curve.Scalar) {
	var power, factor, one curve.Scalar
	one.SetOne()
	f.SetOne()
	power.Mul(z, s)
	for i := len(list) - 1; i >= 0; i-- {
		factor.Mul(&list[i], &power)
		factor.Add(&factor, &one)
		f.Mul(&f, &factor)
		power.Square(&power)
	}
	return f
}
