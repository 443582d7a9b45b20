package blockstore

import (
	"context"
	"fmt"
	"maps"
	"sort"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
)

// A flush writes batches of at most so many blocks and about so many bytes, so that a base store on disk can
// take each as one transaction.
const (
	batchBlocks = 4096
	batchBytes  = 16 << 20
)

// Buffered is a Blockstore that keeps what is written in memory until a flush, which writes to its base only
// what the new root reaches. It belongs to one goroutine at a time. It keeps the bytes it is given and hands out
// the same, so they must not be changed.
type Buffered struct {
	base  Blockstore
	buf   map[string][]byte // by the bytes of the CID
	rules FlushRules
}

// NewBuffered makes an empty buffer above base, with the flush rules of network versions 18 and later.
func NewBuffered(base Blockstore) *Buffered {
	return &Buffered{base: base, buf: map[string][]byte{}}
}

// SetFlushRules sets what a flush refuses.
func (b *Buffered) SetFlushRules(r FlushRules) { b.rules = r }

// Len is the number of blocks in the buffer.
func (b *Buffered) Len() int { return len(b.buf) }

// GetRaw returns the bytes of a block from the buffer or else the base store. The error is the base store's:
// IsNotFound is true of it if neither has the block. Once ctx is done the base store is not asked, and the error is ctx's.
func (b *Buffered) GetRaw(ctx context.Context, c cid.Cid) ([]byte, error) {
	if data, ok := b.buf[c.KeyString()]; ok {
		return data, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	blk, err := b.base.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	return blk.RawData(), nil
}

// Kept is a block in the buffer, without a look at the base store.
func (b *Buffered) Kept(c cid.Cid) (data []byte, ok bool) {
	data, ok = b.buf[c.KeyString()]
	return data, ok
}

// Base is the store below the buffer.
func (b *Buffered) Base() Blockstore { return b.base }

// PutRaw keeps a block in the buffer. That data hashes to c is for the caller to see to.
func (b *Buffered) PutRaw(c cid.Cid, data []byte) { b.buf[c.KeyString()] = data }

// Absorb adds the blocks in the buffer of from, which stands on b and is not used any more.
func (b *Buffered) Absorb(from *Buffered) { maps.Copy(b.buf, from.buf) }

// Has reports whether the buffer or the base store has the block.
func (b *Buffered) Has(ctx context.Context, c cid.Cid) (bool, error) {
	if _, ok := b.buf[c.KeyString()]; ok {
		return true, nil
	}
	return b.base.Has(ctx, c)
}

// Get returns a block from the buffer or else the base store.
func (b *Buffered) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if data, ok := b.buf[c.KeyString()]; ok {
		return blocks.NewBlockWithCid(data, c)
	}
	return b.base.Get(ctx, c)
}

// Put keeps a block in the buffer.
func (b *Buffered) Put(_ context.Context, blk blocks.Block) error {
	b.PutRaw(blk.Cid(), blk.RawData())
	return nil
}

// PutMany keeps blocks in the buffer.
func (b *Buffered) PutMany(_ context.Context, bs []blocks.Block) error {
	for _, blk := range bs {
		b.PutRaw(blk.Cid(), blk.RawData())
	}
	return nil
}

// Flush writes the blocks that root reaches to the base store, children before parents, and drops them from
// the buffer. It stops at blocks that the buffer does not have: the base store has them and all below, or
// nobody has. Blocks that root does not reach stay in the buffer.
//
// An error wraps ErrFlush if a block is to blame, and is otherwise ctx's, once that is done, or the base store's. The buffer is
// then as it was, and what has been written to the base store is whole subtrees without the root.
func (b *Buffered) Flush(ctx context.Context, root cid.Cid) error {
	w := walk{buf: b.buf, rules: &b.rules, seen: map[string]bool{}}
	if err := w.from(ctx, root); err != nil {
		return err
	}
	return b.write(ctx, w.order)
}

// FlushAll writes all blocks of the buffer, in the order of their CIDs' bytes, and empties it.
func (b *Buffered) FlushAll(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err // before the sorting
	}
	keys := make([]string, 0, len(b.buf))
	for k := range b.buf {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return b.write(ctx, keys)
}

// write moves blocks to the base store.
func (b *Buffered) write(ctx context.Context, keys []string) error {
	batch := make([]blocks.Block, 0, min(len(keys), batchBlocks))
	size := 0
	for i, k := range keys {
		c, err := castCID(k)
		if err != nil {
			return err
		}
		blk, err := blocks.NewBlockWithCid(b.buf[k], c)
		if err != nil {
			return fmt.Errorf("writing block %s: %w", c, err)
		}
		batch = append(batch, blk)
		size += len(b.buf[k])
		if len(batch) < batchBlocks && size < batchBytes && i < len(keys)-1 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := b.base.PutMany(ctx, batch); err != nil {
			return fmt.Errorf("writing %d blocks to the base store: %w", len(batch), err)
		}
		// The base store may keep the slice.
		batch, size = make([]blocks.Block, 0, min(len(keys)-i-1, batchBlocks)), 0
	}
	for _, k := range keys {
		delete(b.buf, k)
	}
	return nil
}
