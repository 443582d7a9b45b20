package laboratory_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/network"
	blocks "github.com/ipfs/go-block-format"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/vector"
)

// Every tenth message of a development node's chain, drawn at random, is a closed vector that runs here as it ran there. With EDGEFVM_ORACLE
// the reference runs it too, and gives the same receipt, fees and state root.
func TestDevNodeVectors(t *testing.T) {
	clitest.NeedBundles(t)
	program := os.Getenv(oracle.Environment)
	versions := []network.Version{28}
	if os.Getenv("EDGEFVM_ALL_VERSIONS") != "" {
		versions = []network.Version{28, 18, 29}
	}
	for _, nv := range versions {
		n := devtest.New(t, dev.Options{Genesis: genesis.Options{NetworkVersion: nv, Miners: 1}})
		devtest.Busy(t, n, uint64(nv))
		impersonated(t, n)
		rng := rand.New(rand.NewPCG(uint64(nv), 1))
		dir := t.TempDir()
		var paths []string
		for b := n.Latest(); b.Epoch() > 0; b = n.Parent(b) {
			for i := range b.Messages {
				if rng.IntN(10) > 0 && !b.Messages[i].Implicit {
					continue
				}
				path, err := n.ExtractVector(t.Context(), b, i, dir)
				if err != nil {
					t.Fatal(err)
				}
				paths = append(paths, path)
			}
		}
		if len(paths) < 5 {
			t.Fatalf("nv%d: %d messages were drawn", nv, len(paths))
		}
		if nv == 28 {
			paths = append(paths, loadVectors(t)...)
		}
		edgefvm.OK(t, append([]string{"vectors", "run"}, paths...)...)
		if program == "" {
			t.Logf("NOT RUN on the reference: set %s", oracle.Environment)
			continue
		}
		onOracle(t, program, paths)
		t.Logf("nv%d: the reference was asked about %d messages", nv, len(paths))
	}
}

// impersonated makes a contract send a message.
func impersonated(t *testing.T, n *devtest.Net) {
	t.Helper()
	at := n.Deploy(t, 0, devtest.Token())
	n.Impersonate(at.Filecoin())
	msg, err := (&eth.Call{From: &at, To: &at, Input: devtest.BalanceOf(at)}).Message(eth.Tools)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Submit(t.Context(), msg, nil); err != nil {
		t.Fatal(err)
	}
}

// onOracle runs vectors on the reference and compares.
func onOracle(t *testing.T, program string, paths []string) {
	t.Helper()
	c, err := oracle.Start(t.Context(), program)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	actors := vector.NewActors(bundle.Options{})
	for i, p := range paths {
		v, err := vector.Load(p)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			loadActors(t, c, actors, v.Bundle())
		}
		if err := c.LoadCARData(t.Context(), v.CAR()); err != nil {
			t.Fatal(err)
		}
		r, err := oracle.RequestOf(v, 0)
		if err != nil {
			t.Fatal(err)
		}
		a, err := c.Apply(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Results) != 1 || a.Results[0].Error != "" || a.Root != v.PostRoot().String() {
			t.Errorf("%s: %+v, want the root %s", p, a, v.PostRoot())
			continue
		}
		agrees(t, p, &a.Results[0], &v.Receipts()[0])
	}
}

func loadActors(t *testing.T, c *oracle.Client, actors *vector.Actors, name string) {
	t.Helper()
	store, err := actors.Store(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	var car bytes.Buffer
	keys := store.Keys()
	err = blockstore.WriteCAR(&car, keys[:1], func(yield func(blocks.Block, error) bool) {
		for _, k := range keys {
			if !yield(store.Get(t.Context(), k)) {
				return
			}
		}
	})
	if err == nil {
		err = c.LoadCARData(t.Context(), car.Bytes())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func agrees(t *testing.T, path string, got *oracle.Result, want *vector.Receipt) {
	t.Helper()
	events := string(want.EventsRoot)
	if int64(got.ExitCode) != *want.ExitCode || got.GasUsed != *want.GasUsed || string(got.Return) != string(want.Return) ||
		(got.EventsRoot == "") != (events == "" || events == "null") || !strings.Contains(events, got.EventsRoot) ||
		got.Penalty != *want.Penalty || got.MinerTip != *want.MinerTip || got.BaseFeeBurn != *want.BaseFeeBurn || got.OverEstimationBurn != *want.OverEstimationBurn {
		t.Errorf("%s: the reference gives %+v, and here came %+v", path, got, want)
	}
}
