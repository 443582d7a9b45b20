package shadow

import (
	"context"
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/trace"
)

// lane is one engine with its machine.
type lane struct {
	label  string // the engine's name, numbered where two have the same
	engine *fvm.Engine
	view   *view
	m      *fvm.Machine // nil: it sits out until the next flush
	rec    trace.Recorder
	out    outcome
}

// outcome is what an engine made of a message, or of a flush.
type outcome struct {
	res   *fvm.Result
	root  cid.Cid // undefined: it was not asked for
	err   error
	trace trace.Events
}

// apply runs a message. Where a root is asked for, what the flush says is part of the outcome.
func (l *lane) apply(ctx context.Context, msg *fvm.Message, kind fvm.Kind, length int, root bool) {
	l.out = outcome{}
	l.out.res, l.out.err = l.m.Apply(ctx, msg, kind, length)
	l.out.trace = l.rec.Take()
	if root && l.out.err == nil {
		if l.out.root, l.out.err = l.m.Flush(ctx); l.out.err != nil {
			l.out.res, l.out.err = nil, fmt.Errorf("flushing after the message: %w", l.out.err)
		}
	}
}

// flush writes the state to the engine's own view of the blockstore.
func (l *lane) flush(ctx context.Context) {
	l.out = outcome{}
	l.out.root, l.out.err = l.m.Flush(ctx)
}

// both calls one after the other.
func both(a, b *trace.Hooks) *trace.Hooks {
	if b == nil {
		return a
	}
	return &trace.Hooks{
		OnGasCharge: then(a.OnGasCharge, b.OnGasCharge), OnCall: then(a.OnCall, b.OnCall), OnInvoke: then(a.OnInvoke, b.OnInvoke),
		OnReturn: then(a.OnReturn, b.OnReturn), OnError: then(a.OnError, b.OnError), OnLog: then(a.OnLog, b.OnLog), OnIPLD: then(a.OnIPLD, b.OnIPLD),
		OnOpcode: b.OnOpcode, OnUnwatched: b.OnUnwatched, // a recorder has none
	}
}

func then[T any](a, b func(T)) func(T) {
	if b == nil {
		return a
	}
	return func(v T) {
		a(v)
		b(v)
	}
}
