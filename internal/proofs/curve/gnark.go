package curve

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
)

const flagCompressed = 0x80

// decodeG1 reads a compressed point: flags, x below the modulus, on the curve, in the subgroup. The point at infinity
// passes.
func gnarkDecodeG1(b []byte) (p G1, err error) {
	if len(b) != G1Len || b[0]&flagCompressed == 0 {
		return G1{}, fmt.Errorf("%w G1: %d bytes, want %d with the flag of compression", ErrPoint, len(b), G1Len)
	}
	if n, err := p.SetBytes(b); err != nil || n != len(b) {
		return G1{}, fmt.Errorf("%w G1: %w", ErrPoint, err)
	}
	return p, nil
}

func gnarkDecodeG2(b []byte) (p G2, err error) {
	if len(b) != G2Len || b[0]&flagCompressed == 0 {
		return G2{}, fmt.Errorf("%w G2: %d bytes, want %d with the flag of compression", ErrPoint, len(b), G2Len)
	}
	if n, err := p.SetBytes(b); err != nil || n != len(b) {
		return G2{}, fmt.Errorf("%w G2: %w", ErrPoint, err)
	}
	return p, nil
}

// sum is Σ scalarsᵢ·pointsᵢ.
func gnarkSum(points []G1, scalars []Scalar) (sum G1) {
	if _, err := sum.MultiExp(points, scalars, ecc.MultiExpConfig{}); err != nil {
		panic(err) // the lengths differ
	}
	return sum
}

// miller is the product of Miller loops: of no pairs it is one.
func gnarkMiller(p []G1, q []G2) (f GT) {
	if len(p) == 0 && len(q) == 0 {
		f.SetOne()
		return f
	}
	f, err := bls12381.MillerLoop(p, q)
	if err != nil {
		panic(err) // the lengths differ
	}
	return f
}

func gnarkFinal(f *GT) GT { return bls12381.FinalExponentiation(f) }
