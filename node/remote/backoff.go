package remote

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff is a pause that doubles from try to try, up to a bound, and is never the same on two machines.
type Backoff struct {
	First, Most time.Duration
	next        time.Duration
}

// Reset begins anew, after a success.
func (b *Backoff) Reset() { b.next = 0 }

// pause is how long to wait before the next try.
func (b *Backoff) pause() time.Duration {
	b.next = min(max(b.next*2, b.First), b.Most)
	return b.next/2 + rand.N(b.next/2+1)
}

// Wait waits so long, or until the context ends.
func (b *Backoff) Wait(ctx context.Context) error { return Sleep(ctx, b.pause()) }

// Sleep waits so long, or until the context ends.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
