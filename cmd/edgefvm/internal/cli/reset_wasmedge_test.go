//go:build wasmedge && cgo && linux

package cli

import (
	"context"
	"testing"

	"github.com/edgefvm/fvm/engine/wasmedge"
	"github.com/edgefvm/fvm/internal/engine/aot"
)

// Each instance that was reset is compared with a new one, byte by byte, while
// actors run. Each vector runs three times, so that there is something to reset.
// In them actors return, exit, abort, run out of gas and trap, with others that
// wait for them, and some of those are unwound with them.
func TestResetOfActors(t *testing.T) {
	needBundles(t)
	cache, err := aot.Open(aot.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close()
	e, err := wasmedge.New(wasmedge.Options{CheckReset: true, Native: func(ctx context.Context, wasm []byte) (string, error) {
		return cache.Artefact(ctx, wasm, aot.O0)
	}})
	if err != nil {
		t.Fatal(err)
	}
	runReset(t, e, wasmedge.Reused,
		"nv28-ethsender-005", "nv28-script-send-014", "nv28-multisig-007", "nv28-script-exit-002", "nv28-script-exit-004",
		"nv28-script-nested-random-007", "nv28-script-random-005", "nv28-evmgas-022", "nv28-wat-gas-refill")
}
