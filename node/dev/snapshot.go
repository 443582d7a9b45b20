package dev

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/crypto"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/eth"
)

// snapshots are of the writer, in the order of their ids.
type snapshots struct {
	next uint64
	list []*snapshot
}

type snapshot struct {
	id     uint64
	block  *Block
	place  int
	set    settings
	pool   []*pooled
	nonces map[address.Address]uint64
}

// Snapshot keeps the chain, the state and the pool as they are, and the time. Ids count up from 1 and are never used again.
func (n *Node) Snapshot(ctx context.Context) (id uint64, err error) {
	if err := n.lock(ctx); err != nil {
		return 0, err
	}
	defer n.unlock()
	l := n.line.Load()
	n.snaps.next++
	s := &snapshot{id: n.snaps.next, block: l.last(), place: len(l.blocks) - 1, set: n.settings(), pool: n.pool.all()}
	n.fake.mu.Lock()
	if len(n.fake.nonces) > 0 {
		s.nonces = maps.Clone(n.fake.nonces)
	}
	n.fake.mu.Unlock()
	if len(n.snaps.list) >= n.o.Snapshots {
		n.snaps.list = slices.Delete(n.snaps.list, 0, len(n.snaps.list)-n.o.Snapshots+1)
	}
	n.snaps.list = append(n.snaps.list, s)
	return s.id, nil
}

// Revert goes back to a snapshot, which ends with it, as all later ones do. It reports whether there was such a snapshot. Automine and
// interval stay as they are, and so do impersonated senders.
func (n *Node) Revert(ctx context.Context, id uint64) (bool, error) {
	if err := n.lock(ctx); err != nil {
		return false, err
	}
	defer n.unlock()
	i, ok := slices.BinarySearchFunc(n.snaps.list, id, func(s *snapshot, id uint64) int { return cmp.Compare(s.id, id) })
	if !ok {
		return false, nil
	}
	s := n.snaps.list[i]
	if err := n.cut(ctx, s.place, s.block); err != nil {
		return false, err
	}
	n.snaps.list = slices.DeleteFunc(n.snaps.list, func(s *snapshot) bool { return s.id >= id })
	n.change(func(set *settings) {
		automine, interval, jumps := set.automine, set.interval, set.jumps
		*set = s.set
		set.automine, set.interval, set.jumps = automine, interval, jumps
	})
	n.pool.set(s.pool)
	n.fake.mu.Lock()
	n.fake.nonces = map[address.Address]uint64{}
	maps.Copy(n.fake.nonces, s.nonces)
	n.fake.mu.Unlock()
	return true, nil
}

// cut ends the chain at a place, with a block there that may be another of the same hash. Snapshots of what is above are gone.
func (n *Node) cut(ctx context.Context, place int, with *Block) error {
	l := n.line.Load()
	if err := n.recordCut(ctx, place, with); err != nil {
		return err
	}
	gone := l.blocks[place+1:]
	if len(gone) > 0 || l.last() != with {
		n.line.Store(&line{blocks: append(l.blocks[:place:place], with)})
	}
	n.describe(with)
	n.index.remove(gone)
	n.heads.forget(func() { n.own.cut(place) })
	n.pool.touch()
	n.snaps.list = slices.DeleteFunc(n.snaps.list, func(s *snapshot) bool { return s.place > place })
	for _, b := range slices.Backward(gone) {
		n.subs.tell(Event{Reverted: b})
	}
	return nil
}

// Rollback takes the last blocks off the chain. What was in them is gone, not back in the pool. It gives the new latest block.
func (n *Node) Rollback(ctx context.Context, blocks int) (*Block, error) {
	if err := n.lock(ctx); err != nil {
		return nil, err
	}
	defer n.unlock()
	l := n.line.Load()
	if blocks < 0 || blocks >= len(l.blocks) {
		return nil, fmt.Errorf("%d blocks cannot be taken off: the chain has %d above its genesis", blocks, len(l.blocks)-1)
	}
	place := len(l.blocks) - 1 - blocks
	return l.blocks[place], n.cut(ctx, place, l.blocks[place])
}

