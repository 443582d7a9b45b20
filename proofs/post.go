package proofs

import (
	"context"
	"errors"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
)

// VerifyPoSt judges a window PoSt. The two highest bits of the randomness are cleared first, as nodes do.
func (v *Verifier) VerifyPoSt(ctx context.Context, info proof.WindowPoStVerifyInfo) (bool, error) {
	return false, nodeFailure(errors.New("not yet"))
}

// VerifyWinningPoSt judges the proof in a block's header. The two highest bits of the randomness are cleared first, as
// nodes do.
func (v *Verifier) VerifyWinningPoSt(ctx context.Context, info proof.WinningPoStVerifyInfo) (bool, error) {
	return false, nodeFailure(errors.New("not yet"))
}

// GenerateWinningPoStSectorChallenge chooses the sectors that a winning PoSt is about, as places in the list of the
// eligible ones. It needs no keys.
func (v *Verifier) GenerateWinningPoStSectorChallenge(ctx context.Context, typ abi.RegisteredPoStProof, miner abi.ActorID, randomness abi.PoStRandomness, eligible uint64) ([]uint64, error) {
	return nil, nodeFailure(errors.New("not yet"))
}
