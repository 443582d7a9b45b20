//go:build wasmedge && cgo && linux

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A cache that was built ahead serves every form of the engine, and nothing is
// compiled in the run.
func TestWasmEdgeCache(t *testing.T) {
	needBundles(t)
	dir := filepath.Join(t.TempDir(), "cache")
	for name, car := range map[string]string{
		"wasmedge-o0": smallBundle(t, "account", "multisig"),
		"wasmedge":    smallBundle(t, "placeholder"), // the best code, of the smallest module
	} {
		if out := ok(t, "cache", "build", "--engine", name, "--bundle", car, "--nv", "28", "--cache", dir); !strings.Contains(out, " in ") {
			t.Errorf("%s:\n%s", name, out)
		}
	}
	made := fromJSON[cacheView](t, ok(t, "cache", "info", "--cache", dir, "--json"))
	if made.WasmEdge.Entries < 3 || made.Wazero.Entries < 3 || made.Bad != 0 {
		t.Fatalf("the cache: %+v", made)
	}
	for _, name := range []string{"wasmedge", "wasmedge-o0"} {
		out := ok(t, "vectors", "run", "--engine", name+",wazero", "--cache", dir, golden("nv28-multisig-007"))
		if lastLine(out) != "1 passed, 0 failed, 0 skipped" {
			t.Errorf("%s:\n%s", name, out)
		}
		if name == "wasmedge-o0" && !strings.Contains(out, "\nmodules of wasmedge-o0: ") {
			t.Errorf("what ran is not told:\n%s", out)
		}
	}
	out := ok(t, "cache", "info", "--cache", dir)
	if !strings.Contains(out, "  wasmedge ") {
		t.Errorf("info:\n%s", out)
	}
	c := fromJSON[cacheView](t, ok(t, "cache", "clean", "--cache", dir, "--json"))
	if c.WasmEdge.Entries < made.WasmEdge.Entries {
		t.Errorf("clean: %+v, made %+v", c, made)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*", "*.so")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// A folder that nothing can be written to costs a warning and time.
func TestWasmEdgeWithoutCache(t *testing.T) {
	needBundles(t)
	file := writeTo(t, filepath.Join(t.TempDir(), "file"), nil)
	for _, args := range [][]string{{"--cache", file}, {"--no-cache"}} {
		out := ok(t, append([]string{"vectors", "run", "--engine", "wasmedge-o0", golden("nv28-send-001")}, args...)...)
		if lastLine(out) != "1 passed, 0 failed, 0 skipped" {
			t.Errorf("%v:\n%s", args, out)
		}
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "edgefvm-aot-*")); err != nil || len(left) > 0 {
		t.Errorf("temporary folders are left: %v, %v", left, err)
	}
}