// ReorgOptions say how the chain is replaced.
type ReorgOptions struct {
	// Depth is how many of the last blocks are replaced, by as many others.
	Depth int
	// Drop leaves out the messages that were in them. Default: the new blocks have them, in the same places.
	Drop bool
	// Add are hashes of messages that wait, by the new block that has them, counted from 0. Others stay in the pool.
	Add map[eth.Hash]int
	// With are more messages for the new blocks, which need not have been seen before: their nonces count from where the old blocks go.
	With map[int][]Signed
}

// Signed is a message with its signature.
type Signed struct {
	*fvm.Message
	Signature *crypto.Signature // nil: the sender is impersonated
}

// Reorg replaces the last blocks by others at the same epochs and times, whose hashes differ. Messages that are refused on the new chain
// are dropped. It gives the new latest block.
func (n *Node) Reorg(ctx context.Context, o ReorgOptions) (*Block, error) {
	if err := n.lock(ctx); err != nil {
		return nil, err
	}
	defer n.unlock()
	l := n.line.Load()
	if o.Depth <= 0 || o.Depth >= len(l.blocks) {
		return nil, fmt.Errorf("a reorganisation of %d blocks cannot be: the chain has %d above its genesis", o.Depth, len(l.blocks)-1)
	}
	place := len(l.blocks) - 1 - o.Depth
	old := slices.Clone(l.blocks[place+1:])
	plans := make([]*plan, o.Depth)
	for i, b := range old {
		plans[i] = &plan{epoch: b.Epoch(), time: b.Timestamp(), states: n.states, salt: saltOf(b)}
		if !o.Drop {
			for _, m := range b.Messages {
				plans[i].take = append(plans[i].take, &pooled{Message: m.Message, hash: m.Hash, implicit: m.Implicit, raised: m.Raised})
			}
		}
	}
	for h, i := range o.Add {
		t := n.pool.get(h)
		if t == nil || i < 0 || i >= o.Depth {
			return nil, fmt.Errorf("message %s does not wait, or block %d is not one of %d", h, i, o.Depth)
		}
		plans[i].take = append(plans[i].take, t)
	}
	for i, list := range o.With {
		if i < 0 || i >= o.Depth {
			return nil, fmt.Errorf("block %d is not one of %d", i, o.Depth)
		}
		for _, m := range list {
			t, err := n.pooledOf(ctx, m.Message, m.Signature, false)
			if err != nil {
				return nil, err
			}
			who, err := n.senderOf(ctx, m.From)
			if err != nil {
				return nil, err
			}
			if t.sender, t.implicit = who.key, !who.account && m.Signature == nil; t.implicit {
				if err := n.admitImplicit(t); err != nil {
					return nil, err
				}
			}
			plans[i].take = append(plans[i].take, t)
		}
	}
	if err := n.cut(ctx, place, l.blocks[place]); err != nil {
		return nil, err
	}
	for _, p := range plans {
		p.parent = n.Latest()
		p.baseFee = p.parent.NextBaseFee
		if err := n.append(ctx, p); err != nil {
			return n.Latest(), err
		}
	}
	return n.Latest(), nil
}

// saltOf makes the block that stands in another's place differ from it.
func saltOf(b *Block) []byte { return b.Tipset.Blocks[0].Ticket.VRFProof }

// Reset begins the chain anew at its genesis: blocks, pool, snapshots, forced values and moved time are gone.
func (n *Node) Reset(ctx context.Context) error {
	if err := n.lock(ctx); err != nil {
		return err
	}
	defer n.unlock()
	first := n.First()
	if first.Edited() || first.upgrade != 0 {
		again := *first
		again.Root, again.upgrade, again.cache = again.Executed, 0, new(cache)
		first = &again
	}
	if err := n.cut(ctx, 0, first); err != nil {
		return err
	}
	n.cleared()
	return nil
}

// cleared forgets pool, snapshots, forced values, moved time and impersonated senders.
func (n *Node) cleared() {
	n.snaps.list = nil
	n.pool.set(nil)
	n.change(func(s *settings) {
		*s = settings{automine: s.automine, interval: s.interval, jumps: s.jumps}
		if n.Fork() != nil {
			s.clock.offset = int64(n.First().Timestamp()) - n.now().Unix()
		}
	})
	n.fake.mu.Lock()
	defer n.fake.mu.Unlock()
	n.fake.all, n.fake.who, n.fake.nonces = false, map[address.Address]bool{}, map[address.Address]uint64{}
}
