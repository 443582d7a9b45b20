package msm

import (
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fp"
)

// buckets are lists of points, each to be added up. Use: count for every point, place, put for every point, reduce, at.
type buckets struct {
	lists  []span
	points []point
}

// span is a bucket's place among the points.
type span struct{ from, length int }

func newBuckets(n int) *buckets { return &buckets{lists: make([]span, n)} }

// count announces a point for a bucket.
func (b *buckets) count(bucket int, p *point) {
	if !p.IsInfinity() {
		b.lists[bucket].length++
	}
}

// place makes room for all that was announced.
func (b *buckets) place() {
	n := 0
	for i := range b.lists {
		b.lists[i].from = n
		n += b.lists[i].length
		b.lists[i].length = 0
	}
	b.points = make([]point, n)
}

// put adds a point, or its negative, to a bucket. The point at infinity is left out.
func (b *buckets) put(bucket int, p *point, negative bool) {
	if p.IsInfinity() {
		return
	}
	l := &b.lists[bucket]
	to := &b.points[l.from+l.length]
	if negative {
		to.Neg(p)
	} else {
		*to = *p
	}
	l.length++
}

// at is the only point of a bucket, after reduce.
func (b *buckets) at(bucket int) (p point) {
	if l := b.lists[bucket]; l.length > 0 {
		p = b.points[l.from]
	}
	return p
}

// weighted is Σ (k+1)·bucket(k), after reduce: every bucket is added as often as there are buckets below it and itself.
func (b *buckets) weighted() (sum bls12381.G1Jac) {
	var running bls12381.G1Jac
	for i := len(b.lists) - 1; i >= 0; i-- {
		if p := b.at(i); !p.IsInfinity() {
			running.AddMixed(&p)
		}
		sum.AddAssign(&running)
	}
	return sum
}

// reduce adds up each bucket to one point: neighbours are added in pairs, those of all buckets with one inversion, until
// no bucket has two.
func (b *buckets) reduce() {
	s := new(sums)
	for {
		n, some := 0, false
		for i := range b.lists {
			l := &b.lists[i]
			for k := 0; k+1 < l.length; k += 2 {
				s.pairs[n] = pair{&b.points[l.from+k/2], &b.points[l.from+k], &b.points[l.from+k+1]}
				if n, some = n+1, true; n == together {
					s.add(n)
					n = 0
				}
			}
		}
		if !some {
			return
		}
		s.add(n)
		for i := range b.lists {
			l := &b.lists[i]
			if l.length > 2 && l.length%2 == 1 {
				b.points[l.from+l.length/2] = b.points[l.from+l.length-1]
			}
			l.length = (l.length + 1) / 2
		}
	}
}

// pair is an addition *to = *p + *q. No other pair may read what it writes, unless it comes before.
type pair struct{ to, p, q *point }

// together is how many additions share an inversion: enough to make it cheap (as much as a hundred multiplications), few
// enough to stay in the nearest cache.
const together = 512

// sums are additions that share an inversion.
type sums struct {
	pairs    [together]pair
	divisors [together]fp.Element
	products [together]fp.Element // of the divisors before
}

// kinds of an addition.
const (
	different = iota
	doubling
	opposite // the sum is the point at infinity
	first    // the second is the point at infinity
	second   // the first is
)

// divisor is what the slope of an addition is divided by; one if there is no slope.
func divisor(p, q *point, d *fp.Element) (kind int) {
	if d.Sub(&q.X, &p.X); !d.IsZero() {
		// A point at infinity has zeroes: its neighbours have another x, unless that is zero as well.
		if p.IsInfinity() {
			kind = second
		} else if q.IsInfinity() {
			kind = first
		} else {
			return different
		}
		d.SetOne()
		return kind
	}
	switch {
	case p.IsInfinity():
		kind = second
	case q.IsInfinity():
		kind = first
	case p.Y.Equal(&q.Y):
		d.Double(&p.Y) // never zero: the curve's order is odd
		return doubling
	default:
		kind = opposite
	}
	d.SetOne()
	return kind
}

// add does the first n of them.
func (s *sums) add(n int) {
	pairs, divisors, products := s.pairs[:n], s.divisors[:n], s.products[:n]
	var product fp.Element
	product.SetOne()
	for i := range pairs {
		divisor(pairs[i].p, pairs[i].q, &divisors[i])
		products[i] = product
		product.Mul(&product, &divisors[i])
	}
	var inverse fp.Element
	inverse.Inverse(&product)
	// The inverses come last to first; the sums must be written first to last, since they lie where earlier points lay.
	for i := n - 1; i >= 0; i-- {
		products[i].Mul(&products[i], &inverse)
		inverse.Mul(&inverse, &divisors[i])
	}
	for i := range pairs {
		pairs[i].add(&products[i])
	}
}

// add writes the sum, given the inverse of the divisor.
func (a *pair) add(inverse *fp.Element) {
	var slope, x, y, d fp.Element
	switch divisor(a.p, a.q, &d) {
	case different:
		slope.Sub(&a.q.Y, &a.p.Y)
	case doubling:
		slope.Square(&a.p.X)
		d.Double(&slope)
		slope.Add(&slope, &d)
	case opposite:
		*a.to = point{}
		return
	case first:
		*a.to = *a.p
		return
	case second:
		*a.to = *a.q
		return
	}
	slope.Mul(&slope, inverse)
	x.Square(&slope)
	x.Sub(&x, &a.p.X)
	x.Sub(&x, &a.q.X)
	y.Sub(&a.p.X, &x)
	y.Mul(&y, &slope)
	y.Sub(&y, &a.p.Y)
	a.to.X, a.to.Y = x, y
}
