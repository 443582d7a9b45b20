package fork

import (
	"context"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/dev/edit"
	"github.com/edgefvm/fvm/node/remote"
)

// begin funds the accounts.
func (s *Source) begin(ctx context.Context, b *blockstore.Buffered, root cid.Cid) (cid.Cid, error) {
	if len(s.o.Accounts) == 0 {
		return root, nil
	}
	e, err := edit.Open(ctx, b, root)
	if err != nil {
		return cid.Undef, err
	}
	for _, a := range s.o.Accounts {
		if err := e.SetBalance(ctx, a, s.o.Balance); err != nil {
			return cid.Undef, err
		}
	}
	return e.Flush(ctx)
}

// fund fetches what begin will read, many addresses at a time: one by one each takes as many times the node's distance as the map of all
// addresses is deep.
func (s *Source) fund(ctx context.Context, root cid.Cid) { s.warm(ctx, root, s.o.Accounts) }

// warm fetches the entries of actors in a state, and the first blocks of their states.
func (s *Source) warm(ctx context.Context, root cid.Cid, who []address.Address) {
	work := make(chan address.Address, len(who))
	for _, a := range who {
		work <- a
	}
	close(work)
	var wg sync.WaitGroup
	for range min(remote.Parallel, len(who)) {
		wg.Go(func() {
			st, err := tree.Load(ctx, s.blocks, root) // a tree belongs to one goroutine
			if err != nil {
				return
			}
			for a := range work {
				if id, err := st.ID(ctx, a); err == nil {
					if act, err := st.Actor(ctx, id); err == nil {
						_, _ = s.blocks.Get(ctx, act.Head)
					}
				}
			}
		})
	}
	wg.Wait()
}
