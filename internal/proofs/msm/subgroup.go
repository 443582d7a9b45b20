package msm

import (
	"crypto/rand"
	"sync/atomic"

	"github.com/edgefvm/fvm/internal/proofs/curve"
)

// How many buckets AllInSubgroup throws points into, and how often.
const (
	chances = 128
	rounds  = 10
)

// AllInSubgroup tells whether all points, which must be on the curve, are in the subgroup. A point that is not slips
// through with a probability of 2⁻⁷⁰ at most.
//
// Many points are not looked at one by one, which takes 50 µs each: they are thrown into 128 buckets by chance, and
// the sums of the buckets are looked at; ten times. Whatever is in the buckets already, there is at most one among them
// into which a point outside the subgroup can be thrown without being noticed. (One sum with random coefficients would not
// do: the cofactor has the factor three.)
func AllInSubgroup(points []point) bool {
	var outside atomic.Bool
	if len(points) <= chances*rounds {
		const part = 64
		curve.Parallel((len(points)+part-1)/part, func(i int) {
			for j := i * part; j < min((i+1)*part, len(points)) && !outside.Load(); j++ {
				if !curve.InSubgroup(&points[j]) {
					outside.Store(true)
				}
			}
		})
		return !outside.Load()
	}
	curve.Parallel(rounds, func(int) {
		if outside.Load() {
			return
		}
		chance := make([]byte, len(points))
		rand.Read(chance) // never fails: crypto/rand ends the program
		b := newBuckets(chances)
		for i := range points {
			b.count(int(chance[i]%chances), &points[i])
		}
		b.place()
		for i := range points {
			b.put(int(chance[i]%chances), &points[i], false)
		}
		b.reduce()
		for i := range chances {
			if p := b.at(i); !curve.InSubgroup(&p) {
				outside.Store(true)
				return
			}
		}
	})
	return !outside.Load()
}
