// Package proofs judges Filecoin's proofs: seals, aggregates of seals, window and winning PoSts, sector updates, of every
// registered type and sector size, with the verdicts of the network's library.
//
// A verdict needs the network's verifying keys, some megabytes, in the folder in which nodes keep them. Without the
// key that a proof needs there is an error that wraps externs.ErrNodeFailure, and no verdict.
package proofs

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/proofs/keys"
)

// Options says where the keys are. Dir is needed.
type Options struct {
	// Dir is the folder with the verifying keys (.vk) and the SRS of aggregates (.srs).
	Dir string
	// TrustParams takes keys whose digest is not the published one, as a development network has them.
	TrustParams bool
}

// Verifier judges proofs. It is safe for concurrent use.
type Verifier struct {
	keys    *keys.Store
	windows windowKeys
}

var (
	_ externs.ProofVerifier = (*Verifier)(nil)
	_ externs.Judge         = (*Verifier)(nil)
)

// Open gives a verifier over a folder of keys. Keys are read when the first proof needs them.
func Open(ctx context.Context, o Options) (*Verifier, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o.Dir == "" {
		return nil, errors.New("opening the proofs' keys: Options.Dir is not set")
	}
	return &Verifier{keys: keys.New(o.Dir, o.TrustParams)}, nil
}

// JudgesProofs is true: verdicts come from the proofs.
func (v *Verifier) JudgesProofs() bool { return true }

func isNode(err error) bool { return externs.IsNodeFailure(err) }

// nodeFailure makes an error one of this node alone.
func nodeFailure(err error) error { return fmt.Errorf("%w: %w", externs.ErrNodeFailure, err) }
