package groth16

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/msm"
)

// Key is a verifying key, checked and prepared. It must not be written to.
type Key struct {
	Alpha curve.G1
	Beta  curve.G2
	Gamma curve.G2
	Delta curve.G2
	// IC has a point for the constant one, then a point for each public input.
	IC []curve.G1

	alphaBeta curve.GT // e(Alpha, Beta)
	// table makes sums over IC quick, from the first on; nil for keys with few or very many points.
	table func() *msm.Table
}

// Inputs is the number of public inputs of a statement.
func (k *Key) Inputs() int { return len(k.IC) - 1 }

// leastTable and mostTable bound the inputs of keys that have a table: it pays from some points on, and costs 3 kB for
// each.
const (
	leastTable = 4
	mostTable  = 1024
)

// SumIC is Σ scalarsᵢ·ICᵢ, over all points: the first scalar is for the constant.
func (k *Key) SumIC(scalars []curve.Scalar) curve.G1 {
	if k.table == nil {
		return curve.Sum(k.IC, scalars)
	}
	return k.table().Sum(scalars)
}

// Offsets in a file, in bytes. Points are uncompressed.
const (
	atAlpha  = 0
	atBeta1  = atAlpha + curve.RawG1Len // of G1, not used to verify
	atBeta   = atBeta1 + curve.RawG1Len
	atGamma  = atBeta + curve.RawG2Len
	atDelta1 = atGamma + curve.RawG2Len // of G1, not used to verify
	atDelta  = atDelta1 + curve.RawG1Len
	atCount  = atDelta + curve.RawG2Len // of IC, 32 bits, most significant byte first
	atIC     = atCount + 4
)

// KeyLen is the length of the file of a key with that many public inputs, in bytes.
func KeyLen(inputs int) int { return atIC + curve.RawG1Len*(inputs+1) }

// ParseKey reads the file of a verifying key (.vk). Every point must be on the curve; those of IC must not be at infinity.
// Bytes after the end are not looked at. The error wraps ErrKey.
//
// published says that the bytes are those of a key that the network published (their digest was compared): that its
// points are in the subgroup, the one check that takes long, is known of those.
func ParseKey(b []byte, published bool) (*Key, error) {
	if len(b) < atIC {
		return nil, fmt.Errorf("%w: %d bytes, want at least %d", ErrKey, len(b), atIC)
	}
	var k Key
	var err error
	ofG1 := make([]curve.G1, 3) // alpha, and those that are not used but must be points
	for i, at := range []int{atAlpha, atBeta1, atDelta1} {
		if ofG1[i], err = curve.DecodeRawG1(b[at : at+curve.RawG1Len]); err != nil {
			return nil, fmt.Errorf("%w: the point at byte %d: %w", ErrKey, at, err)
		}
	}
	k.Alpha = ofG1[0]
	for _, p := range []struct {
		at int
		to *curve.G2
	}{{atBeta, &k.Beta}, {atGamma, &k.Gamma}, {atDelta, &k.Delta}} {
		if *p.to, err = curve.DecodeRawG2(b[p.at : p.at+curve.RawG2Len]); err != nil {
			return nil, fmt.Errorf("%w: the point at byte %d: %w", ErrKey, p.at, err)
		}
	}
	if k.IC, err = parseIC(binary.BigEndian.Uint32(b[atCount:atIC]), b[atIC:]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if !published && !(msm.AllInSubgroup(ofG1) && msm.AllInSubgroup(k.IC)) {
		return nil, fmt.Errorf("%w: a point of it is not in the subgroup", ErrKey)
	}
	f := curve.Miller([]curve.G1{k.Alpha}, []curve.G2{k.Beta})
	k.alphaBeta = curve.Final(&f)
	if n := k.Inputs(); n >= leastTable && n <= mostTable {
		k.table = sync.OnceValue(func() *msm.Table { return msm.NewTable(k.IC) })
	}
	return &k, nil
}

// parseIC reads n points.
func parseIC(n uint32, b []byte) ([]curve.G1, error) {
	if n == 0 {
		return nil, errors.New("it has no points for public inputs")
	}
	if have := len(b) / curve.RawG1Len; uint64(n) > uint64(have) {
		return nil, fmt.Errorf("it is cut short: %d points for public inputs are announced, there are %d", n, have)
	}
	const part = 1024
	points := make([]curve.G1, n)
	var bad atomic.Int64 // the first point that is none, counted from one
	curve.Parallel((len(points)+part-1)/part, func(i int) {
		for j := i * part; j < min((i+1)*part, len(points)); j++ {
			p, err := curve.DecodeRawG1(b[j*curve.RawG1Len : (j+1)*curve.RawG1Len])
			if err != nil || p.IsInfinity() {
				lower(&bad, int64(j+1))
				return
			}
			points[j] = p
		}
	})
	if j := bad.Load(); j != 0 {
		return nil, fmt.Errorf("point %d of those for public inputs is no point of the curve, or the one at infinity", j-1)
	}
	return points, nil
}

// lower puts n where a greater number or none stands.
func lower(least *atomic.Int64, n int64) {
	for {
		old := least.Load()
		if old != 0 && old <= n || least.CompareAndSwap(old, n) {
			return
		}
	}
}
