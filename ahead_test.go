package fvm_test

import (
	"context"
	"flag"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/vector"
)

var allTapes = flag.Bool("all-tapes", false, "play tapes of all golden vectors, not of each tenth one")

// What the reference recorded comes out of tapes too, with traces: of tapes that were made in the same setting, which hold to the end, and
// of those made in other settings and on other states, where a guest has to take over somewhere.
func TestTapes(t *testing.T) {
	files, err := filepath.Glob("lab/conformance/testdata/nv*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no vectors", err)
	}
	every := 10
	if *allTapes {
		every = 1
	}
	if testing.Short() {
		every = 100
	}
	actors := vector.NewActors(bundle.Options{})
	for at, c := range []struct {
		name   string
		differ func(*fvm.Config)
		again  bool
	}{
		{"the same", func(*fvm.Config) {}, false},
		{"on the first state", func(*fvm.Config) {}, true},
		{"another setting", func(cfg *fvm.Config) {
			cfg.BaseFee, cfg.CircSupply = big.Add(cfg.BaseFee, big.NewInt(7)), big.NewInt(5)
			cfg.Timestamp, cfg.ChainID, cfg.ActorDebugging = cfg.Timestamp+30, cfg.ChainID+1, !cfg.ActorDebugging
			cfg.Externs, cfg.Proofs = nil, nil
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var some []string
			for i := at; i < len(files); i += every {
				if !strings.HasSuffix(files[i], ".trace.json") {
					some = append(some, files[i])
				}
			}
			slices.Sort(some)
			var played, taken atomic.Int64
			rep, err := conformance.Run(t.Context(), some, conformance.Options{Actors: actors, Jobs: 2, Open: func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
				m, err := fvm.NewTaped(ctx, cfg, c.differ, c.again)
				if err != nil {
					return nil, err
				}
				return &counted{m, &played, &taken}, nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range rep.Outcomes {
				if o.Status == conformance.Failed {
					t.Errorf("%s: %s: %v", o.Name, o.Error, o.Differences)
				}
			}
			t.Logf("%d vectors, %d skipped; %d tapes played, %d guests took over", rep.Passed, rep.Skipped, played.Load(), taken.Load())
			if rep.Passed == 0 || played.Load() == 0 {
				t.Error("nothing was played")
			}
			if c.again && taken.Load() == 0 {
				t.Error("no guest took over")
			}
		})
	}
}

// counted adds up what its book counts.
type counted struct {
	*fvm.Taped
	played, taken *atomic.Int64
}

func (c *counted) Apply(ctx context.Context, msg *fvm.Message, kind fvm.Kind, chainLength int) (*fvm.Result, error) {
	played, taken := c.Book.Played.Load(), c.Book.TakenOver.Load()
	r, err := c.Taped.Apply(ctx, msg, kind, chainLength)
	c.played.Add(c.Book.Played.Load() - played)
	c.taken.Add(c.Book.TakenOver.Load() - taken)
	return r, err
}
