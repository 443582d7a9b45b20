package fork

import (
	"context"
	"slices"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
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
func (s *Source) fund(ctx context.Context, root cid.Cid) {
	s.warm(ctx, s.blocks, root, slices.Concat(singletons, s.o.Accounts))
}

// maxTouched is of how many actors it is remembered that they were fetched.
const maxTouched = 100_000

// touch fetches what a message from and to somebody reads first, many blocks at a time, the first time.
func (s *Source) touch(ctx context.Context, states blockstore.Blockstore, root cid.Cid, who ...address.Address) {
	var list []address.Address
	s.touching.Lock()
	for _, a := range who {
		if !s.touched[a] {
			if len(s.touched) >= maxTouched || s.touched == nil {
				s.touched = map[address.Address]bool{}
			}
			s.touched[a] = true
			list = append(list, a)
		}
	}
	s.touching.Unlock()
	if len(list) > 0 {
		s.warm(ctx, states, root, list)
	}
}

// fewLinks is how many links the first block of a contract's state has at most, all of which are read by whoever calls it: its bytecode and
// its storage.
const fewLinks = 4

// warm fetches the entries of actors in a state, which may be one that was made here, the first blocks of their states and, where those are small, what these link to.
func (s *Source) warm(ctx context.Context, states blockstore.Blockstore, root cid.Cid, who []address.Address) {
	work := make(chan address.Address, len(who))
	for _, a := range who {
		work <- a
	}
	close(work)
	var wg sync.WaitGroup
	for range min(remote.Parallel, len(who)) {
		wg.Go(func() {
			st, err := tree.Load(ctx, states, root) // a tree belongs to one goroutine
			if err != nil {
				return
			}
			for a := range work {
				if id, err := st.ID(ctx, a); err == nil {
					if act, err := st.Actor(ctx, id); err == nil {
						head(ctx, states, act.Head)
					}
				}
			}
		})
	}
	wg.Wait()
}

func head(ctx context.Context, states blockstore.Blockstore, c cid.Cid) {
	b, err := states.Get(ctx, c)
	if err != nil {
		return
	}
	var links []cid.Cid
	err = cbor.Links(b.RawData(), &cbor.LinkRules{}, func(raw []byte) error {
		l, _, err := cbor.ParseCID(raw)
		links = append(links, l)
		return err
	})
	if err != nil || len(links) > fewLinks {
		return
	}
	var wg sync.WaitGroup
	for _, l := range links {
		wg.Go(func() { _, _ = states.Get(ctx, l) })
	}
	wg.Wait()
}
