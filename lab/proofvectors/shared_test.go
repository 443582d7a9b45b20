package proofvectors

import (
	"os"
	"testing"
)

func TestShared(t *testing.T) {
	dir := "/work/shared/proofs/vectors"
	if _, err := os.Stat(dir); err != nil {
		t.Skip(err)
	}
	files, err := Find([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		c, err := Run(t.Context(), []string{f}, Options{Each: func(r Result) {
			if r.State != Passed {
				t.Errorf("%s %s: %.600s", r.State, r.Name, r.Detail)
			}
		}})
		t.Log(f, c, err)
	}
}
