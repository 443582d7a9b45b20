package fvm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wasmedge"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/internal/engine/tiered"
	"github.com/edgefvm/fvm/internal/vm/call"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/parallel"
)

// EngineConfig chooses what runs the actors' Wasm. The zero value is wazero
// with a cache of compiled code in the user's cache folder. No setting changes a
// result.
type EngineConfig struct {
	// Name of the engine, one of EngineNames:
	//
	//	wazero              the default: pure Go, machine code in a second an actor
	//	wazero-interpreter  far slower, no machine code: a second opinion for package shadow
	//	wasmedge            machine code by WasmEdge's compiler, made in the background and kept in
	//	                    the cache; until it is there a module runs on wazero
	//	wasmedge-o0         machine code only: a module that is new is compiled while the caller waits, for
	//	wasmedge-o2         seconds or minutes. For tests, measurements, and programs that compile ahead
	//
	// The last three need a build with -tags wasmedge.
	Name string
	// CacheDir keeps compiled code between processes. Default: DefaultCacheDir.
	CacheDir string
	// NoCache keeps compiled code in memory only; WasmEdge's in a temporary folder.
	NoCache bool
	// Jobs is how many modules WasmEdge compiles at a time. 0: one.
	Jobs int
	// Compiler is the program that compiles for the engines wasmedge: a path, or a name that is looked for in PATH. Its
	// main calls RunIfChild and it has the same WasmEdge, as edgefvm of the same version. Default: this program, if it
	// calls RunIfChild; else what is not in the cache is an error, which says so.
	Compiler string
	// Generic makes WasmEdge's code for every processor of the architecture, to ship a
	// cache to other machines. Default: for this one. Code of either kind is used.
	Generic bool
	// Logger hears of cache entries that could not be used, and of modules that
	// stay on wazero. Default: slog.Default.
	Logger *slog.Logger
}

// Engine compiles and runs actors, and keeps what it compiled. Safe for
// concurrent use; machines share it.
type Engine struct {
	eng engine.Engine

	mu      sync.Mutex
	modules map[machine.ABI]*call.Modules

	habits parallel.Habits // of its tipsets
}

const defaultEngine = "wazero"

// starters make engines, by name, the default first.
var starters = []struct {
	name  string
	built bool // into this program
	start func(EngineConfig) (engine.Engine, error)
}{
	{defaultEngine, true, startWazero},
	{wazero.InterpreterName, true, startWazero},
	{"wasmedge", wasmedge.Built, startWasmEdge},
	{"wasmedge-o0", wasmedge.Built, startWasmEdge},
	{"wasmedge-o2", wasmedge.Built, startWasmEdge},
}

// EngineNames are the names of the engines in this program, the default first.
func EngineNames() []string {
	var names []string
	for _, s := range starters {
		if s.built {
			names = append(names, s.name)
		}
	}
	return names
}

// DefaultCacheDir is where compiled code is kept: edgefvm in the user's cache
// folder, or the folder that the environment variable EDGEFVM_CACHE names.
func DefaultCacheDir() (string, error) {
	if dir := os.Getenv("EDGEFVM_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder is known: set EDGEFVM_CACHE: %w", err)
	}
	return filepath.Join(dir, "edgefvm"), nil
}

// ErrUnknownEngine is of a name that is no engine's, in any build.
var ErrUnknownEngine = errors.New("there is no such engine")

// NewEngine makes an engine. Close it when no machine uses it any more. An engine
// that this program was built without is an error that says what to install.
func NewEngine(cfg EngineConfig) (*Engine, error) {
	if cfg.Name == "" {
		cfg.Name = defaultEngine
	}
	if cfg.NoCache {
		cfg.CacheDir = ""
	} else if cfg.CacheDir == "" {
		dir, err := DefaultCacheDir()
		if err == nil {
			cfg.CacheDir = dir
		} // without a cache folder it compiles anew each time
	}
	for _, s := range starters {
		if s.name != cfg.Name {
			continue
		}
		eng, err := s.start(cfg)
		if err != nil {
			return nil, fmt.Errorf("starting the engine: %w", err)
		}
		return EngineFrom(eng), nil
	}
	return nil, fmt.Errorf("%w: %q; known: %v", ErrUnknownEngine, cfg.Name, EngineNames())
}

func startWazero(cfg EngineConfig) (engine.Engine, error) {
	opts := wazero.Options{Logger: cfg.Logger, Interpreter: cfg.Name == wazero.InterpreterName}
	if !opts.Interpreter {
		opts.CacheDir = cfg.CacheDir
	}
	return wazero.New(opts)
}

// EngineFrom makes an engine of an adapter of one's own, which must pass enginetest. Closing it closes the adapter.
func EngineFrom(eng engine.Engine) *Engine {
	return &Engine{eng: eng, modules: map[machine.ABI]*call.Modules{}}
}

// Around is an engine that runs on the same adapter, with something of the caller's between, such as a
// probe that takes times; the engine itself is left as it is. What wrap returns must pass enginetest
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

// Wait returns when no machine code is being made in the background, or with the
// context's error. Engines without background work do not wait.
func (e *Engine) Wait(ctx context.Context) error {
	if w, ok := e.eng.(interface{ Wait(context.Context) error }); ok {
		return w.Wait(ctx)
	}
	return nil
}

// Tally counts the compiled modules by the code that new instances of them run on,
// for engines that have several kinds of code; nil for others.
func (e *Engine) Tally() []tiered.Tally {
	if t, ok := e.eng.(interface{ Tally() []tiered.Tally }); ok {
		return t.Tally()
	}
	return nil
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
func (e *Engine) Preload(ctx context.Context, store blockstore.Blockstore, nv network.Version, jobs int, codes ...cid.Cid) error {
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

func preload(ctx context.Context, modules *call.Modules, store blockstore.Blockstore, c cid.Cid) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b, err := store.Get(ctx, c)
	if err != nil {
		return fmt.Errorf("reading the code %s: %w", c, err)
	}
	return modules.Preload(ctx, c, b.RawData())
}

var sharedEngine = sync.OnceValues(func() (*Engine, error) { return NewEngine(EngineConfig{}) })
