package proofs

import (
	"context"
	"errors"

	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/internal/proofs/comm"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/keys"
	"github.com/edgefvm/fvm/internal/proofs/porep"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// VerifySeal judges the proof of one sector's seal. DealIDs are not looked at. The proof of a non-interactive seal is an
// aggregate of its partitions (SnarkPack, version 2), for which bytes after its end do not matter.
func (v *Verifier) VerifySeal(ctx context.Context, info proof.SealVerifyInfo) (bool, error) {
	size, variant, err := registered.Seal(info.SealProof)
	if err != nil {
		return false, err
	}
	key, err := v.keys.Key(ctx, keys.Seal, size)
	if err != nil {
		return false, err
	}
	seal, err := sealOf(info)
	if err != nil {
		return false, err
	}
	if len(info.Proof) == 0 {
		return false, errors.New("the proof of the seal is empty")
	}
	inputs, err := seal.Inputs()
	if err != nil {
		return false, err
	}
	if variant == registered.NI {
		return v.verifyNI(ctx, key, seal, inputs, info.Proof)
	}
	proofs, err := groth16.DecodeProofs(info.Proof, len(inputs))
	if err != nil {
		return false, err
	}
	statements := make([]groth16.Statement, len(inputs))
	for i := range inputs {
		statements[i].Inputs = inputs[i]
	}
	return key.Verify(proofs, statements)
}

// sealOf takes the values out of what a message says of a seal.
func sealOf(info proof.SealVerifyInfo) (*porep.Seal, error) {
	s := porep.Seal{Type: info.SealProof, Miner: info.Miner, Number: info.Number}
	var err error
	if s.CommR, err = comm.Sealed(info.SealedCID); err != nil {
		return nil, err
	}
	if s.CommD, err = comm.Unsealed(info.UnsealedCID); err != nil {
		return nil, err
	}
	if s.Ticket, err = comm.Bytes32("the ticket", info.Randomness); err != nil {
		return nil, err
	}
	if s.Seed, err = comm.Bytes32("the seed", info.InteractiveRandomness); err != nil {
		return nil, err
	}
	return &s, nil
}
