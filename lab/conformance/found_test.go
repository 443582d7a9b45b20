package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Differences that fuzzing and sweeps found, each of which was ours to mend. CONFORMANCE.md has a line on each.
func TestFound(t *testing.T) {
	files, err := Find("found")
	if err != nil {
		t.Fatal(err)
	}
	rep, err := Run(t.Context(), files, Options{Actors: actors, Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "CONFORMANCE.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range rep.Outcomes {
		if o.Status != Passed || !o.Traced {
			t.Errorf("%s: %s (%s), traced %v: %v", o.Name, o.Status, o.Error, o.Traced, o.Differences)
		}
		if !strings.Contains(string(text), "`"+o.Name+"`") {
			t.Errorf("CONFORMANCE.md does not name %s", o.Name)
		}
	}
	if rep.Passed == 0 {
		t.Error("nothing ran")
	}
}
