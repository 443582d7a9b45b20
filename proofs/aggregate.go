package proofs

import (
	"context"
	"errors"

	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/porep"
)

// VerifyAggregateSeals judges one proof of several seals (FIP-0013).
func (v *Verifier) VerifyAggregateSeals(ctx context.Context, info proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	return false, nodeFailure(errors.New("not yet"))
}

// verifyNI judges a non-interactive seal: inputs are those of its partitions.
func (v *Verifier) verifyNI(ctx context.Context, key *groth16.Key, seal *porep.Seal, inputs [][]curve.Scalar, proof []byte) (bool, error) {
	return false, nodeFailure(errors.New("not yet"))
}
