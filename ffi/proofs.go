package ffi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/proofs"
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

var verifier atomic.Pointer[ProofVerifier]

// RegisterProofVerifier sets another verifier of the package's functions than the one of package proofs, which they have
// without it; one for the process; nil takes it away. Machines that exist already keep theirs. A [Node] has its own.
func RegisterProofVerifier(v ProofVerifier) {
	if v == nil {
		verifier.Store(nil)
		return
	}
	verifier.Store(&v)
}

// registered is the verifier that a program registered, or the one of this module.
func registered() ProofVerifier {
	if v := verifier.Load(); v != nil {
		return *v
	}
	return own()
}

// own is the verifier of this module, by the environment.
var own = sync.OnceValue(func() ProofVerifier { return verifierFrom(os.Getenv) })

// verifierFrom has the keys of the folder that filecoin-ffi reads: FIL_PROOFS_PARAMETER_CACHE, by default
// /var/tmp/filecoin-proof-parameters. Nodes bring them there when they start. They must be the published ones, unless
// TRUST_PARAMS is 1, as Lotus has it.
func verifierFrom(getenv func(string) string) ProofVerifier {
	dir := cmp.Or(getenv("FIL_PROOFS_PARAMETER_CACHE"), "/var/tmp/filecoin-proof-parameters")
	v, err := proofs.Open(context.Background(), proofs.Options{Dir: dir, TrustParams: getenv("TRUST_PARAMS") == "1"})
	if err != nil {
		panic(err) // the folder has a name, and is not read yet
	}
	return v
}

// judge asks the verifier. A panic of it is an error.
func judge[T any](function string, ask func(ProofVerifier) (T, error)) (answer T, err error) {
	v := registered()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("ffi.%s: the verifier panicked: %v", function, p)
		}
	}()
	answer, err = ask(v)
	if err != nil {
		err = fmt.Errorf("ffi.%s: %w", function, err)
	}
	return answer, err
}

// bytes32 cuts or fills up with zeroes, as filecoin-ffi does with tickets, seeds and randomness.
func bytes32(b []byte) []byte {
	var all [32]byte
	copy(all[:], b)
	return all[:]
}

// VerifySeal judges a replica's proof.
func VerifySeal(info proof.SealVerifyInfo) (bool, error) {
	info.Randomness, info.InteractiveRandomness = bytes32(info.Randomness), bytes32(info.InteractiveRandomness)
	return judge("VerifySeal", func(v ProofVerifier) (bool, error) { return v.VerifySeal(context.Background(), info) })
}

// VerifyAggregateSeals judges the proof of many replicas.
func VerifyAggregateSeals(aggregate proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	if len(aggregate.Infos) == 0 {
		return false, errors.New("ffi.VerifyAggregateSeals: there are no seals to verify")
	}
	aggregate.Infos = slices.Clone(aggregate.Infos)
	for i := range aggregate.Infos {
		info := &aggregate.Infos[i]
		info.Randomness, info.InteractiveRandomness = bytes32(info.Randomness), bytes32(info.InteractiveRandomness)
	}
	return judge("VerifyAggregateSeals", func(v ProofVerifier) (bool, error) { return v.VerifyAggregateSeals(context.Background(), aggregate) })
}

// VerifyWinningPoSt judges the proof in a block's header. The randomness is taken as it is, and it is an error if it is no
// scalar: nodes clear its two highest bits before. (A registered verifier may clear them itself.)
func VerifyWinningPoSt(info proof.WinningPoStVerifyInfo) (bool, error) {
	info.Randomness = bytes32(info.Randomness)
	return judge("VerifyWinningPoSt", func(v ProofVerifier) (bool, error) {
		if own, ok := v.(*proofs.Verifier); ok {
			return own.VerifyWinningPoStAsIs(context.Background(), info)
		}
		return v.VerifyWinningPoSt(context.Background(), info)
	})
}

// VerifyWindowPoSt judges the proofs of a deadline's partitions. The randomness is taken as it is, as VerifyWinningPoSt
// does.
func VerifyWindowPoSt(info proof.WindowPoStVerifyInfo) (bool, error) {
	if len(info.Proofs) == 0 {
		return false, errors.New("ffi.VerifyWindowPoSt: there are no proofs to verify")
	}
	info.Randomness = bytes32(info.Randomness)
	return judge("VerifyWindowPoSt", func(v ProofVerifier) (bool, error) {
		if own, ok := v.(*proofs.Verifier); ok {
			return own.VerifyWindowPoSt(context.Background(), info)
		}
		return v.VerifyPoSt(context.Background(), info)
	})
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
