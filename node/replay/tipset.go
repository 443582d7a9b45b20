package replay

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain"
)

// Tipset is what came of one.
type Tipset struct {
	Epoch      abi.ChainEpoch  `json:"epoch"`
	NullRounds int             `json:"null_rounds_before"`
	Version    network.Version `json:"network_version"`
	Blocks     []string        `json:"tipset_key"`
	BaseFee    string          `json:"base_fee"`
	Supply     string          `json:"circulating_supply"` // that the messages were executed with
	Messages   int             `json:"messages"`
	Gas        int64           `json:"gas"` // of all messages, the system's included
	StateRoot  string          `json:"state_root"`
	Receipts   string          `json:"receipts_root"`
	NextFee    string          `json:"next_base_fee"`
	// Compared tells whether there is a child to compare with. Differences are what is not as its headers say.
	Compared    bool         `json:"compared"`
	Differences []Difference `json:"differences,omitempty"`
	// Faults are what is not valid of its blocks, with Options.Validate. A tipset that has any was not executed.
	Faults []Fault `json:"faults,omitempty"`
	// Verdict says in words where the difference lies, as far as the chain can tell.
	Verdict string `json:"verdict,omitempty"`
	// Vector is the file of a vector of the tipset, and VectorError why there is none.
	Vector      string `json:"vector,omitempty"`
	VectorError string `json:"vector_error,omitempty"`

	// Plan and Result are the tipset as it was executed.
	Plan   *chain.Plan       `json:"-"`
	Result *fvm.TipsetResult `json:"-"`

	receipts cid.Cid // their root
}

// Difference is something that is not as the chain says, or as the first engine has it.
type Difference struct {
	What string `json:"what"` // such as "state root"
	Want string `json:"want"`
	Got  string `json:"got"`
}

// one executes a tipset and compares it with its child, which is nil at the head.
func (r *run) one(ctx context.Context, t, child *chain.Tipset) (*Tipset, error) {
	plan, err := r.rules.Plan(ctx, r.line, t)
	if err != nil {
		return nil, err
	}
	if r.OnPlan != nil {
		r.OnPlan(plan)
	}
	results, failures, err := r.execute(ctx, plan)
	if err != nil {
		return nil, err
	}
	res := results[0]
	out := &Tipset{
		Epoch: t.Height(), NullRounds: len(res.NullRounds), Version: r.rules.Network.VersionAt(t.Height()), Blocks: names(t.CIDs),
		BaseFee: t.BaseFee().String(), Supply: plan.Own().Supply.Circulating.String(), Messages: len(res.Receipts),
		Gas: gasOf(res), StateRoot: res.Root.String(), Plan: plan, Result: res,
	}
	receipts, err := r.receipts(ctx, out.Version, res)
	if err != nil {
		return nil, err
	}
	out.Receipts, out.receipts = receipts.String(), receipts
	out.NextFee = r.rules.BaseFeeRules().NextBaseFee(t, plan.Blocks).String()
	for i, other := range results[1:] {
		name := r.report.Engines[i+1]
		if other == nil {
			out.Differences = append(out.Differences, Difference{"result on " + name, "that of " + r.report.Engines[0], failures[i+1].Error()})
			continue
		}
		out.between(r.report.Engines[0], name, res, other)
	}
	if child != nil {
		out.Compared = true
		out.differ("state root", child.ParentStateRoot().String(), out.StateRoot)
		out.differ("receipts root", child.ParentReceipts().String(), out.Receipts)
		out.differ("base fee of the next tipset", child.BaseFee().String(), out.NextFee)
	}
	if len(out.Differences) > 0 {
		out.Verdict = r.verdict(ctx, out, child)
		if r.Vectors != "" {
			if out.Vector, err = r.vector(ctx, out); err != nil {
				out.VectorError = err.Error()
			}
		}
	}
	return out, nil
}

func (t *Tipset) differ(what, want, got string) {
	if want != got {
		t.Differences = append(t.Differences, Difference{what, want, got})
	}
}

