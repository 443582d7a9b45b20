package remote

import (
	"cmp"
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

// Options say how blocks are fetched. Cache is required.
type Options struct {
	// Node is asked. Default: nobody is, and what the cache lacks is ErrOffline.
	Node  *lotusrpc.Client
	Cache *Cache
	// Tries is how often a block is asked for before the error is told. Default: 7, which with the pauses between takes half a minute.
	Tries int
}

// Fetcher is a blockstore of all that a node has: what the cache lacks is asked for, once at a time each, and kept. It is safe for
// concurrent use. Writing to it is an error.
//
// A block that cannot be had is never a block that is not there: to a machine that would be an answer of the chain.
type Fetcher struct {
	o   Options
	ctx context.Context // a request goes on when one of those who wait for it has gone

	mu     sync.Mutex
	flying map[string]*flight
	going  sync.WaitGroup // of what goes on when nobody waits for it

	fetched, bytes, lies, found atomic.Int64
}

type flight struct {
	done chan struct{}
	b    blocks.Block
	err  error
}

// New makes a fetcher. Start must be called before the first Get.
func New(o Options) *Fetcher {
	o.Tries = cmp.Or(max(o.Tries, 0), 7)
	return &Fetcher{o: o, flying: map[string]*flight{}}
}

// Start sets the context that requests live by, whoever waits for them. After its end no more are made.
func (f *Fetcher) Start(ctx context.Context) { f.ctx = ctx }

// SetTries changes Options.Tries, before the first Get.
func (f *Fetcher) SetTries(n int) { f.o.Tries = n }

// Wait returns when no request is at work. Start's context should have ended, and the disk be closed after it.
func (f *Fetcher) Wait() { f.going.Wait() }

// Go runs something that outlives its caller, and that Wait waits for.
func (f *Fetcher) Go(do func(ctx context.Context)) { f.going.Go(func() { do(f.ctx) }) }

// Stats counts what was done since New.
type Stats struct {
	Fetched, Bytes int64 // blocks of the node, and their bytes
	Found          int64 // reads that the cache answered
	Lies           int64 // blocks of other hashes than were asked for
}

// Stats are those of now.
func (f *Fetcher) Stats() Stats {
	return Stats{Fetched: f.fetched.Load(), Bytes: f.bytes.Load(), Found: f.found.Load(), Lies: f.lies.Load()}
}

// Kept is a block of the cache, and nothing else: an error that format.IsNotFound knows says that it would have to be fetched.
func (f *Fetcher) Kept(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := f.o.Cache.Get(ctx, c)
	if err == nil {
		f.found.Add(1)
	}
	return b, err
}

// Get is a block of the cache or the node's.
func (f *Fetcher) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	p, ok := cbor.Split(c)
	if !ok {
		return nil, fmt.Errorf("%q is no CID", c.KeyString())
	}
	if p.Hash == cbor.HashIdentity {
		return blocks.NewBlockWithCid([]byte(p.Digest), c)
	}
	b, err := f.Kept(ctx, c)
	if err == nil || !format.IsNotFound(err) {
		return b, err
	}
	if f.o.Node == nil {
		return nil, fmt.Errorf("%w: block %s: %w", ErrNode, c, ErrOffline)
	}
	if b, err = f.wait(ctx, c); err != nil {
		return nil, err
	}
	return blocks.NewBlockWithCid(b.RawData(), c) // whoever asked first may have had another codec
}

// wait joins whoever asks for the block already, or asks.
func (f *Fetcher) wait(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	f.mu.Lock()
	fl := f.flying[key(c)]
	if fl == nil {
		// It may have come between the look into the cache and this one.
		if b, err := f.o.Cache.Get(ctx, c); err == nil {
			f.mu.Unlock()
			f.found.Add(1)
			return b, nil
		}
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
func (f *Fetcher) ask(c cid.Cid) (blocks.Block, error) {
	pause := Backoff{First: 100 * time.Millisecond, Most: 10 * time.Second}
	var last error
	for i := range f.o.Tries {
		if i > 0 {
			if err := pause.Wait(f.ctx); err != nil {
				return nil, err
			}
		}
		data, err := f.o.Node.ChainReadObj(f.ctx, c)
		if err == nil {
			f.fetched.Add(1)
			f.bytes.Add(int64(len(data)))
			b, err := blocks.NewBlockWithCid(data, c)
			if err != nil {
				return nil, err
			}
			return b, f.o.Cache.Put(f.ctx, b)
		}
		last = err
		if errors.Is(err, lotusrpc.ErrHash) {
			f.lies.Add(1)
		}
		if Hopeless(err) {
			break
		}
		var said *lotusrpc.NodeError
		if errors.As(err, &said) {
			if ok, herr := f.o.Node.ChainHasObj(f.ctx, c); herr == nil && !ok {
				return nil, Gone(c)
			}
		}
	}
	return nil, fmt.Errorf("%w: %w", ErrNode, last)
}

// Has tells whether there is a block: it is fetched, as who asks wants it next.
func (f *Fetcher) Has(ctx context.Context, c cid.Cid) (bool, error) {
	if _, err := f.Get(ctx, c); err != nil {
		if errors.Is(err, ErrGone) {
			return false, nil
		}
		return false, err
	}
	return true, nil
}

// Put is an error.
func (f *Fetcher) Put(context.Context, blocks.Block) error { return errReadOnly }

// PutMany is an error.
func (f *Fetcher) PutMany(context.Context, []blocks.Block) error { return errReadOnly }

var errReadOnly = errors.New("the node's blocks are only read")
