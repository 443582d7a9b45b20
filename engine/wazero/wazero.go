// Package wazero adapts github.com/tetratelabs/wazero, a WebAssembly runtime in
// pure Go, to the engine contract.
//
// It lives below package engine and is made by the embedder (through fvm) or by
// tests. It calls wazero, and of this module what reads the format of Wasm and
// guards the cache folder.
// What does not belong here: prices, limits, or any other rule that decides a
// result; those are in the code that the instrumentation pass hands to Compile.
//
// The parts: wazero.go makes engines, env.go binds host functions, module.go
// compiles and instantiates, instance.go runs, memory.go pools linear memories, reuse.go makes used guests new (pagemap_linux.go says what of them was used),
// scan.go reads the few facts about a module that wazero does not tell, and
// disk.go, entry.go and cachedir.go keep compiled code between processes.
package wazero

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	wz "github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/edgefvm/fvm/engine"
)

// DefaultMaxPoolBytes is the memory kept for reuse when Options does not say.
const DefaultMaxPoolBytes = 64 << 20

// InterpreterName is the name of an engine that was asked for with Options.Interpreter.
const InterpreterName = "wazero-interpreter"

// Options are the settings of an engine. None of them changes a result.
type Options struct {
	// CacheDir keeps compiled code between processes. It holds machine code
	// that will be run, so only this user and root may be able to write to it, or to
	// a folder above it that is not sticky; nothing is taken from another one. Empty:
	// nothing is kept. Failing to use it costs time and a warning, never an error.
	CacheDir string
	// MaxPoolBytes bounds the guest memory kept for reuse, in bytes. 0:
	// DefaultMaxPoolBytes. Negative: none is kept. Guests that are kept whole take at most half of it.
	MaxPoolBytes int64
	// NoReuse makes a new guest for each instance. Default: one is reset and used again if its module says how
	// (engine.EnvConfig.Reset).
	NoReuse bool
	// CheckReset compares each guest that was reset with a new one, byte by byte. A
	// difference is an error of Instantiate. For tests and for looking into a doubt; it costs more than reuse saves.
	CheckReset bool
	// Logger gets warnings about the cache. Nil: slog.Default().
	Logger *slog.Logger
	// Interpreter asks for wazero's interpreter where its compiler is
	// available. Without a compiler for the platform it is used anyway.
	Interpreter bool

	noPagemap bool // as on a system that does not tell
}

type wazeroEngine struct {
	name   string
	cache  wz.CompilationCache
	config wz.RuntimeConfig
	pool   *pool
	shelf  shelf
	pages  *pagemap // nil: all of a used memory is looked at
	check  bool
	resets atomic.Uint64
	log    *slog.Logger
	disk   *disk // nil without one

	mu     sync.Mutex
	envs   []*env
	closed bool
}

var (
	_ engine.Engine      = (*wazeroEngine)(nil)
	_ engine.DiskCounter = (*wazeroEngine)(nil)
)

// errClosed is what a closed engine, environment or instance answers.
var errClosed = errors.New("wazero: closed")

// New makes an engine. The error is for settings that cannot work; trouble with
// the cache directory is a warning.
func New(opts Options) (engine.Engine, error) {
	logger := opts.Logger
	if logger == nil {
		logger = slog.Default()
	}
	limit := opts.MaxPoolBytes
	if limit == 0 {
		limit = DefaultMaxPoolBytes
	}
	e := &wazeroEngine{name: "wazero", pool: newPool(limit), check: opts.CheckReset, log: logger}
	if !opts.NoReuse && limit > 0 {
		e.shelf.max = limit / 2
		if !opts.noPagemap {
			e.pages = openPagemap()
			e.pool.pages = e.pages
		}
	}
	config := wz.NewRuntimeConfig()
	if opts.Interpreter {
		e.name = InterpreterName
		config = wz.NewRuntimeConfigInterpreter()
	}
	// SIMD is no part of the FVM. Everything else about validity is decided by
	// the instrumentation pass, before a module comes here.
	config = config.WithCoreFeatures(api.CoreFeaturesV2 &^ api.CoreFeatureSIMD).WithDebugInfoEnabled(false)
	if opts.CacheDir != "" {
		e.disk, e.cache = openDisk(opts.CacheDir, logger, config)
	}
	if e.cache == nil {
		e.cache = wz.NewCompilationCache()
	}
	// One compiler for all environments: the same code is compiled once.
	e.config = config.WithCompilationCache(e.cache)
	return e, nil
}

func (e *wazeroEngine) Name() string { return e.name }

// FromDisk implements engine.DiskCounter.
func (e *wazeroEngine) FromDisk() uint64 {
	if e.disk == nil {
		return 0
	}
	return e.disk.hits.Load()
}

// Env makes one runtime with the host functions linked into it.
func (e *wazeroEngine) Env(ctx context.Context, cfg engine.EnvConfig) (engine.Env, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("wazero: %w", err)
	}
	v := &env{
		eng: e,
		rt:  wz.NewRuntimeWithConfig(context.Background(), e.config),
		// The source of randomness is never read: no WASI is linked. Without one
		// wazero seeds a generator for every instance.
		modcfg:  wz.NewModuleConfig().WithName("").WithStartFunctions().WithRandSource(noRandomness{}),
		host:    map[hostKey]hostSig{},
		funcs:   cfg.Host,
		counter: cfg.Counter,
		reset:   cfg.Reset,
	}
	for i := range v.funcs {
		h := &v.funcs[i]
		v.host[hostKey{h.Module, h.Name}] = hostSig{string(valueTypes(h.Params)), string(valueTypes(h.Results))}
	}
	if err := v.bind(ctx, v.rt); err != nil {
		return nil, errors.Join(err, v.rt.Close(ctx))
	}
	e.envs = append(e.envs, v)
	return v, nil
}

// Close closes every environment, drops the pool and this process's cache files.
func (e *wazeroEngine) Close(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	var errs []error
	for _, v := range e.envs {
		errs = append(errs, v.close(ctx))
	}
	errs = append(errs, e.cache.Close(ctx))
	e.envs = nil
	e.pool.drop()
	if e.pages != nil {
		e.pages.close()
	}
	if e.disk != nil {
		e.disk.close()
	}
	return errors.Join(errs...)
}

// forget takes a closed environment off the list.
func (e *wazeroEngine) forget(v *env) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.envs {
		if e.envs[i] == v {
			e.envs = append(e.envs[:i], e.envs[i+1:]...)
			return
		}
	}
}

type noRandomness struct{}

func (noRandomness) Read([]byte) (int, error) { return 0, io.EOF }
