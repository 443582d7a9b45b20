// Package update judges the proofs that sealed sectors took data in (empty-sector update, FIP-0019).
//
// Its errors are answers of the network's rules. Sources: filecoin-proofs 19.1.0 api/update.rs, storage-proofs-update 19.1.0
// circuit.rs, compound.rs and constants.rs.
package update

import (
	"math/bits"

	"github.com/edgefvm/fvm/internal/proofs/comm"
	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// Update is what a proof is about: the sector's commitment before, and its data and commitment after. Commitments of zero
// are ordinary numbers here.
type Update struct {
	Size                *registered.Size
	OldR, NewR, NewData [32]byte
}

// Inputs are the four public inputs of each partition: its number with the bit of the h-value above it, the old comm_r,
// the new comm_d, the new comm_r.
func (u *Update) Inputs() ([][]curve.Scalar, error) {
	oldR, err := comm.Scalar("the old comm_r", u.OldR)
	if err != nil {
		return nil, err
	}
	newR, err := comm.Scalar("the new comm_r", u.NewR)
	if err != nil {
		return nil, err
	}
	newData, err := comm.Scalar("the new comm_d", u.NewData)
	if err != nil {
		return nil, err
	}
	inputs := make([][]curve.Scalar, u.Size.UpdatePartitions)
	h := u.Size.UpdateH << bits.Len(uint(u.Size.UpdatePartitions-1)) // partitions are a power of two
	for k := range inputs {
		var kh curve.Scalar
		kh.SetUint64(uint64(k) | h)
		inputs[k] = []curve.Scalar{kh, oldR, newData, newR}
	}
	return inputs, nil
}

// Verify judges a proof: 192 bytes for each partition.
func (u *Update) Verify(key *groth16.Key, proof []byte) (bool, error) {
	inputs, err := u.Inputs()
	if err != nil {
		return false, err
	}
	proofs, err := groth16.DecodeProofs(proof, len(inputs))
	if err != nil {
		return false, err
	}
	return key.Verify(proofs, groth16.Statements(inputs))
}
