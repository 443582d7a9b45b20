//go:build wasmedge && cgo && linux

package wasmedge

// #include <stdlib.h>
// #include "guest.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/edgefvm/fvm/engine"
)

// instance is one running guest.
type instance struct {
	m       *module
	c       *C.struct_efvm_guest
	handle  uint // in instances
	data    any
	ctx     context.Context // what the innermost Call was given
	hostErr error           // what a host function unwound the guest with
	depth   int             // calls in progress
	torn    int             // calls that left the library in an unknown way, and those in progress
	closed  bool
}

var _ engine.Instance = (*instance)(nil)

// Call runs an export, on the caller's goroutine or, where the native stack of
// its thread runs short, on another that the caller waits for.
func (in *instance) Call(ctx context.Context, name string, stack []uint64) (err error) {
	if in.closed {
		return errClosed
	}
	f := in.m.exports[name]
	if f == nil {
		return fmt.Errorf("%w: %q", engine.ErrNoExport, name)
	}
	if len(stack) < f.words {
		return fmt.Errorf("wasmedge: call of %q needs a stack of %d words, got %d", name, f.words, len(stack))
	}
	outer := in.ctx
	in.ctx = ctx
	in.depth++
	in.torn++
	code := C.uint32_t(C.EFVM_TORN) // stays so if a host function ends the goroutine
	defer func() {
		in.ctx = outer
		in.depth--
		if whole(code) {
			in.torn--
		}
		if in.hostErr != nil {
			err, in.hostErr = in.hostErr, nil
		}
	}()
	code = C.efvm_call(in.c, f.c, words(stack))
	if code == C.EFVM_NO_ROOM {
		code = onFreshThread(func() C.uint32_t { return C.efvm_call(in.c, f.c, words(stack)) })
	}
	switch code {
	case 0:
		return nil
	case C.EFVM_NO_ROOM:
		return errors.New("wasmedge: the native stack of a new thread is too small (see ulimit -s)")
	case C.EFVM_NO_EXPORT:
		return fmt.Errorf("wasmedge: the library does not find the export %q", name)
	}
	return fault(code, "call")
}

// whole says whether a call with this outcome left nothing but memory and globals
// of the guest changed. That holds for what a host function unwound and for each
// trap too: the library leaves all of them by one jump, to the frame that called the
// machine code, and the stack that it throws away there belongs to the call. What
// the jump passes over is machine code, and library code that had nothing to undo.
func whole(code C.uint32_t) bool {
	switch code {
	case 0, C.EFVM_HOST_FAILED, C.EFVM_NO_ROOM, C.EFVM_NO_EXPORT:
		return true
	}
	return trapKind(code) != 0
}

func words(stack []uint64) *C.uint64_t { return (*C.uint64_t)(unsafe.SliceData(stack)) }

// onFreshThread runs f on a thread of its own. A goroutine that is called from C
// keeps its thread, so a new one cannot land on any that is in use.
func onFreshThread(f func() C.uint32_t) C.uint32_t {
	done := make(chan C.uint32_t, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(done)
		done <- f()
	}()
	code, ok := <-done
	if !ok {
		runtime.Goexit() // a host function did
	}
	return code
}

// efvmHostCall is where all calls of the host arrive. The result tells C whether
// to unwind the guest.
//
//export efvmHostCall
func efvmHostCall(handle C.uintptr_t, index C.uint32_t, args *C.uint64_t) (failed C.int) {
	in := instances.get(uint(handle))
	// A panic must not pass the library's frames.
	defer func() {
		if r := recover(); r != nil {
			in.hostErr = fmt.Errorf("wasmedge: host function failed: %v", r)
			failed = 1
		}
	}()
	h := &in.m.env.funcs[index]
	n := max(len(h.Params), 1)
	if err := h.Fn(in.ctx, in, unsafe.Slice((*uint64)(args), n)); err != nil {
		in.hostErr = err
		return 1
	}
	return 0
}

// fault turns a code of the library into a trap if it is a fault of the guest.
func fault(code C.uint32_t, doing string) error {
	if kind := trapKind(code); kind != 0 {
		return &engine.Trap{Kind: kind}
	}
	return failure(doing, code)
}

// trapKind is 0 for what is no fault of the guest.
func trapKind(code C.uint32_t) engine.TrapKind {
	switch code {
	case C.WasmEdge_ErrCode_Unreachable:
		return engine.TrapUnreachable
	case C.WasmEdge_ErrCode_MemoryOutOfBounds:
		return engine.TrapMemoryOutOfBounds
	case C.WasmEdge_ErrCode_TableOutOfBounds, C.WasmEdge_ErrCode_UndefinedElement:
		return engine.TrapTableOutOfBounds
	case C.WasmEdge_ErrCode_UninitializedElement:
		return engine.TrapIndirectCallToNull
	case C.WasmEdge_ErrCode_IndirectCallTypeMismatch:
		return engine.TrapBadSignature
	case C.WasmEdge_ErrCode_IntegerOverflow:
		return engine.TrapIntegerOverflow
	case C.WasmEdge_ErrCode_DivideByZero:
		return engine.TrapIntegerDivisionByZero
	case C.WasmEdge_ErrCode_InvalidConvToInt:
		return engine.TrapBadConversionToInteger
	}
	return 0
}

func (in *instance) Memory() []byte {
	if in.closed || in.c.memory == nil || !in.m.facts.memoryShown {
		return nil
	}
	if in.c.bytes == 0 {
		return []byte{}
	}
	return unsafe.Slice((*byte)(in.c.base), uint64(in.c.bytes))
}

// Counter is 0 in an environment without one.
func (in *instance) Counter() int64 {
	if in.closed || in.c.global == nil {
		return 0
	}
	return int64(in.c.counter)
}

func (in *instance) SetCounter(n int64) {
	if !in.closed && in.c.global != nil {
		in.c.counter = C.int64_t(n)
	}
}

func (in *instance) Data() any { return in.data }

// Close keeps the guest for another instance, or gives the memory back. A running
// instance cannot be closed: its memory would be gone while it still writes.
func (in *instance) Close(context.Context) error {
	v := in.m.env
	v.gate.RLock() // an environment that closes frees its instances itself
	defer v.gate.RUnlock()
	if in.closed {
		return nil
	}
	if in.depth > 0 {
		return errors.New("wasmedge: close of a running instance")
	}
	keep := in.canBeKept()
	var clean kept
	if keep {
		clean = in.m.reset(in.c)
	}
	v.mu.Lock()
	delete(v.live, in)
	gone := []*C.struct_efvm_guest{in.c}
	if keep && !in.m.closed {
		gone = v.keep(clean)
	} else {
		in.m.drop()
	}
	v.mu.Unlock()
	in.closed = true
	instances.remove(in.handle)
	in.c = nil
	for _, g := range gone {
		v.eng.delete(g) // without env.mu, since unmapping takes its time
	}
	return nil
}

// free gives back what the instance has for itself.
func (in *instance) free() {
	in.closed = true
	instances.remove(in.handle)
	in.m.env.eng.delete(in.c)
	in.c = nil
}
