package dev

import (
	"context"
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/internal/closed"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// ExtractVector writes a message of a block as a closed vector into a folder: the state before it, every block that it reads but the
// actors' code, every answer of the chain, its receipt, its trace and the state after it. It gives the vector's path. edgefvm vectors run
// and the reference's own program run it.
func (n *Node) ExtractVector(ctx context.Context, b *Block, message int, dir string) (string, error) {
	if b.real {
		return "", errReal(b)
	}
	if message < 0 || message >= len(b.Messages) {
		return "", fmt.Errorf("the block at epoch %d has %d messages, none of number %d", b.Epoch(), len(b.Messages), message)
	}
	before, err := n.before(ctx, b, message)
	if err != nil {
		return "", err
	}
	seen := closed.NewBlocks(before.Blockstore)
	name, err := seen.Bundle(ctx, before.StateRoot)
	if err != nil {
		return "", err
	}
	cfg := before
	cfg.Blockstore = &blockstore.Overlay{Top: blockstore.NewMemory(), Base: seen}
	e := b.Messages[message]
	draft := vector.NewDraft(cfg, name, fmt.Sprintf("message %s, number %d at epoch %d of the development network %s", e.CID, message, b.Epoch(), n.Network().Name))
	asked := &closed.Answers{Draft: draft, Chain: cfg.Externs, Proofs: cfg.Proofs}
	cfg.Externs = asked
	if cfg.Proofs != nil {
		cfg.Proofs = asked
	}
	var rec trace.Recorder
	cfg.Hooks = rec.Hooks()
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return "", err
	}
	t := &pooled{Message: e.Message, implicit: e.Implicit, raised: e.Raised}
	res, why, err := apply(ctx, m, t)
	if err == nil {
		err = why
	}
	if err != nil {
		return "", err
	}
	kind, length := fvm.Explicit, e.Length
	if e.Implicit {
		kind, length = fvm.Implicit, 0
	}
	if err := draft.Message(t.executed(), kind, length, res); err != nil {
		return "", err
	}
	post, err := m.Flush(ctx)
	if err != nil {
		return "", err
	}
	draft.Traces([]trace.Events{rec.Take()}, nil, nil)
	return draft.Save(dir, post, seen.Read())
}

// before is the setting of a block's machine with the state before one of its messages, in a store of its own.
func (n *Node) before(ctx context.Context, b *Block, message int) (fvm.Config, error) {
	cfg := n.config(b)
	cfg.Blockstore = &blockstore.Overlay{Top: blockstore.NewMemory(), Base: b.states}
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return cfg, err
	}
	for i, e := range b.Messages[:message] {
		_, why, err := apply(ctx, m, &pooled{Message: e.Message, implicit: e.Implicit, raised: e.Raised})
		if err == nil {
			err = why
		}
		if err != nil {
			return cfg, fmt.Errorf("message %d of the block at epoch %d, once more: %w", i, b.Epoch(), err)
		}
	}
	cfg.StateRoot, err = m.Flush(ctx)
	return cfg, err
}

// errReal is of what is done with blocks that were executed here.
func errReal(b *Block) error {
	return fmt.Errorf("%w: the block at epoch %d is of the real chain, and was not executed here: edgefvm replay and edgefvm chain message look into those", ErrPast, b.Epoch())
}

// StateBefore is the state before a message of a block, in a store with it: for tools that look at what a message changed.
func (n *Node) StateBefore(ctx context.Context, b *Block, message int) (blockstore.Blockstore, cid.Cid, error) {
	if b.real {
		return nil, cid.Undef, errReal(b)
	}
	if message < 0 || message > len(b.Messages) {
		return nil, cid.Undef, fmt.Errorf("the block at epoch %d has %d messages", b.Epoch(), len(b.Messages))
	}
	cfg, err := n.before(ctx, b, message)
	return cfg.Blockstore, cfg.StateRoot, err
}

// executed is the message as it is given to the machine.
func (t *pooled) executed() *fvm.Message {
	if t.raised <= 0 {
		return t.Message.Message
	}
	with := *t.Message.Message
	with.GasLimit = t.raised
	return &with
}
