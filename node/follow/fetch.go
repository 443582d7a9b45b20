package follow

import (
	"context"
	"errors"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/node/remote"
)

// Disk is a blockstore in a folder of its own, such as package pebble's.
type Disk = remote.Disk

// MinCache is the least bound of the cache, in bytes.
const MinCache = remote.MinCache

// fetcher is the node's blocks, and what is fetched ahead of them.
type fetcher struct {
	*remote.Fetcher
	lazy bool // nothing is fetched ahead: for comparisons
}

// sink is where the states of tipsets that passed go. It is not read: the fetcher finds in the cache what is there.
type sink struct{ cache *remote.Cache }

func (s sink) Has(context.Context, cid.Cid) (bool, error) { return false, nil }
func (s sink) Get(_ context.Context, c cid.Cid) (blocks.Block, error) {
	return nil, format.ErrNotFound{Cid: c}
}
func (s sink) Put(ctx context.Context, b blocks.Block) error { return s.cache.Put(ctx, b) }
func (s sink) PutMany(ctx context.Context, list []blocks.Block) error {
	return s.cache.PutMany(ctx, list)
}

// noting reads from the fetcher, and notes what the node failed at: a machine may put it in words of its own.
type noting struct {
	*fetcher
	failed *failed
}

func (n noting) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := n.fetcher.Get(ctx, c)
	if errors.Is(err, errNode) {
		n.failed.note(err)
	}
	return b, err
}

func (n noting) Has(ctx context.Context, c cid.Cid) (bool, error) {
	ok, err := n.fetcher.Has(ctx, c)
	switch {
	case errors.Is(err, errNode):
		n.failed.note(err)
	case !ok && err == nil:
		n.failed.note(gone(c))
	}
	return ok, err
}
