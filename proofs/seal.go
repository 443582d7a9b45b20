package proofs

import (
	"context"
	"errors"

	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/internal/proofs/comm"
	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/keys"
	"github.com/edgefvm/fvm/internal/proofs/porep"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// VerifySeal judges the proof of one sector's seal. DealIDs are not looked at. The proof of a non-interactive seal is an
// aggregate of its partitions (SnarkPack, version 2), for which bytes after its end do not matter.
func (v *Verifier) VerifySeal(ctx context.Context, info proof.SealVerifyInfo) (bool, error) {
	s, err := v.prepareSeal(ctx, info)
	if err != nil {
		return false, err
	}
	if s.variant == registered.NI {
		return v.verifyNI(ctx, s.key, s.seal, s.inputs, info.Proof)
	}
	return s.key.Verify(s.proofs, groth16.Statements(s.inputs))
}

// preparedSeal is a seal of which everything but the equation was done.
type preparedSeal struct {
	seal    *porep.Seal
	variant registered.Variant
	key     *groth16.Key
	inputs  [][]curve.Scalar
	proofs  []groth16.Proof // nil for non-interactive seals
}

// prepareSeal makes every check but that of the equation. Errors as of VerifySeal.
func (v *Verifier) prepareSeal(ctx context.Context, info proof.SealVerifyInfo) (*preparedSeal, error) {
	size, variant, err := registered.Seal(info.SealProof)
	if err != nil {
		return nil, err
	}
	s := preparedSeal{variant: variant}
	if s.key, err = v.keys.Key(ctx, keys.Seal, size); err != nil {
		return nil, err
	}
	if variant == registered.NI { // without a file that a verdict needs there is none
		if _, err := v.keys.SRS(ctx); err != nil {
			return nil, err
		}
	}
	if s.seal, err = sealOf(info); err != nil {
		return nil, err
	}
	if len(info.Proof) == 0 {
		return nil, errors.New("the proof of the seal is empty")
	}
	if s.inputs, err = s.seal.Inputs(); err != nil {
		return nil, err
	}
	if variant != registered.NI {
		s.proofs, err = groth16.DecodeProofs(info.Proof, len(s.inputs))
	}
	return &s, err
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
