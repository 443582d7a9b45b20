//go:build !cgo || !blst

package curve

import (
	"runtime"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
)

// Backend names what computes.
const Backend = "gnark-crypto"

func decodeG1(b []byte) (G1, error) { return gnarkDecodeG1(b) }
func decodeG2(b []byte) (G2, error) { return gnarkDecodeG2(b) }

func sumOf(points []G1, scalars []Scalar, bits int) bls12381.G1Jac {
	return gnarkSum(points, scalars, bits)
}

// miller splits pairs between the processors: their products are the same in any order. Those of one processor share their
// squarings.
func miller(p []G1, q []G2) GT {
	part := (len(p) + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	if part == len(p) {
		return gnarkMiller(p, q)
	}
	products := make([]GT, (len(p)+part-1)/part)
	Parallel(len(products), func(i int) {
		from, to := i*part, min((i+1)*part, len(p))
		products[i] = gnarkMiller(p[from:to], q[from:to])
	})
	for i := range products[1:] {
		products[0].Mul(&products[0], &products[i+1])
	}
	return products[0]
}

func final(f *GT) GT { return gnarkFinal(f) }

func inSubgroup(p *G1) bool { return p.IsInSubGroup() }

func inTargetGroup(f *GT) bool { return f.IsInSubGroup() }
