package dev

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
)

const (
	// maxNull is how many null rounds are before a block at most: a header has a beacon entry for each.
	maxNull = 1000
	// maxMine is how many blocks are made by one call at most.
	maxMine = 10_000_000
)

// ErrTooMany is wrapped by errors about more blocks than are made at once.
var ErrTooMany = errors.New("too many")

// MineOptions say what Mine makes.
type MineOptions struct {
	// Blocks is how many. Default: 1.
	Blocks uint64
	// Step is the seconds between them, from the second on; the first is then a second after the latest at least. Default: what the clock
	// and SetTimestampStep say.
	Step uint64
	// Timestamp of the first, in seconds since 1970. Default: as SetNextTimestamp, IncreaseTime and the clock have it.
	Timestamp uint64
	// Progress hears of each thousandth block. Default: nobody.
	Progress func(done uint64)
}

// Mine makes blocks with what is in the pool and ready, and gives the last one. After an error those that are done stay.
func (n *Node) Mine(ctx context.Context, o MineOptions) (*Block, error) {
	if o.Blocks > maxMine {
		return nil, fmt.Errorf("%w: %d blocks at once; the most is %d", ErrTooMany, o.Blocks, maxMine)
	}
	if err := n.lock(ctx); err != nil {
		return nil, err
	}
	defer n.unlock()
	if o.Timestamp != 0 {
		if err := n.SetNextTimestamp(o.Timestamp); err != nil {
			return nil, err
		}
	}
	last := n.Latest()
	for i := range max(o.Blocks, 1) {
		if err := ctx.Err(); err != nil {
			return last, err
		}
		if err := n.mine(ctx, n.pool.ready(n, maxTake), n.step(i, o.Step, last), false); err != nil {
			return last, err
		}
		last = n.Latest()
		if o.Progress != nil && (i+1)%1000 == 0 {
			o.Progress(i + 1)
		}
	}
	return last, nil
}

// step sets the time of the block upon last, number i of those that are made with seconds between them, and gives how many epochs it is
// above; 0: as time says. The first is a second later at least.
func (n *Node) step(i, seconds uint64, last *Block) (up uint64) {
	if seconds == 0 {
		return 0
	}
	set := n.settings()
	at := n.next(&set, last)
	up, t := at.up, at.time
	switch {
	case i > 0:
		up, t = 1, last.Timestamp()+seconds
	case t > last.Timestamp():
		return up
	default:
		t = last.Timestamp() + 1
	}
	n.change(func(s *settings) { s.clock.next = &t })
	return up
}

// maxTake is how many messages a block has at most.
const maxTake = 10_000

// mine makes a block with messages, so many epochs above the latest; up 0: as time says. The caller has the lock. Messages that the
// network refuses are dropped from the pool; some: without any left no block is made.
func (n *Node) mine(ctx context.Context, take []*pooled, up uint64, some bool) error {
	if n.o.LenientGas {
		n.raiseAll(ctx, take)
	}
	for len(take) > 0 || !some {
		set := n.settings()
		on := n.Latest()
		at := n.next(&set, on)
		t := at.time
		if up == 0 {
			up = at.up
		}
		// Far above the latest, empty blocks in between keep headers short.
		for up > maxNull+1 {
			mid := on.Timestamp() + max((t-min(t, on.Timestamp()))*(maxNull+1)/up, 1)
			if err := n.append(ctx, &plan{parent: on, epoch: on.Epoch() + maxNull + 1, time: mid, baseFee: on.NextBaseFee, states: n.states, idle: at.idle}); err != nil {
				return err
			}
			up -= maxNull + 1
			on = n.Latest()
			t = max(t, on.Timestamp()+1)
		}
		p := &plan{parent: on, epoch: on.Epoch() + abi.ChainEpoch(up), time: t, baseFee: on.NextBaseFee, take: take, states: n.states, some: some, idle: at.idle}
		if set.baseFee != nil {
			p.baseFee = *set.baseFee
		}
		err := n.append(ctx, p)
		var bad *messageError
		if errors.As(err, &bad) && ctx.Err() == nil {
			n.drop(bad.pooled, err)
			take = without(take, bad.pooled)
			continue
		}
		if err != nil {
			return err
		}
		if n.Latest() == on {
			return nil // nothing was left of it
		}
		n.change(func(s *settings) { s.passed(&set, n.now(), t) })
		return nil
	}
	return nil
}

func without(list []*pooled, t *pooled) (out []*pooled) {
	for _, other := range list {
		if other != t {
			out = append(out, other)
		}
	}
	return out
}

// append makes a block and puts it on the chain.
func (n *Node) append(ctx context.Context, p *plan) error {
	l := n.line.Load()
	n.own.begin(len(l.blocks))
	b, out, err := n.make(ctx, p)
	if err != nil {
		return failed(p.epoch, err)
	}
	for _, r := range out {
		n.drop(r.pooled, r.why)
	}
	if p.some && len(b.Messages) == 0 {
		return nil
	}
	if err := n.record(ctx, b); err != nil {
		return failed(p.epoch, err)
	}
	for _, m := range b.Messages {
		n.pool.remove(m.Hash)
	}
	n.index.add(b, len(l.blocks))
	n.line.Store(&line{blocks: append(l.blocks, b)})
	n.subs.tell(Event{Block: b})
	n.prune()
	return nil
}

// errUsed is why a message waits no more whose nonce another has used.
var errUsed = errors.New("its nonce is used")

// prune drops what waits in vain.
func (n *Node) prune() {
	if _, waiting := n.pool.state(); waiting == 0 {
		return
	}
	for _, t := range n.pool.prune(n.nextNonce) {
		n.drop(t, errUsed)
	}
}

// drop takes a message out of the pool that cannot be executed.
func (n *Node) drop(t *pooled, why error) {
	n.pool.remove(t.hash)
	t.why = why
	n.o.Logger.Warn("a message was dropped", "hash", t.hash, "why", why)
	n.subs.tell(Event{Dropped: &Dropped{Hash: t.hash, CID: t.CID, Why: why}})
}

// epochOf is an epoch that somebody gave as a number of 64 bits.
func epochOf(n uint64) abi.ChainEpoch { return abi.ChainEpoch(min(n, 1<<62)) }
