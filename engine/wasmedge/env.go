//go:build wasmedge && cgo && linux

package wasmedge

// #include <stdlib.h>
// #include "guest.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/edgefvm/fvm/engine"
)

// maxParams is how many parameters a host function can have: they are copied on
// the native stack.
const maxParams = 64

type hostKey struct{ module, name string }

// env is an executor with a store of host modules, and all that was made in it.
type env struct {
	eng     *wasmedgeEngine
	funcs   []engine.HostFunc
	host    map[hostKey]int // where in funcs
	counter string
	reset   string  // EnvConfig.Reset
	ccount  *C.char // counter, for C
	exec    *C.WasmEdge_ExecutorContext
	store   *C.WasmEdge_StoreContext
	imports []*C.WasmEdge_ModuleInstanceContext
	ctable  *C.struct_efvm_host // one for each of funcs

	// gate is held for reading while the library makes something here, and for
	// writing while all is taken down.
	gate   sync.RWMutex
	closed bool

	mu      sync.Mutex
	live    map[*instance]struct{}
	modules map[*module]struct{}
	kept    shelf
}

var _ engine.Env = (*env)(nil)

// Env makes one import module for each module name of the host functions.
func (e *wasmedgeEngine) Env(_ context.Context, cfg engine.EnvConfig) (engine.Env, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("wasmedge: %w", err)
	}
	v := &env{
		eng: e, funcs: cfg.Host, host: map[hostKey]int{}, counter: cfg.Counter, reset: cfg.Reset,
		live: map[*instance]struct{}{}, modules: map[*module]struct{}{},
		kept: shelf{most: maxKept, mostBytes: maxKeptBytes},
	}
	for i := range v.funcs {
		h := &v.funcs[i]
		if len(h.Params) > maxParams {
			return nil, fmt.Errorf("wasmedge: host function %s.%s has more than %d parameters", h.Module, h.Name, maxParams)
		}
		v.host[hostKey{h.Module, h.Name}] = i
	}
	v.exec = C.WasmEdge_ExecutorCreate(e.conf, nil)
	v.store = C.WasmEdge_StoreCreate()
	if err := v.bind(); err != nil {
		return nil, errors.Join(err, v.close())
	}
	e.envs[v] = struct{}{}
	return v, nil
}

func (v *env) bind() error {
	if v.exec == nil || v.store == nil {
		return errors.New("wasmedge: the library makes no executor")
	}
	if v.counter != "" {
		v.ccount = C.CString(v.counter)
	}
	v.ctable = (*C.struct_efvm_host)(C.calloc(C.size_t(len(v.funcs)+1), C.sizeof_struct_efvm_host))
	table := v.table()
	mods := map[string]*C.WasmEdge_ModuleInstanceContext{}
	for i := range v.funcs {
		h := &v.funcs[i]
		m := mods[h.Module]
		if m == nil {
			if m = C.efvm_import_module(chars(h.Module), C.uint32_t(len(h.Module))); m == nil {
				return fmt.Errorf("wasmedge: host module %s cannot be made", h.Module)
			}
			mods[h.Module] = m
			v.imports = append(v.imports, m)
		}
		table[i] = C.struct_efvm_host{index: C.uint32_t(i), params: C.uint32_t(len(h.Params)), results: C.uint32_t(len(h.Results))}
		if len(h.Results) > 0 {
			table[i].result = C.uint8_t(h.Results[0])
		}
		for p, t := range h.Params {
			if t == engine.I32 {
				table[i].halves |= 1 << p
			}
		}
		params := (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(h.Params)))
		if C.efvm_import_add(m, chars(h.Name), C.uint32_t(len(h.Name)), &table[i], params) == 0 {
			return fmt.Errorf("wasmedge: host function %s.%s cannot be made", h.Module, h.Name)
		}
	}
	for _, m := range v.imports {
		if code := C.efvm_import_register(v.exec, v.store, m); code != 0 {
			return failure("binding host functions", code)
		}
	}
	return nil
}

// table is ctable, for Go.
func (v *env) table() []C.struct_efvm_host { return unsafe.Slice(v.ctable, len(v.funcs)) }

// chars is s for C, which must not keep it.
func chars(s string) *C.char { return (*C.char)(unsafe.Pointer(unsafe.StringData(s))) }

func (v *env) Close(context.Context) error {
	v.eng.mu.Lock()
	defer v.eng.mu.Unlock()
	if err := v.close(); err != nil {
		return err
	}
	delete(v.eng.envs, v)
	return nil
}

// close takes down what was made here. Callers hold the engine's lock, or are the
// only ones who know of v.
func (v *env) close() error {
	v.gate.Lock()
	defer v.gate.Unlock()
	if v.closed {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for in := range v.live {
		if in.depth > 0 {
			return errors.New("wasmedge: close while a guest runs")
		}
	}
	v.closed = true
	for in := range v.live {
		in.free()
		in.m.drop()
	}
	for m := range v.modules {
		for _, g := range m.takeAll() {
			v.eng.delete(g)
		}
		m.free()
	}
	clear(v.live)
	clear(v.modules)
	C.WasmEdge_StoreDelete(v.store)
	C.WasmEdge_ExecutorDelete(v.exec)
	for _, m := range v.imports {
		C.WasmEdge_ModuleInstanceDelete(m)
	}
	C.free(unsafe.Pointer(v.ctable))
	C.free(unsafe.Pointer(v.ccount))
	return nil
}
