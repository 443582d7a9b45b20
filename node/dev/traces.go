package dev

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/trace"
)

// Trace executes the messages of a block again up to one, and gives what that one did.
func (n *Node) Trace(ctx context.Context, b *Block, message int) (*CallResult, error) {
	all, err := n.Traces(ctx, b, message+1)
	if err != nil {
		return nil, err
	}
	return all[message], nil
}

// Traces executes the first messages of a block again, and gives what each did.
func (n *Node) Traces(ctx context.Context, b *Block, count int) ([]*CallResult, error) {
	b, err := n.Whole(ctx, b)
	if err != nil {
		return nil, err
	}
	if count < 0 || count > len(b.Messages) {
		return nil, fmt.Errorf("the block at epoch %d has %d messages", b.Epoch(), len(b.Messages))
	}
	if f := n.Fork(); b.real && f != nil {
		out, err := f.Past.Traces(ctx, b.Tipset, count)
		if err != nil {
			return nil, pastError(b.Epoch(), err)
		}
		return out, nil
	}
	cfg := n.config(b)
	cfg.Blockstore = &blockstore.Overlay{Top: blockstore.NewMemory(), Base: b.states}
	var rec trace.Recorder
	cfg.Hooks = rec.Hooks()
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	out := make([]*CallResult, count)
	for i, e := range b.Messages[:count] {
		res, why, err := apply(ctx, m, &pooled{Message: e.Message, implicit: e.Implicit, raised: e.Raised})
		if err == nil {
			err = why
		}
		if err != nil {
			return nil, fmt.Errorf("message %d of the block at epoch %d, once more: %w", i, b.Epoch(), err)
		}
		if res.ExitCode != e.Result.ExitCode || res.GasUsed != e.Result.GasUsed {
			return nil, errors.New("executed once more a message gave another result, which is a bug, or its state was forced")
		}
		out[i] = &CallResult{Result: res, Trace: rec.Take(), Console: e.Console}
	}
	return out, nil
}
