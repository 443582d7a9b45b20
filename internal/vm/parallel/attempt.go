package parallel

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/trace"
)

// maxDepth is how many forks may stand on one another: each is asked in turn for what it may know.
const maxDepth = 16

// attempt is a message that ran ahead on a fork.
type attempt struct {
	on     *attempt // whose fork it stands on; nil: the true state
	depth  int      // of forks that it stands on
	fork   *machine.Machine
	result *executor.Result // nil: the message is to run in its turn
	events trace.Events
	missed atomic.Bool // a block was not there
	mu     sync.Mutex  // of reading what the fork left behind: several may stand on it
	// broken: it was thrown away, and with it all that stand on it.
	broken bool
}

// doomed reports that what the attempt stands on was thrown away.
func (a *attempt) doomed() bool {
	for ; a != nil; a = a.on {
		if a.broken {
			return true
		}
	}
	return false
}

// standsOn reports that the attempt is b or stands on it.
func (a *attempt) standsOn(b *attempt) bool {
	for ; a != nil; a = a.on {
		if a == b {
			return true
		}
	}
	return false
}

// try runs a message on the fork of another, or on the true state if that is nil.
func (p *Pool) try(ctx context.Context, s *Step, true *truth, on *attempt) (a *attempt) {
	a = &attempt{on: on}
	if on != nil {
		a.depth = on.depth + 1
	}
	defer func() {
		if recover() != nil {
			a.result = nil // in its turn it panics again, or it was a guess that cannot be
		}
	}()
	var rec trace.Recorder
	var hooks *trace.Hooks
	if p.Machine.Hooks != nil {
		hooks = rec.Hooks()
	}
	var below state.Below = true
	var store blockstore.Blockstore = true
	if on != nil {
		below, store = on, on.fork.Store
	}
	a.fork = p.Machine.Fork(below, &watched{store, &a.missed}, hooks)
	r, err := p.execute(ctx, a.fork, s)
	if err == nil && !a.missed.Load() {
		a.result, a.events = r, rec.Take()
	}
	return a
}

// Actor is an actor as the attempt left it.
func (a *attempt) Actor(ctx context.Context, id abi.ActorID) (*state.ActorState, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fork.Tree.After().Actor(ctx, id)
}

// LookupID is an address's actor as the attempt left it.
func (a *attempt) LookupID(ctx context.Context, who address.Address) (abi.ActorID, bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fork.Tree.After().LookupID(ctx, who)
}

// truth is the machine's state for several goroutines. All of it is read under a lock: reading fills the tree's caches.
type truth struct {
	tree  *state.Tree
	store *blockstore.Buffered

	mu sync.Mutex // of tree, and of what writes to store
	// Of store, for those that only read blocks.
	blocks sync.RWMutex
}

// alone runs fn, which may change the state.
func (t *truth) alone(fn func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.blocks.Lock()
	defer t.blocks.Unlock()
	return fn()
}

func (t *truth) Actor(ctx context.Context, id abi.ActorID) (*state.ActorState, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tree.Actor(ctx, id)
}

func (t *truth) LookupID(ctx context.Context, a address.Address) (abi.ActorID, bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tree.LookupID(ctx, a)
}

func (t *truth) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	t.blocks.RLock()
	data, ok := t.store.Kept(c)
	t.blocks.RUnlock()
	if ok {
		return blocks.NewBlockWithCid(data, c)
	}
	return t.store.Base().Get(ctx, c)
}

func (t *truth) Has(ctx context.Context, c cid.Cid) (bool, error) {
	t.blocks.RLock()
	_, ok := t.store.Kept(c)
	t.blocks.RUnlock()
	if ok {
		return true, nil
	}
	return t.store.Base().Has(ctx, c)
}

func (t *truth) Put(context.Context, blocks.Block) error { panic("a fork wrote below itself") }

func (t *truth) PutMany(context.Context, []blocks.Block) error { panic("a fork wrote below itself") }

// watched notes that a block could not be read.
type watched struct {
	blockstore.Blockstore
	missed *atomic.Bool
}

func (w *watched) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := w.Blockstore.Get(ctx, c)
	if err != nil {
		w.missed.Store(true)
	}
	return b, err
}
