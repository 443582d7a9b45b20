// Package curve is BLS12-381 as the proofs need it: decoding of points with the checks of the network's library, sums of
// multiples, products of pairings.
//
// There are two backends: gnark-crypto in Go, and blst under the build tag blst. Their points, scalars and elements of
// the target group have the same layout in memory (Montgomery form, limbs of 64 bits, least significant first), so that
// values are those of gnark-crypto in both, and nothing is converted. The backends give the same value for every input; a test
// compares them. All functions are safe for concurrent use.
package curve

import (
	"errors"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
)

type (
	// G1 is a point of the first group, in affine coordinates; (0, 0) is the point at infinity.
	G1 = bls12381.G1Affine
	// G2 is a point of the second group.
	G2 = bls12381.G2Affine
	// GT is an element of the target field.
	GT = bls12381.GT
	// Scalar is a number below the groups' order.
	Scalar = fr.Element
)

// Lengths of encoded points, in bytes.
const (
	G1Len    = 48 // compressed
	G2Len    = 96
	RawG1Len = 96 // uncompressed
	RawG2Len = 192
)

// ErrPoint is wrapped by the errors of the decoders.
var ErrPoint = errors.New("no point of the group")
