// Package curve is BLS12-381 as the proofs need it: decoding of points with the checks of the network's library, sums of
// multiples, products of pairings.
//
// There are two backends: gnark-crypto in Go, and blst under the build tag blst. Their points, scalars and elements of
// the target group have the same layout in memory (Montgomery form, limbs of 64 bits, least significant first), so that
// values are those of gnark-crypto in both, and nothing is converted. The backends give the same value for every input,
// on any number of cores; tests compare them. All functions are safe for concurrent use.
package curve

import (
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"

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

// Flags in the first byte of an encoded point (zcash's format).
const (
	flagCompressed = 0x80
	flagInfinity   = 0x40
	flags          = 0xe0
)

// ErrPoint is wrapped by the errors of the decoders.
var ErrPoint = errors.New("no point of the group")

func errShape(group string, b []byte, want int) error {
	return fmt.Errorf("%w %s: %d bytes, want %d with the flag of compression", ErrPoint, group, len(b), want)
}

// DecodeG1 reads a compressed point of 48 bytes: flags, x below the modulus, on the curve, in the subgroup. The point at
// infinity passes. The error wraps ErrPoint.
func DecodeG1(b []byte) (G1, error) { return decodeG1(b) }

// DecodeG2 reads a compressed point of 96 bytes with the same checks.
func DecodeG2(b []byte) (G2, error) { return decodeG2(b) }

// shortScalar is up to how many bits a scalar counts as short: node indices have up to 31.
const shortScalar = 64

// Sum is Σ scalarsᵢ·pointsᵢ. There must be as many points as scalars. Short scalars, as most public inputs are, cost less.
func Sum(points []G1, scalars []Scalar) (sum G1) {
	if len(points) != len(scalars) {
		panic("curve.Sum: the lengths differ")
	}
	var short, long terms
	for i := range scalars {
		regular := scalars[i].Bits()
		switch n := BitLen(&regular); {
		case n == 0:
		case n <= shortScalar:
			short.add(points[i], scalars[i], n)
		default:
			long.add(points[i], scalars[i], n)
		}
	}
	var sums [2]bls12381.G1Jac
	Parallel(2, func(i int) { sums[i] = [...]*terms{&long, &short}[i].sum() })
	sums[0].AddAssign(&sums[1])
	return *sum.FromJacobian(&sums[0])
}

// terms are multiples of points to sum up.
type terms struct {
	points  []G1
	scalars []Scalar
	bits    int // of the longest scalar
}

func (t *terms) add(p G1, s Scalar, bits int) {
	t.points, t.scalars, t.bits = append(t.points, p), append(t.scalars, s), max(t.bits, bits)
}

func (t *terms) sum() (zero bls12381.G1Jac) {
	if len(t.points) == 0 {
		return zero
	}
	return sumOf(t.points, t.scalars, t.bits)
}

// BitLen is the length in bits of a number of four limbs, the least significant first.
func BitLen(n *[4]uint64) int {
	for i := 3; i >= 0; i-- {
		if n[i] != 0 {
			return 64*i + bits.Len64(n[i])
		}
	}
	return 0
}

// Miller is the product of the Miller loops of the pairs, to be given to Final. There must be as many of the one as of the
// other; of none it is one. Pairs with a point at infinity are one.
func Miller(p []G1, q []G2) (f GT) {
	if len(p) != len(q) {
		panic("curve.Miller: the lengths differ")
	}
	f.SetOne()
	ps, qs := make([]G1, 0, len(p)), make([]G2, 0, len(q))
	for i := range p {
		if !p[i].IsInfinity() && !q[i].IsInfinity() {
			ps, qs = append(ps, p[i]), append(qs, q[i])
		}
	}
	if len(ps) == 0 {
		return f
	}
	return miller(ps, qs)
}

// Final is the final exponentiation: what it makes of a product of Miller loops is a product of pairings.
func Final(f *GT) GT { return final(f) }

// InSubgroup tells whether a point of the curve is in the subgroup. The point at infinity is.
func InSubgroup(p *G1) bool { return inSubgroup(p) }

// Parallel calls do for 0 to n-1, on as many goroutines as there are processors, and waits for all. A panic of do ends up
// with the caller.
func Parallel(n int, do func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var (
		next   atomic.Int64
		wg     sync.WaitGroup
		broken atomic.Pointer[any]
	)
	work := func() {
		defer func() {
			if p := recover(); p != nil {
				broken.CompareAndSwap(nil, &p)
			}
		}()
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			do(i)
		}
	}
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	if p := broken.Load(); p != nil {
		panic(*p)
	}
}

// InTargetGroup tells whether an element, which must not be zero, is in the target group: the subgroup of order r.
func InTargetGroup(f *GT) bool { return inTargetGroup(f) }
