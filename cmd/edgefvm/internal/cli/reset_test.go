package cli

import (
	"context"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/lab/conformance"
)

// Each instance that was reset is compared with a new one, byte by byte, while
// actors run. Each vector runs three times, so that there is something to reset.
func TestResetOnWazero(t *testing.T) {
	needBundles(t)
	e, err := wazero.New(wazero.Options{CheckReset: true, CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	runReset(t, e, wazero.Reused, "nv28-ethsender-005", "nv28-script-send-014", "nv28-multisig-007")
}

// runReset runs vectors on an engine that checks its resets, three times each.
func runReset(t *testing.T, e engine.Engine, reused func(engine.Engine) uint64, vectors ...string) {
	t.Helper()
	ctx := context.Background()
	eng := fvm.EngineFrom(e)
	defer eng.Close(ctx)
	var files []string
	for range 3 {
		for _, name := range vectors {
			files = append(files, golden(name))
		}
	}
	report, err := conformance.Run(ctx, files, conformance.Options{Engine: eng})
	if err != nil || !report.OK() || report.Passed != len(files) {
		t.Fatalf("%+v, %v", report, err)
	}
	if n := reused(e); n == 0 {
		t.Error("no instance was reused")
	}
}
