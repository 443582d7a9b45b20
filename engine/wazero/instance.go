package wazero

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/edgefvm/fvm/engine"
)

// guest is what wazero makes of a module. It outlives its instance if it is kept for the next one.
type guest struct {
	mod     api.Module
	counter api.MutableGlobal   // nil without a counter
	mutable []api.MutableGlobal // in the order of facts.mutable
	mem     linear
	fn      function
	scratch []byte        // of touched
	kept    *list.Element // its place on the shelf, nil if it is in use
	counted int64         // bytes of its memory that the shelf counts
}

// instance is one use of a guest.
type instance struct {
	*guest
	m       *module
	data    any
	run     callContext
	hostErr error // what a host function unwound the guest with
	depth   int   // calls in progress
	spoiled bool  // a call failed in a way that nothing is known after
	closed  bool
}

var _ engine.Instance = (*instance)(nil)

// function is the last export called, kept because making one costs a stack.
type function struct {
	name string
	fn   api.Function
	busy bool
}

// callContext is the context that wazero hands through to host functions: the
// shortest way from a host call to its instance. It hides the caller's values
// from wazero, which takes settings from them.
type callContext struct {
	in   *instance
	user context.Context // what Call was given
}

func (*callContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (*callContext) Done() <-chan struct{}       { return nil }
func (*callContext) Err() error                  { return nil }
func (*callContext) Value(any) any               { return nil }

// hostFunc is a host function as wazero calls it.
type hostFunc struct {
	fn func(ctx context.Context, in engine.Instance, stack []uint64) error
}

// errUnwind unwinds the guest. wazero passes an ExitError on without wrapping it
// or writing a stack trace; the error that matters waits in the instance.
var errUnwind = sys.NewExitError(1)

func (h *hostFunc) Call(ctx context.Context, _ api.Module, stack []uint64) {
	c := ctx.(*callContext)
	if err := h.fn(c.user, c.in, stack); err != nil {
		c.in.hostErr = err
		panic(errUnwind)
	}
}

// Call runs an export on the caller's goroutine. It does not watch ctx; the host
// functions get it.
func (in *instance) Call(ctx context.Context, export string, stack []uint64) (err error) {
	if in.closed {
		return errClosed
	}
	f, cached := in.function(export)
	if f == nil {
		return fmt.Errorf("%w: %q", engine.ErrNoExport, export)
	}
	outer := in.run.user
	in.run.user = ctx
	in.depth++
	defer func() {
		// An export that is itself a host function unwinds past wazero.
		if r := recover(); r != nil && r != any(errUnwind) {
			err = fmt.Errorf("wazero: host function failed: %v", r)
		}
		in.run.user = outer
		in.depth--
		if cached {
			in.fn.busy = false
		}
		if in.hostErr != nil {
			err, in.hostErr = in.hostErr, nil
		} else if trap := (*engine.Trap)(nil); err != nil && !(errors.As(err, &trap) && trap.Kind != engine.TrapStackOverflow) {
			in.spoiled = true
		}
	}()
	if err := f.CallWithStack(&in.run, stack); err != nil {
		return fault(err)
	}
	return nil
}

// function finds an export. The kept one is not used again while it runs: it has
// one stack.
func (in *instance) function(export string) (f api.Function, cached bool) {
	if in.fn.fn != nil && in.fn.name == export && !in.fn.busy {
		in.fn.busy = true
		return in.fn.fn, true
	}
	f = in.mod.ExportedFunction(export)
	if f != nil && !in.fn.busy {
		in.fn = function{name: export, fn: f, busy: true}
		return f, true
	}
	return f, false
}

// traps maps the texts of wazero's faults. It has no other handle on them: their
// type is internal to it. The version is pinned and every line has a test.
var traps = map[string]engine.TrapKind{
	"stack overflow":                engine.TrapStackOverflow,
	"invalid conversion to integer": engine.TrapBadConversionToInteger,
	"integer overflow":              engine.TrapIntegerOverflow,
	"integer divide by zero":        engine.TrapIntegerDivisionByZero,
	"unreachable":                   engine.TrapUnreachable,
	"out of bounds memory access":   engine.TrapMemoryOutOfBounds,
	"invalid table access":          engine.TrapTableOutOfBounds, // undefined and null elements too
	"indirect call type mismatch":   engine.TrapBadSignature,
}

// fault turns a wazero error into a trap if it is a fault of the guest.
func fault(err error) error {
	inner := err
	for next := errors.Unwrap(inner); next != nil; next = errors.Unwrap(inner) {
		inner = next
	}
	// The stack overflow of the compiler comes bare, all others wrapped.
	if inner == err || strings.HasPrefix(err.Error(), "wasm error: ") {
		if k, ok := traps[inner.Error()]; ok && fmt.Sprintf("%T", inner) == "*wasmruntime.Error" {
			return &engine.Trap{Kind: k}
		}
	}
	return fmt.Errorf("wazero: %w", err)
}

func (in *instance) Memory() []byte {
	if !in.m.memory || in.closed {
		return nil
	}
	return in.mem.bytes()
}

// Counter is 0 in an environment without one.
func (in *instance) Counter() int64 {
	if in.counter == nil {
		return 0
	}
	return int64(in.counter.Get())
}

func (in *instance) SetCounter(n int64) {
	if in.counter != nil {
		in.counter.Set(uint64(n))
	}
}

func (in *instance) Data() any { return in.data }

// Close keeps the guest for the next instance, or gives its memory back. A running
// instance cannot be closed: its memory would be another's while it still writes.
func (in *instance) Close(ctx context.Context) error {
	if in.closed {
		return nil
	}
	if in.depth > 0 {
		return errors.New("wazero: close of a running instance")
	}
	in.closed = true
	if in.canBeKept() && in.m.env.eng.shelf.put(in.m, in.guest) {
		return nil
	}
	return in.guest.close(ctx)
}

func (g *guest) close(ctx context.Context) error {
	g.fn = function{}
	return g.mod.Close(ctx) // calls g.mem.Free
}
