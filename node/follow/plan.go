package follow

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/lotusrpc"
)

const (
	// finality is how far below what was judged a fork is looked for, in epochs: nodes go back no further.
	finality = 900
	// maxWalk bounds how far down a head's chain is walked, in epochs: four years of mainnet's.
	maxWalk = 4_000_000
)

// round judges what a head brings.
func (f *Follower) round(ctx context.Context, said lotusrpc.Tipset) error {
	head, err := f.headTipset(ctx, said)
	if err != nil {
		return err
	}
	line, err := f.grow(ctx, head)
	if err != nil {
		return err
	}
	todo, last, err := f.plan(ctx, line, head)
	if err != nil {
		return err
	}
	f.state.set(func(s *Status) { s.Waiting = len(todo) })
	if err := f.judgeAll(ctx, line, todo); err != nil {
		return err
	}
	if last {
		if err := f.journal.reach(f.o.To); err != nil { // which may be a null round
			return err
		}
	}
	f.state.set(func(s *Status) {
		f.judged, f.finished = max(f.judged, head.Height()-f.o.Confidence), head.Key()
		s.Lag, s.Waiting = f.lag(s), 0
	})
	return nil
}

// headTipset reads a head's blocks.
func (f *Follower) headTipset(ctx context.Context, said lotusrpc.Tipset) (*chain.Tipset, error) {
	f.fetch.Many(ctx, said.Blocks)
	head, err := f.headers.Tipset(ctx, said.Blocks...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errHead, err)
	}
	if head.Height() != said.Height {
		return nil, fmt.Errorf("%w: it says epoch %d, but the blocks are of epoch %d", errHead, said.Height, head.Height())
	}
	return head, nil
}

// grow makes the line of a head, and tells when it left the chain of the head before.
func (f *Follower) grow(ctx context.Context, head *chain.Tipset) (*chain.Line, error) {
	if f.line == nil {
		f.line = chain.NewLine(f.headers, head)
		return f.line, nil
	}
	was := f.line.Head()
	line, err := f.line.Grow(ctx, head)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errHead, err)
	}
	// The highest epoch at which both chains have the same tipset.
	for t := was; t.Height() > 0; {
		if t.Height() <= head.Height() {
			here, err := line.At(ctx, t.Height())
			if err != nil {
				return nil, fmt.Errorf("%w: %w", errHead, err)
			}
			if here.Key() == t.Key() {
				if depth := was.Height() - t.Height(); depth > 0 {
					f.state.set(func(s *Status) { s.Reorgs++ })
					f.log.Info("the chain was reorganised", "epochs", int64(depth), "from", int64(was.Height()), "to", int64(head.Height()))
				}
				break
			}
		}
		if was.Height()-t.Height() > finality {
			f.log.Warn("the chain was reorganised below finality", "from", int64(was.Height()), "to", int64(head.Height()))
			break
		}
		if t, err = f.headers.Parent(ctx, t); err != nil {
			return nil, fmt.Errorf("%w: %w", errHead, err)
		}
	}
	f.line = line
	return line, nil
}

// plan is the epochs of the tipsets to be judged, rising: those on the head's chain above what was judged, and those of a fork below. last
// tells that with them all up to Options.To is judged.
func (f *Follower) plan(ctx context.Context, line *chain.Line, head *chain.Tipset) (todo []abi.ChainEpoch, last bool, err error) {
	if head.Height() == 0 {
		return nil, false, nil
	}
	if f.start < 0 {
		p, err := f.headers.Parent(ctx, head)
		if err != nil {
			return nil, false, fmt.Errorf("%w: %w", errHead, err)
		}
		if err := f.beginAt(p.Height()); err != nil {
			return nil, false, err
		}
	}
	judgedTo := f.journal.judgedTo()
	if head.Height()-max(judgedTo, f.start) > maxWalk {
		return nil, false, fmt.Errorf("%w: it is at epoch %d, more than %d above %d, up to which all was judged: begin at a later epoch with --from", errHead, head.Height(), maxWalk, judgedTo)
	}
	for child, walked := head, 0; ; walked++ {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		t, err := f.headers.Parent(ctx, child)
		if errors.Is(err, errGone) && f.really(ctx, child) == nil {
			f.log.Warn("the node's headers end", "epoch", int64(child.Height()), "error", err.Error())
			break
		}
		if err != nil {
			return nil, false, fmt.Errorf("%w: %w", errHead, err)
		}
		// The line is walked along, so that it is there for whoever looks back.
		if err := line.Extend(ctx, t.Height(), nil); err != nil {
			return nil, false, fmt.Errorf("%w: %w", errHead, err)
		}
		name, err := nameOf(t)
		if err != nil {
			return nil, false, err
		}
		was := f.journal.of(name)
		grown := child.Height() <= head.Height()-f.o.Confidence
		last = last || grown && f.o.To > 0 && t.Height() <= f.o.To && child.Height() > f.o.To
		if t.Height() == 0 || t.Height() < f.start || t.Height() <= judgedTo && (was != nil && was.fits(child) || t.Height() <= judgedTo-finality) {
			break
		}
		if !(was != nil && was.fits(child)) && grown && (f.o.To == 0 || t.Height() <= f.o.To) {
			todo = append(todo, t.Height())
		}
		if walked%1000 == 999 {
			f.log.Info("reading headers", "epoch", int64(t.Height()), "down_to", int64(max(judgedTo, f.start)))
			f.state.set(func(s *Status) { s.Waiting = len(todo) })
		}
		child = t
	}
	slices.Reverse(todo)
	return todo, last, nil
}

// fits tells whether a tipset that was judged needs not be judged again with a child: what is not as one child says is told once.
func (d *Judgement) fits(child *chain.Tipset) bool {
	return d.Result != Passed || d.StateRoot == child.ParentStateRoot().String() && d.Receipts == child.ParentReceipts().String() && d.BaseFee == child.BaseFee().String()
}

func nameOf(t *chain.Tipset) (string, error) {
	c, err := t.Key().CID()
	return c.String(), err
}

// ahead reads headers, and when one comes from the node has the headers of its parents fetched too, all at a time: whoever walks down a
// chain wants them next.
type ahead struct{ *fetcher }

func (a ahead) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if b, err := a.Kept(ctx, c); err == nil {
		return b, nil
	}
	b, err := a.fetcher.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	if h, err := chain.DecodeHeader(b.RawData()); err == nil {
		for _, p := range h.Parents {
			if len(h.Parents) > 64 {
				break
			}
			a.Go(func(ctx context.Context) { _, _ = a.fetcher.Get(ctx, p) })
		}
	}
	return b, nil
}
