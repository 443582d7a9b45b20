package vector

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/externs"
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
	case ProofsUpstream, ProofsValid, ProofsInvalid:
		return mode, nil
	}
	return "", fmt.Errorf("proofs %q: want upstream, valid or invalid", string(mode))
}

// Verifier judges every proof by the mode. For vectors only.
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
	if len(v.listed) > 0 {
		key, err := ProofKey(info)
		if err != nil {
			return false, fmt.Errorf("%w: %w", externs.ErrNodeFailure, err)
		}
		for _, a := range v.listed {
			switch {
			case a.Key != key:
			case a.Error != "":
				return false, errors.New(a.Error)
			default:
				return a.Valid, nil
			}
		}
	}
	return v.mode != ProofsInvalid, nil
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
