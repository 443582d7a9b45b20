package fvm

import (
	"context"

	"github.com/edgefvm/fvm/internal/vm/call"
	"github.com/edgefvm/fvm/internal/vm/executor"
)

// Taped is a machine whose messages run on another machine first, which keeps tapes of their guests, and then on it with these.
type Taped struct {
	*Machine
	Book  *call.Book
	other func() (*Machine, error)
	again bool
	m     *Machine
}

// NewTaped makes a machine, and others whose settings differ. Again: a new one for each message, whose state is the first.
func NewTaped(ctx context.Context, cfg Config, differ func(*Config), again bool) (*Taped, error) {
	m, err := New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	t := &Taped{Machine: m, Book: call.NewBook(), again: again}
	t.Book.Eager = true
	m.modules = m.modules.With(t.Book)
	cfg.Hooks = nil
	differ(&cfg)
	t.other = func() (*Machine, error) { return New(ctx, cfg) }
	return t, nil
}

// Apply runs a message twice.
func (t *Taped) Apply(ctx context.Context, msg *Message, kind Kind, chainLength int) (*Result, error) {
	if t.m == nil || t.again {
		var err error
		if t.m, err = t.other(); err != nil {
			return nil, err
		}
	}
	if checkMessage(msg, kind, chainLength) == nil {
		_, _ = executor.Execute(ctx, t.m.m, t.m.modules.Ahead(t.Book), (*executor.Message)(msg), executor.Kind(kind), chainLength)
	}
	return t.Machine.Apply(ctx, msg, kind, chainLength)
}
