//go:build wasmtime && cgo && linux && (amd64 || arm64)

package wasmtime

// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"unsafe"

	_ "github.com/bytecodealliance/wasmtime-go/v37" // the library

	"github.com/edgefvm/fvm/engine"
)

// Built is whether this program has the library in it.
const Built = true

const (
	// spareStack is what a call needs beside the guest's stack: wasmtime's own
	// frames, and those of a call into Go.
	spareStack = 256 << 10
	// minStack is 1 KiB for each of the 1024 calls that our limiter allows.
	minStack = 1 << 20
)

// errClosed is what a closed engine, environment, module or instance answers.
var errClosed = errors.New("wasmtime: closed")

type wasmtimeEngine struct {
	c    *C.wasm_engine_t
	need C.size_t // the native stack without which a call does not start

	mu     sync.Mutex
	envs   map[*env]struct{}
	closed bool
}

var _ engine.Engine = (*wasmtimeEngine)(nil)

func open(opts Options) (engine.Engine, error) {
	stack := opts.MaxStack
	if stack == 0 {
		stack = DefaultMaxStack
	}
	// Only a part of a thread's stack: invocations nest on it.
	stack = min(stack, int(C.wt_thread_stack())-2*spareStack)
	if stack < minStack {
		return nil, fmt.Errorf("wasmtime: a guest would have %d KiB of native stack, less than the %d KiB that it may need",
			stack>>10, minStack>>10)
	}
	return &wasmtimeEngine{
		c: C.wt_engine_new(C.size_t(stack)), need: C.size_t(stack + spareStack), envs: map[*env]struct{}{},
	}, nil
}

func (e *wasmtimeEngine) Name() string { return "wasmtime" }

// Env makes a linker with the host functions in it.
func (e *wasmtimeEngine) Env(ctx context.Context, cfg engine.EnvConfig) (engine.Env, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("wasmtime: %w", err)
	}
	v := &env{
		eng: e, linker: C.wasmtime_linker_new(e.c), funcs: append([]engine.HostFunc(nil), cfg.Host...), counter: cfg.Counter,
		modules: map[*module]struct{}{}, live: map[*instance]struct{}{},
	}
	if err := v.bind(); err != nil {
		C.wasmtime_linker_delete(v.linker)
		return nil, err
	}
	e.envs[v] = struct{}{}
	return v, nil
}

// Close closes every environment.
func (e *wasmtimeEngine) Close(ctx context.Context) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	envs := e.envs
	e.envs = nil
	e.mu.Unlock()
	var errs []error
	for v := range envs {
		errs = append(errs, v.close(ctx))
	}
	C.wasm_engine_delete(e.c) // what lives of it counts its uses
	return errors.Join(errs...)
}

// env is one linker, and the modules that were compiled against it.
type env struct {
	eng     *wasmtimeEngine
	linker  *C.wasmtime_linker_t
	funcs   []engine.HostFunc // a host function's number is its place here
	counter string

	mu      sync.RWMutex // read: the linker is in use
	modules map[*module]struct{}
	closed  bool

	liveMu sync.Mutex
	live   map[*instance]struct{} // nil when closed
}

// kinds are the value types of host functions as wasmtime numbers them.
var kinds = map[engine.ValueType]C.uint8_t{engine.I32: C.WASM_I32, engine.I64: C.WASM_I64}

func kindsOf(ts []engine.ValueType) []C.uint8_t {
	out := make([]C.uint8_t, len(ts))
	for i, t := range ts {
		out[i] = kinds[t]
	}
	return out
}

// bind puts the host functions into the linker.
func (v *env) bind() error {
	for i, h := range v.funcs {
		params, results := kindsOf(h.Params), kindsOf(h.Results)
		mod, name := C.CString(h.Module), C.CString(h.Name)
		cerr := C.wt_define(v.linker, mod, C.size_t(len(h.Module)), name, C.size_t(len(h.Name)),
			unsafe.SliceData(params), C.size_t(len(params)), unsafe.SliceData(results), C.size_t(len(results)), C.uintptr_t(i))
		C.free(unsafe.Pointer(mod))
		C.free(unsafe.Pointer(name))
		if cerr != nil {
			return fmt.Errorf("wasmtime: host function %s.%s: %w", h.Module, h.Name, failure(C.wt_error_text(cerr)))
		}
	}
	return nil
}

// failure is an error with a text of the C side, which it frees.
func failure(text *C.char) error {
	defer C.free(unsafe.Pointer(text))
	return errors.New(C.GoString(text))
}

func (v *env) Close(ctx context.Context) error {
	v.eng.mu.Lock()
	delete(v.eng.envs, v)
	v.eng.mu.Unlock()
	return v.close(ctx)
}

// close closes the modules too, and instances that somebody forgot: nothing else
// would ever free them.
func (v *env) close(ctx context.Context) error {
	v.mu.Lock()
	if v.closed {
		v.mu.Unlock()
		return nil
	}
	v.closed = true
	modules := v.modules
	v.modules = nil
	C.wasmtime_linker_delete(v.linker)
	v.mu.Unlock()
	v.liveMu.Lock()
	live := v.live
	v.live = nil
	v.liveMu.Unlock()
	var errs []error
	for m := range modules {
		errs = append(errs, m.Close(ctx))
	}
	for in := range live {
		errs = append(errs, in.Close(ctx))
	}
	return errors.Join(errs...)
}

// adopt notes a live instance, unless the environment is closed.
func (v *env) adopt(in *instance) bool {
	v.liveMu.Lock()
	defer v.liveMu.Unlock()
	if v.live == nil {
		return false
	}
	v.live[in] = struct{}{}
	return true
}

func (v *env) forget(in *instance) {
	v.liveMu.Lock()
	defer v.liveMu.Unlock()
	delete(v.live, in)
}
