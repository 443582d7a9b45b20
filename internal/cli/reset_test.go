package cli

import (
	"context"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/conformance"
	"github.com/edgefvm/fvm/engine/wazero"
)

// Each instance that was reset is compared with a new one, byte by byte, while
// actors run. Each vector runs three times, so that there is something to reset.
func TestResetOnWazero(t *testing.T) {
	needBundles(t)
	ctx := context.Background()
	e, err := wazero.New(wazero.Options{CheckReset: true, CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	eng := fvm.EngineFrom(e)
	defer eng.Close(ctx)
	var files []string
	for range 3 {
		files = append(files, golden("nv28-ethsender-005"), golden("nv28-script-send-014"), golden("nv28-multisig-007"))
	}
	report, err := conformance.Run(ctx, files, conformance.Options{Engine: eng})
	if err != nil || !report.OK() || report.Passed != len(files) {
		t.Fatalf("%+v, %v", report, err)
	}
	if n := wazero.Reused(e); n == 0 {
		t.Error("no instance was reused")
	}
}
