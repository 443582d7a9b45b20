package replay

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/network"
)

// engine is one for all tests of the package: compiling actors takes longer than running them.
var engine = sync.OnceValues(func() (*fvm.Engine, error) { return fvm.NewEngine(fvm.EngineConfig{}) })

func theEngine(t testing.TB) *fvm.Engine {
	t.Helper()
	e, err := engine()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// theirs is a chain with what Lotus made of it.
type theirs struct {
	archive blockstore.Blockstore
	roots   []cid.Cid
	network *network.Network
	wants   []want
}

// load reads a chain of a folder. Those of testdata have no actors' code: a replay takes it from the bundles.
func load(t testing.TB, folder, file string) *theirs {
	t.Helper()
	c := &theirs{}
	store, roots := open(t, filepath.Join(folder, file+".car.zst"))
	c.archive, c.roots = store, roots
	name := file
	if name == "dev29-with-forks" {
		name = "dev29" // the same main chain
	}
	n, err := network.Load(filepath.Join(folder, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	c.network, c.wants = n, expected(t, filepath.Join(folder, name+".tipsets.json"))
	return c
}

// options replay the chain.
func (c *theirs) options(t testing.TB) Options {
	return Options{Archive: c.archive, Roots: c.roots, Network: c.network, Engines: []*fvm.Engine{theEngine(t)}}
}

// replayed runs a chain and judges each tipset.
func (c *theirs) replayed(t *testing.T, o Options, stops abi.ChainEpoch) {
	t.Helper()
	i := 0
	o.OnTipset = func(got *Tipset) {
		for _, d := range got.Differences {
			t.Errorf("epoch %d: %v", got.Epoch, d)
		}
		judge(t, &c.wants[i], got)
		i++
	}
	rep, err := Run(t.Context(), o)
	t.Logf("%d passed, %d failed, %d skipped, %.1f tipsets/s", rep.Passed, rep.Failed, rep.Skipped, float64(rep.Passed)/rep.Seconds)
	if stops > 0 {
		if err == nil || c.wants[i].Epoch != stops {
			t.Fatalf("it went on to epoch %d and said %v, want an error at epoch %d", c.wants[i].Epoch, err, stops)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if i != len(c.wants) || rep.Passed != i-1 || rep.Failed != 0 || rep.Skipped != 1 {
		t.Fatalf("%d tipsets of %d: %+v", i, len(c.wants), rep)
	}
}

// A replay gives what Lotus gave, for each tipset and message: of the first epochs of two chains.
func TestChains(t *testing.T) {
	for _, c := range []struct {
		name    string
		workers int
	}{
		{"upgrades16", 1}, {"upgrades16", 2}, {"two29", 2},
		{"real28", 1}, // with reports of consensus faults, one of which pays
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := load(t, "testdata", c.name)
			o := chain.options(t)
			o.Workers = c.workers
			chain.replayed(t, o, 0)
		})
	}
}

// The same of whole chains.
func TestSharedChains(t *testing.T) {
	if _, err := os.Stat(shared); err != nil {
		t.Skip("SKIPPED: ../shared/chains is not there; testdata has chains of the same kind")
	}
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	for _, c := range []struct {
		name    string
		workers int
		stops   abi.ChainEpoch // at a proof, which nobody judges here
	}{
		{"two29", 1, 0}, {"two29", 3, 0}, {"dev29", 1, 0}, {"dev29-with-forks", 2, 0}, {"real28", 1, 0}, {"real28", 2, 0}, {"upgrades16", 1, 0},
		{"upgrades16", 2, 0}, {"sealed29", 1, 25},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := load(t, shared, c.name)
			o := chain.options(t)
			o.Workers = c.workers
			chain.replayed(t, o, c.stops)
		})
	}
}
