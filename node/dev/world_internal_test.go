package dev

import (
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/node/chain"
)

// What contracts are told of the chain is what package chain answers from the same headers: tickets, beacon, keys of tipsets, across null
// rounds, for each epoch and from several blocks.
func TestWorldIsTheChains(t *testing.T) {
	n, err := New(t.Context(), Options{Clock: func() time.Time { return time.Unix(1_700_000_000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for _, skip := range []uint64{0, 0, 3, 1, 0, 7, 0, 25, 0} {
		if err := n.SkipEpochs(skip); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Mine(t.Context(), MineOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	store := chain.NewStore(n.states)
	line := chain.NewLine(store, n.Latest().Tipset)
	for _, from := range []*Block{n.Latest(), n.Parent(n.Latest()), n.BlockAt(1), n.First()} {
		theirs := &chain.Externs{View: line.View(from.Tipset), Network: n.Network(), State: n.states, Epoch: from.Epoch(), Root: from.Root}
		ours := &world{n: n, block: from, epoch: from.Epoch(), root: from.Root}
		// A block that is in the making has no key yet, and stands on its parent.
		making := *from
		making.Key, making.Tipset = cid.Undef, &chain.Tipset{Blocks: from.Tipset.Blocks}
		for e := abi.ChainEpoch(-2); e <= n.Latest().Epoch()+2; e++ {
			want, werr := theirs.ChainRandomness(t.Context(), e)
			got, gerr := ours.ChainRandomness(t.Context(), e)
			same(t, "chain", from.Epoch(), e, got == want, gerr, werr)
			want, werr = theirs.BeaconRandomness(t.Context(), e)
			got, gerr = ours.BeaconRandomness(t.Context(), e)
			same(t, "beacon", from.Epoch(), e, got == want, gerr, werr)
			key, kerr := theirs.TipsetCID(t.Context(), e)
			mine, merr := ours.TipsetCID(t.Context(), e)
			same(t, "key", from.Epoch(), e, mine == key, merr, kerr)
			if from.parent == nil {
				continue
			}
			want, werr = theirs.ChainRandomness(t.Context(), e)
			got, gerr = (&world{n: n, block: &making}).ChainRandomness(t.Context(), e)
			same(t, "chain, in the making", from.Epoch(), e, got == want, gerr, werr)
		}
	}
}

func same(t *testing.T, what string, from, e abi.ChainEpoch, equal bool, got, want error) {
	t.Helper()
	if !equal || (got == nil) != (want == nil) || externs.IsNodeFailure(got) != externs.IsNodeFailure(want) {
		t.Errorf("%s of %d seen from %d: equal %v, errors %v and %v", what, e, from, equal, got, want)
	}
}
