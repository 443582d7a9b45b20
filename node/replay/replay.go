// Package replay executes a chain's tipsets again, from an archive alone, and compares what comes of them with what the chain says:
// state root, receipts root and base fee of each tipset are in the headers of its child.
//
// It uses package chain for what the chain means, chain/migrate for upgrades, and fvm to execute. The command is edgefvm replay; a
// program calls Run.
package replay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/validate"
)

// Options say what to replay and how. The zero value replays all that the archive has the state for.
type Options struct {
	// Archive holds the chain, Roots are the archive's: the head's blocks, or a snapshot's metadata. Both required.
	Archive blockstore.Blockstore
	Roots   []cid.Cid
	// Network that the chain is of. Default: the known one with the chain's genesis.
	Network *network.Network
	// From and To are the first and the last epoch to replay. Default, for 0: the lowest epoch from which the archive has the
	// state, up to the head.
	From, To abi.ChainEpoch
	// Engines: the first executes, others do the same in lock-step and must agree. Default: one wazero engine.
	Engines []*fvm.Engine
	// Workers is how many goroutines execute messages. Default: 1.
	Workers int
	// Proofs judges proofs. Default: a message that needs a verdict ends the replay with an error.
	Proofs externs.ProofVerifier
	// Validate judges the blocks of each tipset before it is executed, as package validate does; a tipset with a block that is not valid
	// fails. Winning PoSts are judged by Proofs if it is a validate.Winning.
	Validate bool
	// Bundles has the actors that upgrades bring. Default: bundle.Open's, when an upgrade comes.
	Bundles *bundle.Set
	// Store takes the states of tipsets that pass, each at once by one PutMany, after they were compared. A replay goes on after
	// those that are there already. It must be safe for concurrent use. Default: memory.
	Store blockstore.Blockstore
	// Vectors is a folder for a vector of the tipset at the first difference. Default: none is written.
	Vectors string
	// OnTipset hears of each tipset, in order. Default: nobody.
	OnTipset func(*Tipset)
	// OnPlan hears of a tipset before it is executed. Default: nobody.
	OnPlan func(*chain.Plan)
	// Progress hears how far the replay is, after each tipset and in long work before and between. Default: nobody.
	Progress func(Progress)
}

// Progress is how far a replay is.
type Progress struct {
	// Doing is what takes long besides tipsets, such as a migration; "" while tipsets are executed.
	Doing string
	// Epoch that was reached, of those from First to Last. This replay began at Began, above First if an earlier one had come so far.
	Epoch, First, Began, Last abi.ChainEpoch
	// Done of All tipsets were executed, the first Before of them by an earlier replay.
	Done, All, Before int
	// Messages and Gas of the messages that this replay executed, those of the system included in Gas.
	Messages int
	Gas      int64
	// Took is the time since the first tipset began.
	Took time.Duration
}

// Report is what a replay found.
type Report struct {
	Network  string         `json:"network"`
	Genesis  string         `json:"genesis,omitempty"` // CID, if the archive reaches back to it
	Head     []string       `json:"head"`
	HeadAt   abi.ChainEpoch `json:"head_epoch"`
	First    abi.ChainEpoch `json:"first_epoch"`
	Last     abi.ChainEpoch `json:"last_epoch"`
	Engines  []string       `json:"engines"`
	Workers  int            `json:"workers"`
	Proofs   string         `json:"proofs"`
	Resumed  abi.ChainEpoch `json:"resumed_after,omitempty"` // the epoch that an earlier replay had reached
	Passed   int            `json:"passed"`                  // tipsets, those of an earlier replay included
	Failed   int            `json:"failed"`
	Skipped  int            `json:"skipped"` // not compared: not reached, or without a child to compare with
	Messages int            `json:"messages"`
	Gas      int64          `json:"gas"`
	Seconds  float64        `json:"seconds"`
	// Validation is what judging the blocks came to, with Options.Validate.
	Validation *Validation `json:"validation,omitempty"`
	// Failure is the tipset that differs or has an invalid block, if there is one.
	Failure *Tipset `json:"failure,omitempty"`
	// Error is what stopped the replay, if something did.
	Error string `json:"error,omitempty"`
	// Notes are what a reader should know of the result.
	Notes []string `json:"notes,omitempty"`
}

// Good tells whether all that could be compared was, and agreed.
func (r *Report) Good() bool { return r.Failed == 0 && r.Error == "" }

// Run replays. There is a report with an error too, of what was done until then; a difference is not an error.
func Run(ctx context.Context, o Options) (*Report, error) {
	r := &run{Options: o, report: &Report{Workers: max(o.Workers, 1), Engines: []string{}}}
	err := r.run(ctx)
	if err != nil {
		r.report.Error = err.Error()
	}
	r.settle()
	return r.report, err
}

