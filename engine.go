package fvm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/engine/tiered"
	"github.com/edgefvm/fvm/internal/vm/call"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/parallel"
)

// Engine compiles and runs actors, and keeps what it compiled. Safe for
// concurrent use; machines share it.
type Engine struct {
	eng engine.Engine

	mu      sync.Mutex
	modules map[machine.ABI]*call.Modules

	habits  parallel.Habits // of its tipsets
	guesses guesses         // the same
}

// EngineFrom makes an engine of an adapter of one's own, which must pass lab/enginetest. Closing it closes the adapter.
func EngineFrom(eng engine.Engine) *Engine {
	return &Engine{eng: eng, modules: map[machine.ABI]*call.Modules{}}
}

// Around is an engine that runs on the same adapter, with something of the caller's between, such as a
// probe that takes times; the engine itself is left as it is. What wrap returns must pass lab/enginetest
// too. Close the engine itself, not this one, and not while machines use either.
func (e *Engine) Around(wrap func(engine.Engine) engine.Engine) *Engine {
	return EngineFrom(wrap(e.eng))
}

// Name is the engine's name.
func (e *Engine) Name() string { return e.eng.Name() }

// Close frees all compiled code.
func (e *Engine) Close(ctx context.Context) error { return e.eng.Close(ctx) }

// EngineStats count how an engine came by the actors' compiled code.
type EngineStats struct {
	Memory   uint64 // lookups that found it in memory
	Disk     uint64 // it was in the cache folder
	Compiled uint64 // it was made
}

// Stats are the engine's counts so far.
func (e *Engine) Stats() EngineStats {
	var s EngineStats
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.modules {
		found, made := m.Counts()
		s.Memory += found
		s.Compiled += made
	}
	if d, ok := e.eng.(engine.DiskCounter); ok {
		s.Disk = min(d.FromDisk(), s.Compiled)
		s.Compiled -= s.Disk
	}
	return s
}

// Compiling is how many actors the engine is compiling, or taking from the cache folder, for machines that wait for them. With engine
// wasmedge-o2 one takes up to minutes.
func (e *Engine) Compiling() (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.modules {
		n += m.Pending()
	}
	return n
}

// Wait returns when no machine code is being made in the background, or with the
// context's error. Engines without background work do not wait.
func (e *Engine) Wait(ctx context.Context) error {
	if w, ok := e.eng.(interface{ Wait(context.Context) error }); ok {
		return w.Wait(ctx)
	}
	return nil
}

// Tally is how many of an engine's modules run on one kind of code.
type Tally struct {
	Name    string // of the kind, such as "wazero" or "wasmedge O2"
	Modules int
}

// Tally counts the modules that were compiled so far by the code that new instances of them run on, the slowest kind
// first, for engines that have several kinds of code; nil for others.
func (e *Engine) Tally() (list []Tally) {
	if t, ok := e.eng.(interface{ Tally() []tiered.Tally }); ok {
		for _, one := range t.Tally() {
			list = append(list, Tally(one))
		}
	}
	return list
}

func (e *Engine) forEra(ctx context.Context, p *machine.Profile) (*call.Modules, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m := e.modules[p.ABI]; m != nil {
		return m, nil
	}
	m, err := call.NewModules(ctx, e.eng, p)
	if err != nil {
		return nil, fmt.Errorf("preparing the engine: %w", err)
	}
	e.modules[p.ABI] = m
	return m, nil
}

// Preload compiles actors for a network version before they are called, jobs at
// a time (0: one). The blockstore must hold their code.
func (e *Engine) Preload(ctx context.Context, store blockstore.Blockstore, nv network.Version, jobs int, codes ...cid.Cid) (err error) {
	defer caught("fvm.Engine.Preload", &err)
	profile, err := machine.ProfileFor(nv, true)
	if err != nil {
		return err
	}
	modules, err := e.forEra(ctx, profile)
	if err != nil {
		return err
	}
	work := make(chan cid.Cid)
	errs := make(chan error, max(jobs, 1))
	for range max(jobs, 1) {
		go func() {
			var first error
			for c := range work {
				if first == nil {
					first = preload(ctx, modules, store, c)
				}
			}
			errs <- first
		}()
	}
	for _, c := range codes {
		work <- c
	}
	close(work)
	for range max(jobs, 1) {
		if e := <-errs; e != nil && err == nil {
			err = e
		}
	}
	return err
}

// Loaded are those of the codes that the engine has compiled and holds in memory.
func (e *Engine) Loaded(codes ...cid.Cid) (list []cid.Cid) {
	all := e.allModules()
	for _, c := range codes {
		if slices.ContainsFunc(all, func(m *call.Modules) bool { return m.Has(c) }) {
			list = append(list, c)
		}
	}
	return list
}

func (e *Engine) allModules() []*call.Modules {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Values(e.modules))
}

// Forget closes the compiled code of actors that nobody runs at the moment, and frees its memory: after an upgrade of the network the old
// actors are not called any more. What is asked for again is compiled again, or taken from the cache folder. The error is that of an engine
// that could not free something.
func (e *Engine) Forget(ctx context.Context, codes ...cid.Cid) error {
	var errs []error
	for _, m := range e.allModules() {
		errs = append(errs, m.Forget(ctx, codes))
	}
	return errors.Join(errs...)
}

func preload(ctx context.Context, modules *call.Modules, store blockstore.Blockstore, c cid.Cid) (err error) {
	defer caught("fvm.Engine.Preload", &err) // it has a goroutine of its own
	if err := ctx.Err(); err != nil {
		return err
	}
	b, err := store.Get(ctx, c)
	if err != nil {
		return fmt.Errorf("reading the code %s: %w", c, err)
	}
	return modules.Preload(ctx, c, b.RawData())
}
