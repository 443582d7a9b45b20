package laboratory_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/laboratory"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/vector"
)

// greedy is an engine that takes a milligas too much for each call.
type greedy struct{ engine.Engine }

func (greedy) Name() string { return "greedy" }

func (e greedy) Env(ctx context.Context, cfg engine.EnvConfig) (engine.Env, error) {
	v, err := e.Engine.Env(ctx, cfg)
	return greedyEnv{v}, err
}

type greedyEnv struct{ engine.Env }

func (v greedyEnv) Compile(ctx context.Context, wasm []byte) (engine.Module, error) {
	m, err := v.Env.Compile(ctx, wasm)
	return greedyModule{m}, err
}

type greedyModule struct{ engine.Module }

func (m greedyModule) Instantiate(ctx context.Context, data any) (engine.Instance, error) {
	in, err := m.Module.Instantiate(ctx, data)
	if err != nil {
		return nil, err
	}
	return greedyInstance{in}, nil
}

type greedyInstance struct{ engine.Instance }

func (in greedyInstance) Call(ctx context.Context, export string, stack []uint64) error {
	err := in.Instance.Call(ctx, export, stack)
	in.SetCounter(in.Counter() - 1)
	return err
}

// withGreedy makes the interpreter a greedy engine, for one test.
func withGreedy(t *testing.T) {
	was := kit.NewEngine
	t.Cleanup(func() { kit.NewEngine = was })
	kit.NewEngine = func(cfg fvm.EngineConfig) (*fvm.Engine, error) {
		if cfg.Name != "wazero-interpreter" {
			return was(cfg)
		}
		e, err := wazero.New(wazero.Options{})
		return fvm.EngineFrom(greedy{e}), err
	}
}

// As many modules are compiled at once as vectors may wait for, within a bound.
func TestVectorsCompileAtOnce(t *testing.T) {
	clitest.NeedBundles(t)
	was := kit.NewEngine
	t.Cleanup(func() { kit.NewEngine = was })
	for _, c := range [][2]int{{1, 1}, {3, 3}, {64, laboratory.MostCompiled}} {
		got := 0
		kit.NewEngine = func(cfg fvm.EngineConfig) (*fvm.Engine, error) {
			got = cfg.Jobs
			return was(cfg)
		}
		edgefvm.OK(t, "vectors", "run", "--jobs", fmt.Sprint(c[0]), clitest.Golden("nv28-send-001"))
		if got != c[1] {
			t.Errorf("with %d jobs, %d modules at once", c[0], got)
		}
	}
}

func TestLockStep(t *testing.T) {
	clitest.NeedBundles(t)
	dir := filepath.Join(t.TempDir(), "found")
	two := []string{"vectors", "run", "--engine", "wazero,wazero-interpreter", "--differences", dir}
	out := edgefvm.OK(t, append(two, clitest.Golden("nv28-send-001"), clitest.Golden("nv28-multisig-007"))...)
	if clitest.LastLine(out) != "2 passed, 0 failed, 0 skipped" || !strings.HasPrefix(out, "scenario ") {
		t.Errorf("they agree:\n%s", out)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a folder without a difference")
	}

	withGreedy(t)
	r := edgefvm.Run(t, append(two, "--jobs", "1", clitest.Golden("nv28-send-001"), clitest.Golden("nv28-multisig-007"))...)
	if r.Code != kit.ExitFailed || clitest.LastLine(r.Out) != "1 passed, 1 failed, 0 skipped" || r.Err != "" {
		t.Fatalf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	for _, want := range []string{"FAIL " + clitest.Golden("nv28-multisig-007"), "engine greedy differs from wazero in message 0 (", "gas charge wasm_exec: compute milligas is 1, want 0", "run again, they differed in the same way"} {
		if !strings.Contains(r.Out, want) {
			t.Errorf("it lacks %q:\n%s", want, r.Out)
		}
	}
	files, err := conformance.Find(dir)
	if err != nil || len(files) != 1 || !strings.Contains(r.Out, files[0]) {
		t.Fatalf("bundles %v, %v", files, err)
	}

	// Anyone can run it again, on one engine or on both, and explain it.
	if out := edgefvm.OK(t, "vectors", "run", dir); clitest.LastLine(out) != "1 passed, 0 failed, 0 skipped" {
		t.Errorf("the bundle:\n%s", out)
	}
	if r := edgefvm.Run(t, append(two, dir)...); r.Code != kit.ExitFailed || clitest.LastLine(r.Out) != "0 passed, 1 failed, 0 skipped" {
		t.Errorf("the bundle in lock-step:\n%s", r.Out)
	}
	out = edgefvm.OK(t, "explain", files[0])
	clitest.Plain(t, out)
	for _, want := range []string{"\n≠ greedy differed from wazero:\n", "    trace: event ", "run again, they differed in the same way", "the trace of greedy is in", "✓ as expected: receipts, gas, state root, every gas charge."} {
		if !strings.Contains(out, want) {
			t.Errorf("explain lacks %q:\n%s", want, out)
		}
	}
	x := clitest.FromJSON[struct {
		Engines *vector.EngineDifference `json:"engines_differed"`
	}](t, edgefvm.OK(t, "explain", "--json", files[0]))
	if x.Engines == nil || x.Engines.Engine != "greedy" || len(x.Engines.Differences) == 0 {
		t.Errorf("explain as JSON: %+v", x.Engines)
	}
}

func TestLockStepUsage(t *testing.T) {
	v := clitest.Golden("nv28-send-001")
	for _, c := range []struct{ engines, want string }{
		{"wazero,v8", `no engine "v8"; known: wazero`},
		{"wazero,", `no engine ""`},
		{"wazero,wazero,wazero,wazero", "names 4 engines, at most three"},
		{"wazero,wazero-interpreter,wazero", `names "wazero" twice`},
	} {
		edgefvm.Fails(t, kit.ExitUsage, []string{"vectors", "run", "--engine", c.engines, v}, c.want)
	}
	edgefvm.Fails(t, kit.ExitUsage, []string{"vectors", "run", "--differences", t.TempDir(), v}, "--differences is for several engines")
	edgefvm.Fails(t, kit.ExitUsage, []string{"explain", "--engine", "wazero,wazero", v}, `no engine "wazero,wazero"`)
}
