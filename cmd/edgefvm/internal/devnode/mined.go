package devnode

import (
	"context"
	"time"

	"github.com/edgefvm/fvm/node/eth"
)

// untold is how long a transaction in a block waits for the call that sent it to be logged, before it is logged by itself: it was mined by
// a timer, on demand, or because one before it came.
const untold = 300 * time.Millisecond

// watch logs transactions that come into blocks by no call of their sender, until it is stopped.
func (s *service) watch() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	sub := s.node.Subscribe(1 << 14)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range sub.Events() {
			if e.Block == nil || len(e.Block.Messages) == 0 || s.muted.Load() {
				continue
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(untold): // events wait in the meantime
			}
			for i, m := range e.Block.Messages {
				if s.log.told(m.Hash) {
					continue
				}
				if f := s.factsOf(ctx, e.Block, i); f != nil {
					s.log.mined(f)
				}
			}
		}
	}()
	return func() {
		cancel()
		sub.Close()
		<-done
	}
}

// tell remembers that a transaction was logged by the call that sent it.
func (l *requestLog) tell(h eth.Hash) {
	const most = 10_000
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sent == nil || len(l.sent) > most {
		l.sent = map[eth.Hash]bool{}
	}
	l.sent[h] = true
}

// told says whether it was, and forgets it.
func (l *requestLog) told(h eth.Hash) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.sent[h]
	delete(l.sent, h)
	return was
}
