package follow

import (
	"context"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	"golang.org/x/sync/errgroup"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
)

// What is fetched ahead. It is a guess of what will be needed, so errors do not matter: whoever needs a block asks for it again.
const (
	warmers  = 16     // at a time, for one tipset
	warmMost = 20_000 // blocks of a tipset's messages
	warmDeep = 12     // levels below a header: the lists' arrays have at most 7
)

// blocksOf fetches many blocks at a time.
func (f *fetcher) blocksOf(ctx context.Context, list []cid.Cid) {
	var g errgroup.Group
	g.SetLimit(warmers)
	for _, c := range list {
		g.Go(func() error { _, err := f.Get(ctx, c); return err })
	}
	_ = g.Wait()
}

// messages fetches what the headers of a tipset have below Messages, a level at a time. One by one it would take as long as the node is
// far, for each message.
func (f *fetcher) messages(ctx context.Context, t *chain.Tipset) {
	if f.lazy {
		return
	}
	seen := map[string]bool{}
	level := make([]cid.Cid, 0, len(t.Blocks))
	for _, h := range t.Blocks {
		level = append(level, h.Messages)
	}
	for range warmDeep {
		var mu sync.Mutex
		var next []cid.Cid
		var g errgroup.Group
		g.SetLimit(warmers)
		for _, c := range level {
			if p, ok := cbor.Split(c); !ok || p.Codec != cbor.CodecDagCBOR || seen[c.KeyString()] {
				continue
			}
			if len(seen) >= warmMost {
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

// actors fetches the entries and the states' first blocks of the actors that a tipset's messages are from and to, and of those that each
// epoch's cron and rewards touch.
func (f *fetcher) actors(ctx context.Context, headers *chain.Store, t *chain.Tipset) {
	if f.lazy {
		return
	}
	lists, err := headers.TipsetMessages(ctx, t)
	if err != nil {
		return
	}
	who := map[address.Address]bool{}
	for id := range abi.ActorID(8) {
		if a, err := address.NewIDAddress(uint64(id)); err == nil {
			who[a] = true
		}
	}
	for i, b := range lists {
		who[t.Blocks[i].Miner] = true
		for _, m := range b.All() {
			who[m.Message.From], who[m.Message.To] = true, true
		}
	}
	work := make(chan address.Address, len(who))
	for a := range who {
		work <- a
	}
	close(work)
	var wg sync.WaitGroup
	for range min(warmers, len(who)) {
		wg.Go(func() {
			st, err := tree.Load(ctx, f, t.ParentStateRoot()) // a tree belongs to one goroutine
			if err != nil {
				return
			}
			for a := range work {
				id, err := st.ID(ctx, a)
				if err != nil {
					continue
				}
				if act, err := st.Actor(ctx, id); err == nil {
					_, _ = f.Get(ctx, act.Head)
				}
			}
		})
	}
	wg.Wait()
}
