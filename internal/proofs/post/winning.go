package post

import (
	"fmt"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/msm"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// Winning is what the PoSt in a block's header is about.
type Winning struct {
	Size       *registered.Size
	Randomness Randomness
	Sectors    []Sector // one, after repetitions have been dropped
}

// check gives the statement of the one sector.
func (w *Winning) check() (*statement, error) {
	s, err := newStatement(w.Size, w.Randomness, w.Sectors)
	if err != nil {
		return nil, err
	}
	if len(s.sectors) != 1 {
		return nil, fmt.Errorf("a winning PoSt is about one sector, not %d", len(s.sectors))
	}
	return s, nil
}

// winningChallenges are the nodes that the copies of the sector open. The index of a copy's challenge is its place.
func (s *statement) winningChallenges() (nodes [registered.WinningSectors * registered.WinningChallenges]uint64) {
	s.challenges(nodes[:], 0, 0)
	return nodes
}

// Inputs are the public inputs of the only partition: comm_r and a challenge, for each of the 66 copies of the sector.
func (w *Winning) Inputs() ([]curve.Scalar, error) {
	s, err := w.check()
	if err != nil {
		return nil, err
	}
	nodes := s.winningChallenges()
	inputs := make([]curve.Scalar, 0, 2*len(nodes))
	for _, node := range nodes {
		var c curve.Scalar
		c.SetUint64(node)
		inputs = append(inputs, s.sectors[0].commR, c)
	}
	return inputs, nil
}

// Verify judges a proof: 192 bytes.
func (w *Winning) Verify(key *groth16.Key, proof []byte) (bool, error) {
	s, err := w.check()
	if err != nil {
		return false, err
	}
	proofs, err := groth16.DecodeProofs(proof, 1)
	if err != nil {
		return false, err
	}
	sum, err := s.winningSum(key)
	if err != nil {
		return false, err
	}
	return key.Verify(proofs, []groth16.Statement{{Sum: &sum}})
}

// winningSum is IC₀ + Σ xᵢ·ICᵢ: all copies have one comm_r, so that its points are added up first.
func (s *statement) winningSum(key *groth16.Key) (sum curve.G1, err error) {
	nodes := s.winningChallenges()
	if want := 2 * len(nodes); key.Inputs() != want {
		return sum, fmt.Errorf("%w: %d, the key has %d", groth16.ErrInputs, want, key.Inputs())
	}
	ic := key.IC[1:]
	places := make([]curve.G1, len(nodes))
	var copies bls12381.G1Jac
	for i := range nodes {
		copies.AddMixed(&ic[2*i])
		places[i] = ic[2*i+1]
	}
	var commR, challenges curve.G1
	commR.FromJacobian(&copies)
	curve.Parallel(2, func(i int) {
		if i == 0 {
			commR = curve.Sum([]curve.G1{commR}, []curve.Scalar{s.sectors[0].commR})
			return
		}
		challenges = msm.Sums(msm.Job{Points: places, Small: nodes[:]})[0]
	})
	sum.Add(&key.IC[0], &commR)
	sum.Add(&sum, &challenges)
	return sum, nil
}
