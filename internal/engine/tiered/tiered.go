// Package tiered makes one engine of several: a base that compiles fast, and
// tiers that take their time and run faster.
//
// A module is compiled on the base at once. In the background the tiers compile
// it too, lowest first; whenever one is done, new instances come from it. An
// instance stays what it is until it is closed. So one message can have
// instances of different engines under each other. That is safe because all an
// instance can do is compute and call host functions: it shares no memory,
// table or global with another, host functions hold no engine's state, and
// engines agree on every result, counter value and kind of trap (enginetest
// checks it; what they could differ in, the instrumentation pass has removed
// before). What differs is time. A tier that fails costs a warning, and the module
// stays where it is.
//
// The instances are the engines' own, without a wrapper: a host function gets
// what Instantiate returned, and a call costs what it costs there.
//
// The parts: tiered.go has the settings and the engine, module.go environments and
// modules, queue.go the background work.
//
// Callers: the root package and tests. It calls package engine only. What does not
// belong here: anything about one engine, caches, or child processes.
package tiered

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/edgefvm/fvm/engine"
)

// Tier is an engine whose Compile may take minutes.
type Tier struct {
	// Name is for the log, such as "wasmedge O2". Default: the engine's.
	Name   string
	Engine engine.Engine
	// Ready reports that Compile would be quick, because it was done before. Then
	// the tiers below are passed over. Nil: never.
	Ready func(wasm []byte) bool
}

// Options are the settings of an engine. None of them changes a result.
type Options struct {
	// Base compiles while the caller waits.
	Base engine.Engine
	// Tiers compile in the background, the slowest code first. Their Compile
	// should give up when its context ends.
	Tiers []Tier
	// Workers is how many modules are compiled in the background at a time. 0: one.
	Workers int
	// Patient makes Compile wait until the tiers are done with the module, or have
	// failed, so that what runs is known: for tests, measurements, and programs
	// that compile ahead. Then Workers counts for nothing.
	Patient bool
	// Name is the engine's name. Default: the base's and the tiers', with a plus between.
	Name string
	// Logger gets warnings. Nil: slog.Default().
	Logger *slog.Logger
}

// Engine is an engine.Engine. It owns the engines that it is made of.
type Engine struct {
	name  string
	base  engine.Engine
	tiers []Tier
	log   *slog.Logger
	queue queue
	// patient is Options.Patient.
	patient bool

	ctx    context.Context // ends when the engine is closed
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool
	warned map[digest]bool // modules whose trouble was logged
	noEnv  []bool          // tiers whose trouble with environments was logged
	counts []int           // modules by the best code that they have: the base's first
}

var _ engine.Engine = (*Engine)(nil)

var errClosed = errors.New("tiered: closed")

// New makes an engine. On success it owns the base and the tiers.
func New(opts Options) (*Engine, error) {
	if opts.Base == nil {
		return nil, errors.New("tiered: no base")
	}
	e := &Engine{
		name: opts.Name, base: opts.Base, log: opts.Logger, patient: opts.Patient,
		warned: map[digest]bool{}, noEnv: make([]bool, len(opts.Tiers)), counts: make([]int, len(opts.Tiers)+1),
	}
	names := []string{opts.Base.Name()}
	for i, t := range opts.Tiers {
		if t.Engine == nil {
			return nil, fmt.Errorf("tiered: no engine for tier %d", i)
		}
		if t.Name == "" {
			t.Name = t.Engine.Name()
		}
		names = append(names, t.Name)
		e.tiers = append(e.tiers, t)
	}
	if e.name == "" {
		e.name = strings.Join(names, "+")
	}
	if e.log == nil {
		e.log = slog.Default()
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.queue.limit = max(opts.Workers, 1)
	return e, nil
}

// Name is the engine's name.
func (e *Engine) Name() string { return e.name }

// Env makes one environment on each engine. A tier that cannot make one is left
// out, with a warning.
func (e *Engine) Env(ctx context.Context, cfg engine.EnvConfig) (engine.Env, error) {
	e.mu.Lock()
	closed := e.closed
	e.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	base, err := e.base.Env(ctx, cfg)
	if err != nil {
		return nil, err
	}
	v := &env{eng: e, base: base, tiers: make([]engine.Env, len(e.tiers))}
	v.ctx, v.cancel = context.WithCancel(e.ctx)
	for i, t := range e.tiers {
		if v.tiers[i], err = t.Engine.Env(ctx, cfg); err != nil {
			v.tiers[i] = nil
			e.warnEnv(i, err)
		}
	}
	return v, nil
}

// Close ends the background work and closes the engines. No instance may be live.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.cancel()
	e.queue.stop()
	var errs []error
	for _, t := range e.tiers {
		errs = append(errs, t.Engine.Close(ctx))
	}
	return errors.Join(append(errs, e.base.Close(ctx))...)
}

// FromDisk counts the modules whose code the base found on disk.
func (e *Engine) FromDisk() uint64 {
	if d, ok := e.base.(engine.DiskCounter); ok {
		return d.FromDisk()
	}
	return 0
}

// Wait returns when no background work is left, or with the context's error. It
// is for tests, benchmarks, and programs that compile ahead.
func (e *Engine) Wait(ctx context.Context) error { return e.queue.wait(ctx) }

// Tally is how many modules run on what code.
type Tally struct {
	Name    string // the base's or the tier's
	Modules int
}

// Tally counts the modules that were compiled so far, also those closed since, by
// the best code that there was of each: the base first, then the tiers.
func (e *Engine) Tally() []Tally {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := []Tally{{e.base.Name(), e.counts[0]}}
	for i, t := range e.tiers {
		all = append(all, Tally{t.Name, e.counts[i+1]})
	}
	return all
}

// moved counts a module that has better code now; from is what it had, -1 for the
// base and less for nothing.
func (e *Engine) moved(from, to int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if from >= -1 {
		e.counts[from+1]--
	}
	e.counts[to+1]++
}

// warn logs the first trouble with a module.
func (e *Engine) warn(m *module, text, tier string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.warned[m.sum] {
		e.warned[m.sum] = true
		e.log.Warn(text, "module", fmt.Sprintf("%x", m.sum[:8]), "tier", tier, "err", err)
	}
}

// warnEnv logs the first trouble with environments of a tier.
func (e *Engine) warnEnv(tier int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.noEnv[tier] {
		e.noEnv[tier] = true
		e.log.Warn("an engine takes no part", "tier", e.tiers[tier].Name, "err", err)
	}
}
