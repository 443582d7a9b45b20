//go:build !cgo || !blst

package curve

// Backend names what computes.
const Backend = "gnark-crypto"

// DecodeG1 reads a compressed point of 48 bytes: flags, x below the modulus, on the curve, in the subgroup. The point at
// infinity passes. The error wraps ErrPoint.
func DecodeG1(b []byte) (G1, error) { return gnarkDecodeG1(b) }

// DecodeG2 reads a compressed point of 96 bytes with the same checks.
func DecodeG2(b []byte) (G2, error) { return gnarkDecodeG2(b) }

// Sum is Σ scalarsᵢ·pointsᵢ. The lengths must be equal.
func Sum(points []G1, scalars []Scalar) G1 { return gnarkSum(points, scalars) }

// Miller is the product of the Miller loops of the pairs, to be given to Final. The lengths must be equal.
func Miller(p []G1, q []G2) GT { return gnarkMiller(p, q) }

// Final is the final exponentiation: with it the product of Miller loops is one of pairings.
func Final(f *GT) GT { return gnarkFinal(f) }
