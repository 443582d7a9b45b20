// Package blockstore is where the machine's blocks come from and go to.
//
// The interface is the one that the ecosystem's stores have (Lotus's and boxo's
// satisfy it as they are).
package blockstore

import (
	"context"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
)

// Blockstore holds content-addressed blocks. A block that is not there makes
// Get return an error for which go-ipld-format's IsNotFound is true.
type Blockstore interface {
	Has(ctx context.Context, c cid.Cid) (bool, error)
	Get(ctx context.Context, c cid.Cid) (blocks.Block, error)
	Put(ctx context.Context, b blocks.Block) error
	PutMany(ctx context.Context, bs []blocks.Block) error
}
