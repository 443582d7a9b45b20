package post

import (
	"fmt"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// Winning is what the PoSt in a block's header is about.
type Winning struct {
	Size       *registered.Size
	Randomness Randomness
	Sectors    []Sector // one, after repetitions have been dropped
}

// Inputs are the public inputs of the only partition: comm_r and a challenge, for each of the 66 copies of the sector.
func (w *Winning) Inputs() ([]curve.Scalar, error) {
	s, err := newStatement(w.Size, w.Randomness, w.Sectors)
	if err != nil {
		return nil, err
	}
	if len(s.sectors) != 1 {
		return nil, fmt.Errorf("a winning PoSt is about one sector, not %d", len(s.sectors))
	}
	var challenges [registered.WinningSectors * registered.WinningChallenges]uint64
	s.challenges(challenges[:], 0, 0) // the index of a copy's challenge is the copy's place
	inputs := make([]curve.Scalar, 0, 2*len(challenges))
	for _, node := range challenges {
		var c curve.Scalar
		c.SetUint64(node)
		inputs = append(inputs, s.sectors[0].commR, c)
	}
	return inputs, nil
}

// Verify judges a proof: 192 bytes.
func (w *Winning) Verify(key *groth16.Key, proof []byte) (bool, error) {
	inputs, err := w.Inputs()
	if err != nil {
		return false, err
	}
	proofs, err := groth16.DecodeProofs(proof, 1)
	if err != nil {
		return false, err
	}
	return key.Verify(proofs, []groth16.Statement{{Inputs: inputs}})
}
