package messages

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/proofs"
	"github.com/edgefvm/fvm/vector"
)

// The values of --proofs that are no folder.
const (
	assumeValid   = "assume-valid"
	assumeInvalid = "assume-invalid"
)

// judge finds who judges proofs.
func (o *outside) judge(ctx context.Context, x *execFlags) error {
	var v externs.ProofVerifier
	switch x.proofs {
	case "":
		o.proofs = noJudge{}
		return nil
	case assumeValid:
		o.proofsMode, o.proofsBy = vector.ProofsValid, "taken as valid by --proofs"
		v = o.proofsMode.Verifier()
	case assumeInvalid:
		o.proofsMode, o.proofsBy = vector.ProofsInvalid, "taken as invalid by --proofs"
		v = o.proofsMode.Verifier()
	default:
		info, err := os.Stat(x.proofs)
		if errors.Is(err, fs.ErrNotExist) {
			return kit.Usagef("--proofs %q: want %s, %s or the folder of the keys that proofs are verified by, and there is none of this name", x.proofs, assumeValid, assumeInvalid)
		}
		if err != nil {
			return fmt.Errorf("--proofs: %w", err)
		}
		if !info.IsDir() {
			return kit.Usagef("--proofs %s: want the folder of the keys", x.proofs)
		}
		if v, err = proofs.Open(ctx, proofs.Options{Dir: x.proofs, TrustParams: x.trust}); err != nil {
			return fmt.Errorf("--proofs: %w", err)
		}
		o.proofsBy = "verified with the keys in " + x.proofs
	}
	o.proofs = noting{v, o}
	return nil
}

// verdict is what was said of a proof.
type verdict struct {
	key   string // of vector.ProofKey
	valid bool
	err   error
}

// noJudge stands where nobody said how proofs are judged.
type noJudge struct{}

func (noJudge) refuse(what string) (bool, error) {
	return false, fmt.Errorf("%w: the message has %s judged: name the folder of the network's verifying keys with --proofs FOLDER, or say how it comes out with --proofs %s or %s",
		externs.ErrNodeFailure, what, assumeValid, assumeInvalid)
}

func (n noJudge) VerifySeal(context.Context, proof.SealVerifyInfo) (bool, error) {
	return n.refuse("the proof of a seal")
}

func (n noJudge) VerifyAggregateSeals(context.Context, proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	return n.refuse("an aggregate of proofs")
}

func (n noJudge) VerifyPoSt(context.Context, proof.WindowPoStVerifyInfo) (bool, error) {
	return n.refuse("a proof of spacetime")
}

func (n noJudge) VerifyReplicaUpdate(context.Context, proof.ReplicaUpdateInfo) (bool, error) {
	return n.refuse("the proof of an update")
}

// noting notes the verdicts.
type noting struct {
	externs.ProofVerifier
	of *outside
}

var _ externs.Judge = noting{}

// JudgesProofs is what the verifier itself says.
func (n noting) JudgesProofs() bool {
	j, ok := n.ProofVerifier.(externs.Judge)
	return ok && j.JudgesProofs()
}

func (n noting) note(info any, valid bool, err error) (bool, error) {
	if externs.IsNodeFailure(err) {
		return valid, err
	}
	key, kerr := vector.ProofKey(info)
	if kerr != nil {
		return false, fmt.Errorf("%w: %w", externs.ErrNodeFailure, kerr)
	}
	n.of.mu.Lock()
	defer n.of.mu.Unlock()
	n.of.verdict = append(n.of.verdict, verdict{key, valid, err})
	return valid, err
}

func (n noting) VerifySeal(ctx context.Context, info proof.SealVerifyInfo) (bool, error) {
	ok, err := n.ProofVerifier.VerifySeal(ctx, info)
	return n.note(info, ok, err)
}

func (n noting) VerifyAggregateSeals(ctx context.Context, info proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	ok, err := n.ProofVerifier.VerifyAggregateSeals(ctx, info)
	return n.note(info, ok, err)
}

func (n noting) VerifyPoSt(ctx context.Context, info proof.WindowPoStVerifyInfo) (bool, error) {
	ok, err := n.ProofVerifier.VerifyPoSt(ctx, info)
	return n.note(info, ok, err)
}

func (n noting) VerifyReplicaUpdate(ctx context.Context, info proof.ReplicaUpdateInfo) (bool, error) {
	ok, err := n.ProofVerifier.VerifyReplicaUpdate(ctx, info)
	return n.note(info, ok, err)
}
