package proofs

import (
	"context"
	"errors"

	"github.com/filecoin-project/go-state-types/proof"
)

// VerifyReplicaUpdate judges the proof that a sealed sector took data in (FIP-0019).
func (v *Verifier) VerifyReplicaUpdate(ctx context.Context, info proof.ReplicaUpdateInfo) (bool, error) {
	return false, nodeFailure(errors.New("not yet"))
}
