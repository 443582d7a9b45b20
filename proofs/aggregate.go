package proofs

import (
	"context"
	"errors"

	"github.com/filecoin-project/go-state-types/proof"
)

// VerifyAggregateSeals judges one proof of several seals (FIP-0013).
func (v *Verifier) VerifyAggregateSeals(ctx context.Context, info proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	return false, nodeFailure(errors.New("not yet"))
}
