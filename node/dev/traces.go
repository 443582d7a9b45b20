package dev

import (
	"context"

	"github.com/edgefvm/fvm/trace"
)

// Trace executes the messages of a block again up to one, and gives what that one did.
func (n *Node) Trace(ctx context.Context, b *Block, message int) (*CallResult, error) {
	all, err := n.traces(ctx, b, message, 1)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// Traces executes the first messages of a block again, and gives what each did.
func (n *Node) Traces(ctx context.Context, b *Block, count int) ([]*CallResult, error) {
	return n.traces(ctx, b, 0, count)
}

func (n *Node) traces(ctx context.Context, b *Block, first, count int) ([]*CallResult, error) {
	b, err := n.Whole(ctx, b)
	if err != nil {
		return nil, err
	}
	if f := n.Fork(); b.real && f != nil {
		out, err := f.Past.Traces(ctx, b.Tipset, first+count)
		if err != nil {
			return nil, pastError(b.Epoch(), err)
		}
		return out[first:], nil
	}
	var rec trace.Recorder
	var out []*CallResult
	err = n.Retrace(ctx, b, Watch{Hooks: rec.Hooks(), First: first, Count: count, Done: func(a *Again) error {
		out = append(out, &CallResult{Result: a.Result, Trace: rec.Take(), Console: a.Message.Console})
		return nil
	}})
	return out, err
}
