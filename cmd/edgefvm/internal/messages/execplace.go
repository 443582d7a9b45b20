package messages

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/replay"
	"github.com/edgefvm/fvm/vector"
)

// place is where in a chain a message runs: before those of a tipset.
type place struct {
	network *network.Network // with the time of the genesis
	round   *chain.Round
}

// checkPlace refuses flags that say twice where the message runs, or not at all.
func (x *execFlags) checkPlace(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	if x.chain == "" {
		for _, flag := range []string{"at", "store"} {
			if given(flag) {
				return kit.Usagef("--%s says where in a chain: give --chain too", flag)
			}
		}
		if len(x.cars) == 0 {
			return kit.Usagef("exec needs --car, the file of a state, or --chain, that of a chain")
		}
		return nil
	}
	for _, flag := range []string{"car", "root", "epoch"} {
		if given(flag) {
			return kit.Usagef("--chain and --%s both say what the message runs on: leave one out (--at says the epoch)", flag)
		}
	}
	if given("at") && x.at < 1 {
		return kit.Usagef("--at %d: want the epoch of a tipset above the genesis", x.at)
	}
	return nil
}

// inChain are the blocks of a chain and of its states.
type inChain struct {
	blockstore.Blockstore
	end func() error
}

func (c *inChain) Close() error { return c.end() }

// openChain opens the chain of --chain and makes the state of the tipset to be there.
func (x *execFlags) openChain(cmd *cobra.Command) (_ *execState, err error) {
	ctx := cmd.Context()
	var ends []func() error
	end := func() (err error) {
		for i := len(ends) - 1; i >= 0; i-- {
			err = errors.Join(err, ends[i]())
		}
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, end())
		}
	}()
	dir, err := kit.CacheFolder(x.set.CacheDir)
	if err != nil {
		return nil, err
	}
	archive, err := kit.OpenState(ctx, []string{x.chain}, kit.StateOptions{Flag: "--chain", Folder: kit.ArchivesIn(dir), Messages: cmd.ErrOrStderr()})
	if err != nil {
		return nil, err
	}
	ends = append(ends, archive.Close)
	// A proof that was judged otherwise on the chain makes a difference there, which ends it.
	o := replay.Options{Archive: archive, Roots: archive.Roots, Proofs: vector.ProofsValid.Verifier()}
	if x.network != "" {
		if o.Network, err = x.named(); err != nil {
			return nil, err
		}
	}
	kept, err := kit.OpenStore(x.store)
	if err != nil {
		return nil, err
	}
	ends, o.Store = append(ends, kept.Close), kept
	e, err := x.set.Start()
	if err != nil {
		return nil, err
	}
	ends = append(ends, func() error { return e.Close(context.WithoutCancel(ctx)) })
	o.Engines = []*fvm.Engine{e}
	defer kit.WatchCompiling(cmd.ErrOrStderr(), e)()
	if o.Bundles, err = bundle.Open(ctx, x.set.BundleOptions(cmd)); err != nil {
		o.Bundles = nil // asked for again when the actors are needed
	}
	p := term.NewProgress(cmd.ErrOrStderr())
	defer p.End()
	o.Progress = func(now replay.Progress) {
		if now.Doing != "" {
			p.Line(now.Doing)
		} else {
			p.Bar(now.Done, now.All, fmt.Sprintf("executing the chain up to the message, at epoch %d", now.Epoch))
		}
	}
	c, err := replay.Open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("--chain %s: %w", x.chain, err)
	}
	t, err := x.tipset(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &execState{place: &place{}}
	if s.place.round, err = c.Begin(ctx, t); err != nil {
		return nil, err
	}
	if s.place.network, _, err = c.Network(ctx); err != nil {
		return nil, err
	}
	if s.head, err = archive.HeadOf(ctx, t.CIDs); err != nil {
		return nil, err
	}
	s.root, s.files, s.engine = s.place.round.Root, &inChain{c.States(), end}, e
	return s, nil
}

// tipset is the one of --at.
func (x *execFlags) tipset(ctx context.Context, c *replay.Chain) (*chain.Tipset, error) {
	if x.at < 0 {
		return c.Line().Head(), nil
	}
	t, err := c.Line().At(ctx, abi.ChainEpoch(x.at))
	if err != nil {
		return nil, fmt.Errorf("--at: %w", err)
	}
	if t.Height() != abi.ChainEpoch(x.at) {
		return nil, fmt.Errorf("--at: epoch %d is a null round: the next tipset is at %d", x.at, t.Height())
	}
	return t, nil
}
