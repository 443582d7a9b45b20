package ffi

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/edgefvm/fvm/externs"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
)

// ProofVerifier judges proofs, for the functions of this package and for the machines' syscalls. (false, nil) means an
// invalid proof. An error of one of the first four is reported to the actor as an illegal argument, unless it wraps
// externs.ErrNodeFailure, which ends the machine: a verifier that cannot do its work must say the latter. It is called
// from many goroutines.
type ProofVerifier interface {
	externs.ProofVerifier // seals, aggregates, window proofs, sector updates
	// VerifyWinningPoSt judges the proof in a block's header.
	VerifyWinningPoSt(ctx context.Context, info proof.WinningPoStVerifyInfo) (bool, error)
	// GenerateWinningPoStSectorChallenge chooses the sectors that a winning proof is about, as places in the list of
	// those eligible.
	GenerateWinningPoStSectorChallenge(ctx context.Context, proofType abi.RegisteredPoStProof, minerID abi.ActorID, randomness abi.PoStRandomness, eligibleSectorsLen uint64) ([]uint64, error)
}

// ErrNoVerifier is the error of everything that needs a proof judged, as long as no verifier is registered. A machine
// in which an actor asks for it fails: it never guesses.
var ErrNoVerifier = errors.New("judging proofs needs a verifier, and none is registered: see RegisterProofVerifier")

var verifier atomic.Pointer[ProofVerifier]

// RegisterProofVerifier sets the verifier for the process; nil takes it away. Machines that exist already keep theirs.
func RegisterProofVerifier(v ProofVerifier) {
	if v == nil {
		verifier.Store(nil)
		return
	}
	verifier.Store(&v)
}

// judge asks the registered verifier. A panic of it is an error.
func judge[T any](function string, ask func(ProofVerifier) (T, error)) (answer T, err error) {
	v := verifier.Load()
	if v == nil {
		return answer, fmt.Errorf("ffi.%s: %w", function, ErrNoVerifier)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("ffi.%s: the verifier panicked: %v", function, p)
		}
	}()
	return ask(*v)
}

// VerifySeal judges a replica's proof.
func VerifySeal(info proof.SealVerifyInfo) (bool, error) {
	return judge("VerifySeal", func(v ProofVerifier) (bool, error) { return v.VerifySeal(context.Background(), info) })
}

// VerifyAggregateSeals judges the proof of many replicas.
func VerifyAggregateSeals(aggregate proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	if len(aggregate.Infos) == 0 {
		return false, errors.New("ffi.VerifyAggregateSeals: there are no seals to verify")
	}
	return judge("VerifyAggregateSeals", func(v ProofVerifier) (bool, error) { return v.VerifyAggregateSeals(context.Background(), aggregate) })
}

// VerifyWinningPoSt judges the proof in a block's header.
func VerifyWinningPoSt(info proof.WinningPoStVerifyInfo) (bool, error) {
	return judge("VerifyWinningPoSt", func(v ProofVerifier) (bool, error) { return v.VerifyWinningPoSt(context.Background(), info) })
}

// VerifyWindowPoSt judges the proofs of a deadline's partitions.
func VerifyWindowPoSt(info proof.WindowPoStVerifyInfo) (bool, error) {
	if len(info.Proofs) == 0 {
		return false, errors.New("ffi.VerifyWindowPoSt: there are no proofs to verify")
	}
	return judge("VerifyWindowPoSt", func(v ProofVerifier) (bool, error) { return v.VerifyPoSt(context.Background(), info) })
}

// GenerateWinningPoStSectorChallenge chooses the sectors that a winning proof is about.
func GenerateWinningPoStSectorChallenge(proofType abi.RegisteredPoStProof, minerID abi.ActorID, randomness abi.PoStRandomness, eligibleSectorsLen uint64) ([]uint64, error) {
	return judge("GenerateWinningPoStSectorChallenge", func(v ProofVerifier) ([]uint64, error) {
		return v.GenerateWinningPoStSectorChallenge(context.Background(), proofType, minerID, randomness, eligibleSectorsLen)
	})
}

// FunctionsSectorUpdate are the functions about updated sectors.
type FunctionsSectorUpdate struct{}

// SectorUpdate is where they are called.
var SectorUpdate FunctionsSectorUpdate

// VerifyUpdateProof judges the proof of an updated sector.
func (FunctionsSectorUpdate) VerifyUpdateProof(info proof.ReplicaUpdateInfo) (bool, error) {
	return judge("SectorUpdate.VerifyUpdateProof", func(v ProofVerifier) (bool, error) { return v.VerifyReplicaUpdate(context.Background(), info) })
}
