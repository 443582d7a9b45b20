// Package sweep runs messages again with their gas cut at every charge of their
// trace, on ours and on the reference. Where gas runs out decides what was done
// before, what is charged for it, and who pays: a place where two implementations
// part easily.
//
// The command line calls it. It calls duel for each run and conformance for the
// vectors.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// Options say on what messages run, and how often.
type Options struct {
	Actors *vector.Actors
	// Engines are ours; the first is compared with the reference, the others with the first. Required.
	Engines []*fvm.Engine
	// Oracle is the program of the reference. Empty: engines are compared with each other only.
	Oracle string
	// Most bounds the charges of a message at which it is cut, spread over all of them. 0: every charge.
	Most int
	// Jobs is how many vectors are swept at once. Default: 1.
	Jobs int
	// Dir is the folder for the outcomes, so that a sweep goes on where it stopped, and for vectors of differences. Default: nothing is kept.
	Dir string
	// Progress hears of each vector that ended, in any order, one at a time. Default: nobody.
	Progress func(done, files int, o *Outcome)
}

// Outcome is what became of one vector.
type Outcome struct {
	Path     string `json:"path"`
	Messages int    `json:"messages"`
	// Charges are the places where gas was cut, Runs the messages that ran again.
	Charges int `json:"charges"`
	Runs    int `json:"runs"`
	// Partly are messages of which not every charge was swept, because of Options.Most.
	Partly int `json:"partly,omitempty"`
	// Gone are runs of which neither side has a receipt to compare, or whose receipt the end of the reference's native stack decided.
	Gone int `json:"gone,omitempty"`
	// Unjudged are runs that asked for blocks that the vector has not, and then differed.
	Unjudged    int                 `json:"unjudged,omitempty"`
	Failures    int                 `json:"failures"`
	Differences []vector.Difference `json:"differences,omitempty"` // of the first failure
	Limit       int64               `json:"limit,omitempty"`       // its gas limit
	Saved       string              `json:"saved,omitempty"`       // its vector
	// Skipped says why the vector was not swept.
	Skipped string `json:"skipped,omitempty"`
	Error   string `json:"error,omitempty"`
}

// Run sweeps the first variant of each vector. The outcomes are in the order of the files; those that ctx cut short are left out.
func Run(ctx context.Context, files []string, opts Options) ([]Outcome, error) {
	return each(ctx, files, opts, func(w *worker, ctx context.Context, v *vector.Vector, o *Outcome) error {
		return w.vector(ctx, v, o)
	})
}