// execute runs a plan on each engine. Only the first one's states are kept; what it has no result of ends the replay, for another
// engine that is a difference, and its result is nil.
func (r *run) execute(ctx context.Context, plan *chain.Plan) ([]*fvm.TipsetResult, []error, error) {
	results, failures := make([]*fvm.TipsetResult, len(r.Engines)), make([]error, len(r.Engines))
	for i, e := range r.Engines {
		ts := plan.Run
		ts.Engine, ts.Workers, ts.Proofs = e, r.Workers, r.Proofs
		if i > 0 {
			ts.Blockstore = &blockstore.Overlay{Top: blockstore.NewMemory(), Base: r.state}
			ts.Round = r.sameRounds(plan)
		}
		results[i], failures[i] = fvm.ApplyTipset(ctx, ts)
		if err := failures[i]; err != nil && (i == 0 || ctx.Err() != nil) {
			return nil, nil, err
		}
	}
	return results, failures, nil
}

// sameRounds sets another engine's machines as the first one's were set.
func (r *run) sameRounds(plan *chain.Plan) func(context.Context, fvm.Config) (fvm.Config, error) {
	view, rounds := r.line.View(plan.Tipset), plan.Rounds
	return func(_ context.Context, cfg fvm.Config) (fvm.Config, error) {
		at := rounds[0]
		rounds = rounds[1:]
		if at.Migrated {
			cfg.StateRoot = at.Root
		}
		cfg.NetworkVersion, cfg.Timestamp, cfg.CircSupply = r.rules.Network.VersionAt(at.Epoch), at.Timestamp, at.Supply.Circulating
		cfg.Externs = r.rules.Externs(view, at.Epoch, at.Root)
		return cfg, nil
	}
}

// receipts is the root of a tipset's receipts. Their array is kept with the states, so that the chain can be asked for them.
func (r *run) receipts(ctx context.Context, v network.Version, res *fvm.TipsetResult) (cid.Cid, error) {
	return chain.ReceiptsRoot(v, res.Receipts, func(c cid.Cid, data []byte) error {
		b, err := blocks.NewBlockWithCid(data, c)
		if err != nil {
			return err
		}
		return r.state.Put(ctx, b)
	})
}

func gasOf(res *fvm.TipsetResult) (gas int64) {
	for _, list := range [][]*fvm.Result{res.NullRounds, res.Receipts, res.Rewards, {res.Cron}} {
		for _, m := range list {
			gas += m.GasUsed
		}
	}
	return gas
}

// between compares what two engines made of a tipset.
func (t *Tipset) between(first, other string, a, b *fvm.TipsetResult) {
	say := func(what string, x, y *fvm.Result) {
		for _, f := range []Difference{
			{"exit code", fmt.Sprint(x.ExitCode), fmt.Sprint(y.ExitCode)}, {"return", fmt.Sprintf("%x", x.Return), fmt.Sprintf("%x", y.Return)},
			{"gas", fmt.Sprint(x.GasUsed), fmt.Sprint(y.GasUsed)}, {"events", fmt.Sprint(x.EventsRoot), fmt.Sprint(y.EventsRoot)},
		} {
			if f.Want != f.Got {
				t.Differences = append(t.Differences, Difference{fmt.Sprintf("%s of %s on %s, against %s", f.What, what, other, first), f.Want, f.Got})
			}
		}
	}
	pairs := func(what string, x, y []*fvm.Result) {
		for i := range min(len(x), len(y)) {
			say(fmt.Sprintf("%s %d", what, i), x[i], y[i])
		}
	}
	pairs("cron of null round", a.NullRounds, b.NullRounds)
	pairs("message", a.Receipts, b.Receipts)
	pairs("reward", a.Rewards, b.Rewards)
	say("cron", a.Cron, b.Cron)
	t.differ(fmt.Sprintf("state root on %s, against %s", other, first), a.Root.String(), b.Root.String())
}
