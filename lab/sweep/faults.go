package sweep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/vector"
)

// Faults runs the messages of each vector again and again, with a node whose n-th call fails: of the blockstore, of the externs, of the
// verifier of proofs; for every n, up to opts.Most of them, spread over all. It must end in an error that names the failure, without a
// receipt; the machine must refuse further use, and the store must be as good as before: the messages run on it to the same root.
// Oracle plays no part.
func Faults(ctx context.Context, files []string, opts Options) ([]Outcome, error) {
	opts.Oracle = ""
	return each(ctx, files, opts, func(w *worker, ctx context.Context, v *vector.Vector, o *Outcome) error {
		return w.faults(ctx, v, o)
	})
}

// errBroken is what a node that fails says.
var errBroken = fmt.Errorf("%w: broken on purpose", externs.ErrNodeFailure)

// breaker is a node whose n-th call fails. at 0: none.
type breaker struct {
	store    blockstore.Blockstore
	ext      externs.Externs
	proofs   externs.ProofVerifier
	at, seen int
	what     string // the call that failed
}

func (b *breaker) call(what string) error {
	if b.seen++; b.seen != b.at {
		return nil
	}
	b.what = what
	return errBroken
}

func (b *breaker) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if err := b.call("Get"); err != nil {
		return nil, err
	}
	return b.store.Get(ctx, c)
}

func (b *breaker) Has(ctx context.Context, c cid.Cid) (bool, error) {
	if err := b.call("Has"); err != nil {
		return false, err
	}
	return b.store.Has(ctx, c)
}

func (b *breaker) Put(ctx context.Context, blk blocks.Block) error {
	if err := b.call("Put"); err != nil {
		return err
	}
	return b.store.Put(ctx, blk)
}

// PutMany that fails has written half of what it was given.
func (b *breaker) PutMany(ctx context.Context, list []blocks.Block) error {
	if err := b.call("PutMany"); err != nil {
		return errors.Join(err, b.store.PutMany(ctx, list[:len(list)/2]))
	}
	return b.store.PutMany(ctx, list)
}

func (b *breaker) ChainRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error) {
	if err := b.call("ChainRandomness"); err != nil {
		return [32]byte{}, err
	}
	return b.ext.ChainRandomness(ctx, round)
}

func (b *breaker) BeaconRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error) {
	if err := b.call("BeaconRandomness"); err != nil {
		return [32]byte{}, err
	}
	return b.ext.BeaconRandomness(ctx, round)
}

func (b *breaker) VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (*externs.ConsensusFault, error) {
	if err := b.call("VerifyConsensusFault"); err != nil {
		return nil, err
	}
	return b.ext.VerifyConsensusFault(ctx, h1, h2, extra)
}

func (b *breaker) TipsetCID(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	if err := b.call("TipsetCID"); err != nil {
		return cid.Undef, err
	}
	return b.ext.TipsetCID(ctx, epoch)
}

func (b *breaker) VerifySeal(ctx context.Context, info proof.SealVerifyInfo) (bool, error) {
	if err := b.call("VerifySeal"); err != nil {
		return false, err
	}
	return b.proofs.VerifySeal(ctx, info)
}

func (b *breaker) VerifyAggregateSeals(ctx context.Context, info proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	if err := b.call("VerifyAggregateSeals"); err != nil {
		return false, err
	}
	return b.proofs.VerifyAggregateSeals(ctx, info)
}

func (b *breaker) VerifyPoSt(ctx context.Context, info proof.WindowPoStVerifyInfo) (bool, error) {
	if err := b.call("VerifyPoSt"); err != nil {
		return false, err
	}
	return b.proofs.VerifyPoSt(ctx, info)
}

func (b *breaker) VerifyReplicaUpdate(ctx context.Context, info proof.ReplicaUpdateInfo) (bool, error) {
	if err := b.call("VerifyReplicaUpdate"); err != nil {
		return false, err
	}
	return b.proofs.VerifyReplicaUpdate(ctx, info)
}

// JudgesProofs is as the vector has it.
func (b *breaker) JudgesProofs() bool {
	j, ok := b.proofs.(externs.Judge)
	return ok && j.JudgesProofs()
}

// BatchVerifySealsIsFree is as the vector has it.
func (b *breaker) BatchVerifySealsIsFree() bool {
	f, ok := b.proofs.(externs.FreeBatch)
	return ok && f.BatchVerifySealsIsFree()
}

// scene is a vector and what comes of it when nothing fails.
type scene struct {
	w     *worker
	s     *setting
	root  cid.Cid
	calls int
}

func (w *worker) faults(ctx context.Context, v *vector.Vector, o *Outcome) error {
	s, skip, err := w.setting(ctx, v)
	if err != nil || skip != "" {
		o.Skipped = skip
		return err
	}
	o.Messages = len(s.request.Messages)
	x := &scene{w: w, s: s}
	var calm breaker
	for range 2 { // the first run reads and compiles code, which is kept
		calm = breaker{}
		if x.root, err = x.applyAll(ctx, &calm, blockstore.NewMemory()); err != nil {
			o.Skipped = "it does not run to its end: " + err.Error()
			return ctx.Err()
		}
	}
	x.calls = calm.seen
	for _, n := range spread(x.calls, w.Most) {
		what, err := x.fail(ctx, n)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		o.Charges++
		o.Runs++
		if err == nil {
			continue
		}
		if o.Failures++; o.Failures == 1 {
			o.Differences = []vector.Difference{{Message: -1, Field: fmt.Sprintf("call %d of %d, %s, fails", n, x.calls, what), Want: "a clean error of the node", Got: err.Error()}}
		}
	}
	return nil
}

