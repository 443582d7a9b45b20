package remote

import (
	"context"
	"os"
	"sync"
	"sync/atomic"

	blocks "github.com/ipfs/go-block-format"

	"github.com/edgefvm/fvm/blockstore"
)

// Memories are disks in memory that outlive who opened them, as folders do: for tests. The zero value is ready.
type Memories struct {
	mu   sync.Mutex
	dirs map[string]*memory
}

type memory struct {
	*blockstore.Memory
	size atomic.Int64
}

func (m *memory) PutMany(ctx context.Context, list []blocks.Block) error {
	for _, b := range list {
		if ok, err := m.Has(ctx, b.Cid()); err == nil && !ok {
			m.size.Add(int64(len(b.RawData())))
		}
	}
	return m.Memory.PutMany(ctx, list)
}

func (m *memory) Put(ctx context.Context, b blocks.Block) error {
	return m.PutMany(ctx, []blocks.Block{b})
}

func (m *memory) Size() uint64 { return uint64(m.size.Load()) }

func (m *memory) Close() error { return nil }

// Open is for OpenCache. The folder is made, and stays empty.
func (d *Memories) Open(dir string) (Disk, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dirs == nil {
		d.dirs = map[string]*memory{}
	}
	if d.dirs[dir] == nil {
		d.dirs[dir] = &memory{Memory: blockstore.NewMemory()}
	}
	return d.dirs[dir], nil
}

// All are the disks that were opened.
func (d *Memories) All() (list []*blockstore.Memory) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.dirs {
		list = append(list, m.Memory)
	}
	return list
}
