package dev

import (
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/trace"
)

// Watch says how messages of a block are watched when they are executed again.
type Watch struct {
	// Hooks hear of the messages from First on, and of none before.
	Hooks *trace.Hooks
	// First and Count say which messages.
	First, Count int
	// States makes Again have the states around each message, which takes time.
	States bool
	// Done is called after each message. Its error ends the execution.
	Done func(a *Again) error
}

// Again is a message that was executed again.
type Again struct {
	Index   int
	Message *Executed
	Result  *fvm.Result
	Machine *fvm.Machine
	// Before and After are the states around it, in Store, if Watch.States is set.
	Before, After cid.Cid
	Store         blockstore.Blockstore
}

var errOther = errors.New("executed once more a message gave another result, which is a bug, or its state was forced")

// Retrace executes the messages of a block again upon the state that it began with, and watches some of them. Nothing of it stays.
func (n *Node) Retrace(ctx context.Context, b *Block, w Watch) error {
	b, err := n.Whole(ctx, b)
	if err != nil {
		return err
	}
	if b.real && n.Fork() != nil {
		return fmt.Errorf("%w: epoch %d: below a fork transactions are traced by their calls alone", ErrPast, b.Epoch())
	}
	if w.First < 0 || w.Count < 0 || w.First+w.Count > len(b.Messages) {
		return fmt.Errorf("the block at epoch %d has %d messages", b.Epoch(), len(b.Messages))
	}
	if w.Count == 0 {
		return nil
	}
	cfg := n.config(b)
	store := &blockstore.Overlay{Top: blockstore.NewMemory(), Base: b.states}
	cfg.Blockstore = store
	if w.First > 0 {
		m, err := fvm.New(ctx, cfg)
		if err != nil {
			return n.lost(b, err)
		}
		for i := range w.First {
			if _, err := n.again(ctx, m, b, i); err != nil {
				return n.lost(b, err)
			}
		}
		if cfg.StateRoot, err = m.Flush(ctx); err != nil {
			return n.lost(b, err)
		}
	}
	cfg.Hooks = w.Hooks
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return n.lost(b, err)
	}
	root := cfg.StateRoot
	for i := w.First; i < w.First+w.Count; i++ {
		a := &Again{Index: i, Message: b.Messages[i], Machine: m, Store: store, Before: root}
		if a.Result, err = n.again(ctx, m, b, i); err != nil {
			return n.lost(b, err)
		}
		if w.States {
			if a.After, err = m.Flush(ctx); err != nil {
				return n.lost(b, err)
			}
			root = a.After
		}
		if err := w.Done(a); err != nil {
			return n.lost(b, err)
		}
	}
	return nil
}

// again applies a message of a block to a machine that stands where it stood then.
func (n *Node) again(ctx context.Context, m *fvm.Machine, b *Block, i int) (*fvm.Result, error) {
	e := b.Messages[i]
	res, why, err := apply(ctx, m, &pooled{Message: e.Message, implicit: e.Implicit, raised: e.Raised})
	if err == nil {
		err = why
	}
	if err != nil {
		return nil, fmt.Errorf("message %d of the block at epoch %d, once more: %w", i, b.Epoch(), err)
	}
	if res.ExitCode != e.Result.ExitCode || res.GasUsed != e.Result.GasUsed {
		return nil, errOther
	}
	return res, nil
}
