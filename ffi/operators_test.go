package ffi

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/shadow"
	"github.com/edgefvm/fvm/vector"
	"github.com/filecoin-project/filecoin-ffi/metrics"
)

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		env     string
		engines string
		halt    bool
		err     string
	}{
		{"", "wazero", false, ""},
		{"EDGEFVM_ENGINE=wazero-interpreter", "wazero-interpreter", false, ""},
		{"EDGEFVM_SHADOW=wazero-interpreter,wazero", "wazero-interpreter wazero", false, ""},
		{"EDGEFVM_SHADOW= wazero-interpreter , wazero,;EDGEFVM_SHADOW_HALT=1", "wazero-interpreter wazero", true, ""},
		{"EDGEFVM_ENGINE=wazero;EDGEFVM_SHADOW=wazero-interpreter", "wazero wazero-interpreter", false, ""},
		{"EDGEFVM_ENGINE=wazero;EDGEFVM_SHADOW=wazero-interpreter,wazero;EDGEFVM_SHADOW_HALT=0", "wazero wazero-interpreter", false, ""},
		{"EDGEFVM_ENGINE=v8", "", false, `EDGEFVM_ENGINE: there is no engine "v8" in this program; known: wazero`},
		{"EDGEFVM_SHADOW=wazero,v8", "", false, `EDGEFVM_SHADOW: there is no engine "v8"`},
		{"EDGEFVM_SHADOW=wazero,wazero", "", false, `"wazero" is named twice`},
		{"EDGEFVM_SHADOW=wazero", "", false, "name 1 engines together"},
		{"EDGEFVM_SHADOW_HALT=yes", "", false, `EDGEFVM_SHADOW_HALT is "yes"`},
	} {
		s, err := SettingsFrom(func(name string) string {
			for v := range strings.SplitSeq(c.env, ";") {
				if value, ok := strings.CutPrefix(v, name+"="); ok {
					return value
				}
			}
			return ""
		})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: error %v", c.env, err)
			}
			continue
		}
		if err != nil || !slices.Equal(s.engines(), strings.Fields(c.engines)) || s.ShadowHalt != c.halt {
			t.Errorf("%s: %v, %+v, %v", c.env, s.engines(), s, err)
		}
	}
}

func TestCompilerSetting(t *testing.T) {
	s, err := SettingsFrom(func(name string) string {
		return map[string]string{"EDGEFVM_COMPILER": "/opt/edgefvm"}[name]
	})
	if err != nil || s.Compiler != "/opt/edgefvm" {
		t.Errorf("%+v, %v", s, err)
	}
}

// The environment of a process, as operators set it: a child runs a message and prints what came of it.
func TestEnvironment(t *testing.T) {
	if os.Getenv("FFI_TEST_CHILD") != "" {
		s := sceneOf(t, sceneName)
		f, err := CreateFVM(s.opts(s.node()))
		if err != nil {
			fmt.Println("CHILD error:", err)
			return
		}
		ret, err := s.apply(f)
		if err != nil {
			t.Fatal(err)
		}
		_, isShadow := f.machine.(*shadow.Machine)
		fmt.Println("CHILD exit", ret.ExitCode, "shadow", isShadow)
		return
	}
	for _, c := range []struct {
		env  []string
		want string
	}{
		{nil, "CHILD exit 0 shadow false"},
		{[]string{"EDGEFVM_SHADOW=wazero,wazero-interpreter", "EDGEFVM_SHADOW_DIR=" + t.TempDir()}, "CHILD exit 0 shadow true"},
		{[]string{"EDGEFVM_ENGINE=v8"}, "CHILD error: EDGEFVM_ENGINE"},
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestEnvironment$", "-test.v")
		cmd.Env = append(os.Environ(), append(c.env, "FFI_TEST_CHILD=1")...)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%v: %v\n%s", c.env, err, out)
		}
	}
}

// unsound takes 5 milligas too much from a guest with each call that it makes to the host.
type unsound struct{ engine.Engine }

func (unsound) Name() string { return "unsound" }

func (e unsound) Env(ctx context.Context, cfg engine.EnvConfig) (engine.Env, error) {
	host := slices.Clone(cfg.Host)
	for i, h := range host {
		host[i].Fn = func(ctx context.Context, in engine.Instance, stack []uint64) error {
			in.SetCounter(in.Counter() - 5)
			return h.Fn(ctx, in, stack)
		}
	}
	cfg.Host = host
	return e.Engine.Env(ctx, cfg)
}

