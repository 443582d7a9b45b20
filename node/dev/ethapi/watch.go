package ethapi

import (
	"context"
	"errors"

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
