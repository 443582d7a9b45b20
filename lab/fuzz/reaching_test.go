package fuzz

import (
	"fmt"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/lab/duel"
)

// The cases that reach all, which every campaign begins with, do so on every network version: each result of each syscall and
// each charge that the tables name. That they give what the reference gives is the campaign's to show, which needs it.
func TestReachingAll(t *testing.T) {
	dir, err := fvm.DefaultCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	e, ear, err := ListeningWazero(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	for _, nv := range Versions() {
		t.Run(fmt.Sprint("nv", nv), func(t *testing.T) {
			seen := reachAll(t, nv, e, ear)
			list, err := seen.Against([]network.Version{nv})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range list {
				if strings.HasPrefix(r.Of, "nv") && r.Reached != r.All {
					t.Errorf("%s: %d of %d, not %s", r.Kind, r.Reached, r.All, strings.Join(r.Missing, ", "))
				}
			}
		})
	}
}

// reachAll runs the first cases of a network version that reach all.
func reachAll(t *testing.T, nv network.Version, e *fvm.Engine, ear *Listener) *Coverage {
	t.Helper()
	list, err := Reaching(t.Context(), actorsOf, nv)
	if err != nil {
		t.Fatal(err)
	}
	seen := newCoverage()
	for _, c := range list {
		o, err := duel.RunOurs(t.Context(), c.Case, e)
		if err != nil || o.Err != nil {
			t.Fatalf("case %d of layer %s (%s): %v, %v", c.Index, c.Layer, c.Note, err, o.Err)
		}
		seen.add(cover(int(nv), o))
		seen.hear(int(nv), ear.Take())
	}
	return seen
}
