package post

import (
	"fmt"
	"sync"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/msm"
)

// WindowKey is a verifying key with what makes window PoSts of many sectors quick. It is safe for concurrent use.
type WindowKey struct {
	*groth16.Key
	tails func() []curve.G1
}

// NewWindowKey prepares a key when it is first needed: 96 bytes more for each public input.
func NewWindowKey(key *groth16.Key) *WindowKey {
	return &WindowKey{key, sync.OnceValue(func() []curve.G1 { return tails(key.IC[1:]) })}
}

// tails are sums of ic: the one at i has all points that belong to the same input of the sector of ic[i] and of those
// after it. A sector that is repeated to the end of its partition takes them in the place of ic.
func tails(ic []curve.G1) []curve.G1 {
	sums := make([]curve.G1, len(ic))
	curve.Parallel(inputsPerSector, func(column int) { msm.Tails(sums, ic, column, inputsPerSector) })
	return sums
}

// few inputs are summed up with those of the other partitions at once, which is quicker than partition by partition.
const few = 1024

// statements are the sums of a window PoSt's partitions: IC₀ + Σ xᵢ·ICᵢ. Challenges are numbers of 31 bits at most and
// cost an eighth of what a commitment does, so the two are added up apart.
func (w *window) statements(key *WindowKey) ([]groth16.Statement, error) {
	if want := w.perPartition * inputsPerSector; key.Inputs() != want {
		return nil, fmt.Errorf("%w: %d, the key has %d", groth16.ErrInputs, want, key.Inputs())
	}
	if key.Inputs() < few {
		statements := make([]groth16.Statement, w.partitions)
		for k := range statements {
			statements[k].Inputs = w.inputs(k)
		}
		return statements, nil
	}
	jobs := make([]msm.Job, 2*w.partitions)
	curve.Parallel(w.partitions, func(k int) { jobs[2*k], jobs[2*k+1] = w.jobs(k, key) })
	sums := msm.Sums(jobs...)
	statements := make([]groth16.Statement, w.partitions)
	for k := range statements {
		sum := key.IC[0]
		sum.Add(&sum, &sums[2*k])
		sum.Add(&sum, &sums[2*k+1])
		statements[k].Sum = &sum
	}
	return statements, nil
}

// jobs are the sums of a partition's challenges and of its commitments.
func (w *window) jobs(k int, key *WindowKey) (nodes, commitments msm.Job) {
	from, to := w.partition(k)
	ic := key.IC[1:]
	for i := from; i < to; i++ {
		points := ic[(i-from)*inputsPerSector:]
		if i == to-1 && to-from < w.perPartition {
			points = key.tails()[(i-from)*inputsPerSector:]
		}
		commitments.Points = append(commitments.Points, points[0])
		commitments.Scalars = append(commitments.Scalars, w.sectors[i].commR)
		challenges := w.sector(i)
		nodes.Points = append(nodes.Points, points[1:inputsPerSector]...)
		nodes.Small = append(nodes.Small, challenges[:]...)
	}
	return nodes, commitments
}
