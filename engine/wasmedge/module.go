//go:build wasmedge && cgo && linux

package wasmedge

// #include <stdlib.h>
// #include "guest.h"
import "C"

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/edgefvm/fvm/engine"
)

// module is loaded code in one environment.
type module struct {
	env     *env
	ast     *C.WasmEdge_ASTModuleContext
	facts   *facts
	exports map[string]*export
	imports **C.struct_efvm_host // by the index of the function
	memory  *C.char              // the name under which the memory is exported, nil without one
	owned   []unsafe.Pointer

	globals *C.struct_efvm_name // what a reset sets back
	first   sync.Once           // the first instance was looked at
	image   *C.struct_efvm_image

	// Guarded by env.mu.
	instances int // with those that are kept
	kept      []*list.Element
	closed    bool
}

// export is a function as it can be called.
type export struct {
	c     *C.struct_efvm_export
	words int // of the stack that a call needs
}

var _ engine.Module = (*module)(nil)

// Compile loads the machine code of wasm. Imports that the environment does not
// offer, a start function and a missing counter are errors here, so that they
// cannot become one per invocation.
func (v *env) Compile(ctx context.Context, wasm []byte) (engine.Module, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := scan(wasm, v.counter, v.reset)
	if err == nil {
		err = v.checkImports(f)
	}
	if err != nil {
		return nil, fmt.Errorf("wasmedge: compile: %w", err)
	}
	var path string
	if v.eng.native != nil {
		if path, err = v.eng.native(ctx, f.wasm); err != nil {
			return nil, fmt.Errorf("wasmedge: compile: %w", err)
		}
		if path == "" {
			return nil, errors.New("wasmedge: compile: no path of machine code")
		}
		if err := checkFrames(path, maxFrame); err != nil {
			return nil, fmt.Errorf("wasmedge: compile: %w", err)
		}
	}
	v.gate.RLock()
	defer v.gate.RUnlock()
	if v.closed {
		return nil, errClosed
	}
	m := &module{env: v, facts: f, exports: map[string]*export{}}
	var cpath *C.char
	if path != "" {
		cpath = C.CString(path)
		defer C.free(unsafe.Pointer(cpath))
	}
	code := C.efvm_load(v.eng.conf, cpath, (*C.uint8_t)(unsafe.SliceData(f.wasm)), C.uint32_t(len(f.wasm)), &m.ast)
	if code != 0 {
		return nil, failure("compile", code)
	}
	m.describe()
	if cpath != nil && !v.eng.longWay {
		C.efvm_shortcut(cpath)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.modules[m] = struct{}{}
	return m, nil
}

func (v *env) checkImports(f *facts) error {
	for _, i := range f.imports {
		at, ok := v.host[hostKey{i.module, i.name}]
		if !ok {
			return fmt.Errorf("import %s.%s is not offered", i.module, i.name)
		}
		h := &v.funcs[at]
		if i.sig != (signature{typeNames(h.Params), typeNames(h.Results)}) {
			return fmt.Errorf("import %s.%s has another type", i.module, i.name)
		}
	}
	return nil
}

func typeNames(ts []engine.ValueType) string {
	b := make([]byte, len(ts))
	for i, t := range ts {
		b[i] = byte(t)
	}
	return string(b)
}

// describe tells C what the module imports and exports. Exports with types that a
// word cannot carry are left out.
func (m *module) describe() {
	own := func(p unsafe.Pointer) unsafe.Pointer { m.owned = append(m.owned, p); return p }
	if n := len(m.facts.imports); n > 0 {
		m.imports = (**C.struct_efvm_host)(own(C.calloc(C.size_t(n), C.size_t(unsafe.Sizeof(*m.imports)))))
		for i, f := range m.facts.imports {
			unsafe.Slice(m.imports, n)[i] = &m.env.table()[m.env.host[hostKey{f.module, f.name}]]
		}
	}
	if m.facts.hasMemory {
		m.memory = (*C.char)(own(unsafe.Pointer(C.CString(m.facts.memoryName))))
	}
	if n := len(m.facts.mutable); n > 0 {
		m.globals = (*C.struct_efvm_name)(own(C.calloc(C.size_t(n), C.sizeof_struct_efvm_name)))
		for i, name := range m.facts.mutable {
			unsafe.Slice(m.globals, n)[i] = C.struct_efvm_name{
				name: (*C.char)(own(unsafe.Pointer(C.CString(name)))), len: C.uint32_t(len(name)),
			}
		}
	}
	table := unsafe.Slice((*C.struct_efvm_export)(own(C.calloc(C.size_t(len(m.facts.exports)+1), C.sizeof_struct_efvm_export))), len(m.facts.exports))
	for i, e := range m.facts.exports {
		if !e.sig.words() {
			continue
		}
		table[i] = C.struct_efvm_export{
			name_len: C.uint32_t(len(e.name)), params: C.uint32_t(len(e.sig.params)), results: C.uint32_t(len(e.sig.results)),
			name: (*C.char)(own(unsafe.Pointer(C.CString(e.name)))), types: (*C.uint8_t)(own(C.CBytes([]byte(e.sig.params + e.sig.results)))),
		}
		m.exports[e.name] = &export{&table[i], max(len(e.sig.params), len(e.sig.results))}
	}
}

// Close drops the code, and the instances that are kept. Others keep what they
// need of it.
func (m *module) Close(context.Context) error {
	v := m.env
	v.gate.RLock()
	defer v.gate.RUnlock()
	v.mu.Lock()
	var gone []*C.struct_efvm_guest
	if !m.closed {
		delete(v.modules, m)
		gone = m.takeAll()
		m.free()
	}
	v.mu.Unlock()
	for _, g := range gone {
		v.eng.delete(g)
	}
	return nil
}

// free is called with env.mu held.
func (m *module) free() {
	m.closed = true
	C.WasmEdge_ASTModuleDelete(m.ast)
	m.release()
}

// drop takes an instance from the count. env.mu is held.
func (m *module) drop() {
	m.instances--
	m.release()
}

// release frees the description once no instance needs it.
func (m *module) release() {
	if !m.closed || m.instances > 0 {
		return
	}
	for _, p := range m.owned {
		C.free(p)
	}
	m.owned = nil
	C.efvm_image_free(m.image)
	m.image = nil
}

// Instantiate makes an instance with a memory that the library maps for it, or
// takes a kept one and resets it.
func (m *module) Instantiate(_ context.Context, data any) (engine.Instance, error) {
	v := m.env
	v.gate.RLock()
	defer v.gate.RUnlock()
	v.mu.Lock()
	if m.closed || v.closed {
		v.mu.Unlock()
		return nil, errClosed
	}
	g := m.take()
	if g == nil {
		m.instances++
	}
	v.mu.Unlock()

	in := &instance{m: m, data: data}
	in.handle = instances.add(in)
	var err error
	if g != nil {
		in.c = g
		err = m.reuse(g)
	} else if in.c, err = m.fresh(); err == nil {
		m.first.Do(func() { m.remember(in.c) })
	}
	in.c.handle = C.uintptr_t(in.handle)
	if err != nil {
		in.free()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil {
		m.drop()
		return nil, err
	}
	v.live[in] = struct{}{}
	return in, nil
}

// fresh makes a guest, which is to be deleted after an error too.
func (m *module) fresh() (*C.struct_efvm_guest, error) {
	v := m.env
	g := (*C.struct_efvm_guest)(C.calloc(1, C.sizeof_struct_efvm_guest))
	g.executor = v.exec
	g.imports, g.n_imports = m.imports, C.uint32_t(len(m.facts.imports))
	g.heap = C.uint64_t(m.heapBytes())
	v.eng.heap.made(m.heapBytes())
	code := C.efvm_instantiate(g, v.store, m.ast, m.memory, C.uint32_t(len(m.facts.memoryName)), v.ccount, C.uint32_t(len(v.counter)),
		m.globals, C.uint32_t(len(m.facts.mutable)))
	return g, m.check(g, code)
}

// check says what is wrong with a new instance.
func (m *module) check(g *C.struct_efvm_guest, code C.uint32_t) error {
	f := m.facts
	switch {
	case code == C.WasmEdge_ErrCode_DataSegDoesNotFit:
		return &engine.Trap{Kind: engine.TrapMemoryOutOfBounds}
	case code == C.WasmEdge_ErrCode_ElemSegDoesNotFit:
		return &engine.Trap{Kind: engine.TrapTableOutOfBounds}
	case code != 0:
		return fault(code, "instantiate")
	case f.hasMemory && g.memory == nil, m.env.counter != "" && g.global == nil:
		return errors.New("wasmedge: instantiate: the library does not find the memory or the counter")
	case f.hasMemory && g.bytes != C.uint64_t(f.memoryPages)*engine.PageSize:
		// The library gives less than was asked for, down to nothing, without an
		// error. What the guest would do then depends on this machine.
		return fmt.Errorf("wasmedge: instantiate: the memory has %d pages of %d: out of address space?", uint64(g.bytes)/engine.PageSize, f.memoryPages)
	}
	return nil
}
