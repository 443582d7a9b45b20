package curve

import bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"

// fewPoints is up to where straus is quicker than the library's multi-exponentiation, which makes buckets and goroutines.
const fewPoints = 48

// window is how many bits of a scalar straus takes at once.
const window = 4

// straus is Σ scalarsᵢ·pointsᵢ by windows whose doublings all points share, for few points. It stops at the highest bit of
// any scalar.
func straus(points []G1, scalars []Scalar) (sum bls12381.G1Jac) {
	const entries = 1<<window - 1
	digits := make([][32]byte, len(scalars)) // scalars, most significant byte first
	top := 0                                 // bits
	for i := range scalars {
		digits[i] = scalars[i].Bytes()
		regular := scalars[i].Bits()
		top = max(top, BitLen(&regular))
	}
	if top == 0 {
		return sum
	}
	multiples := make([]bls12381.G1Jac, entries*len(points))
	for i := range points {
		m := multiples[i*entries : (i+1)*entries]
		m[0].FromAffine(&points[i])
		for j := 1; j < entries; j++ {
			if m[j] = m[j-1]; j == 1 {
				m[j].DoubleAssign() // adding a point to itself
			} else {
				m[j].AddMixed(&points[i])
			}
		}
	}
	table := bls12381.BatchJacobianToAffineG1(multiples)
	for w := (top - 1) / window; w >= 0; w-- {
		for range window {
			sum.DoubleAssign()
		}
		for i := range points {
			d := digits[i][31-w/2] >> (window * (w % 2)) & entries
			if d != 0 {
				sum.AddMixed(&table[i*entries+int(d)-1])
			}
		}
	}
	return sum
}
