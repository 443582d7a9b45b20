package remote

import (
	"context"
	"sync"

	"github.com/ipfs/go-cid"
	"golang.org/x/sync/errgroup"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// Parallel is how many blocks are fetched at a time, for one who wants many.
const Parallel = 16

// Below bounds.
const (
	belowMost = 20_000 // blocks
	belowDeep = 12     // levels
)

// Below fetches what blocks have below them, themselves included, a level at a time: one by one it would take as long as the node is far,
// for each block. It goes 12 levels down, and no further than 20,000 blocks. It is a guess of what will be needed, so errors do not
// matter: whoever needs a block asks for it again.
func (f *Fetcher) Below(ctx context.Context, roots ...cid.Cid) {
	seen := map[string]bool{}
	level := roots
	for range belowDeep {
		var mu sync.Mutex
		var next []cid.Cid
		var g errgroup.Group
		g.SetLimit(Parallel)
		for _, c := range level {
			if p, ok := cbor.Split(c); !ok || p.Codec != cbor.CodecDagCBOR || seen[c.KeyString()] {
				continue
			}
			if len(seen) >= belowMost {
				break
			}
			seen[c.KeyString()] = true
			g.Go(func() error {
				b, err := f.Get(ctx, c)
				if err != nil {
					return nil
				}
				return cbor.Links(b.RawData(), &cbor.LinkRules{}, func(raw []byte) error {
					if l, _, err := cbor.ParseCID(raw); err == nil {
						mu.Lock()
						next = append(next, l)
						mu.Unlock()
					}
					return nil
				})
			})
		}
		if _ = g.Wait(); len(next) == 0 || ctx.Err() != nil {
			return
		}
		level = next
	}
}

// Many fetches blocks, many at a time. As with Below, errors do not matter.
func (f *Fetcher) Many(ctx context.Context, list []cid.Cid) {
	var g errgroup.Group
	g.SetLimit(Parallel)
	for _, c := range list {
		g.Go(func() error { _, err := f.Get(ctx, c); return err })
	}
	_ = g.Wait()
}
