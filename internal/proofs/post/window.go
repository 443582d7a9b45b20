package post

import (
	"fmt"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// Window is what a window PoSt is about.
type Window struct {
	Size *registered.Size
	// V11: the challenges of a sector do not depend on its place among the others (type V1_1, in messages V1P1).
	V11        bool
	Randomness Randomness
	Sectors    []Sector // in any order; of several with one number the last counts
}

// inputsPerSector: comm_r, then a node for each challenge.
const inputsPerSector = 1 + registered.WindowChallenges

// window is a window PoSt whose sectors were checked.
type window struct {
	*statement
	perPartition int // sectors
	partitions   int
	v11          bool
}

func (w *Window) check() (*window, error) {
	s, err := newStatement(w.Size, w.Randomness, w.Sectors)
	if err != nil {
		return nil, err
	}
	const most = 1 << 24 // more than a deadline can have
	if len(s.sectors) >= most {
		return nil, fmt.Errorf("a window PoSt of %d sectors: more than %d are not judged", len(s.sectors), most-1)
	}
	per := w.Size.WindowSectors
	return &window{s, per, (len(s.sectors) + per - 1) / per, w.V11}, nil
}

// partition is the range of the sectors of a partition.
func (w *window) partition(k int) (from, to int) {
	return k * w.perPartition, min((k+1)*w.perPartition, len(w.sectors))
}

// sector gives the challenges of sector i.
func (w *window) sector(i int) (nodes [registered.WindowChallenges]uint64) {
	first := uint64(0)
	if !w.v11 {
		first = uint64(i) * registered.WindowChallenges
	}
	w.challenges(nodes[:], i, first)
	return nodes
}

// inputs are the public inputs of a partition. Its last sector's are repeated until the partition is full.
func (w *window) inputs(k int) []curve.Scalar {
	from, to := w.partition(k)
	inputs := make([]curve.Scalar, 0, w.perPartition*inputsPerSector)
	for i := from; i < to; i++ {
		inputs = append(inputs, w.sectors[i].commR)
		for _, node := range w.sector(i) {
			var c curve.Scalar
			c.SetUint64(node)
			inputs = append(inputs, c)
		}
	}
	last := inputs[len(inputs)-inputsPerSector:]
	for len(inputs) < cap(inputs) {
		inputs = append(inputs, last...)
	}
	return inputs
}

// Inputs are the public inputs of each partition: 22, 25,839 (32 GiB) or 25,300 (64 GiB).
func (w *Window) Inputs() ([][]curve.Scalar, error) {
	checked, err := w.check()
	if err != nil {
		return nil, err
	}
	inputs := make([][]curve.Scalar, checked.partitions)
	for k := range inputs {
		inputs[k] = checked.inputs(k)
	}
	return inputs, nil
}

// Verify judges a proof: 192 bytes for each partition.
func (w *Window) Verify(key *WindowKey, proof []byte) (bool, error) {
	proofs, statements, err := w.prepare(key, proof)
	if err != nil {
		return false, err
	}
	return key.Verify(proofs, statements)
}

// VerifyEach judges every partition of a proof: for people who want to know which one fails.
func (w *Window) VerifyEach(key *WindowKey, proof []byte) ([]bool, error) {
	proofs, statements, err := w.prepare(key, proof)
	if err != nil {
		return nil, err
	}
	return key.VerifyEach(proofs, statements)
}

// prepare makes every check but that of the equations.
func (w *Window) prepare(key *WindowKey, proof []byte) ([]groth16.Proof, []groth16.Statement, error) {
	checked, err := w.check()
	if err != nil {
		return nil, nil, err
	}
	proofs, err := groth16.DecodeProofs(proof, checked.partitions)
	if err != nil {
		return nil, nil, err
	}
	statements, err := checked.statements(key)
	return proofs, statements, err
}
