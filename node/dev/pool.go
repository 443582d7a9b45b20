package dev

import (
	"cmp"
	"slices"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/eth"
)

// pooled is a message that waits. But for why, which is the writer's, it does not change.
type pooled struct {
	chain.Message
	hash     eth.Hash
	sender   address.Address // as accounts are told apart: the key's address where there is one
	implicit bool
	raised   int64
	tried    bool // to raise it
	order    uint64
	why      error // it was dropped
}

// pool is what waits to be executed. It is changed by the writer, and read by anybody.
type pool struct {
	mu     sync.Mutex
	byHash map[eth.Hash]*pooled
	bySend map[address.Address][]*pooled // in the order of nonces
	order  uint64
	// version counts changes.
	version uint64
}

func (p *pool) init() {
	p.byHash, p.bySend = map[eth.Hash]*pooled{}, map[address.Address][]*pooled{}
}

// add puts a message in, in the place of one of the same sender and nonce.
func (p *pool) add(t *pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version++
	p.order++
	t.order = p.order
	list := p.bySend[t.sender]
	i, same := slices.BinarySearchFunc(list, t.Message.Message.Nonce, byNonce)
	if same {
		delete(p.byHash, list[i].hash)
		t.order = list[i].order
		list[i] = t
	} else {
		list = slices.Insert(list, i, t)
	}
	p.bySend[t.sender], p.byHash[t.hash] = list, t
}

func byNonce(t *pooled, nonce uint64) int { return cmp.Compare(t.Message.Message.Nonce, nonce) }

// same is the message of a sender and nonce, or nil.
func (p *pool) same(sender address.Address, nonce uint64) *pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.bySend[sender]
	if i, ok := slices.BinarySearchFunc(list, nonce, byNonce); ok {
		return list[i]
	}
	return nil
}

func (p *pool) remove(h eth.Hash) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.byHash[h]
	if !ok {
		return false
	}
	p.version++
	delete(p.byHash, h)
	list := slices.DeleteFunc(p.bySend[t.sender], func(o *pooled) bool { return o == t })
	if len(list) == 0 {
		delete(p.bySend, t.sender)
	} else {
		p.bySend[t.sender] = list
	}
	return true
}

func (p *pool) sizes(sender address.Address) (all, own int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.byHash), len(p.bySend[sender])
}

func (p *pool) get(h eth.Hash) *pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byHash[h]
}

func (p *pool) of(sender address.Address) []*pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.bySend[sender])
}

// all is every message that waits, in the order in which they came.
func (p *pool) all() []*pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]*pooled, 0, len(p.byHash))
	for _, t := range p.byHash {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b *pooled) int { return cmp.Compare(a.order, b.order) })
	return list
}

// prune takes out what can never be executed, since its nonce was used or skipped, and gives it.
func (p *pool) prune(next func(address.Address) uint64) (gone []*pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for sender, list := range p.bySend {
		first := next(sender)
		keep := slices.DeleteFunc(slices.Clone(list), func(t *pooled) bool {
			old := !t.implicit && t.Message.Message.Nonce < first
			if old {
				gone = append(gone, t)
				delete(p.byHash, t.hash)
			}
			return old
		})
		if len(keep) == 0 {
			delete(p.bySend, sender)
		} else if len(keep) < len(list) {
			p.bySend[sender] = keep
		}
	}
	if len(gone) > 0 {
		p.version++
	}
	return gone
}

// set replaces what waits.
func (p *pool) set(list []*pooled) {
	p.mu.Lock()
	p.byHash, p.bySend = map[eth.Hash]*pooled{}, map[address.Address][]*pooled{}
	p.version++
	p.mu.Unlock()
	for _, t := range list {
		again := *t
		p.add(&again)
	}
}

// touch says that what is ready may have changed.
func (p *pool) touch() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version++
}

func (p *pool) state() (version uint64, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.version, len(p.byHash)
}

// ready is what the next block can have: of each sender the messages whose nonces follow on, in the order in which they came as far as
// nonces let them; within the gas of a block, and with fee caps that pay its base fee. A sender's unsigned messages come before its
// signed ones in a block, so one that follows a signed one waits for the next.
func (p *pool) ready(n *Node, most int) []*pooled {
	all := p.all()
	if len(all) == 0 {
		return nil
	}
	fee := n.baseFee()
	next, signed := map[address.Address]uint64{}, map[address.Address]bool{}
	waiting := map[address.Address][]*pooled{}
	left := int64(chain.BlockGasLimit)
	var out []*pooled
	take := func(t *pooled) bool {
		m := t.Message.Message
		if len(out) >= most || m.GasLimit > left || signed[t.sender] && t.Signature == nil || !t.implicit && m.GasFeeCap.LessThan(fee) {
			return false
		}
		if t.implicit {
			left -= min(m.GasLimit, left)
			out = append(out, t)
			return true
		}
		want, ok := next[t.sender]
		if !ok {
			want = n.nextNonce(t.sender)
			next[t.sender] = want
		}
		if m.Nonce != want {
			return false
		}
		next[t.sender], left = want+1, left-m.GasLimit
		signed[t.sender] = signed[t.sender] || t.Signature != nil
		out = append(out, t)
		return true
	}
	for _, t := range all {
		if !take(t) {
			waiting[t.sender] = append(waiting[t.sender], t)
			continue
		}
		// What waited for this one follows.
		for again := true; again; {
			again = false
			for i, w := range waiting[t.sender] {
				if take(w) {
					waiting[t.sender] = slices.Delete(waiting[t.sender], i, i+1)
					again = true
					break
				}
			}
		}
	}
	return out
}

// baseFee is that of the next block.
func (n *Node) baseFee() abi.TokenAmount {
	if forced := n.settings().baseFee; forced != nil {
		return *forced
	}
	return n.Latest().NextBaseFee
}

// NextBaseFee is that of the block that would be made now, in attoFIL a unit of gas.
func (n *Node) NextBaseFee() abi.TokenAmount { return n.baseFee() }

// Waiting is a message in the pool.
type Waiting struct {
	chain.Message
	Hash eth.Hash
	// Ready: the next block can have it. Others wait for a nonce before theirs, or for the base fee to fall.
	Ready bool
}

// Pool is what waits, in the order in which it came.
func (n *Node) Pool() []Waiting {
	ready := map[eth.Hash]bool{}
	for _, t := range n.pool.ready(n, maxTake) {
		ready[t.hash] = true
	}
	all := n.pool.all()
	list := make([]Waiting, len(all))
	for i, t := range all {
		list[i] = Waiting{t.Message, t.hash, ready[t.hash]}
	}
	return list
}

// PoolMessage finds a message that waits by the hash that Ethereum knows it by.
func (n *Node) PoolMessage(h eth.Hash) (Waiting, bool) {
	t := n.pool.get(h)
	if t == nil {
		return Waiting{}, false
	}
	return Waiting{Message: t.Message, Hash: t.hash}, true
}

// Drop takes a message out of the pool. It reports whether it was there.
func (n *Node) Drop(h eth.Hash) bool { return n.pool.remove(h) }

// DropAll empties the pool.
func (n *Node) DropAll() { n.pool.set(nil) }
