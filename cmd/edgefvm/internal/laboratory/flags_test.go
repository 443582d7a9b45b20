package laboratory_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/lab/duel/dueltest"
)

// Flags that contradict each other, and numbers that mean nothing, are refused before anything starts.
func TestLaboratoryMistakes(t *testing.T) {
	v, dir := clitest.Golden("nv28-send-001"), t.TempDir()
	none := filepath.Join(dir, "none")
	for name, c := range map[string]struct {
		code int
		args []string
		want string
	}{
		"a chart of nothing":       {kit.ExitUsage, []string{"bench", "--svg", "x.svg", v}, "--svg draws ratios: it needs --against"},
		"a chart of processes":     {kit.ExitUsage, []string{"bench", "--svg", "x.svg", "--cold", "--against", "x", v}, "--svg draws no cold processes"},
		"no round":                 {kit.ExitUsage, []string{"bench", "--rounds", "0", v}, "--rounds must be at least 1"},
		"an engine twice":          {kit.ExitUsage, []string{"bench", "--engine", "wazero,wazero", v}, "--engine names wazero twice"},
		"an engine of nobody":      {kit.ExitUsage, []string{"bench", "--engine", "wazer", v}, "did you mean wazero"},
		"nothing to bench":         {kit.ExitFailed, []string{"bench", none}, "name vector files, or folders of them"},
		"less than no message":     {kit.ExitUsage, []string{"fuzz", "--messages", "-1"}, "--messages must be at least 0"},
		"less than no time":        {kit.ExitUsage, []string{"fuzz", "--for", "-1s"}, "--for -1s is negative"},
		"no job":                   {kit.ExitUsage, []string{"fuzz", "--jobs", "0"}, "jobs"},
		"a layer of nobody":        {kit.ExitUsage, []string{"fuzz", "--layers", "evn"}, "evm"},
		"a version of nobody":      {kit.ExitUsage, []string{"fuzz", "--nv", "15"}, "15"},
		"a seed of words":          {kit.ExitUsage, []string{"fuzz", "--seed", "lucky"}, "lucky"},
		"a case of all layers":     {kit.ExitUsage, []string{"fuzz", "--only", "1"}, "--only is a case of one layer: name it with --layers"},
		"no reference":             {kit.ExitUsage, []string{"fuzz", "--oracle", none, "--layers", "envelopes"}, "there is no such file"},
		"sweep without a way":      {kit.ExitUsage, []string{"sweep", "--oracle", none, v}, "there is no such file"},
		"a vector that is none":    {kit.ExitFailed, []string{"vectors", "run", clitest.WriteTo(t, filepath.Join(dir, "x.json"), []byte("{}"))}, `its class is "", only "message" is known`},
		"two engines, one unknown": {kit.ExitUsage, []string{"vectors", "run", "--engine", "wazero,wasm", v}, `there is no engine "wasm"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := edgefvm.Run(t, c.args...)
			if r.Code != c.code || !strings.Contains(r.Err, c.want) && !strings.Contains(r.Out, c.want) {
				t.Errorf("exit code %d, want %d and %q\n%s%s", r.Code, c.code, c.want, r.Out, r.Err)
			}
		})
	}
}

// A chart is an SVG of the ratios, and one that cannot be written is an error.
func TestBenchChart(t *testing.T) {
	clitest.NeedBundles(t)
	t.Setenv(clitest.EnvPeer, "answers")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ratio.svg")
	args := []string{"bench", "--rounds", "1", "--phases=false", "--against", self, "--engine", "wazero", clitest.Golden("nv28-multisig-007")}
	edgefvm.OK(t, append(args, "--svg", path)...)
	if text := string(clitest.ReadFrom(t, path)); !strings.Contains(text, "<svg ") || !strings.HasSuffix(strings.TrimSpace(text), "</svg>") || !strings.Contains(text, "nv28-multisig-007") {
		t.Errorf("%.300s", text)
	}
	r := edgefvm.Run(t, append(args, "--svg", filepath.Join(path, "below.svg"))...)
	if r.Code != kit.ExitFailed || !strings.Contains(r.Err, "--svg ") {
		t.Errorf("%+v", r)
	}
}

// A fuzzer that had no time says so, and that nothing ran is no success.
func TestFuzzWithoutTime(t *testing.T) {
	clitest.NeedBundles(t)
	r := edgefvm.Run(t, "fuzz", "--oracle", dueltest.Program(t, dueltest.Sound), "--for", "1ns", "--nv", "28", "--layers", "envelopes", "-j", "1")
	if r.Code != kit.ExitFailed || !strings.Contains(r.Out, "Nothing ran: ") || clitest.LastLine(r.Out) != "0 passed, 0 failed" {
		t.Errorf("%+v", r)
	}
}
