package proofs

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/internal/proofs/comm"
	"github.com/edgefvm/fvm/internal/proofs/keys"
	"github.com/edgefvm/fvm/internal/proofs/registered"
	"github.com/edgefvm/fvm/internal/proofs/update"
)

// VerifyReplicaUpdate judges the proof that a sealed sector took data in (FIP-0019). A commitment of zero is no error here.
func (v *Verifier) VerifyReplicaUpdate(ctx context.Context, info proof.ReplicaUpdateInfo) (bool, error) {
	size, err := registered.Update(info.UpdateProofType)
	if err != nil {
		return false, err
	}
	key, err := v.keys.Key(ctx, keys.Update, size)
	if err != nil {
		return false, err
	}
	u, err := updateOf(info)
	if err != nil {
		return false, err
	}
	return u.Verify(key, info.Proof)
}

// updateOf takes the statement out of what a message says.
func updateOf(info proof.ReplicaUpdateInfo) (u update.Update, err error) {
	if u.Size, err = registered.Update(info.UpdateProofType); err != nil {
		return u, err
	}
	if u.OldR, err = comm.Sealed(info.OldSealedSectorCID); err != nil {
		return u, fmt.Errorf("the old commitment: %w", err)
	}
	if u.NewR, err = comm.Sealed(info.NewSealedSectorCID); err != nil {
		return u, fmt.Errorf("the new commitment: %w", err)
	}
	if u.NewData, err = comm.Unsealed(info.NewUnsealedSectorCID); err != nil {
		return u, fmt.Errorf("the new data: %w", err)
	}
	return u, nil
}
