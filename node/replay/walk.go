package replay

import (
	"context"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/trace"
)

// Applied is a message that the execution of a tipset applied: one of the tipset's, a reward, or the cron of its epoch or of a null round
// before it.
type Applied struct {
	Epoch   abi.ChainEpoch
	Message *fvm.Message
	// CID by which its block names it; undefined of the system's own messages.
	CID      cid.Cid
	Implicit bool
	Result   *fvm.Result
	Trace    trace.Events
}

// WalkOptions say what a plan is walked on. The zero value has the defaults.
type WalkOptions struct {
	// Engine that runs the actors. Default: one wazero engine shared by the process.
	Engine *fvm.Engine
	// Proofs judges proofs. Default: a message that needs a verdict is an error.
	Proofs externs.ProofVerifier
}

// Walk executes a plan one message after the other, the null rounds before it included, tells of each what it did, and gives the state
// that is left. The states come into the store of the rules that made the plan. An error of fn ends it.
func Walk(ctx context.Context, p *chain.Plan, o WalkOptions, fn func(*Applied) error) (root cid.Cid, err error) {
	root = p.Run.StateRoot
	for e := p.Run.ParentEpoch + 1; e <= p.Run.Epoch; e++ {
		if err := ctx.Err(); err != nil {
			return cid.Undef, err
		}
		if root, err = walkRound(ctx, p, o, e, root, fn); err != nil {
			return cid.Undef, err
		}
	}
	return root, nil
}

// walkRound is Walk of one of its machines.
func walkRound(ctx context.Context, p *chain.Plan, o WalkOptions, e abi.ChainEpoch, root cid.Cid, fn func(*Applied) error) (cid.Cid, error) {
	cfg := p.Run.Config
	cfg.Epoch, cfg.StateRoot = e, root
	cfg, err := p.Run.Round(ctx, cfg)
	if err != nil {
		return cid.Undef, err
	}
	var rec trace.Recorder
	cfg.Engine, cfg.Proofs, cfg.Hooks = o.Engine, o.Proofs, rec.Hooks()
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return cid.Undef, err
	}
	names := map[*fvm.Message]cid.Cid{}
	for _, x := range executed(p) {
		names[x.Message] = x.CID
	}
	apply := func(msg *fvm.Message, kind fvm.Kind, length int) (*fvm.Result, error) {
		res, err := m.Apply(ctx, msg, kind, length)
		if err != nil {
			return nil, err
		}
		return res, fn(&Applied{Epoch: e, Message: msg, CID: names[msg], Implicit: kind == fvm.Implicit, Result: res, Trace: rec.Take()})
	}
	if e < p.Run.Epoch {
		_, err = apply((*fvm.Message)(executor.CronMessage(e)), fvm.Implicit, 0)
	} else {
		err = again(p, apply)
	}
	if err != nil {
		return cid.Undef, err
	}
	return m.Flush(ctx)
}

// Walk executes a tipset of the line once more, one message after the other, and tells of each what it did. The states that it makes come
// into a store of the caller's, but for what a migration makes, which is there until the chain is asked for something else to be executed.
func (c *Chain) Walk(ctx context.Context, t *chain.Tipset, into blockstore.Blockstore, fn func(*Applied) error) (cid.Cid, error) {
	if err := c.Reach(ctx, t); err != nil {
		return cid.Undef, err
	}
	if err := c.ready(ctx, t.Height()); err != nil {
		return cid.Undef, err
	}
	rules := c.r.rules
	rules.State = &blockstore.Overlay{Top: into, Base: c.r.state}
	plan, err := rules.Plan(ctx, c.r.line, t)
	if err != nil {
		return cid.Undef, err
	}
	return Walk(ctx, plan, WalkOptions{Engine: c.r.Engines[0], Proofs: c.r.Proofs}, fn)
}
