// Package msm computes sums of multiples of points of G1 by the method of buckets, with additions in affine coordinates that
// share their inversions: six multiplications each where a sum in projective coordinates has ten or more.
//
// It differs from gnark-crypto's MultiExp in that small scalars cost only the windows that they have (the 23,490 challenges
// of a window PoSt's partition have 30 bits), and in that several sums are shared out to the cores together.
package msm

import (
	"slices"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"

	"github.com/edgefvm/fvm/internal/proofs/curve"
)

type point = bls12381.G1Affine

// Job is a sum to compute: Σ scalars[i]·Points[i]. Exactly one of Small and Scalars is set, as long as Points.
type Job struct {
	Points  []point
	Small   []uint64
	Scalars []fr.Element
}

// number is a scalar as limbs, least significant first.
type number = [4]uint64

func (j *Job) numbers() []number {
	list := make([]number, len(j.Points))
	for i := range list {
		if j.Scalars != nil {
			list[i] = j.Scalars[i].Bits()
		} else {
			list[i][0] = j.Small[i]
		}
	}
	return list
}

// Sums computes all jobs, on all cores. Points may repeat, and may be the point at infinity.
func Sums(jobs ...Job) []point {
	plans := make([]plan, len(jobs))
	curve.Parallel(len(jobs), func(i int) { plans[i] = newPlan(&jobs[i]) })
	type task struct{ job, window int }
	var tasks []task
	for i := range plans {
		for w := range plans[i].windows {
			tasks = append(tasks, task{i, w})
		}
	}
	slices.SortStableFunc(tasks, func(a, b task) int { return len(jobs[b.job].Points) - len(jobs[a.job].Points) })
	curve.Parallel(len(tasks), func(i int) { plans[tasks[i].job].window(tasks[i].window) })
	sums := make([]point, len(jobs))
	for i := range plans {
		sums[i] = plans[i].join()
	}
	return sums
}

// plan is a job cut into windows: scalars = Σ digit·2^(width·window).
type plan struct {
	points  []point
	digits  [][]int32 // by window, then by point; negative ones take the point's negative
	windows int
	width   int
	parts   []bls12381.G1Jac // by window
}

// maxWidth bounds the buckets of a window, and so the memory: 2¹⁵ points.
const maxWidth = 16

func newPlan(j *Job) plan {
	list := j.numbers()
	longest := 0
	for i := range list {
		longest = max(longest, curve.BitLen(&list[i]))
	}
	p := plan{points: j.Points}
	if longest == 0 {
		return p
	}
	p.width = width(len(list), longest)
	p.windows = (longest + p.width - 1) / p.width
	p.parts = make([]bls12381.G1Jac, p.windows)
	p.digits = make([][]int32, p.windows)
	flat := make([]int32, p.windows*len(list))
	for w := range p.digits {
		p.digits[w] = flat[w*len(list) : (w+1)*len(list)]
	}
	for i := range list {
		carry := int32(0)
		for w := range p.windows {
			d := int32(digit(&list[i], w*p.width, p.width)) + carry
			// The last window keeps what is above its half: there is none to carry to.
			if carry = 0; d > 1<<(p.width-1) && w < p.windows-1 {
				d, carry = d-1<<p.width, 1
			}
			p.digits[w][i] = d
		}
	}
	return p
}

// width weighs the additions into buckets (6 multiplications) against those of buckets (27).
func width(n, longest int) int {
	best, least := 2, -1
	for c := 2; c <= maxWidth; c++ {
		windows := (longest + c - 1) / c
		if cost := windows * (6*n + 27<<(c-1)); least < 0 || cost < least {
			best, least = c, cost
		}
	}
	return best
}

// digit is the width bits of a number from bit from on.
func digit(n *number, from, width int) uint64 {
	limb, shift := from/64, from%64
	d := n[limb] >> shift
	if shift+width > 64 && limb+1 < len(n) {
		d |= n[limb+1] << (64 - shift)
	}
	return d & (1<<width - 1)
}

// window computes Σ digit·point of a window.
func (p *plan) window(w int) {
	digits := p.digits[w]
	top := int32(0)
	for _, d := range digits {
		top = max(top, d, -d)
	}
	if top == 0 {
		return
	}
	b := newBuckets(int(top))
	for i, d := range digits {
		if d != 0 {
			b.count(int(max(d, -d))-1, &p.points[i])
		}
	}
	b.place()
	for i, d := range digits {
		if d != 0 {
			b.put(int(max(d, -d))-1, &p.points[i], d < 0)
		}
	}
	b.reduce()
	p.parts[w] = b.weighted()
}

// join adds up the windows.
func (p *plan) join() (sum point) {
	var total bls12381.G1Jac
	for w := p.windows - 1; w >= 0; w-- {
		if w < p.windows-1 {
			for range p.width {
				total.DoubleAssign()
			}
		}
		total.AddAssign(&p.parts[w])
	}
	sum.FromJacobian(&total)
	return sum
}

// Tails writes sums of every step-th point from first on: to[i] = from[i] + from[i+step] + … to the end.
func Tails(to, from []point, first, step int) {
	if first >= len(from) {
		return
	}
	rows := (len(from) - first + step - 1) / step
	sums := make([]bls12381.G1Jac, rows)
	var running bls12381.G1Jac
	for i := rows - 1; i >= 0; i-- {
		running.AddMixed(&from[first+i*step])
		sums[i] = running
	}
	for i, sum := range bls12381.BatchJacobianToAffineG1(sums) {
		to[first+i*step] = sum
	}
}