// run is a replay at work.
type run struct {
	Options
	report *Report
	store  *chain.Store
	state  *layers
	line   *chain.Line
	rules  chain.Rules
	all    int // tipsets from First to Last
	done   int
	before int // tipsets that an earlier replay did
	start  time.Time
	began  abi.ChainEpoch // of the first machine: a null round before the first tipset, or that tipset's
	made   []*fvm.Engine  // to close
	judged *validation    // with Validate

	loading preloading
	opening sync.Mutex // of Bundles

	next    *chain.Tipset  // the tipset at hand
	reached abi.ChainEpoch // its epoch, or that of the last one
	resumed abi.ChainEpoch // of the first tipset that was executed here
}

// open finds the head of the chain.
func (r *run) open(ctx context.Context) error {
	if r.Archive == nil {
		return errors.New("no archive is given")
	}
	if r.Store == nil {
		r.Store = blockstore.NewMemory()
	}
	r.state = newLayers(r.Store, r.Archive)
	r.store = chain.NewStore(r.Archive)
	head, err := r.store.Head(ctx, r.Roots)
	if err != nil {
		return err
	}
	r.line = chain.NewLine(r.store, head)
	r.report.HeadAt = head.Height()
	r.report.Head = names(head.CIDs)
	return nil
}

func (r *run) run(ctx context.Context) error {
	if err := r.open(ctx); err != nil {
		return err
	}
	if err := r.findNetwork(ctx); err != nil {
		return err
	}
	r.prepare()
	if err := r.span(ctx); err != nil {
		return err
	}
	if err := r.engines(ctx); err != nil {
		return err
	}
	defer r.closeEngines(ctx)
	switch p := r.Proofs.(type) {
	case nil:
		r.report.Proofs = "nobody judges them: a message that needs a verdict ends the replay"
	case fmt.Stringer:
		r.report.Proofs = p.String()
	default:
		r.report.Proofs = "judged"
	}
	return r.tipsets(ctx)
}

// tipsets executes them one after the other, until one differs.
func (r *run) tipsets(ctx context.Context) error {
	if err := r.resume(ctx); err != nil {
		return err
	}
	r.start = time.Now()
	if r.next != nil {
		r.resumed = r.next.Height()
	}
	defer r.loading.end()
	var last *validate.Result // of the tipset before
	for r.next != nil {
		r.reached = r.next.Height()
		if err := ctx.Err(); err != nil {
			return err
		}
		child, err := r.line.Child(ctx, r.next)
		if err != nil {
			return err
		}
		r.preload(ctx, r.next)
		t, err := r.judgeAndRun(ctx, r.next, child, last)
		if err != nil {
			return fmt.Errorf("the tipset at epoch %d: %w", r.next.Height(), err)
		}
		r.done++
		r.report.Messages += t.Messages
		r.report.Gas += t.Gas
		failed := len(t.Differences)+len(t.Faults) > 0
		switch {
		case failed:
			r.report.Failed++
			r.report.Failure = t
		case t.Compared:
			r.report.Passed++
		}
		if r.OnTipset != nil {
			r.OnTipset(t)
		}
		if failed {
			r.state.drop()
			return nil
		}
		last = &validate.Result{State: t.Result.Root, Receipts: t.receipts}
		if !t.Compared {
			r.state.drop() // the head: nobody has said that it is right
		} else if err := r.state.commit(ctx); err != nil {
			return fmt.Errorf("keeping the state after epoch %d: %w", t.Epoch, err)
		}
		r.forgetActors(ctx, t.Plan)
		r.next = child
		if child != nil && child.Height() > r.report.Last {
			r.next = nil
		}
		r.tell("")
	}
	return nil
}

// judgeAndRun judges a tipset's blocks, if that is asked for, and executes it if they are valid.
func (r *run) judgeAndRun(ctx context.Context, t, child *chain.Tipset, parents *validate.Result) (*Tipset, error) {
	if !r.Validate {
		return r.one(ctx, t, child)
	}
	faults, err := r.validate(ctx, t, parents)
	if err != nil {
		return nil, fmt.Errorf("its blocks: %w", err)
	}
	if len(faults) > 0 {
		return &Tipset{Epoch: t.Height(), Version: r.rules.Network.VersionAt(t.Height()), Blocks: names(t.CIDs), BaseFee: t.BaseFee().String(), Faults: faults}, nil
	}
	return r.one(ctx, t, child)
}

// settle counts what was not compared.
func (r *run) settle() {
	r.report.Skipped = max(r.all-r.report.Passed-r.report.Failed, 0)
	if !r.start.IsZero() {
		r.report.Seconds = time.Since(r.start).Seconds()
	}
}

func (r *run) tell(doing string) {
	if r.Progress == nil {
		return
	}
	p := Progress{Doing: doing, First: r.report.First, Last: r.report.Last, Done: r.done, All: r.all, Before: r.before, Messages: r.report.Messages, Gas: r.report.Gas}
	p.Epoch, p.Began = r.reached, r.resumed
	if !r.start.IsZero() {
		p.Took = time.Since(r.start)
	}
	r.Progress(p)
}
