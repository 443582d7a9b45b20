package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/vector"
)

// ErrNothingRan is of a measurement in which no vector ran to its end.
var ErrNothingRan = errors.New("nothing ran")

// Contender is an engine that takes part, by the name that the report calls it. The caller closes it.
type Contender struct {
	Name   string
	Engine *fvm.Engine
}

// Options say what is measured.
type Options struct {
	// Engines take turns. Required.
	Engines []Contender
	// Reference takes turns with them. Default: none.
	Reference Reference
	// Actors give the actors' code. Default: vector.NewActors with its defaults.
	Actors *vector.Actors
	// Rounds are timed. Default: 5.
	Rounds int
	// Phases tells where the time goes, by further rounds.
	Phases bool
	// Progress hears of each vector before it runs, counted from 0. Default: nobody.
	Progress func(i, of int, path string)
}

// Reference is another implementation that runs the first variant of a vector and says what each message took,
// without the reading of the vector.
type Reference interface {
	Times(ctx context.Context, path string) ([]time.Duration, error)
}

const defaultRounds = 5

// Time measures the messages of vectors, of each its first variant, one after the other in this goroutine. A vector
// that cannot be measured is told in the report. The error is ctx's end, a file that cannot be read, or ErrNothingRan;
// the report is then of what ran before.
func Time(ctx context.Context, files []string, opts Options) (*Report, error) {
	if len(opts.Engines) == 0 {
		return nil, errors.New("bench: no engine takes part")
	}
	if opts.Rounds == 0 {
		opts.Rounds = defaultRounds
	}
	if opts.Actors == nil {
		opts.Actors = vector.NewActors(bundle.Options{})
	}
	w := &warm{opts: opts, report: &Report{Rounds: opts.Rounds}}
	for _, c := range opts.Engines {
		l := &lane{Contender: c}
		if opts.Phases {
			l.probe = newProbe()
			l.probed = c.Engine.Around(l.probe.engine)
		}
		w.lanes = append(w.lanes, l)
		w.report.Engines = append(w.report.Engines, EngineReport{Name: c.Name, Engine: c.Engine.Name()})
	}
	for i, path := range files {
		if opts.Progress != nil {
			opts.Progress(i, len(files), path)
		}
		v, err := conformance.Load(path)
		if err != nil {
			return w.report, err
		}
		if err := w.vector(ctx, v); err != nil {
			if ctx.Err() != nil {
				return w.report, fmt.Errorf("%w after %d of %d vectors", ctx.Err(), i, len(files))
			}
			w.report.Left = append(w.report.Left, LeftOut{path, err})
		}
	}
	if w.report.Vectors == 0 {
		return w.report, ErrNothingRan
	}
	return w.report, nil
}

// warm is a measurement in this process.
type warm struct {
	opts   Options
	lanes  []*lane
	report *Report
}

// lane is a contender with, if phases are asked for, the same engine with a probe around it.
type lane struct {
	Contender
	probe  *probe
	probed *fvm.Engine
}

// vector does a round that compiles actors, one that counts allocations, then the timed ones, and then those with
// clocks in them.
func (w *warm) vector(ctx context.Context, v *vector.Vector) error {
	lists := make([][]Timing, len(w.lanes))
	var sides []side
	for i, l := range w.lanes {
		lists[i] = make([]Timing, len(v.Receipts()))
		if _, err := w.run(ctx, v, l.Engine, nil); err != nil { // a message's allocations are not those of compiling
			return err
		}
		if _, err := w.run(ctx, v, l.Engine, lists[i]); err != nil {
			return err
		}
		sides = append(sides, func(ctx context.Context) ([]time.Duration, error) { return w.run(ctx, v, l.Engine, nil) })
	}
	if w.opts.Reference != nil {
		sides = append(sides, func(ctx context.Context) ([]time.Duration, error) { return w.theirs(ctx, v) })
	}
	times, err := takeTurns(ctx, w.opts.Rounds, len(v.Receipts()), sides)
	if err != nil {
		return err
	}
	for i, l := range w.lanes {
		for m := range lists[i] {
			t := &lists[i][m]
			t.Engine, t.Vector, t.Scenario, t.NV, t.Message = l.Name, v.Name, v.Scenario(), v.Variants()[0].NV, m
			t.Ours, t.Median = ofRounds(times[i], m)
			if w.opts.Reference != nil {
				t.Theirs, t.TheirsMedian = ofRounds(times[len(w.lanes)], m)
			}
		}
		if l.probe != nil {
			if err := w.phases(ctx, v, l, lists[i]); err != nil {
				return err
			}
		}
	}
	for i := range w.lanes {
		e := &w.report.Engines[i]
		e.Timings = append(e.Timings, lists[i]...)
	}
	w.report.Vectors++
	return nil
}

