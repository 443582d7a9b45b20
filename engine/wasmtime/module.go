//go:build wasmtime && cgo && linux && (amd64 || arm64)

package wasmtime

// #include "glue.h"
import "C"

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/cgo"
	"sync"
	"unsafe"

	"github.com/edgefvm/fvm/engine"
)

// export is a function that a module exports. index counts all its exports.
type export struct {
	index, params, results int
	references             bool
}

// module is compiled code in one environment.
type module struct {
	env     *env
	code    *C.wasmtime_module_t
	pre     *C.wasmtime_instance_pre_t // the code with its imports found
	exports map[string]export
	memory  int // the number of the export "memory", -1 without one
	counter int // the number of the counter, -1 without one

	mu     sync.RWMutex // read: pre is in use
	closed bool
}

// Compile validates and compiles wasm. The compiler is native code: a fault in it
// ends the process.
func (v *env) Compile(ctx context.Context, wasm []byte) (_ engine.Module, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v.mu.RLock()
	if v.closed {
		v.mu.RUnlock()
		return nil, errClosed
	}
	m, err := v.build(wasm)
	v.mu.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("wasmtime: compile: %w", err)
	}
	v.mu.Lock()
	closed := v.closed
	if !closed {
		v.modules[m] = struct{}{}
	}
	v.mu.Unlock()
	if closed {
		return nil, errors.Join(errClosed, m.Close(ctx))
	}
	return m, nil
}

func (v *env) build(wasm []byte) (*module, error) {
	m := &module{env: v, exports: map[string]export{}, memory: -1, counter: -1}
	cerr := C.wasmtime_module_new(v.eng.c, (*C.uint8_t)(unsafe.SliceData(wasm)), C.size_t(len(wasm)), &m.code)
	if cerr != nil {
		return nil, failure(C.wt_error_text(cerr))
	}
	err := m.scan()
	if err == nil && hasStart(wasm) {
		err = errors.New("module has a start function")
	}
	if err == nil {
		// Fails for an import that the linker has not, or has with another type.
		if cerr := C.wasmtime_linker_instantiate_pre(v.linker, m.code, &m.pre); cerr != nil {
			err = failure(C.wt_error_text(cerr))
		}
	}
	if err != nil {
		C.wasmtime_module_delete(m.code)
		return nil, err
	}
	return m, nil
}

// scan reads the exports.
func (m *module) scan() error {
	var exports C.wasm_exporttype_vec_t
	C.wasmtime_module_exports(m.code, &exports)
	defer C.wasm_exporttype_vec_delete(&exports)
	for i := range int(exports.size) {
		var x C.wt_export
		C.wt_export_at(&exports, C.size_t(i), &x)
		name := C.GoStringN(x.name, C.int(x.name_len))
		switch {
		case x.kind == C.WASM_EXTERN_FUNC:
			m.exports[name] = export{i, int(x.params), int(x.results), bool(x.references)}
		case x.kind == C.WASM_EXTERN_MEMORY && name == "memory":
			m.memory = i
		case m.env.counter != "" && name == m.env.counter && bool(x.mutable_i64):
			m.counter = i
		}
	}
	if m.env.counter != "" && m.counter < 0 {
		return fmt.Errorf("no mutable i64 global is exported as %q", m.env.counter)
	}
	return nil
}

// hasStart looks for a start section, which wasmtime does not tell. wasm is valid.
func hasStart(wasm []byte) bool {
	const header, start = 8, 8
	for b := wasm[header:]; len(b) > 0; {
		if b[0] == start {
			return true
		}
		size, n := binary.Uvarint(b[1:])
		if n <= 0 || size > uint64(len(b)-1-n) {
			return false
		}
		b = b[1+n+int(size):]
	}
	return false
}

// Instantiate makes an instance in a store of its own.
func (m *module) Instantiate(ctx context.Context, data any) (engine.Instance, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return nil, errClosed
	}
	in := &instance{m: m, data: data}
	in.handle = cgo.NewHandle(in)
	var out C.wt_outcome
	in.c = C.wt_instantiate(m.env.eng.c, m.pre, C.uintptr_t(in.handle), C.int64_t(m.memory), C.int64_t(m.counter), &out)
	if in.c == nil {
		in.handle.Delete()
		return nil, fault("instantiate", out)
	}
	if !m.env.adopt(in) {
		return nil, errors.Join(errClosed, in.Close(ctx))
	}
	return in, nil
}

// Close drops the code; instances keep it as long as they need it.
func (m *module) Close(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	C.wasmtime_instance_pre_delete(m.pre)
	C.wasmtime_module_delete(m.code)
	m.env.mu.Lock()
	delete(m.env.modules, m)
	m.env.mu.Unlock()
	return nil
}
