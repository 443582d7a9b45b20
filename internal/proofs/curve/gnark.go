package curve

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
)

func gnarkDecodeG1(b []byte) (p G1, err error) {
	if len(b) != G1Len || b[0]&flagCompressed == 0 {
		return G1{}, errShape("G1", b, G1Len)
	}
	if n, err := p.SetBytes(b); err != nil || n != len(b) {
		return G1{}, fmt.Errorf("%w G1: %w", ErrPoint, err)
	}
	return p, nil
}

func gnarkDecodeG2(b []byte) (p G2, err error) {
	if len(b) != G2Len || b[0]&flagCompressed == 0 {
		return G2{}, errShape("G2", b, G2Len)
	}
	if n, err := p.SetBytes(b); err != nil || n != len(b) {
		return G2{}, fmt.Errorf("%w G2: %w", ErrPoint, err)
	}
	return p, nil
}

// gnarkSum sums points whose scalars have about the same length: multiples of short ones cost less.
func gnarkSum(points []G1, scalars []Scalar, _ int) (sum bls12381.G1Jac) {
	if len(points) < fewPoints {
		return straus(points, scalars)
	}
	if _, err := sum.MultiExp(points, scalars, ecc.MultiExpConfig{}); err != nil {
		panic(err) // the lengths differ
	}
	return sum
}

func gnarkMiller(p []G1, q []G2) (f GT) {
	f, err := bls12381.MillerLoop(p, q)
	if err != nil {
		panic(err) // there are none, or the lengths differ
	}
	return f
}

func gnarkFinal(f *GT) GT { return bls12381.FinalExponentiation(f) }
