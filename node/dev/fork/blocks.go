package fork

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/remote"
)

var errReadOnly = errors.New("a chain that is forked is only read")

// codes are blocks of which the actors' code need not be fetched: it is in the bundles.
type codes struct {
	code  atomic.Pointer[blockstore.Blockstore]
	below blockstore.Blockstore
}

// open finds the actors of an epoch. Those of a network that no bundle is of are fetched from the chain.
func (c *codes) open(ctx context.Context, set *bundle.Set, n *network.Network, epoch abi.ChainEpoch) error {
	version, of, err := n.Bundle(n.VersionAt(epoch))
	if err != nil {
		return fmt.Errorf("%w: the actors of epoch %d: %w", ErrFork, epoch, err)
	}
	if set == nil {
		return nil
	}
	if store, err := set.Store(ctx, version, of); err == nil {
		c.code.Store(&store)
	}
	return nil
}

func (c *codes) known(ctx context.Context, id cid.Cid) blocks.Block {
	store := c.code.Load()
	if store == nil {
		return nil
	}
	if p, ok := cbor.Split(id); !ok || p.Codec != cbor.CodecRaw {
		return nil
	}
	b, err := (*store).Get(ctx, id)
	if err != nil {
		return nil
	}
	return b
}

func (c *codes) Get(ctx context.Context, id cid.Cid) (blocks.Block, error) {
	if b := c.known(ctx, id); b != nil {
		return b, nil
	}
	return c.below.Get(ctx, id)
}

func (c *codes) Has(ctx context.Context, id cid.Cid) (bool, error) {
	if c.known(ctx, id) != nil {
		return true, nil
	}
	return c.below.Has(ctx, id)
}

func (c *codes) Put(context.Context, blocks.Block) error       { return errReadOnly }
func (c *codes) PutMany(context.Context, []blocks.Block) error { return errReadOnly }

// readOnly is a store that nothing is written to by the way.
type readOnly struct{ blockstore.Blockstore }

func (readOnly) Put(context.Context, blocks.Block) error       { return errReadOnly }
func (readOnly) PutMany(context.Context, []blocks.Block) error { return errReadOnly }

// certain makes a block that an archive lacks an error of the reader: to a machine "not found" would be an answer of the chain.
type certain struct {
	blockstore.Blockstore
	name string
}

func (c certain) Get(ctx context.Context, id cid.Cid) (blocks.Block, error) {
	b, err := c.Blockstore.Get(ctx, id)
	if format.IsNotFound(err) {
		return nil, fmt.Errorf("block %s is not in %s", id, c.name)
	}
	return b, err
}

// ahead reads headers, and when one comes from the node has the headers of its parents fetched too, all at a time: whoever walks down a
// chain wants them next.
type ahead struct{ *remote.Fetcher }

func (a ahead) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if b, err := a.Kept(ctx, c); err == nil {
		return b, nil
	}
	b, err := a.Fetcher.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	if h, err := chain.DecodeHeader(b.RawData()); err == nil && len(h.Parents) <= 64 {
		for _, p := range h.Parents {
			a.Go(func(ctx context.Context) { _, _ = a.Fetcher.Get(ctx, p) })
		}
	}
	return b, nil
}