// lockStep is a node on these engines. It does not close them.
func lockStep(dir string, halt bool, engines ...*fvm.Engine) *Node {
	n := &Node{engines: engines, verifier: registered, meter: counter{metrics.New()}}
	n.inShadow(dir, halt)
	return n
}

// A difference does not stop the node: it is logged at level error with its bundle, counted, and the bundle tells it.
func TestShadowDifference(t *testing.T) {
	sound := defaultNode(t).engines[0]
	under, err := wazero.New(wazero.Options{})
	if err != nil {
		t.Fatal(err)
	}
	bad := fvm.EngineFrom(unsound{under})
	defer bad.Close(context.Background())
	s := sceneOf(t, sceneName)
	f, err := nodeOf(t, NodeConfig{}).create(s.opts(s.node()))
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.apply(f)
	if err != nil {
		t.Fatal(err)
	}
	root, err := f.Flush()
	if err != nil {
		t.Fatal(err)
	}

	var log bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
	defer slog.SetDefault(old)
	dir := filepath.Join(t.TempDir(), "differences")
	host := lockStep(dir, false, sound, bad)
	if f, err = host.create(s.opts(s.node())); err != nil {
		t.Fatal(err)
	}
	got, err := s.apply(f)
	if err != nil || got.GasUsed != want.GasUsed || !bytes.Equal(got.ExecTraceBytes, want.ExecTraceBytes) {
		t.Fatalf("%+v, %v", got, err)
	}
	if r, err := f.Flush(); err != nil || r != root {
		t.Errorf("root %s, %v, want %s", r, err, root)
	}
	files, _ := filepath.Glob(dir + "/*.json")
	if len(files) != 1 {
		t.Fatalf("bundles %v", files)
	}
	if text := log.String(); !strings.Contains(text, `"level":"ERROR"`) || !strings.Contains(text, `"bundle":"`+files[0]+`"`) {
		t.Errorf("the log is %s", text)
	}
	if n := testutil.ToFloat64(host.meter.DifferencesOf("unsound")); n != 1 {
		t.Errorf("%v differences counted", n)
	}
	v, err := conformance.Load(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if o := conformance.RunVector(t.Context(), v, 0, &conformance.Options{Engine: sound, Actors: vector.NewActors(bundle.Options{})}); o.Status != conformance.Passed {
		t.Errorf("the bundle: %s %s %v", o.Status, o.Error, o.Differences)
	}

	// With the other policy the node hears of it.
	if f, err = lockStep(dir, true, sound, bad).create(s.opts(s.node())); err != nil {
		t.Fatal(err)
	}
	if _, err := s.apply(f); err == nil || !strings.Contains(err.Error(), "engine unsound differs from wazero") {
		t.Errorf("error %v", err)
	}
	if _, err := f.Flush(); err == nil {
		t.Error("flushed after a difference")
	}
}

// Golden vectors in lock-step on the compiler and the interpreter of wazero, through the surface.
func TestShadowGolden(t *testing.T) {
	one := defaultNode(t).engines[0]
	two, err := fvm.NewEngine(fvm.EngineConfig{Name: "wazero-interpreter"})
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close(context.Background())
	dir := t.TempDir()
	host := lockStep(dir, true, one, two)
	want := original(t)
	for _, name := range []string{"nv18-send-001", "nv20-evm-031", "nv21-batch-002", "nv28-market-001", "nv29-paych-029", "nv29-authenticate-001"} {
		v, err := conformance.Load(filepath.Join(goldens, name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var through *throughFFI
		o := conformance.RunVector(t.Context(), v, 0, &conformance.Options{NoTrace: true, Actors: vector.NewActors(bundle.Options{}), Open: func(_ context.Context, cfg fvm.Config) (vector.Machine, error) {
			var err error
			through, err = openFFI(host, cfg)
			return through, err
		}})
		if o.Status != conformance.Passed {
			t.Errorf("%s: %s %s %v", name, o.Status, o.Error, o.Differences)
		} else if got := sum(through.rets); got != want[name] {
			t.Errorf("%s: the traces or events are %s, want %s", name, got, want[name])
		}
	}
}