// each does something with each vector, several at once.
func each(ctx context.Context, files []string, opts Options, do func(*worker, context.Context, *vector.Vector, *Outcome) error) ([]Outcome, error) {
	list := make([]*Outcome, len(files))
	next := make(chan int)
	var workers sync.WaitGroup
	var mu sync.Mutex
	kept, err := resume(opts, files)
	if err != nil {
		return nil, err
	}
	defer kept.close()
	done := 0
	finish := func(i int, o *Outcome) {
		mu.Lock()
		defer mu.Unlock()
		list[i] = o
		if done++; opts.Progress != nil {
			opts.Progress(done, len(files), o)
		}
	}
	for range max(opts.Jobs, 1) {
		workers.Go(func() {
			w := &worker{Options: opts}
			if opts.Oracle != "" {
				w.peer = duel.NewPeer(opts.Oracle)
				defer w.peer.Close()
			}
			for i := range next {
				o := &Outcome{Path: files[i]}
				v, err := conformance.Load(files[i])
				if err == nil {
					err = do(w, ctx, v, o)
				}
				if err != nil {
					o.Error = err.Error()
				}
				if ctx.Err() != nil {
					continue
				}
				if err := kept.add(o); err != nil {
					o.Error = err.Error()
				}
				finish(i, o)
			}
		})
	}
feed:
	for i := range files {
		if o := kept.done[files[i]]; o != nil {
			finish(i, o)
			continue
		}
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	workers.Wait()
	var outcomes []Outcome
	for _, o := range list {
		if o != nil {
			outcomes = append(outcomes, *o)
		}
	}
	return outcomes, ctx.Err()
}

type worker struct {
	Options
	peer *duel.Peer
}

// vector sweeps its messages one after the other.
func (w *worker) vector(ctx context.Context, v *vector.Vector, o *Outcome) error {
	set, skip, err := w.setting(ctx, v)
	if err != nil || skip != "" {
		o.Skipped = skip
		return err
	}
	r := set.request
	messages := r.Messages
	for i := range messages {
		step := *r
		step.Messages = messages[i : i+1]
		// A name for each state: the oracle keeps the last one.
		scope := &duel.Base{Name: fmt.Sprintf("%s#%d", v.Path, i), Store: set.state}
		c := &duel.Case{Request: &step, Bundle: set.bundle, Scope: scope, Bases: []duel.Base{{Name: "bundle " + set.bundle, Store: set.code}}}
		o.Messages++
		root, err := w.message(ctx, c, o)
		if err != nil || root == "" {
			return err
		}
		r.Root = root
	}
	return nil
}

// message runs a message with all its gas and with cuts, and returns the root after it. It is empty if the message has no receipt.
func (w *worker) message(ctx context.Context, c *duel.Case, o *Outcome) (string, error) {
	whole, root, err := w.whole(ctx, c)
	if err != nil || whole == nil {
		return "", err
	}
	msg, _, _, err := c.Request.Messages[0].Decode()
	if err != nil {
		return "", err
	}
	points := chargePoints(whole, w.Most)
	o.Charges += len(points)
	if all := chargePoints(whole, 0); len(points) < len(all) {
		o.Partly++
	}
	cuts := limits(points, msg.GasLimit)
	for len(cuts) > 0 {
		n, err := w.cut(ctx, c, cuts[:min(len(cuts), batch)], o)
		if err != nil {
			return "", err
		}
		cuts = cuts[n:]
	}
	return root, nil
}

// batch is how many cuts the reference gets at once.
const batch = 64

// cut runs a message once for each limit and notes what differs. It returns how many ran.
func (w *worker) cut(ctx context.Context, c *duel.Case, limits []int64, o *Outcome) (int, error) {
	list, err := duel.RunLimits(ctx, c, limits, w.Engines, w.peer)
	for i, v := range list {
		o.Runs++
		switch {
		case v.Unjudged:
			o.Unjudged++
		case len(v.Differences) > 0:
			o.Failures++
			if o.Failures == 1 {
				if err := w.differs(ctx, c, limits[i], v, o); err != nil {
					return 0, err
				}
			}
		case v.Gone, v.Native, v.Spared != "":
			o.Gone++
		}
	}
	return len(list), err
}

// differs notes the first difference of a vector, and saves it.
func (w *worker) differs(ctx context.Context, c *duel.Case, limit int64, v *duel.Verdict, o *Outcome) error {
	o.Differences, o.Limit = v.Differences, limit
	if v.GaveWay() {
		return nil // it is not asked again
	}
	r, err := duel.WithLimit(c.Request, limit)
	if err != nil {
		return err
	}
	one := *c
	one.Request = r
	traced, err := duel.Run(ctx, &one, w.Engines, w.peer)
	if err != nil {
		return err
	}
	if len(traced.Differences) > 0 { // the first charge that differs says why
		o.Differences = traced.Differences
	}
	if w.Dir == "" || w.peer == nil {
		return nil
	}
	o.Saved, err = duel.Save(ctx, &one, w.Engines[0], w.peer, w.Dir, fmt.Sprintf("gas sweep of %s: the gas limit is %d", o.Path, limit))
	return err
}

// whole runs the message as it is and writes the state after it into the case's scope.
func (w *worker) whole(ctx context.Context, c *duel.Case) (trace.Events, string, error) {
	cfg, err := oracle.ConfigOf(c.Request)
	if err != nil {
		return nil, "", err
	}
	var rec trace.Recorder
	cfg.Engine, cfg.Hooks = w.Engines[0], rec.Hooks()
	cfg.Blockstore = &blockstore.Overlay{Top: c.Scope.Store, Base: c.Bases[0].Store}
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return nil, "", err
	}
	msg, kind, length, err := c.Request.Messages[0].Decode()
	if err != nil {
		return nil, "", nil // a message that does not decode has no gas to cut
	}
	if _, err = m.Apply(ctx, msg, kind, length); err != nil {
		if ctx.Err() == nil {
			return nil, "", nil // it has no receipt
		}
		return nil, "", err
	}
	events := rec.Take()
	root, err := m.Flush(ctx)
	if err != nil || root == cid.Undef {
		return nil, "", errors.Join(errors.New("the state after the message"), err)
	}
	return events, root.String(), nil
}

// chargePoints are the sums of gas after each charge, in whole gas. most bounds them: the first and the last charge of each name are among
// them, the rest is spread over all.
func chargePoints(events trace.Events, most int) []int64 {
	set := map[int64]bool{}
	first, last := map[string]int64{}, map[string]int64{}
	var milli uint64
	for _, e := range events {
		if c, ok := e.(*trace.GasCharge); ok {
			milli += c.Compute + c.Other
			p := int64(milli / 1000)
			set[p], last[c.Name] = true, p
			if _, ok := first[c.Name]; !ok {
				first[c.Name] = p
			}
		}
	}
	list := slices.Sorted(maps.Keys(set))
	if most <= 0 || len(list) <= most {
		return list
	}
	few := map[int64]bool{}
	for _, m := range []map[string]int64{first, last} {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if len(few) < most/2 {
				few[m[name]] = true
			}
		}
	}
	others := slices.DeleteFunc(list, func(p int64) bool { return few[p] })
	rest := most - len(few)
	for i := range rest {
		few[others[i*len(others)/rest]] = true
	}
	return slices.Sorted(maps.Keys(few))
}

// limits are one below, at, and one above each point, up to the message's own limit.
func limits(points []int64, most int64) []int64 {
	set := map[int64]bool{}
	for _, p := range points {
		for _, g := range []int64{p - 1, p, p + 1} {
			if g > 0 && g <= most {
				set[g] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}
