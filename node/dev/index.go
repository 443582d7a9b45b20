package dev

import (
	"sync"

	"github.com/edgefvm/fvm/node/eth"
)

// index finds blocks and messages by their hashes. It may be a step ahead of the chain, so that who finds a place looks at what is there.
type index struct {
	mu       sync.RWMutex
	blocks   map[eth.Hash]int // by the key's hash
	headers  map[eth.Hash]int // by the header's
	messages map[eth.Hash]place
}

// place is where a message is.
type place struct{ block, message int }

func (x *index) init() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.blocks, x.headers, x.messages = map[eth.Hash]int{}, map[eth.Hash]int{}, map[eth.Hash]place{}
}

// names are the hashes by which a message is found.
func (e *Executed) names() []eth.Hash {
	list := []eth.Hash{e.Hash, hashOf(e.CID)}
	if e.Signature != nil {
		list = append(list, hashOf(bareCID(e.Message.Message)))
	}
	return list
}

func (x *index) add(b *Block, at int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.blocks[b.Hash], x.headers[hashOf(b.CID())] = at, at
	for i, m := range b.Messages {
		for _, h := range m.names() {
			x.messages[h] = place{at, i}
		}
	}
}

func (x *index) remove(blocks []*Block) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, b := range blocks {
		delete(x.blocks, b.Hash)
		delete(x.headers, hashOf(b.CID()))
		for _, m := range b.Messages {
			for _, h := range m.names() {
				delete(x.messages, h)
			}
		}
	}
}

func (x *index) block(h eth.Hash) int  { return x.find(x.blocks, h) }
func (x *index) header(h eth.Hash) int { return x.find(x.headers, h) }

func (x *index) find(in map[eth.Hash]int, h eth.Hash) int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if at, ok := in[h]; ok {
		return at
	}
	return -1
}

func (x *index) message(h eth.Hash) (place, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	p, ok := x.messages[h]
	return p, ok
}
