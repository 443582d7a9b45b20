package dev

import (
	"context"
	"fmt"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/eth"
)

// Past is the real chain up to a fork, its tipset included. Its methods are called by any number of goroutines at once. What cannot be
// had is an error; a chain that has no such thing gives nil.
type Past interface {
	// From is the tipset at an epoch, or the next one above it. The epoch is not above the fork's.
	From(ctx context.Context, epoch abi.ChainEpoch) (*chain.Tipset, error)
	// Parent is the tipset below one; of the genesis it is an error.
	Parent(ctx context.Context, ts *chain.Tipset) (*chain.Tipset, error)
	// ByKey is the tipset of the chain whose key has a CID.
	ByKey(ctx context.Context, key cid.Cid) (*chain.Tipset, error)
	// Message is the tipset of the chain that has a message, by the hash that Ethereum knows it by or by the digest of its CID.
	Message(ctx context.Context, hash eth.Hash) (*chain.Tipset, error)
	// Executed are a tipset's messages in the order in which they were applied, each once, with the receipts, their events included. receipts
	// is their root.
	Executed(ctx context.Context, ts *chain.Tipset, receipts cid.Cid) ([]chain.Message, []*fvm.Result, error)
	// Traces executes the first messages of a tipset again.
	Traces(ctx context.Context, ts *chain.Tipset, count int) ([]*CallResult, error)
}

// result is what came of a real tipset.
type result struct {
	root, receipts cid.Cid
	nextBaseFee    abi.TokenAmount
}

// realBlock is a real tipset as a block, without its messages.
func (n *Node) realBlock(ts *chain.Tipset, of result) (*Block, error) {
	b := &Block{
		Tipset: ts, Root: of.root, Executed: of.root, begin: ts.ParentStateRoot(), Receipts: of.receipts, NextBaseFee: of.nextBaseFee, states: n.states,
		cache: new(cache), real: true,
	}
	var err error
	if b.Key, err = ts.Key().CID(); err != nil {
		return nil, err
	}
	b.Hash = hashOf(b.Key)
	return b, nil
}

// keptPast is of how many tipsets of the past blocks are remembered: twice as many at most.
const keptPast = 1024

// pasts are the blocks of the past that were asked for lately.
type pasts struct {
	mu         sync.Mutex
	young, old map[chain.Key]*Block
}

func (p *pasts) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.young, p.old = nil, nil
}

func (p *pasts) get(k chain.Key) *Block {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.young[k]
	if b == nil {
		if b = p.old[k]; b != nil {
			p.put(k, b)
		}
	}
	return b
}

// keep gives the block that is kept: the first one of a tipset, so that what is derived of it is derived once.
func (p *pasts) keep(k chain.Key, b *Block) *Block {
	p.mu.Lock()
	defer p.mu.Unlock()
	if was := p.young[k]; was != nil {
		return was
	}
	p.put(k, b)
	return b
}

func (p *pasts) put(k chain.Key, b *Block) {
	if p.young == nil || len(p.young) >= keptPast {
		p.young, p.old = map[chain.Key]*Block{}, p.young
	}
	p.young[k] = b
}

// pastBlock is a tipset of the past as a block, without its messages: Whole gives them.
func (n *Node) pastBlock(ctx context.Context, f *Fork, ts *chain.Tipset) (*Block, error) {
	key := ts.Key()
	if key == f.Tipset.Key() {
		return n.First(), nil
	}
	if b := n.past.get(key); b != nil {
		return b, nil
	}
	child, err := f.Past.From(ctx, ts.Height()+1)
	if err != nil {
		return nil, pastError(ts.Height(), err)
	}
	if child.Parents() != key {
		return nil, fmt.Errorf("%w: the tipset at epoch %d does not stand on the one at epoch %d", ErrPast, child.Height(), ts.Height())
	}
	b, err := n.realBlock(ts, result{child.ParentStateRoot(), child.ParentReceipts(), child.BaseFee()})
	if err != nil {
		return nil, err
	}
	return n.past.keep(key, b), nil
}

func pastError(epoch abi.ChainEpoch, err error) error {
	return fmt.Errorf("%w: epoch %d: %w", ErrPast, epoch, err)
}

// Until is BlockUntil that reaches below a fork: the block there has no messages, see Whole.
func (n *Node) Until(ctx context.Context, epoch abi.ChainEpoch) (*Block, error) {
	b, f := n.BlockUntil(epoch), n.Fork()
	if b != nil || f == nil || epoch < 0 {
		return b, nil
	}
	ts, err := pastUntil(ctx, f, epoch)
	if err != nil {
		return nil, pastError(epoch, err)
	}
	return n.pastBlock(ctx, f, ts)
}

