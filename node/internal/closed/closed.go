// Package closed makes vectors closed: it notes what a machine reads and asks while it runs, so that a vector can answer the same.
//
// Packages replay and dev write vectors with it; the form of a vector is package vector's.
package closed

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/vector"
)

// Blocks notes the blocks that are read through it. It is safe for concurrent use if its blockstore is.
type Blocks struct {
	blockstore.Blockstore

	mu   sync.Mutex
	read map[cid.Cid]blocks.Block
}

// NewBlocks notes what is read from a store.
func NewBlocks(from blockstore.Blockstore) *Blocks {
	return &Blocks{Blockstore: from, read: map[cid.Cid]blocks.Block{}}
}

// Read are the blocks that were read, in the order of their CIDs.
func (w *Blocks) Read() []blocks.Block {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.SortedFunc(maps.Values(w.read), func(a, b blocks.Block) int { return bytes.Compare(a.Cid().Bytes(), b.Cid().Bytes()) })
}

func (w *Blocks) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := w.Blockstore.Get(ctx, c)
	if err == nil {
		w.mu.Lock()
		w.read[c] = b
		w.mu.Unlock()
	}
	return b, err
}

// Bundle names the bundle that a state's actors are of. If none is known by name all their code is noted.
func (w *Blocks) Bundle(ctx context.Context, root cid.Cid) (string, error) {
	st, err := tree.Load(ctx, w.Blockstore, root)
	if err != nil {
		return "", err
	}
	list, err := st.Builtin(ctx)
	if err != nil {
		return "", err
	}
	if name := bundle.NameOf(list); name != "" {
		return name, nil
	}
	codes, err := st.Codes(ctx)
	if err != nil {
		return "", err
	}
	for _, c := range codes {
		if _, err := w.Get(ctx, c); err != nil {
			return "", err
		}
	}
	return vector.NoBundle, nil
}

// Answers puts each question to the chain, and tells a draft what came. It belongs to one goroutine.
type Answers struct {
	Draft  *vector.Draft
	Chain  externs.Externs
	Proofs externs.ProofVerifier

	told map[string]bool
}

func (a *Answers) once(key string) bool {
	if a.told[key] {
		return false
	}
	if a.told == nil {
		a.told = map[string]bool{}
	}
	a.told[key] = true
	return true
}

func (a *Answers) ChainRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error) {
	v, err := a.Chain.ChainRandomness(ctx, round)
	if !externs.IsNodeFailure(err) && a.once(fmt.Sprint("chain", round)) {
		a.Draft.Randomness(false, round, v, err)
	}
	return v, err
}

func (a *Answers) BeaconRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error) {
	v, err := a.Chain.BeaconRandomness(ctx, round)
	if !externs.IsNodeFailure(err) && a.once(fmt.Sprint("beacon", round)) {
		a.Draft.Randomness(true, round, v, err)
	}
	return v, err
}

func (a *Answers) TipsetCID(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	v, err := a.Chain.TipsetCID(ctx, epoch)
	if !externs.IsNodeFailure(err) && a.once(fmt.Sprint("tipset", epoch)) {
		a.Draft.Tipset(epoch, v, err)
	}
	return v, err
}

func (a *Answers) VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (*externs.ConsensusFault, error) {
	f, err := a.Chain.VerifyConsensusFault(ctx, h1, h2, extra)
	if !externs.IsNodeFailure(err) && a.once(fmt.Sprintf("fault %x %x %x", h1, h2, extra)) {
		a.Draft.Fault(h1, h2, extra, f, err)
	}
	return f, err
}

func (a *Answers) proof(info any, valid bool, err error) (bool, error) {
	if externs.IsNodeFailure(err) {
		return valid, err
	}
	if key, kerr := vector.ProofKey(info); kerr == nil && a.once(key) {
		a.Draft.Proof(key, valid, err)
	}
	return valid, err
}

func (a *Answers) VerifySeal(ctx context.Context, info proof.SealVerifyInfo) (bool, error) {
	ok, err := a.Proofs.VerifySeal(ctx, info)
	return a.proof(info, ok, err)
}

func (a *Answers) VerifyAggregateSeals(ctx context.Context, info proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	ok, err := a.Proofs.VerifyAggregateSeals(ctx, info)
	return a.proof(info, ok, err)
}

func (a *Answers) VerifyPoSt(ctx context.Context, info proof.WindowPoStVerifyInfo) (bool, error) {
	ok, err := a.Proofs.VerifyPoSt(ctx, info)
	return a.proof(info, ok, err)
}

func (a *Answers) VerifyReplicaUpdate(ctx context.Context, info proof.ReplicaUpdateInfo) (bool, error) {
	ok, err := a.Proofs.VerifyReplicaUpdate(ctx, info)
	return a.proof(info, ok, err)
}
