// Package externs is the edge between the machine and the node around it: what
// only a chain can answer, and the proofs that only a proof library can judge.
//
// Both interfaces are for a node to implement, and go into fvm.Config. Their methods
// are called on the goroutine that applies the message; with fvm.Tipset.Workers
// above 1 on several at once. What is asked is decided by actors, so that any
// argument may come. An answer is part of the network's rules: two nodes that give
// other ones fork.
//
// An error has two meanings, and each method says which it has: the actor hears of
// it (it is a part of the rules then, which every node must come to alike), or it is
// this node's own failure, there is no receipt, and the machine refuses further use.
// [ErrNodeFailure] in the chain of any error makes it the second.
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
	// ChainRandomness is the digest of the ticket at epoch round, or of the last tipset before it: BLAKE2b-256 of the
	// ticket's VRF proof. The kernel (until network version 20) or the actor draws from it. An error is reported to
	// the actor as an illegal argument.
	ChainRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error)
	// BeaconRandomness is the digest of the drand entry of epoch round, BLAKE2b-256. Errors as above.
	BeaconRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error)
	// VerifyConsensusFault judges block headers in their CBOR form, which anybody may have sent: two, and in extra a third for
	// parent grinding, else it is empty. nil means no fault. An error is reported to the actor as an illegal argument.
	VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (*ConsensusFault, error)
	// TipsetCID is the CID of the key of the tipset at epoch, or of the last one before it; since network version 18. Any
	// error is a failure of the node.
	TipsetCID(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error)
}

// ConsensusFault names the offender.
type ConsensusFault struct {
	Target abi.ActorID    // the miner
	Epoch  abi.ChainEpoch // of the fault
	Type   uint32         // 1 double-fork mining, 2 parent grinding, 3 time-offset mining
}

// ProofVerifier judges proofs. (false, nil) means an invalid proof; an error is
// reported to the actor as an illegal argument, unless it wraps
// ErrNodeFailure, which stops the machine.
type ProofVerifier interface {
	// VerifySeal judges the proof of one sector's seal (PoRep).
	VerifySeal(ctx context.Context, info proof.SealVerifyInfo) (bool, error)
	// VerifyAggregateSeals judges one proof of several seals (FIP-0013).
	VerifyAggregateSeals(ctx context.Context, info proof.AggregateSealVerifyProofAndInfos) (bool, error)
	// VerifyPoSt judges a window PoSt.
	VerifyPoSt(ctx context.Context, info proof.WindowPoStVerifyInfo) (bool, error)
	// VerifyReplicaUpdate judges the proof that a sealed sector took data in (FIP-0019).
	VerifyReplicaUpdate(ctx context.Context, info proof.ReplicaUpdateInfo) (bool, error)
}

// FreeBatch is implemented by a ProofVerifier under which batch_verify_seals charges
// no gas. The official message vectors were recorded so; no network is.
type FreeBatch interface{ BatchVerifySealsIsFree() bool }

// Judge is implemented by a ProofVerifier whose verdicts come from the proofs themselves. Before it is asked, the machine makes
// the checks that the network's nodes make around their library, which differ by network version: which types of seals
// exist, and which window PoSts a seal's sector may be in.
type Judge interface{ JudgesProofs() bool }

// SealBatch is implemented by a ProofVerifier that judges several seals sooner than one after the other. A seal that cannot be judged is
// invalid; an error is a failure of the node.
type SealBatch interface {
	VerifySeals(ctx context.Context, infos []proof.SealVerifyInfo) ([]bool, error)
}

// ErrNodeFailure marks an error of an extern as this node's own failure: the
// message gets no receipt and the machine refuses further use.
var ErrNodeFailure = errors.New("failure of the node")

// IsNodeFailure reports that an extern's error is this node's own: ErrNodeFailure, or the end of a context. Any other error is an
// answer, which all nodes give alike.
func IsNodeFailure(err error) bool {
	return errors.Is(err, ErrNodeFailure) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
