package follow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/lotusrpc"
)

// fetcher is a blockstore of all that the node has: what the cache lacks is asked for, once at a time each, and kept. It is safe for
// concurrent use.
//
// A block that cannot be had is never a block that is not there: to a machine that would be an answer of the chain.
type fetcher struct {
	ctx   context.Context // the run's: a request goes on when one of those who wait for it has gone
	node  *lotusrpc.Client
	cache *Cache
	tries int
	lazy  bool // nothing is fetched ahead: for comparisons

	mu     sync.Mutex
	flying map[string]*flight
	going  sync.WaitGroup // of what goes on when nobody waits for it

	fetched, bytes, lies, found atomic.Int64 // blocks from the node, their bytes, blocks of other hashes, blocks of the cache
}

type flight struct {
	done chan struct{}
	b    blocks.Block
	err  error
}

// defaultTries is how often a block is asked for before a tipset is given up for now: with the pauses between, half a minute.
const defaultTries = 7

// Get is a block of the cache or the node's.
func (f *fetcher) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	p, ok := cbor.Split(c)
	if !ok {
		return nil, fmt.Errorf("%q is no CID", c.KeyString())
	}
	if p.Hash == cbor.HashIdentity {
		return blocks.NewBlockWithCid([]byte(p.Digest), c)
	}
	b, err := f.cache.Get(ctx, c)
	if err == nil {
		f.found.Add(1)
		return b, nil
	}
	if !format.IsNotFound(err) {
		return nil, err
	}
	if b, err = f.wait(ctx, c); err != nil {
		return nil, err
	}
	return blocks.NewBlockWithCid(b.RawData(), c) // whoever asked first may have had another codec
}

// wait joins whoever asks for the block already, or asks.
func (f *fetcher) wait(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	f.mu.Lock()
	fl := f.flying[key(c)]
	if fl == nil {
		fl = &flight{done: make(chan struct{})}
		f.flying[key(c)] = fl
		f.going.Go(func() {
			fl.b, fl.err = f.ask(c)
			f.mu.Lock()
			delete(f.flying, key(c))
			f.mu.Unlock()
			close(fl.done)
		})
	}
	f.mu.Unlock()
	select {
	case <-fl.done:
		return fl.b, fl.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ask asks the node for a block, a few times.
func (f *fetcher) ask(c cid.Cid) (blocks.Block, error) {
	pause := backoff{first: 100 * time.Millisecond, most: 10 * time.Second}
	var last error
	for i := range f.tries {
		if i > 0 {
			if err := pause.wait(f.ctx); err != nil {
				return nil, err
			}
		}
		data, err := f.node.ChainReadObj(f.ctx, c)
		if err == nil {
			f.fetched.Add(1)
			f.bytes.Add(int64(len(data)))
			b, err := blocks.NewBlockWithCid(data, c)
			if err != nil {
				return nil, err
			}
			return b, f.cache.Put(f.ctx, b)
		}
		last = err
		if errors.Is(err, lotusrpc.ErrHash) {
			f.lies.Add(1)
		}
		if hopeless(err) {
			break
		}
		var said *lotusrpc.NodeError
		if errors.As(err, &said) {
			if ok, herr := f.node.ChainHasObj(f.ctx, c); herr == nil && !ok {
				return nil, gone(c)
			}
		}
	}
	return nil, fmt.Errorf("%w: %w", errNode, last)
}

// Has tells whether there is a block: it is fetched, as who asks wants it next.
func (f *fetcher) Has(ctx context.Context, c cid.Cid) (bool, error) {
	if _, err := f.Get(ctx, c); err != nil {
		if errors.Is(err, errGone) {
			return false, nil
		}
		return false, err
	}
	return true, nil
}

func (f *fetcher) Put(context.Context, blocks.Block) error       { return errReadOnly }
func (f *fetcher) PutMany(context.Context, []blocks.Block) error { return errReadOnly }

var errReadOnly = errors.New("the node's blocks are only read")

// sink is where the states of tipsets that passed go. It is not read: the fetcher finds in the cache what is there.
type sink struct{ cache *Cache }

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
