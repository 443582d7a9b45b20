// Package pebble is a blockstore on disk: a pebble database, whose writes are on
// the disk when they return. A module of its own, so that whoever imports the
// machine does not inherit the database.
//
//	store, err := pebble.Open("state")
//	defer store.Close()
//	m, err := fvm.New(ctx, fvm.Config{Blockstore: store, ...})
//
// A process that is killed leaves the blocks of every Flush that returned: the
// test kills one.
package pebble

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/blockstore"
)

// Store is a blockstore in a folder. Safe for concurrent use; one process at a time.
type Store struct{ db *pebble.DB }

var _ blockstore.Blockstore = (*Store)(nil)

// Open opens the store in a folder, or makes it. It recovers from a process that was killed.
func Open(dir string) (*Store, error) {
	db, err := pebble.Open(dir, &pebble.Options{Logger: quiet{}})
	if err != nil {
		return nil, failed(dir, err)
	}
	return &Store{db}, nil
}

// OpenReadOnly opens the store in a folder, which must be there, to read from it alone. Nothing in the folder changes; writing is
// an error.
func OpenReadOnly(dir string) (*Store, error) {
	db, err := pebble.Open(dir, &pebble.Options{Logger: quiet{}, ReadOnly: true, ErrorIfNotExists: true})
	if err != nil {
		return nil, failed(dir, err)
	}
	return &Store{db}, nil
}

// failed says why a store could not be opened. A lock that another process holds is told apart: the system says no more than that
// something is not there for now.
func failed(dir string, err error) error {
	if errors.Is(err, syscall.EAGAIN) {
		return fmt.Errorf("the store in %s: another process has it open, or one that was killed has not ended yet: %w", dir, err)
	}
	return fmt.Errorf("the store in %s: %w", dir, err)
}

// Close closes it. No call may be running.
func (s *Store) Close() error { return s.db.Close() }

// Size is how many bytes the store takes on disk, those of blocks that are not in their last place yet included.
func (s *Store) Size() uint64 { return s.db.Metrics().DiskSpaceUsage() }

// key leaves out version and codec, as nodes do: a block is its hash.
func key(c cid.Cid) []byte { return c.Hash() }

// Has tells whether the block is there.
func (s *Store) Has(_ context.Context, c cid.Cid) (bool, error) {
	_, done, err := s.db.Get(key(c))
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading %s: %w", c, err)
	}
	return true, done.Close()
}

// Get reads a block.
func (s *Store) Get(_ context.Context, c cid.Cid) (blocks.Block, error) {
	value, done, err := s.db.Get(key(c))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, format.ErrNotFound{Cid: c}
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", c, err)
	}
	data := append([]byte(nil), value...)
	if err := done.Close(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", c, err)
	}
	return blocks.NewBlockWithCid(data, c)
}

// Put writes a block.
func (s *Store) Put(ctx context.Context, b blocks.Block) error {
	return s.PutMany(ctx, []blocks.Block{b})
}

// PutMany writes blocks, all of them or none.
func (s *Store) PutMany(_ context.Context, list []blocks.Block) error {
	batch := s.db.NewBatch()
	defer batch.Close()
	for _, b := range list {
		if err := batch.Set(key(b.Cid()), b.RawData(), nil); err != nil {
			return fmt.Errorf("writing %s: %w", b.Cid(), err)
		}
	}
	if err := batch.Commit(pebble.Sync); err != nil {
		return fmt.Errorf("writing %d blocks: %w", len(list), err)
	}
	return nil
}

// quiet keeps pebble's words to itself; what matters comes as errors.
type quiet struct{}

func (quiet) Infof(string, ...any)      {}
func (quiet) Errorf(string, ...any)     {}
func (quiet) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
