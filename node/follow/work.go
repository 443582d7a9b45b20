package follow

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/replay"
)

// span is how many tipsets one worker judges in a row: the first one's state is fetched, that of the others is what it made itself.
const span = 16

var errSlow = errors.New("it took longer than a tipset may")

// worker judges one tipset after the other.
type worker struct {
	f      *Follower
	single *replay.Single
	failed *failed
}

// worker makes or finds one.
func (f *Follower) worker(i int) (*worker, error) {
	for len(f.workers) <= i {
		w := &worker{f: f, failed: &failed{}}
		o := replay.Options{
			Archive: noting{f.fetch, w.failed}, Store: sink{f.cache}, Network: f.network, Engines: f.o.Engines, Workers: f.o.Workers,
			Proofs: f.o.Proofs, Bundles: f.o.Bundles, Vectors: f.o.Vectors,
			Progress: func(p replay.Progress) {
				if p.Doing != "" {
					f.log.Info("long work", "doing", p.Doing)
				}
				f.state.beat()
			},
		}
		var err error
		if w.single, err = replay.NewSingle(o, f.headers, f.pledge); err != nil {
			return nil, err
		}
		f.workers = append(f.workers, w)
	}
	return f.workers[i], nil
}

// judgeAll judges the tipsets of a line at epochs. Several spans of them are at work at a time; how far all were judged is noted as the
// spans are done from below.
func (f *Follower) judgeAll(ctx context.Context, line *chain.Line, todo []abi.ChainEpoch) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var spans [][]abi.ChainEpoch
	for rest := todo; len(rest) > 0; {
		n := min(span, len(rest))
		if f.o.Parallel > 1 && len(todo) < span*f.o.Parallel {
			n = min((len(todo)+f.o.Parallel-1)/f.o.Parallel, len(rest))
		}
		spans, rest = append(spans, rest[:n]), rest[n:]
	}
	var mu sync.Mutex
	next, done := 0, make([]bool, len(spans))
	finish := func(i int) error {
		mu.Lock()
		defer mu.Unlock()
		done[i] = true
		for k := 0; k < len(spans) && done[k]; k++ {
			if err := f.journal.reach(spans[k][len(spans[k])-1]); err != nil {
				return err
			}
		}
		return nil
	}
	take := func() int {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1
	}
	var wg sync.WaitGroup
	for i := range min(f.o.Parallel, len(spans)) {
		w, err := f.worker(i)
		if err != nil {
			return err
		}
		wg.Go(func() {
			for i := take(); i < len(spans) && ctx.Err() == nil; i = take() {
				err := w.span(ctx, line, spans[i])
				if err == nil {
					err = finish(i)
				}
				if err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// span judges tipsets in a row.
func (w *worker) span(ctx context.Context, line *chain.Line, epochs []abi.ChainEpoch) error {
	for i, e := range epochs {
		t, child, err := pair(ctx, line, e)
		if err != nil {
			return err
		}
		var ahead sync.WaitGroup
		if i+1 < len(epochs) { // while this one is executed
			ahead.Go(func() {
				if next, _, err := pair(ctx, line, epochs[i+1]); err == nil {
					w.f.fetch.messages(ctx, next)
				}
			})
		}
		err = w.judge(ctx, line, t, child)
		ahead.Wait()
		if err != nil {
			return err
		}
	}
	return nil
}

func pair(ctx context.Context, line *chain.Line, epoch abi.ChainEpoch) (t, child *chain.Tipset, err error) {
	if t, err = line.At(ctx, epoch); err == nil {
		child, err = line.Child(ctx, t)
	}
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%w: %w", errHead, err)
	case t.Height() != epoch || child == nil:
		return nil, nil, fmt.Errorf("%w: epoch %d is not on its chain any more", errHead, epoch)
	}
	return t, child, nil
}

// judge executes a tipset, compares it with its child, and tells what was found. An error is the node's, the disk's, or ErrHalted.
func (w *worker) judge(ctx context.Context, line *chain.Line, t, child *chain.Tipset) error {
	f := w.f
	name, err := nameOf(t)
	if err != nil {
		return err
	}
	f.state.beat()
	start := time.Now()
	limited, cancel := context.WithTimeoutCause(ctx, f.o.TipsetTimeout, errSlow)
	defer cancel()
	f.fetch.messages(limited, t)
	var warm sync.WaitGroup
	warm.Go(func() { f.fetch.actors(limited, f.headers, t) })
	w.failed.err = nil
	out, err := w.single.Execute(limited, line, t, child)
	slow := context.Cause(limited) == errSlow
	cancel()
	warm.Wait()
	d := &Judgement{Epoch: t.Height(), Tipset: name, Time: time.Now().UTC().Truncate(time.Millisecond)}
	nodes := w.failed.get()
	if err != nil && nodes == nil && (errors.Is(err, errNode) || errors.Is(err, errGone)) {
		nodes = err
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && len(out.Differences) > 0 && nodes != nil:
		// Nothing is known of a tipset that the node had a part in.
		return fmt.Errorf("the tipset at epoch %d: %w", t.Height(), nodes)
	case err == nil:
		d.Result, d.StateRoot, d.Receipts, d.BaseFee = Passed, out.StateRoot, out.Receipts, out.NextFee
		if len(out.Differences) > 0 {
			d.Result, d.Reason, d.Vector = Differs, reason(out), out.Vector
		}
	case errors.Is(nodes, errGone):
		if herr := f.really(ctx, child); herr != nil {
			return herr
		}
		d.Result, d.Reason = Skipped, nodes.Error()
	case nodes != nil:
		return fmt.Errorf("the tipset at epoch %d: %w", t.Height(), nodes)
	case slow:
		d.Result, d.Reason = Skipped, errSlow.Error()
	default:
		d.Result, d.Reason = Undecided, err.Error()
	}
	if d.Result == Passed {
		if err := w.single.Keep(ctx); err != nil {
			return err
		}
	}
	if err := f.cache.Flush(ctx); err != nil {
		return err
	}
	if err := f.journal.add(d); err != nil {
		return err
	}
	f.found(out, d, child, time.Since(start))
	if f.o.Halt && (d.Result == Differs || d.Result == Undecided) {
		return fmt.Errorf("%w: epoch %d: %s", ErrHalted, d.Epoch, d.Reason)
	}
	return nil
}

// really makes sure that a node which lacks a block is the one that has the tipset's child: another one, or one whose data were lost,
// has to be waited for.
func (f *Follower) really(ctx context.Context, child *chain.Tipset) error {
	if err := f.sameNetwork(ctx); err != nil {
		return fmt.Errorf("%w: %w", errNode, err)
	}
	ok, err := f.o.Node.ChainHasObj(ctx, child.CIDs[0])
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errNode, err)
	case !ok:
		return fmt.Errorf("%w: it does not have the chain of before: block %s, at epoch %d, is missing", errNode, child.CIDs[0], child.Height())
	}
	return nil
}

func reason(t *replay.Tipset) string {
	var parts []string
	for _, d := range t.Differences {
		parts = append(parts, fmt.Sprintf("%s: want %s, got %s", d.What, d.Want, d.Got))
	}
	return strings.Join(parts, "; ")
}

// found tells everybody of a judgement.
func (f *Follower) found(out *replay.Tipset, d *Judgement, child *chain.Tipset, took time.Duration) {
	f.state.beat()
	f.state.set(func(s *Status) {
		switch d.Result {
		case Passed:
			s.Passed++
			s.LastPassed, s.LastPassedEpoch = d.Time, d.Epoch
		case Differs:
			s.Differs++
		case Undecided:
			s.Undecided++
		case Skipped:
			s.Skipped++
		}
		s.Waiting = max(s.Waiting-1, 0)
		if out != nil {
			s.Messages += out.Messages
			s.Gas += out.Gas
		}
		f.judged = max(f.judged, child.Height())
		s.Lag = f.lag(s)
	})
	at := []any{"epoch", int64(d.Epoch), "tipset", d.Tipset}
	switch d.Result {
	case Passed:
		f.log.Info("tipset passed", append(at, "messages", out.Messages, "gas", out.Gas, "null_rounds", out.NullRounds, "took", took.Round(time.Millisecond).String())...)
	case Skipped:
		f.log.Warn("tipset skipped", append(at, "reason", d.Reason)...)
	case Undecided:
		f.log.Error("TIPSET COULD NOT BE EXECUTED", append(at, "alarm", true, "reason", d.Reason)...)
	case Differs:
		more := append(at, "alarm", true, "reason", d.Reason, "verdict", out.Verdict)
		if out.VectorError != "" {
			more = append(more, "vector_error", out.VectorError)
		}
		f.log.Error("TIPSET DIFFERS", append(more, "vector", d.Vector)...)
	}
	if f.o.OnTipset != nil {
		f.o.OnTipset(out, d)
	}
}

// lag is how many epochs are left to be judged, but for those that wait for their confidence. Called with the state's lock.
func (f *Follower) lag(s *Status) abi.ChainEpoch {
	if f.judged < 0 || s.Head < 0 {
		return 0
	}
	return max(s.Head-f.o.Confidence-f.judged, 0)
}
