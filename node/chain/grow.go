package chain

import (
	"context"
	"slices"

	"github.com/filecoin-project/go-state-types/abi"
)

// Grow is the line of another head, which takes over what this one knows of the chain below the tipset where the two part. It walks
// from the head down to there, and not at all below the other's deepest tipset.
func (l *Line) Grow(ctx context.Context, head *Tipset) (*Line, error) {
	l.mu.Lock()
	epochs, first, deepest := l.epochs, l.first, l.deepest
	l.mu.Unlock()
	next := NewLine(l.store, head)
	for at := 0; ; {
		t := next.deepest
		for at < len(epochs) && epochs[at] > t.Height() {
			at++
		}
		switch {
		case at < len(epochs) && epochs[at] == t.Height() && first[at] == next.first[len(next.first)-1]:
			// With the same first block it has the same parents, whatever its other blocks are.
			next.epochs = append(next.epochs, slices.Clone(epochs[at+1:])...)
			next.first = append(next.first, first[at+1:]...)
			if at < len(epochs)-1 {
				next.deepest = deepest // what stopped the other there may be over
			}
			return next, nil
		case at == len(epochs) || t.Height() == 0:
			return next, nil // nothing in common
		}
		if err := next.Extend(ctx, t.Height()-1, nil); err != nil {
			return nil, err
		}
	}
}

// Deepest is the epoch of the lowest tipset that was walked to.
func (l *Line) Deepest() abi.ChainEpoch {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.deepest.Height()
}

// Tipsets walks up a line: it calls visit for each tipset from the one at an epoch, or the next one above it, to the head.
func (l *Line) Tipsets(ctx context.Context, from abi.ChainEpoch, visit func(t, child *Tipset) error) error {
	t, err := l.At(ctx, from)
	if err != nil {
		return err
	}
	for t != nil {
		child, err := l.Child(ctx, t)
		if err != nil {
			return err
		}
		if err := visit(t, child); err != nil {
			return err
		}
		t = child
	}
	return nil
}
