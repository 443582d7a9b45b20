package tiered

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/edgefvm/fvm/engine"
)

type digest = [sha256.Size]byte

// env is one environment on each engine.
type env struct {
	eng   *Engine
	base  engine.Env
	tiers []engine.Env // nil where a tier takes no part

	ctx    context.Context // ends when the environment is closed
	cancel context.CancelFunc
}

// Compile compiles on the base, whose word on whether wasm is good stands.
func (v *env) Compile(ctx context.Context, wasm []byte) (engine.Module, error) {
	if v.ctx.Err() != nil {
		return nil, errClosed
	}
	base, err := v.base.Compile(ctx, wasm)
	if err != nil {
		return nil, err
	}
	m := &module{env: v, base: base, sum: sha256.Sum256(wasm)}
	m.ctx, m.cancel = context.WithCancel(v.ctx)
	m.best.Store(&choice{base, -1})
	v.eng.moved(-2, -1)
	switch {
	case len(v.tiers) == 0: // it is the base alone
	case v.eng.patient:
		if err := m.climb(ctx, wasm); err != nil {
			return nil, errors.Join(err, m.Close(context.WithoutCancel(ctx)))
		}
	default:
		// A copy: the caller may do with its own what it likes, the work comes later.
		v.eng.queue.add(&job{mod: m, wasm: bytes.Clone(wasm), tier: -1})
	}
	return m, nil
}

// climb takes a module through the tiers while the caller waits.
func (m *module) climb(ctx context.Context, wasm []byte) error {
	ended := context.AfterFunc(ctx, m.cancel)
	for j := (&job{mod: m, wasm: wasm, tier: -1}); j.step(); {
	}
	if !ended() {
		return ctx.Err()
	}
	return nil
}

// Close ends the background work for the environment and closes it everywhere.
func (v *env) Close(ctx context.Context) error {
	v.cancel()
	v.eng.queue.drop(func(j *job) bool { return j.mod.env == v })
	var errs []error
	for _, t := range v.tiers {
		if t != nil {
			errs = append(errs, t.Close(ctx))
		}
	}
	return errors.Join(append(errs, v.base.Close(ctx))...)
}

// module is compiled code on the base, and on the tiers that are done with it.
type module struct {
	env    *env
	base   engine.Module
	sum    digest // of the Wasm
	uses   atomic.Int64
	best   atomic.Pointer[choice]
	ctx    context.Context // ends when the module is closed
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool
	// Code of lower tiers stays until the end: an instance may still run it.
	tiers []engine.Module
}

// choice is what new instances are made of.
type choice struct {
	mod  engine.Module
	tier int // -1: the base
}

// Instantiate makes an instance of the best code that there is by now. Trouble of
// a tier, which is no trap, is none of the guest's: the base then does it.
func (m *module) Instantiate(ctx context.Context, data any) (engine.Instance, error) {
	if m.ctx.Err() != nil {
		return nil, errClosed
	}
	m.uses.Add(1)
	c := m.best.Load()
	in, err := c.mod.Instantiate(ctx, data)
	if err == nil || c.tier < 0 {
		return in, err
	}
	if trap := new(engine.Trap); errors.As(err, &trap) {
		return nil, err
	}
	m.env.eng.warn(m, "an instance is made by the base", m.env.eng.tiers[c.tier].Name, err)
	return m.base.Instantiate(ctx, data)
}

// promote makes new instances come from a tier's code.
func (m *module) promote(code engine.Module, tier int) (ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.tiers = append(m.tiers, code)
	m.env.eng.moved(m.best.Swap(&choice{code, tier}).tier, tier)
	return true
}

// Close does not wait for a tier that compiles the module; what comes out is
// closed then.
func (m *module) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true
	tiers := m.tiers
	m.mu.Unlock()
	m.cancel()
	m.env.eng.queue.forget(func(j *job) bool { return j.mod == m })
	var errs []error
	for _, t := range tiers {
		errs = append(errs, t.Close(ctx))
	}
	return errors.Join(append(errs, m.base.Close(ctx))...)
}

// job is what is left to do for a module.
type job struct {
	mod  *module
	wasm []byte
	tier int // the next one; -1 before it is known whether one is ready
}

// step takes the next tier of a job, and reports whether there is another.
func (j *job) step() (more bool) {
	m := j.mod
	e, tiers := m.env.eng, m.env.tiers
	if m.ctx.Err() != nil {
		return false
	}
	at := e.ready(tiers, j.tier, j.wasm)
	if at < 0 && j.tier < 0 {
		j.tier = 0
		return true // after all that are quick
	}
	if at < 0 {
		at = j.tier
	}
	j.tier = at + 1
	if tiers[at] != nil {
		code, err := compile(m.ctx, tiers[at], j.wasm)
		if err != nil {
			if m.ctx.Err() == nil {
				e.warn(m, "a module was not compiled and stays slower", e.tiers[at].Name, err)
			}
			return false // what is true of this tier is likely true of the next
		}
		if !m.promote(code, at) {
			if err := code.Close(context.Background()); err != nil {
				e.warn(m, "a module could not be closed", e.tiers[at].Name, err)
			}
			return false
		}
	}
	return j.tier < len(tiers)
}

// ready is the highest tier from some tier on that has the module's code, -1 if
// none has.
func (e *Engine) ready(tiers []engine.Env, from int, wasm []byte) int {
	for i := len(tiers) - 1; i >= max(from, 0); i-- {
		if ask := e.tiers[i].Ready; tiers[i] != nil && ask != nil && ask(wasm) {
			return i
		}
	}
	return -1
}

// compile turns a panic into an error: it would end the program, which can do
// without the tier.
func compile(ctx context.Context, v engine.Env, wasm []byte) (m engine.Module, err error) {
	defer func() {
		if r := recover(); r != nil {
			m, err = nil, fmt.Errorf("tiered: compiler panicked: %v", r)
		}
	}()
	return v.Compile(ctx, wasm)
}
