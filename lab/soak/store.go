package soak

import (
	"context"
	"sync/atomic"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/vector"
)

// failing opens machines whose stores fail after some reads.
func failing(opts conformance.Options, reads int64) func(context.Context, fvm.Config) (vector.Machine, error) {
	return func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
		store := &failingStore{Blockstore: cfg.Blockstore}
		store.left.Store(reads)
		cfg.Blockstore = store
		if opts.Open != nil {
			return opts.Open(ctx, cfg)
		}
		cfg.Engine = opts.Engine
		m, err := fvm.New(ctx, cfg)
		if err != nil {
			return nil, err // not a nil machine in an interface
		}
		return m, nil
	}
}

type failingStore struct {
	blockstore.Blockstore
	left atomic.Int64
}

func (s *failingStore) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if s.left.Add(-1) < 0 {
		return nil, errFault
	}
	return s.Blockstore.Get(ctx, c)
}
