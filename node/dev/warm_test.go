package dev_test

import (
	"testing"

	"github.com/edgefvm/fvm/node/dev/devtest"
)

// Loading code changes nothing, neither at the beginning nor upon blocks.
func TestWarm(t *testing.T) {
	n := devtest.New(t)
	for _, when := range []string{"at the genesis", "later"} {
		latest := n.Latest()
		if err := n.Warm(t.Context()); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if n.Latest() != latest {
			t.Errorf("%s: there is another block", when)
		}
		n.Blocks(t, 3)
	}
}
