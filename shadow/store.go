package shadow

import (
	"context"
	"sync"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
)

// shared is the user's blockstore as all engines read it: each block is asked for once a message, and what came, be it
// an error, is what everyone gets. It also keeps the engines' goroutines apart, which the blockstore need not bear.
type shared struct {
	base blockstore.Blockstore

	mu   sync.Mutex
	got  map[cid.Cid]read
	asks map[cid.Cid]has
}

type read struct {
	block blocks.Block
	err   error
}

type has struct {
	is  bool
	err error
}

func newShared(base blockstore.Blockstore) *shared {
	s := &shared{base: base}
	s.forget()
	return s
}

// forget drops what was read. The engines keep in step, so that none reads a block again that the others have read
// in a message before.
func (s *shared) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got, s.asks = map[cid.Cid]read{}, map[cid.Cid]has{}
}

func (s *shared) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.got[c]
	if !ok {
		r.block, r.err = s.base.Get(ctx, c)
		s.got[c] = r
	}
	return r.block, r.err
}

func (s *shared) Has(ctx context.Context, c cid.Cid) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.got[c]; ok && r.err == nil {
		return true, nil
	}
	h, ok := s.asks[c]
	if !ok {
		h.is, h.err = s.base.Has(ctx, c)
		s.asks[c] = h
	}
	return h.is, h.err
}

// Put and PutMany write to the user's blockstore. Only commit comes here: what machines write stays in their views.
func (s *shared) Put(ctx context.Context, b blocks.Block) error {
	return s.PutMany(ctx, []blocks.Block{b})
}

func (s *shared) PutMany(ctx context.Context, bs []blocks.Block) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.base.PutMany(ctx, bs)
}

// view is the blockstore of one engine: its own writes over what is shared. What a machine has flushed into it goes to the user's
// blockstore by the same rules.
type view struct {
	*blockstore.Buffered
	under *shared
	rules blockstore.FlushRules
}

func newView(under *shared, rules blockstore.FlushRules) *view {
	v := &view{under: under, rules: rules}
	v.clear()
	return v
}

// clear drops what was written.
func (v *view) clear() {
	v.Buffered = blockstore.NewBuffered(v.under)
	v.SetFlushRules(v.rules)
}

// commit writes to the user's blockstore what root reaches, or everything for an undefined one.
func (v *view) commit(ctx context.Context, root cid.Cid) error {
	if !root.Defined() {
		return v.FlushAll(ctx)
	}
	return v.Flush(ctx, root)
}

// witness notes the blocks that are read through it.
type witness struct {
	blockstore.Blockstore
	read map[cid.Cid]blocks.Block
}

func (w *witness) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := w.Blockstore.Get(ctx, c)
	if err == nil {
		w.read[c] = b
	}
	return b, err
}
