package replay

import (
	"context"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/internal/closed"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// vector writes a tipset's own machine as a closed vector: the state that it began with, after null rounds and migrations, its
// messages, rewards and cron, every block that they read, and every answer of the chain. The state root that it expects is the
// chain's, the receipts are what came here.
func (r *run) vector(ctx context.Context, t *Tipset) (string, error) {
	seen := closed.NewBlocks(r.state)
	name, err := seen.Bundle(ctx, t.Plan.Own().Root)
	if err != nil {
		return "", err
	}
	cfg := r.own(t, &blockstore.Overlay{Top: blockstore.NewMemory(), Base: seen})
	var what []string
	for _, d := range t.Differences {
		what = append(what, d.What)
	}
	draft := vector.NewDraft(cfg, name, fmt.Sprintf("the tipset at epoch %d of network %s: not as on the chain: %s", t.Epoch, r.rules.Network.Name, strings.Join(what, ", ")))
	asked := &closed.Answers{Draft: draft, Chain: cfg.Externs, Proofs: r.Proofs}
	cfg.Externs = asked
	if r.Proofs != nil {
		cfg.Proofs = asked
	}
	var rec trace.Recorder
	cfg.Hooks = rec.Hooks()
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return "", err
	}
	var traces []trace.Events
	apply := func(msg *fvm.Message, kind fvm.Kind, length int) (*fvm.Result, error) {
		res, err := m.Apply(ctx, msg, kind, length)
		if err != nil {
			return nil, err
		}
		traces = append(traces, rec.Take())
		return res, draft.Message(msg, kind, length, res)
	}
	if err := again(t.Plan, apply); err != nil {
		return "", err
	}
	post, err := m.Flush(ctx)
	if err != nil {
		return "", err
	}
	for _, d := range t.Differences {
		if d.What == "state root" {
			if post, err = cid.Decode(d.Want); err != nil {
				return "", err
			}
		}
	}
	draft.Traces(traces, nil, nil)
	return draft.Save(r.Vectors, post, seen.Read())
}

// own is the config of an executed tipset's own machine, to apply its messages again on states of the caller's. Proofs and Hooks are the
// caller's to set.
func (r *run) own(t *Tipset, states blockstore.Blockstore) fvm.Config {
	cfg, at := t.Plan.Run.Config, t.Plan.Own()
	cfg.StateRoot, cfg.CircSupply, cfg.Blockstore, cfg.Engine = at.Root, at.Supply.Circulating, states, r.Engines[0]
	cfg.Externs = r.rules.Externs(r.line.View(t.Plan.Tipset), t.Epoch, at.Root)
	return cfg
}

// again applies a plan's messages one by one, as ApplyTipset does.
func again(p *chain.Plan, apply func(*fvm.Message, fvm.Kind, int) (*fvm.Result, error)) error {
	epoch := p.Run.Epoch
	for i, list := range fresh(p) {
		penalty, tip := big.Zero(), big.Zero()
		for _, m := range list {
			res, err := apply(m.Message, fvm.Explicit, m.Length)
			if err != nil {
				return err
			}
			penalty, tip = big.Add(penalty, res.Penalty), big.Add(tip, res.MinerTip)
		}
		b := p.Run.Blocks[i]
		reward, err := executor.RewardMessage(epoch, b.Miner, penalty, tip, b.WinCount)
		if err != nil {
			return err
		}
		if _, err := apply((*fvm.Message)(reward), fvm.Implicit, 0); err != nil {
			return err
		}
	}
	_, err := apply((*fvm.Message)(executor.CronMessage(epoch)), fvm.Implicit, 0)
	return err
}
