package fvm_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wasmedge"
	"github.com/edgefvm/fvm/engine/wazero"
)

func TestEngineNames(t *testing.T) {
	names := fvm.EngineNames()
	if names[0] != "wazero" {
		t.Errorf("the default is %s", names[0])
	}
	if slices.Contains(names, "wasmedge") != wasmedge.Built {
		t.Errorf("names %v, and WasmEdge is built in: %t", names, wasmedge.Built)
	}
	if !wasmedge.Built {
		for _, name := range []string{"wasmedge", "wasmedge-o0", "wasmedge-o2"} {
			if _, err := fvm.NewEngine(fvm.EngineConfig{Name: name}); err == nil || !strings.Contains(err.Error(), "-tags wasmedge") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := fvm.NewEngine(fvm.EngineConfig{Name: "v8"}); !errors.Is(err, fvm.ErrUnknownEngine) || !strings.Contains(err.Error(), "wazero") {
		t.Errorf("v8: %v", err)
	}
}

// A program's own list: its default, its own kind, one that it was built without, and the first of two with one name.
func TestEngineKinds(t *testing.T) {
	var started fvm.EngineConfig
	broken := errors.New("it does not start")
	own := fvm.EngineKind{Name: "own", Built: true, Start: func(cfg fvm.EngineConfig) (engine.Engine, error) {
		started = cfg
		return wazero.New(wazero.Options{Interpreter: true})
	}}
	kinds := append(fvm.EngineKinds{own, {Name: "absent", Start: func(fvm.EngineConfig) (engine.Engine, error) { return nil, broken }}}, fvm.Engines()...)
	kinds = append(kinds, fvm.EngineKind{Name: "wazero", Built: true}, fvm.EngineKind{
		Name: "panicky", Built: true, Start: func(fvm.EngineConfig) (engine.Engine, error) { panic(ouch) },
	}, fvm.EngineKind{Name: "empty"}, fvm.EngineKind{Name: "nothing", Start: func(fvm.EngineConfig) (engine.Engine, error) { return nil, nil }})
	if names := kinds.Names(); !slices.Equal(names, append(append([]string{"own"}, fvm.EngineNames()...), "wazero", "panicky")) {
		t.Errorf("names %v", names)
	}
	for _, c := range []struct {
		cfg  fvm.EngineConfig
		name string // of the engine; "": an error
		err  error
	}{
		{fvm.EngineConfig{NoCache: true}, wazero.InterpreterName, nil},
		{fvm.EngineConfig{Name: "own", CacheDir: "somewhere"}, wazero.InterpreterName, nil},
		{fvm.EngineConfig{Name: "wazero", NoCache: true}, "wazero", nil},
		{fvm.EngineConfig{Name: "absent"}, "", broken},
		{fvm.EngineConfig{Name: "v8"}, "", fvm.ErrUnknownEngine},
	} {
		started = fvm.EngineConfig{}
		e, err := kinds.New(c.cfg)
		if !errors.Is(err, c.err) || (e == nil) != (c.name == "") {
			t.Errorf("%+v: %v, %v", c.cfg, e, err)
			continue
		}
		if e == nil {
			continue
		}
		if e.Name() != c.name || c.name != "wazero" && (started.Name != "own" || started.CacheDir != c.cfg.CacheDir) {
			t.Errorf("%+v: started %s with %+v", c.cfg, e.Name(), started)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	_, err := kinds.New(fvm.EngineConfig{Name: "panicky"})
	told(t, "a kind that panics", err)
	for name, want := range map[string]string{"empty": `the kind "empty" has no Start`, "nothing": `the kind "nothing" made none`} {
		if e, err := kinds.New(fvm.EngineConfig{Name: name}); e != nil || err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, %v; want %q", name, e, err, want)
		}
	}
	if _, err := (fvm.EngineKinds{}).New(fvm.EngineConfig{}); !errors.Is(err, fvm.ErrUnknownEngine) {
		t.Errorf("no kinds: %v", err)
	}
}

// An engine of one kind has nothing to wait for and nothing to count.
func TestOneKindOfCode(t *testing.T) {
	e, err := fvm.NewEngine(fvm.EngineConfig{NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Wait(t.Context()); err != nil || e.Tally() != nil {
		t.Errorf("%v, %v", err, e.Tally())
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
