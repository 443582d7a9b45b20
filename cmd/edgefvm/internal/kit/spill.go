package kit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/blockstore/pebble"
)

// Kept is a store for what a replay makes.
type Kept interface {
	blockstore.Blockstore
	Close() error
}

// OpenStore opens what a replay keeps in the folder of --store, to go on from. Without one it is kept in memory, and in a
// temporary folder when it is much. The caller closes it.
func OpenStore(folder string) (Kept, error) {
	if folder == "" {
		return newSpill(spillBytes), nil
	}
	s, err := pebble.Open(filepath.Join(folder, "blocks"))
	if err != nil {
		return nil, fmt.Errorf("--store: %w", err)
	}
	return s, nil
}

// spill is a store for a replay that nobody wants to go on from: in memory while it is small, then in a temporary folder, a memory
// full at a time. It is safe for concurrent use.
type spill struct {
	most int64 // bytes in memory

	mu     sync.RWMutex
	memory *blockstore.Memory
	bytes  int64
	disk   *pebble.Store // nil until it is needed
	dir    string
}

const spillBytes = 128 << 20

func newSpill(most int64) *spill { return &spill{most: most, memory: blockstore.NewMemory()} }

// Has tells whether a block was put in.
func (s *spill) Has(ctx context.Context, c cid.Cid) (bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if ok, err := s.memory.Has(ctx, c); ok || err != nil || s.disk == nil {
		return ok, err
	}
	return s.disk.Has(ctx, c)
}

// Get is a block that was put in.
func (s *spill) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.memory.Get(ctx, c)
	if s.disk == nil || !format.IsNotFound(err) {
		return b, err
	}
	return s.disk.Get(ctx, c)
}

// Put takes a block.
func (s *spill) Put(ctx context.Context, b blocks.Block) error {
	return s.PutMany(ctx, []blocks.Block{b})
}

// PutMany takes blocks.
func (s *spill) PutMany(ctx context.Context, bs []blocks.Block) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.memory.PutMany(ctx, bs); err != nil {
		return err
	}
	for _, b := range bs {
		s.bytes += int64(len(b.RawData()))
	}
	if s.bytes < s.most {
		return nil
	}
	return s.empty(ctx)
}

// empty moves what is in memory to disk.
func (s *spill) empty(ctx context.Context) error {
	if s.disk == nil {
		dir, err := os.MkdirTemp("", "edgefvm-replay-")
		if err != nil {
			return err
		}
		s.dir = dir
		if s.disk, err = pebble.Open(dir); err != nil {
			return err
		}
	}
	var batch []blocks.Block
	size := 0
	for _, c := range s.memory.Keys() {
		b, err := s.memory.Get(ctx, c)
		if err != nil {
			return err
		}
		batch, size = append(batch, b), size+len(b.RawData())
		if size >= 16<<20 {
			if err := s.disk.PutMany(ctx, batch); err != nil {
				return err
			}
			batch, size = nil, 0
		}
	}
	if err := s.disk.PutMany(ctx, batch); err != nil {
		return err
	}
	s.memory, s.bytes = blockstore.NewMemory(), 0
	return nil
}

// Close removes the folder.
func (s *spill) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		return nil
	}
	var err error
	if s.disk != nil {
		err = s.disk.Close()
	}
	err = errors.Join(err, os.RemoveAll(s.dir))
	s.disk, s.dir = nil, ""
	return err
}
