//go:build wasmedge && cgo && linux

package upkeep_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/upkeep"
)

// A cache that was built ahead serves every form of the engine, and nothing is
// compiled in the run.
func TestWasmEdgeCache(t *testing.T) {
	clitest.NeedBundles(t)
	dir := filepath.Join(t.TempDir(), "cache")
	for name, car := range map[string]string{
		"wasmedge-o0": clitest.SmallBundle(t, "account", "multisig"),
		"wasmedge":    clitest.SmallBundle(t, "placeholder"), // the best code, of the smallest module
	} {
		if out := edgefvm.OK(t, "cache", "build", "--engine", name, "--bundle", car, "--nv", "28", "--cache", dir); !strings.Contains(out, " in ") {
			t.Errorf("%s:\n%s", name, out)
		}
	}
	made := clitest.FromJSON[upkeep.CacheView](t, edgefvm.OK(t, "cache", "info", "--cache", dir, "--json"))
	if made.WasmEdge.Entries < 3 || made.Wazero.Entries < 3 || made.Bad != 0 {
		t.Fatalf("the cache: %+v", made)
	}
	for _, name := range []string{"wasmedge", "wasmedge-o0"} {
		out := edgefvm.OK(t, "vectors", "run", "--engine", name+",wazero", "--cache", dir, clitest.Golden("nv28-multisig-007"))
		if clitest.LastLine(out) != "1 passed, 0 failed, 0 skipped" {
			t.Errorf("%s:\n%s", name, out)
		}
		if name == "wasmedge-o0" && !strings.Contains(out, "\nmodules of wasmedge-o0: ") {
			t.Errorf("what ran is not told:\n%s", out)
		}
	}
	out := edgefvm.OK(t, "cache", "info", "--cache", dir)
	if !strings.Contains(out, "  wasmedge ") {
		t.Errorf("info:\n%s", out)
	}
	c := clitest.FromJSON[upkeep.CacheView](t, edgefvm.OK(t, "cache", "clean", "--cache", dir, "--json"))
	if c.WasmEdge.Entries < made.WasmEdge.Entries {
		t.Errorf("clean: %+v, made %+v", c, made)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*", "*.so")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// A folder that nothing can be written to costs a warning and time.
func TestWasmEdgeWithoutCache(t *testing.T) {
	clitest.NeedBundles(t)
	file := clitest.WriteTo(t, filepath.Join(t.TempDir(), "file"), nil)
	for _, args := range [][]string{{"--cache", file}, {"--no-cache"}} {
		out := edgefvm.OK(t, append([]string{"vectors", "run", "--engine", "wasmedge-o0", clitest.Golden("nv28-send-001")}, args...)...)
		if clitest.LastLine(out) != "1 passed, 0 failed, 0 skipped" {
			t.Errorf("%v:\n%s", args, out)
		}
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "edgefvm-aot-*")); err != nil || len(left) > 0 {
		t.Errorf("temporary folders are left: %v, %v", left, err)
	}
}
