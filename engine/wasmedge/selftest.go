//go:build wasmedge && cgo && linux

package wasmedge

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/edgefvm/fvm/engine"
)

// probeModule is
//
//	(module
//	  (import "probe" "host" (func $host (param i32) (result i32)))
//	  (import "probe" "four" (func $four (param i32 i64 i32 i64) (result i64)))
//	  (memory (export "memory") 1)
//	  (func (export "host") (param i32) (result i32) local.get 0 call $host)
//	  (func (export "four") (param i64) (result i64) ;; x, x+1, x+2, x+3, the first and the third by their low halves
//	    local.get 0 i32.wrap_i64
//	    local.get 0 i64.const 1 i64.add
//	    local.get 0 i64.const 2 i64.add i32.wrap_i64
//	    local.get 0 i64.const 3 i64.add
//	    call $four)
//	  (func (export "load") (param i32) (result i32) local.get 0 i32.load))
const probeModule = "\x00asm\x01\x00\x00\x00" +
	"\x01\x13\x03\x60\x01\x7f\x01\x7f\x60\x04\x7f\x7e\x7f\x7e\x01\x7e\x60\x01\x7e\x01\x7e" + // types
	"\x02\x1b\x02\x05probe\x04host\x00\x00\x05probe\x04four\x00\x01" + // imports
	"\x03\x04\x03\x00\x02\x00" + // functions
	"\x05\x03\x01\x00\x01" + // memory
	"\x07\x1f\x04\x06memory\x02\x00\x04host\x00\x02\x04four\x00\x03\x04load\x00\x04" + // exports
	"\x0a\x28\x03\x06\x00\x20\x00\x10\x00\x0b" + // code
	"\x17\x00\x20\x00\xa7\x20\x00\x42\x01\x7c\x20\x00\x42\x02\x7c\xa7\x20\x00\x42\x03\x7c\x10\x01\x0b" +
	"\x07\x00\x20\x00\x28\x02\x00\x0b"

const (
	probeResult = 0x5eed
	probeBase   = 0x0123456789abcdef // what four is called with
	probeAnswer = -0x7e57ab1e7e57ab1e
)

var proven struct {
	sync.Mutex
	done bool
}

// selfTest runs a guest that calls the host and faults, and proves that arguments
// arrive and that the process is as it was: once, until it succeeds. An error is
// better than a crash later.
func (e *wasmedgeEngine) selfTest() error {
	proven.Lock()
	defer proven.Unlock()
	if proven.done {
		return nil
	}
	if err := e.probe(context.Background()); err != nil {
		return fmt.Errorf("wasmedge: self-test: %w", err)
	}
	proven.done = true
	return nil
}

// probing is what the self-test sees.
type probing struct {
	result   uint32   // of the call of the host
	args     []uint64 // of the call with four, as they arrived
	answer   uint64   // of the call with four
	guarded  bool     // in the host: the handlers are ours
	hostErr  error    // of the host function that faulted
	loadErr  error    // of the load beyond the memory
	still    bool     // the handlers are ours after both
	blocked  uint64   // signals before them
	blocked2 uint64   // and after
}

// calls judges what is seen before anything faults.
func (p *probing) calls() error {
	const low = 1<<32 - 1
	x := uint64(probeBase)
	want := []uint64{x & low, x + 1, (x + 2) & low, x + 3}
	answer := int64(probeAnswer)
	switch {
	case p.result != probeResult:
		return fmt.Errorf("a host function gave %#x, and the guest got %#x", probeResult, p.result)
	case !slices.Equal(p.args, want) || p.answer != uint64(answer):
		return fmt.Errorf("a host function got %#x for %#x, and the guest %#x for %#x", p.args, want, p.answer, uint64(answer))
	case !p.guarded:
		return errors.New("the library's signal handlers were not kept out")
	}
	return nil
}

// faults judges the rest.
func (p *probing) faults() error {
	var trap *engine.Trap
	switch {
	case p.hostErr == nil:
		return errors.New("a fault in a host function went unnoticed")
	case !errors.As(p.loadErr, &trap) || trap.Kind != engine.TrapMemoryOutOfBounds:
		return fmt.Errorf("a load beyond the memory gave %v", p.loadErr)
	case !p.still:
		return errors.New("the signal handlers changed")
	case p.blocked != p.blocked2:
		return errors.New("the signal mask changed")
	}
	return nil
}

func (e *wasmedgeEngine) probe(ctx context.Context) (err error) {
	// The signal mask is the thread's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	p := &probing{}
	one := []engine.ValueType{engine.I32}
	v, err := e.Env(ctx, engine.EnvConfig{Host: []engine.HostFunc{
		{Module: "probe", Name: "host", Params: one, Results: one, Fn: p.host},
		{Module: "probe", Name: "four", Params: []engine.ValueType{engine.I32, engine.I64, engine.I32, engine.I64},
			Results: []engine.ValueType{engine.I64}, Fn: p.four},
	}})
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
	p.blocked = blockedSignals()
	one32, four := []uint64{0}, []uint64{probeBase}
	if err := errors.Join(in.Call(ctx, "host", one32), in.Call(ctx, "four", four)); err != nil {
		return err
	}
	p.result, p.answer = uint32(one32[0]), four[0]
	if err := p.calls(); err != nil {
		return err
	}
	p.hostErr = in.Call(ctx, "host", []uint64{1})
	p.loadErr = in.Call(ctx, "load", []uint64{1 << 20})
	p.still, p.blocked2 = guarded(), blockedSignals()
	return p.faults()
}

func (p *probing) host(_ context.Context, _ engine.Instance, stack []uint64) error {
	p.guarded = guarded()
	if uint32(stack[0]) != 0 {
		dereference(nil) // must come back as an error
	}
	stack[0] = probeResult
	return nil
}

func (p *probing) four(_ context.Context, _ engine.Instance, stack []uint64) error {
	p.args = []uint64{uint64(uint32(stack[0])), stack[1], uint64(uint32(stack[2])), stack[3]}
	answer := int64(probeAnswer)
	stack[0] = uint64(answer)
	return nil
}

//go:noinline
func dereference(p *uint32) uint32 { return *p }
