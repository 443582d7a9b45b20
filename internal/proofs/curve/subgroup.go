package curve

import (
	"crypto/rand"
	"sync/atomic"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
)

// AllInSubgroup tells whether all points, which must be on the curve, are in the subgroup. A point that is not slips
// through with a probability of 2⁻⁶⁴ at most.
//
// Many points are not looked at one by one, which takes 50 µs each: they are thrown into 256 buckets by chance, and
// the sums of the buckets are looked at; eight times. Whatever is in the buckets already, there is at most one among 256
// into which a point outside the subgroup can be thrown without being noticed. (One sum with random coefficients would not
// do: the cofactor has the factor three.)
func AllInSubgroup(points []G1) bool {
	const (
		buckets = 256 // a byte of randomness a point
		rounds  = 8
	)
	var outside atomic.Bool
	if len(points) <= 2*buckets*rounds {
		const part = 64
		Parallel((len(points)+part-1)/part, func(i int) {
			for _, p := range points[i*part : min((i+1)*part, len(points))] {
				if outside.Load() || !inSubgroup(&p) {
					outside.Store(true)
					return
				}
			}
		})
		return !outside.Load()
	}
	Parallel(rounds, func(int) {
		if outside.Load() {
			return
		}
		chance := make([]byte, len(points))
		rand.Read(chance) // never fails: crypto/rand ends the program
		sums := make([]bls12381.G1Jac, buckets)
		for i := range points {
			sums[chance[i]].AddMixed(&points[i])
		}
		for _, p := range bls12381.BatchJacobianToAffineG1(sums) {
			if !inSubgroup(&p) {
				outside.Store(true)
				return
			}
		}
	})
	return !outside.Load()
}
