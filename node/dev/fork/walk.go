package fork

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/remote"
)

// near is how many epochs below the top headers are walked along: so far nobody needs to be believed. Beyond that the node is asked.
const near abi.ChainEpoch = 32

// walk finds tipsets below one.
type walk struct {
	s   *Source
	top *chain.Tipset
}

// from is the tipset at an epoch, or the next one above it.
func (w *walk) from(ctx context.Context, epoch abi.ChainEpoch) (*chain.Tipset, error) {
	epoch = max(epoch, 0)
	if epoch > w.top.Height() {
		return nil, fmt.Errorf("%w: epoch %d is above %d", chain.ErrTipset, epoch, w.top.Height())
	}
	if epoch == w.top.Height() {
		return w.top, nil
	}
	if w.s.archive != nil {
		return w.s.archive.Line().At(ctx, epoch)
	}
	at := w.top
	if w.top.Height()-epoch > w.s.near {
		t, err := w.ask(ctx, epoch)
		if err == nil || !lotusrpc.IsUnknownMethod(err) {
			return t, err
		}
	}
	for at.Height() > epoch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p, err := w.s.headers.Parent(ctx, at)
		if err != nil {
			return nil, err
		}
		if p.Height() < epoch {
			break
		}
		at = p
	}
	return at, nil
}

// ask asks the node, or whatever it said before. That the tipset is on the chain is the node's word; that nothing is between it and the
// epoch is looked at.
func (w *walk) ask(ctx context.Context, epoch abi.ChainEpoch) (*chain.Tipset, error) {
	q := question{w.top.CIDs[0].String(), epoch}
	list := w.s.o.Disk.said(q)
	if list == nil {
		if w.s.o.Offline {
			return nil, fmt.Errorf("%w: which tipset is at epoch %d: %w", remote.ErrNode, epoch, remote.ErrOffline)
		}
		said, err := w.s.o.Node.ChainGetTipSetAfterHeight(ctx, epoch, w.top.CIDs)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", remote.ErrNode, err)
		}
		list = said.Blocks
	}
	t, err := w.s.headers.Tipset(ctx, list...)
	if err != nil {
		return nil, err
	}
	wrong := func() error {
		return fmt.Errorf("%w: it says that the tipset at epoch %d is the next one from %d on, which its headers do not bear out", remote.ErrNode, t.Height(), epoch)
	}
	if t.Height() < epoch || t.Height() > w.top.Height() {
		return nil, wrong()
	}
	if t.Height() > 0 {
		p, err := w.s.headers.Parent(ctx, t)
		if err != nil {
			return nil, err
		}
		if p.Height() >= epoch {
			return nil, wrong()
		}
	}
	if w.s.o.Disk.said(q) == nil {
		if err := w.s.o.Disk.note(note{After: &after{q.from, epoch, t.CIDs}}); err != nil {
			return nil, errors.Join(errors.New("keeping what the node said"), err)
		}
	}
	return t, nil
}
