package follow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/remote"
)

// errHead is wrapped by errors about a head that is none: its blocks do not fit together, or are not where the node says.
var errHead = errors.New("the node's head")

// heads is the latest head that the node told of.
type heads struct {
	mu   sync.Mutex
	head lotusrpc.Tipset
	some bool
	wake chan struct{} // holds one, when there is another head
}

func (h *heads) latest() (lotusrpc.Tipset, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.head, h.some
}

// set takes a head, and tells whether it is another.
func (h *heads) set(t lotusrpc.Tipset) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.some && slices.Equal(h.head.Blocks, t.Blocks) {
		return false
	}
	h.head, h.some = t, true
	select {
	case h.wake <- struct{}{}:
	default:
	}
	return true
}

// wait waits for another head, or so long.
func (h *heads) wait(ctx context.Context, most time.Duration) error {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-h.wake:
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// watch asks for heads until the context ends. By WebSocket the node tells of them; it is asked all the same, once an epoch, as a
// subscription may die without a word.
func (f *Follower) watch(ctx context.Context) {
	delay := time.Duration(f.network.BlockDelay) * time.Second
	every := max(f.o.Poll, 10*time.Millisecond)
	if f.o.Poll == 0 {
		every = max(delay/10, 500*time.Millisecond)
	}
	if f.o.Node.Address().WebSocket() {
		go f.subscribe(ctx)
		every = max(delay, every)
	}
	pause := remote.Backoff{First: 500 * time.Millisecond, Most: 30 * time.Second}
	for away := false; ctx.Err() == nil; {
		head, err := f.o.Node.ChainHead(ctx)
		if err == nil && away {
			err = f.sameNetwork(ctx)
		}
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			away = true
			f.lost(err)
			_ = pause.Wait(ctx)
			continue
		}
		if away {
			f.log.Info("node answers again", "head", int64(head.Height))
		}
		away = false
		pause.Reset()
		f.newHead(head)
		_ = remote.Sleep(ctx, every)
	}
}

func (f *Follower) newHead(head lotusrpc.Tipset) {
	if f.heads.set(head) {
		f.log.Debug("head", "epoch", int64(head.Height), "blocks", len(head.Blocks))
	}
	f.state.set(func(s *Status) {
		if s.Head != head.Height {
			s.Head, s.HeadTime = head.Height, time.Now()
		}
		s.Connected, s.Error = true, ""
		s.Lag = f.lag(s)
	})
}

// sameNetwork makes sure that a node which was away is the one of before.
func (f *Follower) sameNetwork(ctx context.Context) error {
	g, err := f.genesis(ctx)
	if err != nil {
		return err
	}
	if !g.CIDs[0].Equals(f.network.Genesis) {
		return fmt.Errorf("%w: the node's genesis is %s now, and was %s", ErrIdentity, g.CIDs[0], f.network.Genesis)
	}
	return nil
}

// subscribe hears of heads by WebSocket, and subscribes again whenever that ends.
func (f *Follower) subscribe(ctx context.Context) {
	pause := remote.Backoff{First: 500 * time.Millisecond, Most: 30 * time.Second}
	for ctx.Err() == nil {
		if !f.state.get().Connected { // after watch has made sure whose node it is
			_ = remote.Sleep(ctx, time.Second)
			continue
		}
		began := time.Now()
		done, err := f.o.Node.ChainNotify(ctx, f.newHead)
		if err == nil {
			select {
			case err = <-done:
			case <-ctx.Done():
				return
			}
		}
		if ctx.Err() != nil {
			return
		}
		f.log.Debug("the subscription to heads ended", "error", err.Error())
		if time.Since(began) > time.Minute {
			pause.Reset()
		}
		_ = pause.Wait(ctx)
	}
}
