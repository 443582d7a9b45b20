package msm

import (
	"runtime"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"

	"github.com/edgefvm/fvm/internal/proofs/curve"
)

// Table is multiples of points that stay the same, as those of a verifying key do: with them a sum needs one set of
// buckets for all windows. It must not be written to.
type Table struct {
	n      int
	points []point // point i times 2^(8·row) at row·n + i
}

// Of a table: a scalar is 32 signed digits of 8 bits.
const (
	tableWidth = 8
	tableRows  = 32
)

// NewTable prepares points: 3 kB and 70 µs for each.
func NewTable(points []point) *Table {
	t := &Table{n: len(points), points: make([]point, tableRows*len(points))}
	const part = 16
	curve.Parallel((len(points)+part-1)/part, func(i int) {
		from, to := i*part, min((i+1)*part, len(points))
		multiples := make([]bls12381.G1Jac, 0, tableRows*(to-from))
		for k := from; k < to; k++ {
			var p bls12381.G1Jac
			p.FromAffine(&points[k])
			for row := range tableRows {
				for range tableWidth {
					if row == 0 {
						break
					}
					p.DoubleAssign()
				}
				multiples = append(multiples, p)
			}
		}
		for m, p := range bls12381.BatchJacobianToAffineG1(multiples) {
			t.points[m%tableRows*t.n+from+m/tableRows] = p
		}
	})
	return t
}

// Sum is Σ scalarsᵢ·pointsᵢ. There must be as many scalars as points.
func (t *Table) Sum(scalars []fr.Element) (sum point) {
	if len(scalars) != t.n {
		panic("msm: the table has another number of points")
	}
	// Each part has buckets of its own, which cost as much as 500 additions.
	parts := max(1, min(runtime.GOMAXPROCS(0), t.n*tableRows/1000))
	sums := make([]bls12381.G1Jac, parts)
	curve.Parallel(parts, func(i int) {
		from, to := i*t.n/parts, (i+1)*t.n/parts
		sums[i] = t.part(scalars[from:to], from)
	})
	for i := range sums[1:] {
		sums[0].AddAssign(&sums[i+1])
	}
	sum.FromJacobian(&sums[0])
	return sum
}

// part sums up points from first on.
func (t *Table) part(scalars []fr.Element, first int) bls12381.G1Jac {
	digits := make([][tableRows]int16, len(scalars))
	b := newBuckets(1 << (tableWidth - 1))
	each := func(do func(bucket int, p *point, negative bool)) {
		for i := range digits {
			for row, d := range digits[i] {
				if d != 0 {
					do(int(max(d, -d))-1, &t.points[row*t.n+first+i], d < 0)
				}
			}
		}
	}
	for i := range scalars {
		tableDigits(&digits[i], scalars[i].Bits())
	}
	each(func(bucket int, p *point, _ bool) { b.count(bucket, p) })
	b.place()
	each(b.put)
	b.reduce()
	return b.weighted()
}

// tableDigits writes a number below 2²⁵⁵ with digits from -127 to 128.
func tableDigits(to *[tableRows]int16, n number) {
	carry := int16(0)
	for row := range to {
		d := int16(digit(&n, row*tableWidth, tableWidth)) + carry
		if carry = 0; d > 1<<(tableWidth-1) {
			d, carry = d-1<<tableWidth, 1
		}
		to[row] = d
	}
}