func (w *warm) theirs(ctx context.Context, v *vector.Vector) ([]time.Duration, error) {
	times, err := w.opts.Reference.Times(ctx, v.Path)
	if err == nil && len(times) != len(v.Receipts()) {
		err = fmt.Errorf("the reference ran %d of %d messages", len(times), len(v.Receipts()))
	}
	return times, err
}

// run runs a vector once. If count is not nil it gets gas and the allocations; times of such a round are no good,
// because counting stops the world.
func (w *warm) run(ctx context.Context, v *vector.Vector, e *fvm.Engine, count []Timing) ([]time.Duration, error) {
	s, err := vector.Prepare(ctx, v, 0, w.opts.Actors, e, nil)
	if err != nil {
		return nil, err
	}
	times := make([]time.Duration, s.Len())
	var before, after runtime.MemStats
	for i := range times {
		msg, kind, length, err := s.Decode(i)
		if err != nil {
			continue // neither side has a time for it
		}
		if count != nil {
			runtime.ReadMemStats(&before)
		}
		start := time.Now()
		res, err := s.Execute(ctx, msg, kind, length)
		times[i] = time.Since(start)
		if err != nil && !errors.Is(err, vector.ErrNoReceipt) {
			return nil, err
		}
		if count != nil {
			runtime.ReadMemStats(&after)
			count[i].Allocs, count[i].Bytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
			if res != nil {
				count[i].Gas, count[i].ExitCode = res.GasUsed, int64(res.ExitCode)
			}
		}
	}
	return times, nil
}

// probeRounds is how often a vector runs with clocks in it, after one round to warm up. The quickest counts.
const probeRounds = 3

// phases runs a vector with the probe.
func (w *warm) phases(ctx context.Context, v *vector.Vector, l *lane, into []Timing) error {
	for round := range probeRounds + 1 {
		var made phasesOf
		if err := made.run(ctx, v, w.opts.Actors, l); err != nil {
			return err
		}
		if round == 0 {
			continue
		}
		for i := range into {
			if got := made.messages[i]; into[i].Phases == nil || got.Total() < into[i].Phases.Total() {
				into[i].Phases, into[i].Hashing = got, made.hashing[i]
			}
		}
	}
	return nil
}

// phasesOf is one run of a vector with a probe.
type phasesOf struct {
	messages []Phases
	hashing  []time.Duration
}

func (r *phasesOf) run(ctx context.Context, v *vector.Vector, actors *vector.Actors, l *lane) error {
	p := l.probe
	opts := conformance.Options{Actors: actors, Open: func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
		cfg.Engine, cfg.Blockstore = l.probed, newProbedStore(cfg.Blockstore, p)
		return fvm.New(ctx, cfg)
	}}
	s, err := opts.Prepare(ctx, v, 0, p.hooks())
	if err != nil {
		return err
	}
	for i := range s.Len() {
		p.made = p.made[:0]
		msg, kind, length, err := s.Decode(i)
		if err != nil {
			r.messages = append(r.messages, Phases{})
			r.hashing = append(r.hashing, 0)
			continue
		}
		r.messages = append(r.messages, p.measure(Preflight, func() { _, err = s.Execute(ctx, msg, kind, length) }))
		if err != nil && !errors.Is(err, vector.ErrNoReceipt) {
			return err
		}
		r.hashing = append(r.hashing, hashing(p.made))
	}
	flush := p.measure(Flush, func() { _, err = s.Flush(ctx) })
	if err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	if n := s.Len(); n > 0 {
		r.messages[n-1].Add(flush)
	}
	return nil
}
