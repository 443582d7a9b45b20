package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/node/chain"
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
	oldest, _, _ := fvm.NetworkVersions()
	if v := r.rules.Network.VersionAt(first); v < oldest {
		return fmt.Errorf("epoch %d has network version %d: machines run %d and later", first, v, oldest)
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
	r.next, r.report.First, r.report.Last = t, t.Height(), last
	r.all, err = r.line.Count(ctx, t.Height(), last)
	return err
}

// lowest is the lowest epoch from which on the archive has the states: of a snapshot those of its last epochs, of a whole chain
// the genesis'.
func (r *run) lowest(ctx context.Context) (abi.ChainEpoch, error) {
	lowest := abi.ChainEpoch(-1)
	for t := r.line.Head(); t.Height() > 0; {
		ok, err := r.state.Has(ctx, t.ParentStateRoot())
		if err != nil {
			return 0, err
		}
		if !ok || r.Store != nil && r.journalled() {
			break
		}
		lowest = t.Height()
		p, err := r.store.Parent(ctx, t)
		if err != nil {
			break // a snapshot may end here
		}
		t = p
	}
	genesis, err := r.genesis(ctx)
	if err == nil {
		if ok, err := r.state.Has(ctx, genesis.ParentStateRoot()); err != nil {
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

func (r *run) journalled() bool { return r.Journal != "" }

// journal is what the file beside a store remembers.
type journal struct {
	Genesis string         `json:"genesis"`
	First   abi.ChainEpoch `json:"first_epoch"`
	Epoch   abi.ChainEpoch `json:"epoch"` // of the last tipset that passed
	Tipset  []string       `json:"tipset"`
	Root    string         `json:"state_root"` // after it
	Passed  int            `json:"passed"`
}

const maxJournal = 1 << 20

// resume goes on after the last tipset of an earlier replay of the same chain.
func (r *run) resume(ctx context.Context) error {
	if r.Journal == "" {
		return nil
	}
	f, err := os.Open(r.Journal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxJournal))
	if err != nil {
		return err
	}
	var j journal
	if err := json.Unmarshal(data, &j); err != nil {
		return fmt.Errorf("%s is not the journal of a replay: %w: remove it to begin anew", r.Journal, err)
	}
	if j.First != r.report.First || j.Epoch < j.First || j.Epoch > r.report.Last {
		return nil // another part of the chain
	}
	t, err := r.line.At(ctx, j.Epoch)
	if err != nil {
		return err
	}
	if t.Height() != j.Epoch || fmt.Sprint(names(t.CIDs)) != fmt.Sprint(j.Tipset) || j.Genesis != r.report.Genesis {
		return fmt.Errorf("the journal %s is of another chain: give another --store", r.Journal)
	}
	child, err := r.line.Child(ctx, t)
	if err != nil || child == nil {
		return err
	}
	if ok, err := r.state.Has(ctx, child.ParentStateRoot()); err != nil || !ok || child.ParentStateRoot().String() != j.Root {
		return err // the store lacks what the journal says: begin anew
	}
	done, err := r.line.Count(ctx, r.report.First, j.Epoch)
	if err != nil {
		return err
	}
	r.report.Resumed, r.report.Passed, r.done, r.before = j.Epoch, done, done, done
	r.next = child
	if child.Height() > r.report.Last {
		r.next = nil
	}
	return nil
}

// note writes the journal after a tipset. The state is in the store by then.
func (r *run) note(t *chain.Tipset, done *Tipset) error {
	if r.Journal == "" {
		return nil
	}
	data, err := json.Marshal(journal{
		Genesis: r.report.Genesis, First: r.report.First, Epoch: t.Height(), Tipset: names(t.CIDs), Root: done.StateRoot, Passed: r.report.Passed,
	})
	if err != nil {
		return err
	}
	return wholefile.Write(r.Journal, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

func names(list []cid.Cid) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.String()
	}
	return out
}
