package replay

import (
	"context"
	"sync"
	"sync/atomic"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/blockstore"
)

// layers are the states of a replay: what the tipset at hand makes lies in memory, above the store, above the archive. It comes into
// the store at once, when the tipset has passed: a store that has a tipset's state has all of it, and nothing that did not pass.
type layers struct {
	scratch        atomic.Pointer[blockstore.Memory]
	store, archive blockstore.Blockstore
	// code gives the actors that the first state runs on, for archives that leave them out.
	code func(context.Context) (blockstore.Blockstore, error)
}

func newLayers(store, archive blockstore.Blockstore) *layers {
	l := &layers{store: store, archive: archive}
	l.drop()
	return l
}

// drop forgets what the tipset at hand made.
func (l *layers) drop() { l.scratch.Store(blockstore.NewMemory()) }

// commit moves what the tipset at hand made into the store.
func (l *layers) commit(ctx context.Context) error {
	from := l.scratch.Load()
	keys := from.Keys()
	if len(keys) > 0 {
		batch := make([]blocks.Block, len(keys))
		for i, c := range keys {
			b, err := from.Get(ctx, c)
			if err != nil {
				return err
			}
			batch[i] = b
		}
		if err := l.store.PutMany(ctx, batch); err != nil {
			return err
		}
	}
	l.drop()
	return nil
}

// kept tells whether a block is below the tipset at hand.
func (l *layers) kept(ctx context.Context, c cid.Cid) (bool, error) {
	for _, s := range []blockstore.Blockstore{l.store, l.archive} {
		if ok, err := s.Has(ctx, c); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (l *layers) Has(ctx context.Context, c cid.Cid) (bool, error) {
	for _, s := range []blockstore.Blockstore{l.scratch.Load(), l.store, l.archive} {
		if ok, err := s.Has(ctx, c); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (l *layers) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if b, err := l.scratch.Load().Get(ctx, c); err == nil {
		return b, nil
	}
	if b, err := l.store.Get(ctx, c); err == nil || !format.IsNotFound(err) {
		return b, err
	}
	b, err := l.archive.Get(ctx, c)
	if err == nil || !format.IsNotFound(err) || c.Prefix().Codec != cid.Raw || l.code == nil {
		return b, err
	}
	code, cerr := l.code(ctx)
	if cerr != nil {
		return nil, err // that of the archive says what is missing
	}
	return code.Get(ctx, c)
}

func (l *layers) Put(ctx context.Context, b blocks.Block) error { return l.scratch.Load().Put(ctx, b) }

func (l *layers) PutMany(ctx context.Context, bs []blocks.Block) error {
	return l.scratch.Load().PutMany(ctx, bs)
}

// lasting writes to the store itself, many blocks at a time: migrations write more than belongs into memory, and a store on disk
// takes long for each write. It is safe for concurrent use. What is last must be written by flush.
type lasting struct {
	*layers
	mu      sync.Mutex
	pending map[string]blocks.Block
	bytes   int
}

const lastingBytes = 16 << 20

func newLasting(l *layers) *lasting { return &lasting{layers: l, pending: map[string]blocks.Block{}} }

func (l *lasting) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	l.mu.Lock()
	b, ok := l.pending[c.KeyString()]
	l.mu.Unlock()
	if ok {
		return b, nil
	}
	return l.layers.Get(ctx, c)
}

func (l *lasting) Has(ctx context.Context, c cid.Cid) (bool, error) {
	l.mu.Lock()
	_, ok := l.pending[c.KeyString()]
	l.mu.Unlock()
	if ok {
		return true, nil
	}
	return l.layers.Has(ctx, c)
}

func (l *lasting) Put(ctx context.Context, b blocks.Block) error {
	return l.PutMany(ctx, []blocks.Block{b})
}

func (l *lasting) PutMany(ctx context.Context, bs []blocks.Block) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range bs {
		l.pending[b.Cid().KeyString()] = b
		l.bytes += len(b.RawData())
	}
	if l.bytes < lastingBytes {
		return nil
	}
	return l.write(ctx)
}

// flush writes what was not yet.
func (l *lasting) flush(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.write(ctx)
}

func (l *lasting) write(ctx context.Context) error {
	if len(l.pending) == 0 {
		return nil
	}
	list := make([]blocks.Block, 0, len(l.pending))
	for _, b := range l.pending {
		list = append(list, b)
	}
	if err := l.store.PutMany(ctx, list); err != nil {
		return err
	}
	l.pending, l.bytes = map[string]blocks.Block{}, 0
	return nil
}
