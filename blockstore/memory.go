package blockstore

import (
	"context"
	"sort"
	"sync"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
)

// Memory is a Blockstore in memory. Any number of goroutines may use it. It keeps the bytes it is given and
// hands out the same, so they must not be changed.
type Memory struct {
	mu     sync.RWMutex
	blocks map[string][]byte
}

// NewMemory makes an empty store.
func NewMemory() *Memory { return &Memory{blocks: map[string][]byte{}} }

// Has reports whether the block is there.
func (m *Memory) Has(_ context.Context, c cid.Cid) (bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	_, ok := m.blocks[c.KeyString()]
	return ok, nil
}

// Get returns the block, or an error for which IsNotFound is true.
func (m *Memory) Get(_ context.Context, c cid.Cid) (blocks.Block, error) {
	m.mu.RLock()
	data, ok := m.blocks[c.KeyString()]
	m.mu.RUnlock()
	if !ok {
		return nil, format.ErrNotFound{Cid: c}
	}
	return blocks.NewBlockWithCid(data, c)
}

// Put keeps a block.
func (m *Memory) Put(_ context.Context, b blocks.Block) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blocks[b.Cid().KeyString()] = b.RawData()
	return nil
}

// PutMany keeps blocks.
func (m *Memory) PutMany(_ context.Context, bs []blocks.Block) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range bs {
		m.blocks[b.Cid().KeyString()] = b.RawData()
	}
	return nil
}

// Len is the number of blocks.
func (m *Memory) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.blocks)
}

// Keys returns the CIDs of all blocks, sorted by their bytes.
func (m *Memory) Keys() []cid.Cid {
	m.mu.RLock()
	defer m.mu.RUnlock()
	keys := make([]cid.Cid, 0, len(m.blocks))
	for k := range m.blocks {
		if c, err := cid.Cast([]byte(k)); err == nil {
			keys = append(keys, c)
		}
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i].KeyString() < keys[j].KeyString() })
	return keys
}

// Overlay reads from Top, then from Base, and writes to Top: a way to add a bundle of actors, or a scratch
// copy, to a store without changing it. It is as safe for goroutines as its parts.
type Overlay struct {
	Top, Base Blockstore
}

// Has reports whether either has the block.
func (o *Overlay) Has(ctx context.Context, c cid.Cid) (bool, error) {
	if ok, err := o.Top.Has(ctx, c); ok || err != nil {
		return ok, err
	}
	return o.Base.Has(ctx, c)
}

// Get returns the block from either.
func (o *Overlay) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := o.Top.Get(ctx, c)
	if err != nil && format.IsNotFound(err) {
		return o.Base.Get(ctx, c)
	}
	return b, err
}

// Put writes to Top.
func (o *Overlay) Put(ctx context.Context, b blocks.Block) error { return o.Top.Put(ctx, b) }

// PutMany writes to Top.
func (o *Overlay) PutMany(ctx context.Context, bs []blocks.Block) error {
	return o.Top.PutMany(ctx, bs)
}
