// Package goldentest lets the tests of any room run golden vectors by name, for what takes a whole world to see. Only
// tests call it.
package goldentest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/vector"
)

var actors = vector.NewActors(bundle.Options{})

// Run runs vectors of lab/conformance/testdata, with their traces.
func Run(t *testing.T, names ...string) {
	t.Helper()
	var files []string
	for _, n := range names {
		files = append(files, filepath.Join(folder(t), n+".json"))
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

// folder is that of the golden vectors, wherever in the module the test stands.
func folder(t *testing.T) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		goldens := filepath.Join(dir, "lab", "conformance", "testdata")
		if _, err := os.Stat(filepath.Join(goldens, "MANIFEST")); err == nil {
			return goldens
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("the golden vectors are not above the test's folder")
		}
		dir = up
	}
}
