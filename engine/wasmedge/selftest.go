//go:build wasmedge && cgo && linux

package wasmedge

// #include "guest.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/edgefvm/fvm/engine"
)

// probeModule is
//
//	(module
//	  (import "probe" "host" (func $host (param i32) (result i32)))
//	  (memory (export "memory") 1)
//	  (func (export "host") (param i32) (result i32) local.get 0 call $host)
//	  (func (export "load") (param i32) (result i32) local.get 0 i32.load))
const probeModule = "\x00asm\x01\x00\x00\x00" +
	"\x01\x06\x01\x60\x01\x7f\x01\x7f" + // types
	"\x02\x0e\x01\x05probe\x04host\x00\x00" + // imports
	"\x03\x03\x02\x00\x00" + // functions
	"\x05\x03\x01\x00\x01" + // memory
	"\x07\x18\x03\x06memory\x02\x00\x04host\x00\x01\x04load\x00\x02" + // exports
	"\x0a\x10\x02\x06\x00\x20\x00\x10\x00\x0b\x07\x00\x20\x00\x28\x02\x00\x0b" // code

const probeResult = 0x5eed

var proven struct {
	sync.Mutex
	done bool
}

// selfTest runs a guest that faults, and proves that the process is as it was:
// once, until it succeeds. An error is better than a crash later.
func (e *wasmedgeEngine) selfTest() error {
	proven.Lock()
	defer proven.Unlock()
	if proven.done || C.efvm_without != 0 {
		return nil
	}
	if err := e.probe(context.Background()); err != nil {
		return fmt.Errorf("wasmedge: self-test: %w", err)
	}
	proven.done = true
	return nil
}

func (e *wasmedgeEngine) probe(ctx context.Context) (err error) {
	// The signal mask is the thread's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	var guarded bool
	host := engine.HostFunc{
		Module: "probe", Name: "host", Params: []engine.ValueType{engine.I32}, Results: []engine.ValueType{engine.I32},
		Fn: func(_ context.Context, _ engine.Instance, stack []uint64) error {
			guarded = C.efvm_guarded() != 0
			if uint32(stack[0]) != 0 {
				dereference(nil) // must come back as an error
			}
			stack[0] = probeResult
			return nil
		},
	}
	v, err := e.Env(ctx, engine.EnvConfig{Host: []engine.HostFunc{host}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close(ctx)) }()
	m, err := v.Compile(ctx, []byte(probeModule))
	if err != nil {
		return err
	}
	in, err := m.Instantiate(ctx, nil)
	if err != nil {
		return err
	}
	before := blockedSignals()
	// Nothing may fault before this is known.
	stack := []uint64{0}
	if err := in.Call(ctx, "host", stack); err != nil {
		return err
	}
	if uint32(stack[0]) != probeResult {
		return fmt.Errorf("a host function gave %#x, and the guest got %#x", probeResult, uint32(stack[0]))
	}
	if !guarded {
		return errors.New("the library's signal handlers were not kept out")
	}
	hostErr := in.Call(ctx, "host", []uint64{1})
	loadErr := in.Call(ctx, "load", []uint64{1 << 20})
	var trap *engine.Trap
	switch {
	case hostErr == nil:
		return errors.New("a fault in a host function went unnoticed")
	case !errors.As(loadErr, &trap) || trap.Kind != engine.TrapMemoryOutOfBounds:
		return fmt.Errorf("a load beyond the memory gave %v", loadErr)
	case C.efvm_guarded() == 0:
		return errors.New("the signal handlers changed")
	case blockedSignals() != before:
		return errors.New("the signal mask changed")
	}
	return nil
}

//go:noinline
func dereference(p *uint32) uint32 { return *p }
