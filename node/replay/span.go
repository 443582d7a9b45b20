package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
)

// span finds the epochs to replay, and the tipset to begin with.
func (r *run) span(ctx context.Context) error {
	head := r.line.Head()
	last := r.To
	if last == 0 || last > head.Height() {
		last = head.Height()
	}
	if r.From < 0 || r.To < 0 || r.To != 0 && r.From > r.To {
		return fmt.Errorf("epochs from %d to %d: there are none", r.From, r.To)
	}
	if r.From > head.Height() {
		return fmt.Errorf("epoch %d is above the head of the chain, which is at %d", r.From, head.Height())
	}
	first := r.From
	if first == 0 {
		var err error
		if first, err = r.lowest(ctx); err != nil {
			return err
		}
	}
	if err := r.canRun(first); err != nil {
		return err
	}
	r.tell("looking for the first epoch")
	if err := r.line.Extend(ctx, first, func(at abi.ChainEpoch) { r.tell(fmt.Sprintf("reading headers, at epoch %d", at)) }); err != nil {
		return err
	}
	t, err := r.line.At(ctx, max(first, 1))
	if err != nil {
		return err
	}
	if t.Height() > last {
		return fmt.Errorf("no tipset has an epoch from %d to %d", first, last)
	}
	if ok, err := r.state.Has(ctx, t.ParentStateRoot()); err != nil {
		return err
	} else if !ok {
		return fmt.Errorf("the state that the tipset at epoch %d is executed on, %s, is not in the archive: begin at another epoch, or with the genesis", t.Height(), t.ParentStateRoot())
	}
	parent, err := r.store.Parent(ctx, t)
	if err != nil {
		return err
	}
	r.next, r.report.First, r.report.Last = t, t.Height(), last
	r.began = parent.Height() + 1 // at its version: an upgrade may lie between
	r.all, err = r.line.Count(ctx, t.Height(), last)
	return err
}

// canRun tells what stands against executing a tipset at an epoch.
func (r *run) canRun(first abi.ChainEpoch) error {
	oldest, _, _ := fvm.NetworkVersions()
	if v := r.rules.Network.VersionAt(first); v < oldest {
		return fmt.Errorf("epoch %d has network version %d: machines run %d and later", first, v, oldest)
	}
	if c := r.rules.Network.Constants; first <= c.Assembly && r.rules.GenesisPledge.Int == nil {
		return fmt.Errorf("epoch %d is before the upgrade Assembly, %d, and until then the supply depends on the genesis state, which the archive lacks", first, c.Assembly)
	}
	return nil
}

// lowest is the lowest epoch from which on the archive has the states: of a snapshot those of its last epochs, of a whole chain
// the genesis'.
func (r *run) lowest(ctx context.Context) (abi.ChainEpoch, error) {
	lowest := abi.ChainEpoch(-1)
	for t := r.line.Head(); t.Height() > 0; {
		ok, err := r.Archive.Has(ctx, t.ParentStateRoot())
		if err != nil {
			return 0, err
		}
		if !ok {
			break
		}
		p, err := r.store.Parent(ctx, t)
		if err != nil {
			break // a snapshot may end here; nothing is executed without the height of its parent
		}
		lowest, t = t.Height(), p
	}
	if lowest >= 0 && r.line.Head().Height() >= farFromGenesis {
		return lowest, nil
	}
	genesis, err := r.genesis(ctx)
	if err == nil {
		if ok, err := r.Archive.Has(ctx, genesis.ParentStateRoot()); err != nil {
			return 0, err
		} else if oldest, _, _ := fvm.NetworkVersions(); ok && r.rules.Network.VersionAt(1) >= oldest {
			return 1, nil
		}
	}
	if lowest < 0 {
		return 0, errors.New("the archive has no state to begin with: neither that of its head nor that of the genesis")
	}
	return lowest, nil
}

// resume goes on after the tipsets from the first one on whose states are in the store. They are there only if they passed.
func (r *run) resume(ctx context.Context) error {
	for r.next != nil {
		child, err := r.line.Child(ctx, r.next)
		if err != nil {
			return err
		}
		if child == nil {
			return nil
		}
		if ok, err := r.Store.Has(ctx, child.ParentStateRoot()); err != nil || !ok {
			return err
		}
		r.report.Resumed = r.next.Height()
		r.report.Passed++
		r.done, r.before = r.done+1, r.before+1
		r.next = child
		if child.Height() > r.report.Last {
			r.next = nil
		}
	}
	return nil
}

func names(list []cid.Cid) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.String()
	}
	return out
}
