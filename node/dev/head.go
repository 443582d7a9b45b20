package dev

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/amt"
)

// keptHeads is how many heads are found by their keys.
const keptHeads = 1024

// maxAge is how old the head may get, in seconds, before it is made anew: clients take one that is 130 s old for a chain that stands.
const maxAge = 60

// heads are the tipsets that stood upon a latest block.
type heads struct {
	mu   sync.Mutex
	last *head
	all  map[chain.Key]*head
	list []chain.Key // in the order in which they were made
}

type head struct {
	on *Block
	ts *chain.Tipset
}

// Head is the tipset that Filecoin's clients call the head: an empty one upon the latest block, one epoch further, whose header says
// the state and the receipts after that block. It stays the same until the next block or edit, or until it is a minute old by the chain's
// time. It is in Blocks, and is not on the chain: see the package comment.
func (n *Node) Head(ctx context.Context) (*chain.Tipset, error) {
	n.heads.mu.Lock()
	defer n.heads.mu.Unlock()
	b := n.Latest()
	set := n.settings()
	now := uint64(max(n.now().Unix()+set.clock.offset, 0))
	if h := n.heads.last; h != nil && h.on == b && now <= h.ts.Timestamp()+maxAge {
		return h.ts, nil
	}
	t := b.Timestamp() + 1
	if now > t+maxAge {
		t = now
	}
	header, err := n.header(&plan{parent: b, epoch: b.Epoch() + 1, time: t, baseFee: b.NextBaseFee})
	if err != nil {
		return nil, err
	}
	ts, err := n.empty(ctx, header)
	if err != nil {
		return nil, err
	}
	n.heads.keep(&head{b, ts})
	return ts, nil
}

// empty is a tipset without messages, which is written to the store.
func (n *Node) empty(ctx context.Context, h *chain.Header) (*chain.Tipset, error) {
	var list []blocks.Block
	put := func(c cid.Cid, data []byte) error {
		blk, err := blocks.NewBlockWithCid(data, c)
		list = append(list, blk)
		return err
	}
	none, err := amt.Build(nil, put)
	if err != nil {
		return nil, err
	}
	meta, err := encode(&chain.MsgMeta{BLS: none, Secp: none})
	if err != nil {
		return nil, err
	}
	h.Messages = digestOf(meta)
	data, err := encode(h)
	if err != nil {
		return nil, err
	}
	c := digestOf(data)
	if err := put(h.Messages, meta); err != nil {
		return nil, err
	}
	if err := put(c, data); err != nil {
		return nil, err
	}
	return &chain.Tipset{Blocks: []*chain.Header{h}, CIDs: []cid.Cid{c}}, n.states.PutMany(ctx, list)
}

func (h *heads) keep(one *head) {
	if h.all == nil {
		h.all = map[chain.Key]*head{}
	}
	k := one.ts.Key()
	h.last, h.all[k] = one, one
	if h.list = append(h.list, k); len(h.list) > keptHeads {
		delete(h.all, h.list[0])
		h.list = slices.Delete(h.list, 0, 1)
	}
}

// forget ends that heads are found, whose blocks are gone after cut.
func (h *heads) forget(cut func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	cut()
	h.last, h.all, h.list = nil, nil, nil
}

// Tipset finds a tipset by its key: of a block of the chain, or one that was the head (Node.Head) not long ago; the empty key is the
// head's. on is the block of that tipset, or for a head the one that it stands on, which is executed; ts.Height() tells them apart.
func (n *Node) Tipset(ctx context.Context, key chain.Key) (ts *chain.Tipset, on *Block, err error) {
	if key == "" {
		if ts, err = n.Head(ctx); err != nil {
			return nil, nil, err
		}
		key = ts.Key()
	}
	n.heads.mu.Lock()
	h := n.heads.all[key]
	n.heads.mu.Unlock()
	if h != nil {
		return h.ts, h.on, nil
	}
	list, err := key.CIDs()
	if err != nil {
		return nil, nil, err
	}
	if len(list) == 1 {
		if b := n.BlockByCID(list[0]); b != nil && b.CID() == list[0] && len(b.Tipset.CIDs) == 1 {
			return b.Tipset, b, nil
		}
	}
	if n.Fork() != nil {
		c, err := key.CID()
		if err != nil {
			return nil, nil, err
		}
		b, err := n.ByHash(ctx, hashOf(c))
		if err != nil {
			return nil, nil, err
		}
		if b != nil {
			return b.Tipset, b, nil
		}
	}
	return nil, nil, fmt.Errorf("no tipset of this chain has the key %s", key)
}

// previews keeps what Pending made last.
type previews struct {
	mu      sync.Mutex
	on      *Block
	version uint64
	time    uint64
	block   *Block
}

// Pending is the block that would be made now of what is ready in the pool; it is not on the chain, and its states lie in memory of its own
// until nobody has it any more. If nothing waits it is the latest block.
func (n *Node) Pending(ctx context.Context) (*Block, error) {
	n.pending.mu.Lock()
	defer n.pending.mu.Unlock()
	on := n.Latest()
	version, waiting := n.pool.state()
	if waiting == 0 {
		n.pending.block = nil
		return on, nil
	}
	set := n.settings()
	when := n.next(&set, on)
	t := when.time
	if p := &n.pending; p.block != nil && p.on == on && p.version == version && t-min(t, p.time) <= 1 {
		return p.block, nil
	}
	take := n.pool.ready(n, maxTake)
	if len(take) == 0 {
		return on, nil
	}
	p := &plan{
		parent: on, epoch: on.Epoch() + abi.ChainEpoch(min(when.up, maxNull+1)), time: t, idle: when.idle, baseFee: n.baseFee(), take: take, preview: true,
		states: &blockstore.Overlay{Top: blockstore.NewMemory(), Base: n.states},
	}
	for {
		b, _, err := n.make(ctx, p)
		if bad := new(messageError); errors.As(err, &bad) && ctx.Err() == nil {
			p.take = without(p.take, bad.pooled)
			continue
		}
		if err != nil {
			return nil, failed(p.epoch, err)
		}
		n.pending.on, n.pending.version, n.pending.time, n.pending.block = on, version, t, b
		return b, nil
	}
}
