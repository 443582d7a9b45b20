package fuzz

import (
	"context"
	"fmt"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/lab/duel"
)

// tries bounds the runs that make a case smaller.
const tries = 400

// find makes a case that differs smaller, and saves it.
func (w *worker) find(ctx context.Context, c *Case, v *duel.Verdict, engines []*fvm.Engine, peer *duel.Peer) *Finding {
	f := &Finding{
		Layer: c.Layer, Seed: c.Seed, Index: c.Index, NV: c.Request.NV, Note: c.Note, Differences: v.Differences, Parts: c.parts, Left: c.parts,
	}
	if v.GaveWay() {
		f.Error = duel.ErrNotKept.Error()
		return f
	}
	small, left := w.smaller(ctx, c, v, engines, peer)
	f.Left = left
	if w.Dir == "" {
		return f
	}
	comment := fmt.Sprintf("fuzzing: layer %s, seed %d, case %d, made smaller; %s", c.Layer, c.Seed, c.Index, c.Note)
	path, err := duel.Save(ctx, small, engines[0], peer, w.Dir, comment)
	if err != nil {
		f.Error = err.Error()
	}
	f.Saved = path
	return f
}

// smaller leaves out parts as long as the case still differs in the same field: halves first, then ever smaller pieces.
func (w *worker) smaller(ctx context.Context, c *Case, v *duel.Verdict, engines []*fvm.Engine, peer *duel.Peer) (*duel.Case, int) {
	if c.without == nil {
		return c.Case, c.parts
	}
	keep := make([]bool, c.parts)
	for i := range keep {
		keep[i] = true
	}
	best, left, runs := c.Case, c.parts, 0
	for size := (c.parts + 1) / 2; size > 0; size /= 2 {
		for from := 0; from < c.parts; from += size {
			try := make([]bool, len(keep))
			copy(try, keep)
			some := false
			for i := from; i < min(from+size, len(try)); i++ {
				some = some || try[i]
				try[i] = false
			}
			if !some {
				continue
			}
			if runs++; runs > tries || ctx.Err() != nil {
				return best, left
			}
			one, err := c.without(ctx, try)
			if err != nil || len(one.Request.Messages) == 0 {
				continue
			}
			got, err := duel.Run(ctx, one, engines, peer)
			if err == nil && duel.Same(v.Differences, got.Differences) {
				best, keep, left = one, try, count(try)
			}
		}
	}
	return best, left
}

func count(list []bool) (n int) {
	for _, b := range list {
		if b {
			n++
		}
	}
	return n
}
