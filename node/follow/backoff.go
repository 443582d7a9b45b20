package follow

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is a pause that doubles from try to try, up to a bound, and is never the same on two machines.
type backoff struct {
	first, most time.Duration
	next        time.Duration
}

// reset begins anew, after a success.
func (b *backoff) reset() { b.next = 0 }

// pause is how long to wait before the next try.
func (b *backoff) pause() time.Duration {
	b.next = min(max(b.next*2, b.first), b.most)
	return b.next/2 + rand.N(b.next/2+1)
}

// wait waits so long, or until the context ends.
func (b *backoff) wait(ctx context.Context) error { return sleep(ctx, b.pause()) }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
