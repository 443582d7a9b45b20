package chain

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/crypto"
)

// ErrHash is wrapped by errors about a block whose bytes are not those of its CID.
var ErrHash = errors.New("a block's bytes do not have its hash")

// keptTipsets is how many tipsets a store remembers, at least; twice as many at most. A tipset is about 10 kB.
const keptTipsets = 2048

// Store reads a chain's objects from a blockstore and remembers tipsets. It is safe for concurrent use if the blockstore is.
type Store struct {
	blocks blockstore.Blockstore

	mu         sync.Mutex
	young, old map[Key]*Tipset // what was asked for lately, and before that
}

// NewStore makes a store.
func NewStore(blocks blockstore.Blockstore) *Store {
	return &Store{blocks: blocks, young: map[Key]*Tipset{}}
}

// Blocks is where the store reads.
func (s *Store) Blocks() blockstore.Blockstore { return s.blocks }

// raw reads a block and checks its hash.
func (s *Store) raw(ctx context.Context, c cid.Cid) ([]byte, error) {
	blk, err := s.blocks.Get(ctx, c)
	if ipld.IsNotFound(err) {
		return nil, fmt.Errorf("block %s is missing: %w", c, err)
	}
	if err != nil {
		return nil, fmt.Errorf("block %s: %w", c, err)
	}
	data := blk.RawData()
	p, ok := cbor.Split(c)
	if !ok || p.Hash != cbor.HashBlake2b256 || p.Codec != cbor.CodecDagCBOR {
		return nil, fmt.Errorf("%w: %s is not the CID of an object of a chain", ErrMalformed, c)
	}
	if digest := crypto.Blake2b256(data); p.Digest != string(digest[:]) {
		return nil, fmt.Errorf("%w: %s", ErrHash, c)
	}
	return data, nil
}

// Header reads a block's header.
func (s *Store) Header(ctx context.Context, c cid.Cid) (*Header, error) {
	data, err := s.raw(ctx, c)
	if err != nil {
		return nil, err
	}
	h, err := DecodeHeader(data)
	if err != nil {
		return nil, fmt.Errorf("block %s: %w", c, err)
	}
	return h, nil
}

// Tipset reads the tipset of blocks, in whatever order they are given.
func (s *Store) Tipset(ctx context.Context, blocks ...cid.Cid) (*Tipset, error) {
	key := NewKey(blocks...)
	if t := s.remembered(key); t != nil {
		return t, nil
	}
	headers := make([]*Header, len(blocks))
	for i, c := range blocks {
		h, err := s.Header(ctx, c)
		if err != nil {
			return nil, err
		}
		headers[i] = h
	}
	t, err := NewTipset(headers)
	if err != nil {
		return nil, err
	}
	s.remember(key, t)
	return t, nil
}

// Parent reads the parent tipset. A genesis has none.
func (s *Store) Parent(ctx context.Context, t *Tipset) (*Tipset, error) {
	if t.Height() == 0 {
		return nil, fmt.Errorf("%w: a genesis has no parent", ErrTipset)
	}
	p, err := s.Tipset(ctx, t.Blocks[0].Parents...)
	if err != nil {
		return nil, fmt.Errorf("the parent of the tipset at epoch %d: %w", t.Height(), err)
	}
	if p.Height() >= t.Height() {
		return nil, fmt.Errorf("%w: the parent of the tipset at epoch %d is at epoch %d", ErrTipset, t.Height(), p.Height())
	}
	return p, nil
}

func (s *Store) remembered(key Key) *Tipset {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.young[key]
	if t == nil {
		if t = s.old[key]; t != nil {
			s.put(key, t)
		}
	}
	return t
}

func (s *Store) remember(key Key, t *Tipset) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(key, t)
}

func (s *Store) put(key Key, t *Tipset) {
	if len(s.young) >= keptTipsets {
		s.young, s.old = map[Key]*Tipset{}, s.young
	}
	s.young[key] = t
}
