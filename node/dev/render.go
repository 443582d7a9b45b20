package dev

import (
	"context"
	"fmt"
	"sync"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/node/eth"
)

// keptRendered is of how many blocks the words are remembered.
const keptRendered = 4096

// lately are the caches of the blocks that were rendered last.
type lately struct {
	mu   sync.Mutex
	ring []*cache
	at   int
}

// add remembers one more, and gives the one that is to forget.
func (l *lately) add(c *cache) (old *cache) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < keptRendered {
		l.ring = append(l.ring, c)
		return nil
	}
	old, l.ring[l.at] = l.ring[l.at], c
	l.at = (l.at + 1) % keptRendered
	return old
}

// Render says a block in Ethereum's words. It is remembered for a while: nothing in it may be changed.
func (n *Node) Render(ctx context.Context, b *Block, m eth.Manner) (*eth.Rendered, error) {
	if int(m) >= len(b.cache.rendered) {
		return nil, fmt.Errorf("no manner of eth is %d", m)
	}
	b.cache.mu.Lock()
	r, known := b.cache.rendered[m], b.cache.rendered != [2]*eth.Rendered{}
	b.cache.mu.Unlock()
	if r != nil {
		return r, nil
	}
	b, err := n.Whole(ctx, b)
	if err != nil {
		return nil, err
	}
	if r, err = n.render(ctx, b, m); err != nil {
		return nil, err
	}
	b.cache.mu.Lock()
	b.cache.rendered[m] = r
	if b.HasEvents() {
		bloom := r.Block.LogsBloom
		b.cache.blooms[m] = &bloom
	}
	b.cache.mu.Unlock()
	if !known {
		if old := n.lately.add(b.cache); old != nil && old != b.cache {
			old.mu.Lock()
			old.rendered = [2]*eth.Rendered{}
			old.mu.Unlock()
		}
	}
	return r, nil
}

func (n *Node) render(ctx context.Context, b *Block, m eth.Manner) (*eth.Rendered, error) {
	t, err := n.Tree(ctx, b)
	if err != nil {
		return nil, err
	}
	set := &eth.Tipset{
		View: eth.View{Manner: m, ChainID: n.ChainID(), Lookup: eth.LookupIn(t)},
		Key:  b.Key, Epoch: uint64(b.Epoch()), Timestamp: b.Timestamp(), BaseFee: big.Int{Int: b.BaseFee().Int}, Blocks: len(b.Tipset.Blocks),
	}
	if set.Parents, err = b.Tipset.Parents().CID(); err != nil {
		return nil, err
	}
	for _, e := range b.Messages {
		set.Messages, set.Results = append(set.Messages, e.Message), append(set.Results, e.Result)
	}
	return eth.Render(ctx, set)
}

// RenderWaiting shows a message that waits as a transaction of Ethereum, without block.
func (n *Node) RenderWaiting(ctx context.Context, w *Waiting, m eth.Manner) (*eth.Transaction, error) {
	t, err := n.Tree(ctx, n.Latest())
	if err != nil {
		return nil, err
	}
	v := eth.View{Manner: m, ChainID: n.ChainID(), Lookup: eth.LookupIn(t)}
	return v.Transaction(ctx, &w.Message)
}

// HasEvents tells whether a message of the block emitted any.
func (b *Block) HasEvents() bool {
	for _, m := range b.Messages {
		if len(m.Result.Events) > 0 {
			return true
		}
	}
	return false
}

// LogsOptions say which logs are wanted.
type LogsOptions struct {
	// Filter by addresses and topics; its blocks do not count. nil: all logs.
	Filter *eth.Filter
	// First and Last epoch, both counted.
	First, Last uint64
	// Most is how many logs there may be. Default: no bound.
	Most   int
	Manner eth.Manner
}

// Logs are those of a span of the chain, in its order. More than Most are an *eth.Error.
func (n *Node) Logs(ctx context.Context, o LogsOptions) ([]*eth.Log, error) {
	if o.Filter == nil {
		o.Filter = &eth.Filter{}
	}
	out := []*eth.Log{}
	l := n.line.Load()
	if o.First > o.Last {
		return out, nil
	}
	for i := max(l.until(epochOf(o.First)), 0); i < len(l.blocks); i++ {
		b := l.blocks[i]
		if e := uint64(b.Epoch()); e > o.Last {
			break
		} else if e < o.First || !b.HasEvents() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		if out, err = n.logsOf(ctx, b, &o, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// BlockLogs are those of one block.
func (n *Node) BlockLogs(ctx context.Context, b *Block, f *eth.Filter, m eth.Manner) ([]*eth.Log, error) {
	if f == nil {
		f = &eth.Filter{}
	}
	if !b.HasEvents() {
		return []*eth.Log{}, nil
	}
	return n.logsOf(ctx, b, &LogsOptions{Filter: f, Manner: m}, []*eth.Log{})
}

func (n *Node) logsOf(ctx context.Context, b *Block, o *LogsOptions, out []*eth.Log) ([]*eth.Log, error) {
	b.cache.mu.Lock()
	bloom := b.cache.blooms[min(int(o.Manner), len(b.cache.blooms)-1)]
	b.cache.mu.Unlock()
	if bloom != nil && !o.Filter.MayMatch(bloom) {
		return out, nil
	}
	r, err := n.Render(ctx, b, o.Manner)
	if err != nil {
		return nil, err
	}
	if !o.Filter.MayMatch(&r.Block.LogsBloom) {
		return out, nil
	}
	for _, receipt := range r.Receipts {
		for _, log := range receipt.Logs {
			if !o.Filter.Match(log) {
				continue
			}
			if o.Most > 0 && len(out) >= o.Most {
				return nil, &eth.Error{Code: eth.CodeLimitExceeded, Message: fmt.Sprintf("filter matches too many events, maximum is %d", o.Most)}
			}
			out = append(out, log)
		}
	}
	return out, nil
}
