package follow

import (
	"context"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/remote"
)

// What is fetched ahead is a guess of what will be needed, so errors do not matter: whoever needs a block asks for it again.

// messages fetches what the headers of a tipset have below Messages.
func (f *fetcher) messages(ctx context.Context, t *chain.Tipset) {
	if f.lazy {
		return
	}
	var roots []cid.Cid
	for _, h := range t.Blocks {
		roots = append(roots, h.Messages)
	}
	f.Below(ctx, roots...)
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
	for range min(remote.Parallel, len(who)) {
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
