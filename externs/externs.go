// Package externs is the edge between the machine and the node around it: what
// only a chain can answer, and the proofs that only a proof library can judge.
package externs

import (
	"context"
	"errors"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"
)

// Externs are the questions that only a chain can answer. An implementation
// must answer the same question the same way every time.
type Externs interface {
	// ChainRandomness is the ticket digest at round, 32 bytes. An error is
	// reported to the actor as an illegal argument.
	ChainRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error)
	// BeaconRandomness is the drand digest at round. Errors as above.
	BeaconRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error)
	// VerifyConsensusFault judges two block headers; nil means no fault. An
	// error is reported to the actor as an illegal argument.
	VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (*ConsensusFault, error)
	// TipsetCID is the CID of the tipset key at epoch. An error is fatal.
	TipsetCID(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error)
}

// ConsensusFault names the offender.
type ConsensusFault struct {
	Target abi.ActorID
	Epoch  abi.ChainEpoch
	Type   uint32 // 1 double-fork mining, 2 parent grinding, 3 time-offset mining
}

// ProofVerifier judges proofs. (false, nil) means an invalid proof; an error is
// reported to the actor as an illegal argument, unless it wraps
// ErrNodeFailure, which stops the machine.
type ProofVerifier interface {
	VerifySeal(ctx context.Context, info proof.SealVerifyInfo) (bool, error)
	VerifyAggregateSeals(ctx context.Context, info proof.AggregateSealVerifyProofAndInfos) (bool, error)
	VerifyPoSt(ctx context.Context, info proof.WindowPoStVerifyInfo) (bool, error)
	VerifyReplicaUpdate(ctx context.Context, info proof.ReplicaUpdateInfo) (bool, error)
}

// FreeBatch is implemented by a ProofVerifier under which batch_verify_seals charges
// no gas. The official message vectors were recorded so; no network is.
type FreeBatch interface{ BatchVerifySealsIsFree() bool }

// ErrNodeFailure marks an error of an extern as this node's own failure: the
// message gets no receipt and the machine refuses further use.
var ErrNodeFailure = errors.New("failure of the node")

// IsNodeFailure reports that an extern's error is this node's own: ErrNodeFailure, or the end of a context. Any other error is an
// answer, which all nodes give alike.
func IsNodeFailure(err error) bool {
	return errors.Is(err, ErrNodeFailure) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
