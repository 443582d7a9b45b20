package call_test

import (
	"testing"

	"github.com/edgefvm/fvm/lab/conformance/goldentest"
)

// What takes a whole world to see, as the reference recorded it.
func TestVectors(t *testing.T) {
	for _, c := range []struct {
		about string
		names []string
	}{
		{"the depth limit, with and without a gas limit; memory of a deep stack", []string{"nv18-script-nested-012", "nv21-script-nested-012"}},
		{"exits, traps, bad blocks of nested calls", []string{"nv18-script-nested-002", "nv28-script-nested-002"}},
		{"nested gas limits and read-only calls", []string{"nv19-script-nested-001"}},
		{"start functions", []string{"nv18-wat-start-exported", "nv22-wat-start-loop", "nv25-wat-start-trap", "nv21-wat-start-recurse"}},
		{"types of invoke", []string{"nv18-wat-invoke-i64-result-trap", "nv25-wat-invoke-i64-result-trap", "nv20-wat-no-invoke", "nv21-wat-no-invoke-func"}},
		{"accounts made on the way", []string{"nv28-script-send-014", "nv20-sendedge-012"}},
	} {
		t.Run(c.about, func(t *testing.T) { goldentest.Run(t, c.names...) })
	}
}