// pastUntil is the tipset of the past at an epoch, or the last one below it.
func pastUntil(ctx context.Context, f *Fork, epoch abi.ChainEpoch) (*chain.Tipset, error) {
	ts, err := f.Past.From(ctx, epoch)
	if err != nil || ts.Height() == epoch {
		return ts, err
	}
	return f.Past.Parent(ctx, ts)
}

// ByHash is BlockByHash that reaches below a fork; nil if the chain has no such block.
func (n *Node) ByHash(ctx context.Context, h eth.Hash) (*Block, error) {
	b, f := n.BlockByHash(h), n.Fork()
	if b != nil || f == nil {
		return b, nil
	}
	ts, err := f.Past.ByKey(ctx, h.CID())
	if err != nil || ts == nil {
		return nil, err
	}
	return n.pastBlock(ctx, f, ts)
}

// Below is Parent that reaches below a fork; nil of the genesis.
func (n *Node) Below(ctx context.Context, b *Block) (*Block, error) {
	f := n.Fork()
	if f == nil || b.Epoch() > f.Tipset.Height() {
		return n.Parent(b), nil
	}
	if b.Epoch() == 0 {
		return nil, nil
	}
	ts, err := f.Past.Parent(ctx, b.Tipset)
	if err != nil {
		return nil, pastError(b.Epoch(), err)
	}
	return n.pastBlock(ctx, f, ts)
}

// Above is Child that reaches below a fork.
func (n *Node) Above(ctx context.Context, b *Block) (*Block, error) {
	f := n.Fork()
	if f == nil || b.Epoch() >= f.Tipset.Height() {
		return n.Child(b), nil
	}
	ts, err := f.Past.From(ctx, b.Epoch()+1)
	if err != nil {
		return nil, pastError(b.Epoch(), err)
	}
	return n.pastBlock(ctx, f, ts)
}

// Find is Transaction that reaches below a fork. The block has its messages.
func (n *Node) Find(ctx context.Context, h eth.Hash) (b *Block, i int, ok bool, err error) {
	f := n.Fork()
	if b, i, ok = n.Transaction(h); ok || f == nil {
		return b, i, ok, nil
	}
	if _, waits := n.PoolMessage(h); waits {
		return nil, 0, false, nil
	}
	ts, err := f.Past.Message(ctx, h)
	if err != nil || ts == nil {
		return nil, 0, false, err
	}
	if b, err = n.pastBlock(ctx, f, ts); err == nil {
		b, err = n.Whole(ctx, b)
	}
	if err != nil {
		return nil, 0, false, err
	}
	for i, m := range b.Messages {
		for _, name := range m.names() {
			if name == h {
				return b, i, true, nil
			}
		}
	}
	return nil, 0, false, nil
}

// FindMessage is Find by a message's CID.
func (n *Node) FindMessage(ctx context.Context, c cid.Cid) (b *Block, i int, ok bool, err error) {
	h, err := eth.HashOf(c)
	if err != nil {
		return nil, 0, false, nil //nolint:nilerr // no message has such a CID
	}
	return n.Find(ctx, h)
}

// Real tells whether a block is one of the real chain that a fork goes on from.
func (b *Block) Real() bool { return b.real }

// Whole is a block with its messages, which those of a real chain are without until they are asked for.
func (n *Node) Whole(ctx context.Context, b *Block) (*Block, error) {
	if b == nil || !b.real {
		return b, nil
	}
	b.cache.mu.Lock()
	whole := b.cache.whole
	b.cache.mu.Unlock()
	if whole != nil {
		return whole, nil
	}
	f := n.Fork()
	if f == nil {
		return nil, fmt.Errorf("%w: the chain was reset", ErrPast)
	}
	list, results, err := f.Past.Executed(ctx, b.Tipset, b.Receipts)
	if err != nil {
		return nil, pastError(b.Epoch(), err)
	}
	if len(list) != len(results) {
		return nil, fmt.Errorf("%w: epoch %d has %d messages, and %d receipts", ErrPast, b.Epoch(), len(list), len(results))
	}
	with := *b
	with.Messages = make([]*Executed, len(list))
	for i := range list {
		e := &Executed{Message: list[i], Result: results[i]}
		if e.Hash, err = n.ethHash(&e.Message); err != nil {
			return nil, err
		}
		with.Messages[i] = e
	}
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	if b.cache.whole == nil {
		b.cache.whole = &with
	}
	return b.cache.whole, nil
}
