package chain

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// Line is a chain from a head back as far as it was asked for: where its tipsets are, by epoch. It takes 40 bytes a tipset, which
// is 250 MB for all of mainnet. It is safe for concurrent use.
type Line struct {
	store *Store

	mu      sync.Mutex
	epochs  []abi.ChainEpoch // of the tipsets, the head's first
	first   [][32]byte       // the digest of each one's first block
	head    *Tipset
	deepest *Tipset
	bottom  error // why it cannot go deeper
}

// NewLine begins a line at a head.
func NewLine(store *Store, head *Tipset) *Line {
	return &Line{store: store, head: head, deepest: head, epochs: []abi.ChainEpoch{head.Height()}, first: [][32]byte{digest(head)}}
}

// digest is that of a tipset's first block, whose CID is as all CIDs of a chain's objects are.
func digest(t *Tipset) (d [32]byte) {
	p, _ := cbor.Split(t.CIDs[0])
	copy(d[:], p.Digest)
	return d
}

// Head is the tipset that the line begins with.
func (l *Line) Head() *Tipset { return l.head }

// Extend walks back until a tipset at epoch or below it. progress, which may be nil, hears of each thousandth tipset.
func (l *Line) Extend(ctx context.Context, epoch abi.ChainEpoch, progress func(at abi.ChainEpoch)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.extend(ctx, epoch, progress)
}

func (l *Line) extend(ctx context.Context, epoch abi.ChainEpoch, progress func(abi.ChainEpoch)) error {
	for l.deepest.Height() > epoch {
		if l.deepest.Height() == 0 {
			return fmt.Errorf("%w: nothing is below the genesis", ErrTipset)
		}
		if l.bottom != nil {
			return l.bottom
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := l.store.Parent(ctx, l.deepest)
		if err != nil {
			if ctx.Err() == nil && lasts(err) {
				l.bottom = err
			}
			return err
		}
		l.deepest = p
		l.epochs, l.first = append(l.epochs, p.Height()), append(l.first, digest(p))
		if progress != nil && len(l.epochs)%1000 == 0 {
			progress(p.Height())
		}
	}
	return nil
}

// lasts tells errors that asking again does not mend. A store that fetches its blocks may fail for a while.
func lasts(err error) bool {
	return ipld.IsNotFound(err) || errors.Is(err, ErrTipset) || errors.Is(err, ErrMalformed) || errors.Is(err, ErrHash)
}

// place is where the tipset at epoch is, or the next one above it.
func (l *Line) place(ctx context.Context, epoch abi.ChainEpoch) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if epoch > l.head.Height() {
		return 0, fmt.Errorf("%w: epoch %d is above the head, which is at epoch %d", ErrTipset, epoch, l.head.Height())
	}
	if err := l.extend(ctx, epoch, nil); err != nil {
		return 0, err
	}
	// Epochs fall: the last place that is not below the epoch.
	return sort.Search(len(l.epochs), func(i int) bool { return l.epochs[i] < epoch }) - 1, nil
}

// tipset reads the one at a place.
func (l *Line) tipset(ctx context.Context, place int) (*Tipset, error) {
	if place == 0 {
		return l.head, nil
	}
	l.mu.Lock()
	child := l.first[place-1]
	l.mu.Unlock()
	h, err := l.store.Header(ctx, cbor.Blake2bCID(cbor.CodecDagCBOR, child))
	if err != nil {
		return nil, err
	}
	return l.store.Tipset(ctx, h.Parents...)
}

// At is the tipset at epoch or the next one above it.
func (l *Line) At(ctx context.Context, epoch abi.ChainEpoch) (*Tipset, error) {
	i, err := l.place(ctx, epoch)
	if err != nil {
		return nil, err
	}
	return l.tipset(ctx, i)
}

// Child is the tipset above one of the line; nil above the head.
func (l *Line) Child(ctx context.Context, t *Tipset) (*Tipset, error) {
	if t.Height() >= l.head.Height() {
		return nil, nil
	}
	return l.At(ctx, t.Height()+1)
}

// Count is how many tipsets have epochs from first to last, both counted. The line must reach first.
func (l *Line) Count(ctx context.Context, first, last abi.ChainEpoch) (int, error) {
	if last < first {
		return 0, nil
	}
	high, err := l.place(ctx, min(last+1, l.head.Height()))
	if err != nil {
		return 0, err
	}
	low, err := l.place(ctx, first)
	if err != nil {
		return 0, err
	}
	if last >= l.head.Height() {
		return low - high + 1, nil
	}
	return low - high, nil
}

// View is a chain as it is seen from one of its tipsets: nothing above it is there.
type View struct {
	line *Line
	at   *Tipset
}

// View sees the line from one of its tipsets.
func (l *Line) View(at *Tipset) *View { return &View{line: l, at: at} }

// Tipset is the one that the chain is seen from.
func (v *View) Tipset() *Tipset { return v.at }

// errFuture is of an epoch above the tipset that the chain is seen from. Nodes have it alike.
var errFuture = fmt.Errorf("%w: the epoch is in the future", ErrTipset)

// From is the tipset at epoch or the next one above it; an epoch below 0 counts as 0.
func (v *View) From(ctx context.Context, epoch abi.ChainEpoch) (*Tipset, error) {
	if epoch > v.at.Height() {
		return nil, fmt.Errorf("%w: %d, from %d", errFuture, epoch, v.at.Height())
	}
	if epoch == v.at.Height() {
		return v.at, nil
	}
	return v.line.At(ctx, max(epoch, 0))
}

// Until is the tipset at epoch or the last one below it.
func (v *View) Until(ctx context.Context, epoch abi.ChainEpoch) (*Tipset, error) {
	if epoch < 0 {
		return nil, fmt.Errorf("%w: epoch %d is negative", ErrTipset, epoch)
	}
	t, err := v.From(ctx, epoch)
	if err != nil || t.Height() == epoch {
		return t, err
	}
	return v.line.store.Parent(ctx, t)
}

// Finality is how many epochs below a block the state lies that says who may make it.
const Finality = 900

// Lookback is the state that says who may make a block at epoch: that after the last tipset 900 epochs before, or before them.
func (v *View) Lookback(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	base := max(epoch-Finality, 0)
	if base >= v.at.Height() {
		return cid.Undef, fmt.Errorf("%w: the lookback of %d is %d, at or above %d", errFuture, epoch, base, v.at.Height())
	}
	t, err := v.From(ctx, base+1)
	if err != nil {
		return cid.Undef, err
	}
	return t.ParentStateRoot(), nil
}
