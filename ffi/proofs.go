package ffi

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync/atomic"

	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
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
}

// ErrNoVerifier is the error of everything that needs a proof judged, as long as no verifier is registered. A machine
// in which an actor asks for it fails: it never guesses.
var ErrNoVerifier = errors.New("judging proofs needs a verifier, and none is registered: see RegisterProofVerifier")

var verifier atomic.Pointer[ProofVerifier]

// RegisterProofVerifier sets the verifier of the package's functions, one for the process; nil takes it away. Machines
// that exist already keep theirs. A [Node] has its own.
func RegisterProofVerifier(v ProofVerifier) {
	if v == nil {
		verifier.Store(nil)
		return
	}
	verifier.Store(&v)
}

// registered is the verifier that a program registered, or nil.
func registered() ProofVerifier {
	if v := verifier.Load(); v != nil {
		return *v
	}
	return nil
}

// judge asks the registered verifier. A panic of it is an error.
func judge[T any](function string, ask func(ProofVerifier) (T, error)) (answer T, err error) {
	v := registered()
	if v == nil {
		return answer, fmt.Errorf("ffi.%s: %w", function, ErrNoVerifier)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("ffi.%s: the verifier panicked: %v", function, p)
		}
	}()
	return ask(v)
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

// GenerateWinningPoStSectorChallenge chooses the sectors that a winning proof is about, as places in the list of the
// eligible ones. It is a hash and judges nothing, so it needs no verifier. randomness is 32 bytes, as a number (least
// significant byte first) below the order of BLS12-381's scalar field.
func GenerateWinningPoStSectorChallenge(proofType abi.RegisteredPoStProof, minerID abi.ActorID, randomness abi.PoStRandomness, eligibleSectorsLen uint64) ([]uint64, error) {
	const function = "ffi.GenerateWinningPoStSectorChallenge"
	switch proofType {
	case abi.RegisteredPoStProof_StackedDrgWinning2KiBV1, abi.RegisteredPoStProof_StackedDrgWinning8MiBV1, abi.RegisteredPoStProof_StackedDrgWinning512MiBV1,
		abi.RegisteredPoStProof_StackedDrgWinning32GiBV1, abi.RegisteredPoStProof_StackedDrgWinning64GiBV1:
	default:
		return nil, fmt.Errorf("%s: type %d is no winning proof", function, proofType)
	}
	if eligibleSectorsLen == 0 {
		return nil, fmt.Errorf("%s: no sectors are eligible", function)
	}
	if len(randomness) != 32 || !belowOrder([32]byte(randomness)) {
		return nil, fmt.Errorf("%s: the randomness %x is no element of the scalar field", function, randomness)
	}
	var prover [32]byte
	copy(prover[:], binary.AppendUvarint(nil, uint64(minerID)))
	hash := sha256.New()
	hash.Write(prover[:])
	hash.Write(randomness)
	hash.Write(make([]byte, 8)) // the number of the challenge: the network has one
	return []uint64{binary.LittleEndian.Uint64(hash.Sum(nil)) % eligibleSectorsLen}, nil
}

// belowOrder tells whether a number, least significant byte first, is below the order of the scalar field.
func belowOrder(n [32]byte) bool {
	slices.Reverse(n[:])
	return new(big.Int).SetBytes(n[:]).Cmp(fr.Modulus()) < 0
}

// FunctionsSectorUpdate are the functions about updated sectors.
type FunctionsSectorUpdate struct{}

// SectorUpdate is where they are called.
var SectorUpdate FunctionsSectorUpdate

// VerifyUpdateProof judges the proof of an updated sector.
func (FunctionsSectorUpdate) VerifyUpdateProof(info proof.ReplicaUpdateInfo) (bool, error) {
	return judge("SectorUpdate.VerifyUpdateProof", func(v ProofVerifier) (bool, error) { return v.VerifyReplicaUpdate(context.Background(), info) })
}
