package ethapi

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
)

// watch tells subscribers and filters of what happens on the chain, until it is stopped.
func (a *API) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	sub := a.chain.Subscribe(0)
	a.stop = func() {
		cancel()
		<-done
	}
	go func() {
		defer close(done)
		defer func() { sub.Close() }()
		for {
			select {
			case <-ctx.Done():
				return
			case e, ok := <-sub.Events():
				if ok {
					a.event(ctx, &e)
					if e.Block != nil {
						a.news.reach(e.Block.Epoch())
					}
					continue
				}
				if !errors.Is(sub.Err(), dev.ErrSlow) {
					return
				}
				// So many blocks at once that those who subscribe miss some; filters that are polled do not.
				sub = a.chain.Subscribe(0)
			}
		}
	}()
}

// news is how far subscribers have been told.
type news struct {
	mu    sync.Mutex
	epoch abi.ChainEpoch
	next  chan struct{} // closed when more was told
}

func (n *news) reach(epoch abi.ChainEpoch) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.epoch = epoch
	if n.next != nil {
		close(n.next)
		n.next = nil
	}
}

// await waits until subscribers have been told of an epoch, so that who sends a transaction has its events no later than its hash:
// clients that unsubscribe and go once they have both would stumble otherwise. It waits for no more than a moment.
func (n *news) await(ctx context.Context, epoch abi.ChainEpoch) {
	const moment = 500 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, moment)
	defer cancel()
	for {
		n.mu.Lock()
		if n.epoch >= epoch {
			n.mu.Unlock()
			return
		}
		if n.next == nil {
			n.next = make(chan struct{})
		}
		next := n.next
		n.mu.Unlock()
		select {
		case <-next:
		case <-ctx.Done():
			return
		}
	}
}

func (a *API) event(ctx context.Context, e *dev.Event) {
	switch {
	case e.Block != nil:
		if !a.subscribers.any() {
			return
		}
		if r, err := a.render(ctx, e.Block); err == nil {
			a.onBlock(r)
		}
	case e.Reverted != nil:
		a.filters.back(uint64(e.Reverted.Epoch()) - 1)
		if !a.subscribers.any() {
			return
		}
		if r, err := a.render(ctx, e.Reverted); err == nil {
			a.tellLogs(r, true)
		}
	case e.Pending != nil:
		a.filters.pending(e.Pending.Hash)
		if a.subscribers.any() {
			a.tellPending(ctx, e.Pending.Hash)
		}
	}
}

// tellPending notifies of a transaction that came into the pool. It may be in a block already.
func (a *API) tellPending(ctx context.Context, h eth.Hash) {
	var whole *eth.Transaction
	a.subscribers.tell(ofPending, func(s subscription) []any {
		if !s.full {
			return []any{h}
		}
		if whole == nil {
			if whole, _ = a.transactionByHash(ctx, h); whole == nil {
				return nil
			}
		}
		return []any{whole}
	})
}
