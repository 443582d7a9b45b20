package dev_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/replay"
)

// replayed executes a node's chain again from its archive.
func replayed(t *testing.T, n *devtest.Net) *replay.Report {
	t.Helper()
	var car bytes.Buffer
	if err := n.Export(t.Context(), &car, dev.ExportOptions{}); err != nil {
		t.Fatal(err)
	}
	archive := blockstore.NewMemory()
	roots, err := blockstore.LoadCAR(t.Context(), &car, archive, blockstore.CAROptions{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := replay.Run(t.Context(), replay.Options{Archive: archive, Roots: roots, Network: n.Network()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A chain with contracts, native messages, failures, null rounds, moved time and several messages a block is what package replay makes
// of it: every state root, receipts root and base fee.
func TestReplay(t *testing.T) {
	for _, c := range []struct {
		name    string
		genesis genesis.Options
		always  bool
	}{
		{"nv28", genesis.Options{}, true},
		{"nv28, two miners", genesis.Options{Miners: 2}, true},
		{"nv18", genesis.Options{NetworkVersion: 18}, false},
		{"nv29, mainnet's actors", genesis.Options{NetworkVersion: 29, Flavour: "mainnet"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !c.always && os.Getenv("EDGEFVM_ALL_VERSIONS") == "" {
				t.Skip("NOT RUN: EDGEFVM_ALL_VERSIONS=1 asks for it; some seconds each")
			}
			t.Parallel()
			n := devtest.New(t, dev.Options{Genesis: c.genesis})
			devtest.Busy(t, n, 1)
			r := replayed(t, n)
			if !r.Good() || r.Skipped != 1 { // the head has no child
				t.Errorf("%d passed, %d failed, %d skipped: %+v %s", r.Passed, r.Failed, r.Skipped, r.Failure, r.Error)
			}
			if want := n.Len() - 1; r.Passed != want {
				t.Errorf("%d tipsets were compared, and the chain has %d blocks", r.Passed, want)
			}
		})
	}
}

// An edit of the state is found.
func TestReplayFindsEdit(t *testing.T) {
	n := devtest.New(t)
	n.Blocks(t, 2)
	if err := n.Edit(t.Context(), addBalance(n.Genesis().Accounts[0].EthID, 1)); err != nil {
		t.Fatal(err)
	}
	n.Blocks(t, 2)
	r := replayed(t, n)
	if r.Failure == nil || r.Failure.Epoch != 2 || len(r.Failure.Differences) != 1 || r.Failure.Differences[0].What != "state root" {
		t.Errorf("%+v", r.Failure)
	}
}
