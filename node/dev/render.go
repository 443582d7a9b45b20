package dev

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/node/eth"
)

// Render says a block in Ethereum's words. It is remembered: nothing in it may be changed.
func (n *Node) Render(ctx context.Context, b *Block, m eth.Manner) (*eth.Rendered, error) {
	if int(m) >= len(b.cache.rendered) {
		return nil, fmt.Errorf("no manner of eth is %d", m)
	}
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	if r := b.cache.rendered[m]; r != nil {
		return r, nil
	}
	t, err := n.Tree(ctx, b)
	if err != nil {
		return nil, err
	}
	set := &eth.Tipset{
		View: eth.View{Manner: m, ChainID: n.ChainID(), Lookup: eth.LookupIn(t)},
		Key:  b.Key, Epoch: uint64(b.Epoch()), Timestamp: b.Timestamp(), BaseFee: big.Int{Int: b.BaseFee().Int}, Blocks: 1,
	}
	if set.Parents, err = b.Tipset.Parents().CID(); err != nil {
		return nil, err
	}
	for _, e := range b.Messages {
		set.Messages, set.Results = append(set.Messages, e.Message), append(set.Results, e.Result)
	}
	r, err := eth.Render(ctx, set)
	if err != nil {
		return nil, err
	}
	b.cache.rendered[m] = r
	return r, nil
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
