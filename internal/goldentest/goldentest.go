// Package goldentest lets the tests of any room run golden vectors by name, for what takes a whole world to see. Only
// tests call it.
package goldentest

import (
	"path/filepath"
	"testing"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/conformance"
)

var actors = conformance.NewActors(bundle.Options{})

// Run runs vectors of conformance/testdata, with their traces. The test's package is two folders below the root.
func Run(t *testing.T, names ...string) {
	t.Helper()
	var files []string
	for _, n := range names {
		files = append(files, filepath.Join("..", "..", "conformance", "testdata", n+".json"))
	}
	rep, err := conformance.Run(t.Context(), files, conformance.Options{Actors: actors, Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range rep.Outcomes {
		if o.Status != conformance.Passed || !o.Traced {
			t.Errorf("%s: %s (%s), traced %v: %v", o.Name, o.Status, o.Error, o.Traced, o.Differences)
		}
	}
	if len(names) == 0 || rep.Passed != len(names) {
		t.Errorf("%d of %d vectors passed", rep.Passed, len(names))
	}
}
