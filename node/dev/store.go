package dev

import (
	"context"
	"sync"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/blockstore"
)

// keeper is the store of a chain: what it takes belongs to the block in the making.
type keeper interface {
	blockstore.Blockstore
	// begin says the place of the block that later writes belong to.
	begin(place int)
	// commit keeps what was written.
	commit(ctx context.Context) error
	// cut may forget what belongs to blocks above a place.
	cut(place int)
}

// memory is a keeper in memory, which forgets what only blocks have that are off the chain. A block is known to the lowest place that it
// was written at: whatever stands there or above reaches it, and nothing below.
type memory struct {
	mu     sync.RWMutex
	place  int
	top    int // the highest place that anything was written at
	items  map[string]item
	placed map[int][]string // keys by place
}

type item struct {
	data  []byte
	place int
}

func newMemory() *memory {
	return &memory{items: map[string]item{}, placed: map[int][]string{}}
}

func (m *memory) begin(place int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.place = place
}

func (m *memory) commit(context.Context) error { return nil }

func (m *memory) cut(place int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at := place + 1; at <= m.top; at++ {
		for _, k := range m.placed[at] {
			if m.items[k].place == at {
				delete(m.items, k)
			}
		}
		delete(m.placed, at)
	}
	m.top, m.place = min(m.top, place), min(m.place, place)
}

func (m *memory) Has(_ context.Context, c cid.Cid) (bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	_, ok := m.items[c.KeyString()]
	return ok, nil
}

func (m *memory) Get(_ context.Context, c cid.Cid) (blocks.Block, error) {
	m.mu.RLock()
	it, ok := m.items[c.KeyString()]
	m.mu.RUnlock()
	if !ok {
		return nil, ipld.ErrNotFound{Cid: c}
	}
	return blocks.NewBlockWithCid(it.data, c)
}

func (m *memory) Put(ctx context.Context, b blocks.Block) error {
	return m.PutMany(ctx, []blocks.Block{b})
}

func (m *memory) PutMany(_ context.Context, list []blocks.Block) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.top = max(m.top, m.place)
	for _, b := range list {
		k := b.Cid().KeyString()
		if it, ok := m.items[k]; ok && it.place <= m.place {
			continue
		}
		m.items[k] = item{b.RawData(), m.place}
		m.placed[m.place] = append(m.placed[m.place], k)
	}
	return nil
}

// gathered is a keeper upon another store, which takes what belongs to a block at once.
type gathered struct {
	base blockstore.Blockstore
	mu   sync.RWMutex
	new  map[string]blocks.Block
}

func (g *gathered) begin(int) {}
func (g *gathered) cut(int)   {}

func (g *gathered) commit(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := make([]blocks.Block, 0, len(g.new))
	for _, b := range g.new {
		list = append(list, b)
	}
	if err := g.base.PutMany(ctx, list); err != nil {
		return err
	}
	g.new = nil
	return nil
}

func (g *gathered) kept(c cid.Cid) (blocks.Block, bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	b, ok := g.new[c.KeyString()]
	return b, ok
}

func (g *gathered) Has(ctx context.Context, c cid.Cid) (bool, error) {
	if _, ok := g.kept(c); ok {
		return true, nil
	}
	return g.base.Has(ctx, c)
}

func (g *gathered) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if b, ok := g.kept(c); ok {
		return b, nil
	}
	return g.base.Get(ctx, c)
}

func (g *gathered) Put(ctx context.Context, b blocks.Block) error {
	return g.PutMany(ctx, []blocks.Block{b})
}

func (g *gathered) PutMany(_ context.Context, list []blocks.Block) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.new == nil {
		g.new = map[string]blocks.Block{}
	}
	for _, b := range list {
		g.new[b.Cid().KeyString()] = b
	}
	return nil
}
