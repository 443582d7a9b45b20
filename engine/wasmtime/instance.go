//go:build wasmtime && cgo && linux && (amd64 || arm64)

package wasmtime

// #include "glue.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"runtime/cgo"
	"unsafe"

	"github.com/edgefvm/fvm/engine"
)

// instance is one running guest.
type instance struct {
	m       *module
	c       *C.wt_instance // nil when closed
	handle  cgo.Handle     // the C side's way here
	data    any
	ctx     context.Context // of the innermost call
	hostErr error           // what a host function unwound the guest with
	depth   int             // calls in progress
}

var _ engine.Instance = (*instance)(nil)

// Call runs an export, on the caller's goroutine unless its thread is short of
// stack. It does not watch ctx; the host functions get it.
func (in *instance) Call(ctx context.Context, name string, stack []uint64) error {
	if in.c == nil {
		return errClosed
	}
	f, ok := in.m.exports[name]
	if !ok {
		return fmt.Errorf("%w: %q", engine.ErrNoExport, name)
	}
	if len(stack) < max(f.params, f.results) {
		return fmt.Errorf("wasmtime: call of %q with a stack of %d words", name, len(stack))
	}
	if f.references {
		return fmt.Errorf("wasmtime: call of %q: references cannot be passed", name)
	}
	outer := in.ctx
	in.ctx = ctx
	in.depth++
	out := in.enter(f, stack)
	in.ctx = outer
	in.depth--
	if out.status == C.WT_OK {
		return nil
	}
	if out.status == C.WT_UNWIND {
		err := in.hostErr
		in.hostErr = nil
		return err
	}
	return fault("call", out)
}

// enter calls into the guest. Invocations nest on the C stack of one thread, so
// when that runs short the call goes to another thread, of which all stack is left:
// this one waits within C, if there is anything on its stack, and is not free to
// take another goroutine.
func (in *instance) enter(f export, stack []uint64) C.wt_outcome {
	out := in.call(f, stack)
	if out.status != C.WT_SHORT {
		return out
	}
	done := make(chan struct{})
	go func() {
		defer close(done) // even if a host function ends the goroutine
		out = in.call(f, stack)
	}()
	<-done
	return out
}

func (in *instance) call(f export, stack []uint64) C.wt_outcome {
	return C.wt_call(in.c, C.size_t(f.index), (*C.uint64_t)(unsafe.SliceData(stack)), C.size_t(f.params), C.size_t(f.results),
		in.m.env.eng.need)
}

//export edgefvmWasmtimeHost
func edgefvmWasmtimeHost(handle, index C.uintptr_t, words *C.uint64_t, n C.size_t) C.bool {
	in := cgo.Handle(handle).Value().(*instance)
	err := in.host(int(index), unsafe.Slice((*uint64)(words), int(n)))
	if err != nil {
		in.hostErr = err
	}
	return err != nil
}

// host runs a host function. A panic must not unwind through wasmtime's frames.
func (in *instance) host(index int, stack []uint64) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("wasmtime: host function failed: %v", r)
		}
	}()
	return in.m.env.funcs[index].Fn(in.ctx, in, stack)
}

// traps are wasmtime's trap codes.
var traps = [...]engine.TrapKind{
	0: engine.TrapStackOverflow,
	1: engine.TrapMemoryOutOfBounds,
	3: engine.TrapTableOutOfBounds,
	4: engine.TrapIndirectCallToNull,
	5: engine.TrapBadSignature,
	6: engine.TrapIntegerOverflow,
	7: engine.TrapIntegerDivisionByZero,
	8: engine.TrapBadConversionToInteger,
	9: engine.TrapUnreachable,
}

// fault is the error of an outcome that no host function caused.
func fault(what string, out C.wt_outcome) error {
	switch out.status {
	case C.WT_TRAP:
		if int(out.code) < len(traps) && traps[out.code] != 0 {
			return &engine.Trap{Kind: traps[out.code]}
		}
		return fmt.Errorf("wasmtime: %s: unknown trap %d", what, out.code)
	case C.WT_SHORT:
		return fmt.Errorf("wasmtime: %s: no thread has enough stack", what)
	}
	return fmt.Errorf("wasmtime: %s: %w", what, failure(out.text))
}

// Memory needs no call: the C side refreshes base and size when the guest stops.
func (in *instance) Memory() []byte {
	if in.c == nil || !bool(in.c.has_memory) {
		return nil
	}
	if in.c.size == 0 {
		return []byte{}
	}
	return unsafe.Slice((*byte)(in.c.base), int(in.c.size))
}

// Counter is 0 in an environment without one.
func (in *instance) Counter() int64 {
	if in.c == nil || !bool(in.c.has_counter) {
		return 0
	}
	return int64(in.c.count)
}

func (in *instance) SetCounter(n int64) {
	if in.c != nil && bool(in.c.has_counter) {
		in.c.count = C.int64_t(n)
	}
}

func (in *instance) Data() any { return in.data }

// Close frees the store and with it the memory.
func (in *instance) Close(context.Context) error {
	if in.c == nil {
		return nil
	}
	if in.depth > 0 {
		return errors.New("wasmtime: close of a running instance")
	}
	in.m.env.forget(in)
	C.wt_delete(in.c)
	in.c = nil
	in.handle.Delete()
	return nil
}
