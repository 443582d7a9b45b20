package remote

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/blockstore"
)

// Disk is a blockstore in a folder of its own, such as package pebble's.
type Disk interface {
	blockstore.Blockstore
	// Size is how many bytes it takes on disk.
	Size() uint64
	Close() error
}

// Cache keeps blocks on disk, within a bound. It has two generations: new blocks go to the young one; when that has half of the bound,
// it becomes the old one, and what was the old one is deleted. A block that is found in the old one is written to the young one again,
// so what is in use stays. Everything in it can be had from the node again, so nothing needs to know which state needs what.
//
// Writes are held back until Flush, which writes them at once. It is safe for concurrent use, by one process.
type Cache struct {
	dir  string
	open func(dir string) (Disk, error)
	half uint64

	mu         sync.RWMutex // held for writing while generations change
	young, old Disk
	number     int // of the young one
	oldNumber  int

	pendingMu sync.Mutex
	pending   map[string]blocks.Block
	bytes     int

	flushing sync.Mutex
	turns    uint64
}

const (
	// MinCache is the least bound of a Cache: the actors and what a tipset of mainnet touches take about a tenth of it.
	MinCache = 64 << 20
	// heldBack is how many bytes wait for Flush at most.
	heldBack = 32 << 20
	prefix   = "blocks-"
)

// OpenCache opens the cache in a folder, or makes it. open opens a generation, in a folder below; bound is in bytes, and is raised to
// MinCache.
func OpenCache(dir string, bound uint64, open func(dir string) (Disk, error)) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	c := &Cache{dir: dir, open: open, half: max(bound, MinCache) / 2, pending: map[string]blocks.Block{}}
	numbers, err := c.generations()
	if err != nil {
		return nil, err
	}
	// A process that was killed may have left more, or half of one: the highest two are whole.
	for len(numbers) > 2 {
		if err := os.RemoveAll(c.folder(numbers[0])); err != nil {
			return nil, fmt.Errorf("an old generation of the cache: %w", err)
		}
		numbers = numbers[1:]
	}
	c.number = 1
	if n := len(numbers); n > 0 {
		c.number = numbers[n-1]
	}
	if c.young, err = c.generation(c.number); err != nil {
		return nil, err
	}
	if len(numbers) == 2 {
		c.oldNumber = numbers[0]
		if c.old, err = c.generation(c.oldNumber); err != nil {
			return nil, errors.Join(err, c.young.Close())
		}
	}
	return c, nil
}

func (c *Cache) folder(n int) string { return filepath.Join(c.dir, fmt.Sprintf("%s%08d", prefix, n)) }

func (c *Cache) generation(n int) (Disk, error) {
	d, err := c.open(c.folder(n))
	if err != nil {
		return nil, fmt.Errorf("the cache of blocks: %w (whatever is in %s can be had from the node again: it may be deleted)", err, c.folder(n))
	}
	return d, nil
}

func (c *Cache) generations() (numbers []int, err error) {
	list, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if text, ok := strings.CutPrefix(e.Name(), prefix); ok && e.IsDir() {
			if n, err := strconv.Atoi(text); err == nil {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// Size is how many bytes it takes on disk, and Turns how often a generation was given up since it was opened.
func (c *Cache) Size() (bytes, turns uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	bytes = c.young.Size()
	if c.old != nil {
		bytes += c.old.Size()
	}
	return bytes, c.turns
}

// key is as package pebble's: a block is its hash.
func key(id cid.Cid) string { return string(id.Hash()) }

func (c *Cache) held(id cid.Cid) (blocks.Block, bool) {
	c.pendingMu.Lock()
	defer c.pendingMu.Unlock()
	b, ok := c.pending[key(id)]
	return b, ok
}

// Has tells whether a block is there.
func (c *Cache) Has(ctx context.Context, id cid.Cid) (bool, error) {
	if _, ok := c.held(id); ok {
		return true, nil
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	ok, err := c.young.Has(ctx, id)
	if ok || err != nil || c.old == nil {
		return ok, err
	}
	return c.old.Has(ctx, id)
}

// Get reads a block.
func (c *Cache) Get(ctx context.Context, id cid.Cid) (blocks.Block, error) {
	if b, ok := c.held(id); ok {
		return blocks.NewBlockWithCid(b.RawData(), id)
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	b, err := c.young.Get(ctx, id)
	if err == nil || c.old == nil || !format.IsNotFound(err) {
		return b, err
	}
	if b, err = c.old.Get(ctx, id); err == nil {
		c.hold(b) // it is in use, so it is young again
	}
	return b, err
}

func (c *Cache) hold(list ...blocks.Block) (full bool) {
	c.pendingMu.Lock()
	defer c.pendingMu.Unlock()
	for _, b := range list {
		if _, ok := c.pending[key(b.Cid())]; !ok {
			c.pending[key(b.Cid())] = b
			c.bytes += len(b.RawData())
		}
	}
	return c.bytes >= heldBack
}

// Put takes a block.
func (c *Cache) Put(ctx context.Context, b blocks.Block) error {
	return c.PutMany(ctx, []blocks.Block{b})
}

// PutMany takes blocks.
func (c *Cache) PutMany(ctx context.Context, list []blocks.Block) error {
	if c.hold(list...) {
		return c.Flush(ctx)
	}
	return nil
}

// Flush writes what was held back, and begins a new generation if it is time.
func (c *Cache) Flush(ctx context.Context) error {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	c.pendingMu.Lock()
	list := make([]blocks.Block, 0, len(c.pending))
	for _, b := range c.pending {
		list = append(list, b)
	}
	c.pendingMu.Unlock()
	if len(list) > 0 {
		if err := c.young.PutMany(ctx, list); err != nil { // only a flush changes which one is young
			return fmt.Errorf("the cache of blocks: %w", err)
		}
		c.pendingMu.Lock()
		for _, b := range list {
			delete(c.pending, key(b.Cid()))
			c.bytes -= len(b.RawData())
		}
		c.pendingMu.Unlock()
	}
	if c.young.Size() < c.half {
		return nil
	}
	return c.turn()
}

// turn begins a new generation.
func (c *Cache) turn() error {
	young, err := c.generation(c.number + 1)
	if err != nil {
		return err
	}
	c.mu.Lock()
	given, folder := c.old, c.folder(c.oldNumber)
	c.old, c.oldNumber, c.young, c.number, c.turns = c.young, c.number, young, c.number+1, c.turns+1
	c.mu.Unlock()
	if given == nil {
		return nil
	}
	if err := errors.Join(given.Close(), os.RemoveAll(folder)); err != nil {
		return fmt.Errorf("the old generation of the cache: %w", err)
	}
	return nil
}

// Close writes what was held back and closes the cache. No call may be running.
func (c *Cache) Close() error {
	err := c.Flush(context.Background())
	if c.old != nil {
		err = errors.Join(err, c.old.Close())
	}
	return errors.Join(err, c.young.Close())
}
