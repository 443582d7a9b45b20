package vector

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/proofs"
)

// Proofs says how a vector's proofs are judged.
type Proofs string

// The modes of proofs.
const (
	// ProofsUpstream: every proof is valid and a batch of seals is free, as the official vectors were recorded.
	ProofsUpstream Proofs = "upstream"
	// ProofsValid: every proof is valid and costs what it costs.
	ProofsValid Proofs = "valid"
	// ProofsInvalid: every proof is invalid and costs what it costs.
	ProofsInvalid Proofs = "invalid"
	// ProofsJudged: proofs are real, and are judged with the keys of the folder "proof_keys", whatever their digests.
	ProofsJudged Proofs = "judged"
)

// Proofs is the vector's mode, or that of JudgeProofs.
func (v *Vector) Proofs() (Proofs, error) {
	mode := Proofs(v.file.Preconditions.Proofs)
	if v.mode != "" {
		mode = v.mode
	}
	return mode.Check()
}

// JudgeProofs makes the vector's proofs be judged otherwise than its file says.
func (v *Vector) JudgeProofs(mode Proofs) { v.mode = mode }

// Check gives the mode, ProofsUpstream for "", or refuses one that is unknown.
func (mode Proofs) Check() (Proofs, error) {
	switch mode {
	case "":
		return ProofsUpstream, nil
	case ProofsUpstream, ProofsValid, ProofsInvalid, ProofsJudged:
		return mode, nil
	}
	return "", fmt.Errorf("proofs %q: want upstream, valid, invalid or judged", string(mode))
}

// verifier is that of the vector's machines.
func (v *Vector) verifier() (externs.ProofVerifier, error) {
	mode, err := v.Proofs()
	if err != nil {
		return nil, err
	}
	by := verifier{mode: mode, listed: v.file.ProofAnswers}
	if mode != ProofsJudged {
		return by, nil
	}
	keys := v.file.Preconditions.ProofKeys
	if keys == "" {
		return nil, fmt.Errorf("vector %s: proofs are to be judged, and proof_keys names no folder of keys", v.Name)
	}
	if !filepath.IsAbs(keys) {
		keys = filepath.Join(filepath.Dir(v.Path), keys)
	}
	judge, err := proofs.Open(context.Background(), proofs.Options{Dir: keys, TrustParams: true})
	if err != nil {
		return nil, fmt.Errorf("vector %s: %w", v.Name, err)
	}
	return judged{by, judge}, nil
}

// Verifier judges every proof by the mode, which must not be ProofsJudged: that needs keys. For vectors only.
func (mode Proofs) Verifier() externs.ProofVerifier { return verifier{mode: mode} }

// proofAnswer is a verdict on one proof, for vectors of which some are valid and some are not.
type proofAnswer struct {
	Key   string `json:"key"` // of ProofKey
	Valid bool   `json:"valid"`
	Error string `json:"error,omitempty"` // instead of a verdict: what the question failed with
}

// ProofKey names a question for a verdict by its content: info is what the verifier is given.
func ProofKey(info any) (string, error) {
	data, err := json.Marshal(info)
	if err != nil {
		return "", fmt.Errorf("naming a proof: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%T %s", info, data))
	return hex.EncodeToString(sum[:]), nil
}

// verifier judges every proof alike, but for those that are listed. For vectors only.
type verifier struct {
	mode   Proofs
	listed []proofAnswer
}

var (
	_ externs.ProofVerifier = verifier{}
	_ externs.FreeBatch     = verifier{}
)

func (v verifier) verdict(info any) (bool, error) {
	if ok, known, err := v.answer(info); known {
		return ok, err
	}
	return v.mode != ProofsInvalid, nil
}

// answer is the listed one, if there is.
func (v verifier) answer(info any) (ok, known bool, err error) {
	if len(v.listed) == 0 {
		return false, false, nil
	}
	key, err := ProofKey(info)
	if err != nil {
		return false, true, fmt.Errorf("%w: %w", externs.ErrNodeFailure, err)
	}
	for _, a := range v.listed {
		switch {
		case a.Key != key:
		case a.Error != "":
			return false, true, errors.New(a.Error)
		default:
			return a.Valid, true, nil
		}
	}
	return false, false, nil
}

func (v verifier) VerifySeal(_ context.Context, info proof.SealVerifyInfo) (bool, error) {
	return v.verdict(info)
}

func (v verifier) VerifyAggregateSeals(_ context.Context, info proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	return v.verdict(info)
}

func (v verifier) VerifyPoSt(_ context.Context, info proof.WindowPoStVerifyInfo) (bool, error) {
	return v.verdict(info)
}

func (v verifier) VerifyReplicaUpdate(_ context.Context, info proof.ReplicaUpdateInfo) (bool, error) {
	return v.verdict(info)
}

// BatchVerifySealsIsFree is true as the official vectors need it.
func (v verifier) BatchVerifySealsIsFree() bool { return v.mode == ProofsUpstream }

// judged judges proofs, but for those that are listed.
type judged struct {
	verifier
	judge *proofs.Verifier
}

var _ externs.Judge = judged{}

func (v judged) JudgesProofs() bool { return true }

func (v judged) VerifySeal(ctx context.Context, info proof.SealVerifyInfo) (bool, error) {
	if ok, known, err := v.answer(info); known {
		return ok, err
	}
	return v.judge.VerifySeal(ctx, info)
}

func (v judged) VerifyAggregateSeals(ctx context.Context, info proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	if ok, known, err := v.answer(info); known {
		return ok, err
	}
	return v.judge.VerifyAggregateSeals(ctx, info)
}

func (v judged) VerifyPoSt(ctx context.Context, info proof.WindowPoStVerifyInfo) (bool, error) {
	if ok, known, err := v.answer(info); known {
		return ok, err
	}
	return v.judge.VerifyPoSt(ctx, info)
}

func (v judged) VerifyReplicaUpdate(ctx context.Context, info proof.ReplicaUpdateInfo) (bool, error) {
	if ok, known, err := v.answer(info); known {
		return ok, err
	}
	return v.judge.VerifyReplicaUpdate(ctx, info)
}