// spread are the numbers from 1 to n, or most of them.
func spread(n, most int) []int {
	var list []int
	for i := range n {
		list = append(list, i+1)
	}
	if most <= 0 || n <= most {
		return list
	}
	few := make([]int, most)
	for i := range few {
		few[i] = list[i*n/most]
	}
	return few
}

// machine is one over the vector's state; what it writes goes to top.
func (x *scene) machine(ctx context.Context, b *breaker, top *blockstore.Memory) (*fvm.Machine, error) {
	cfg, err := oracle.ConfigOf(x.s.request)
	if err != nil {
		return nil, err
	}
	b.store, b.ext, b.proofs = &blockstore.Overlay{Top: top, Base: &blockstore.Overlay{Top: x.s.state, Base: x.s.code}}, cfg.Externs, cfg.Proofs
	cfg.Blockstore, cfg.Externs, cfg.Proofs, cfg.Engine = b, b, b, x.w.Engines[0]
	return fvm.New(ctx, cfg)
}

// applyAll runs all messages and the flush.
func (x *scene) applyAll(ctx context.Context, b *breaker, top *blockstore.Memory) (cid.Cid, error) {
	m, err := x.machine(ctx, b, top)
	if err != nil {
		return cid.Undef, err
	}
	if err := x.messages(ctx, m); err != nil {
		return cid.Undef, err
	}
	return m.Flush(ctx)
}

// messages applies them. One that the network refuses is no failure.
func (x *scene) messages(ctx context.Context, m *fvm.Machine) error {
	for i := range x.s.request.Messages {
		msg, kind, length, err := x.s.request.Messages[i].Decode()
		if err != nil {
			continue
		}
		res, err := m.Apply(ctx, msg, kind, length)
		switch {
		case err != nil && res != nil:
			return fmt.Errorf("message %d has a receipt and an error: %w", i, err)
		case err != nil && !errors.Is(err, fvm.ErrInvalidMessage):
			return err
		}
	}
	return nil
}

// fail runs with call n failing, and says what is not as it must be.
func (x *scene) fail(ctx context.Context, n int) (what string, err error) {
	b, top := &breaker{at: n}, blockstore.NewMemory()
	m, err := x.machine(ctx, b, top)
	if m != nil {
		flushes := false
		if err = x.messages(ctx, m); err == nil {
			flushes = true
			_, err = m.Flush(ctx)
		}
		if e := refuses(ctx, m); e != nil && err != nil {
			return b.what, e
		}
		if !flushes && top.Len() > 1 { // the block of the empty array
			return b.what, fmt.Errorf("%d blocks were written before the flush", top.Len())
		}
	}
	switch {
	case err == nil:
		return b.what, errors.New("nobody noticed")
	case strings.Contains(err.Error(), "panicked"):
		return b.what, err
	case !errors.Is(err, errBroken):
		return b.what, fmt.Errorf("the error does not name the failure: %w", err)
	}
	// The store is as good as before.
	root, err := x.applyAll(ctx, &breaker{}, top)
	if err == nil && root != x.root {
		err = fmt.Errorf("run again on the same store, the root is %s, not %s", root, x.root)
	}
	return b.what, err
}

// refuses checks that a machine that failed refuses to go on.
func refuses(ctx context.Context, m *fvm.Machine) error {
	if _, err := m.Flush(ctx); !errors.Is(err, fvm.ErrPoisoned) {
		return fmt.Errorf("a flush after the failure gives %v", err)
	}
	if _, err := m.Apply(ctx, &fvm.Message{}, fvm.Explicit, 0); !errors.Is(err, fvm.ErrPoisoned) {
		return fmt.Errorf("a message after the failure gives %v", err)
	}
	return nil
}

// setting is a vector unpacked.
type setting struct {
	request *oracle.Request
	bundle  string
	code    *blockstore.Memory
	state   *blockstore.Memory
}

// setting unpacks a vector; skip says why it cannot be run.
func (w *worker) setting(ctx context.Context, v *vector.Vector) (s *setting, skip string, err error) {
	first, last, preview := fvm.NetworkVersions()
	if nv := v.Variants()[0].NV; nv < first || nv > last && nv != preview {
		return nil, fmt.Sprintf("network version %d is not implemented", nv), nil
	}
	s = &setting{bundle: vector.NoBundle, code: blockstore.NewMemory(), state: blockstore.NewMemory()}
	if s.request, err = oracle.RequestOf(v, 0); err != nil {
		return nil, err.Error(), nil
	}
	if v.Bundle() != vector.NoBundle {
		if s.bundle, err = v.BundleFor(v.Variants()[0]); err != nil {
			return nil, "", err
		}
		if s.code, err = w.Actors.Store(ctx, s.bundle); err != nil {
			return nil, "", err
		}
	}
	if _, err := blockstore.LoadCAR(ctx, bytes.NewReader(v.CAR()), s.state, blockstore.CAROptions{}); err != nil {
		return nil, "", fmt.Errorf("the vector's state: %w", err)
	}
	return s, "", nil
}
