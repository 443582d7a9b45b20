package ffi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/shadow"
)

// Settings are what an operator can choose, by environment variables that are read when the first machine is made.
type Settings struct {
	// Engine runs the actors: EDGEFVM_ENGINE, one of fvm.EngineNames. Default: the first of them.
	Engine string
	// Compiler is the program that compiles for the engines wasmedge, since a node's main does not: EDGEFVM_COMPILER, the
	// path of edgefvm of the same version. Default: none, and only code that is in the cache is run.
	Compiler string
	// Shadow are engines that run each message beside the first one, in lock-step: EDGEFVM_SHADOW, names with commas
	// between them. Without Engine the first of them is the one whose results count. Default: none.
	Shadow []string
	// ShadowDir is where a difference between engines is kept, as a bundle that `edgefvm explain` reads:
	// EDGEFVM_SHADOW_DIR. Default: "differences" in fvm.DefaultCacheDir.
	ShadowDir string
	// ShadowHalt makes a difference an error of the call: EDGEFVM_SHADOW_HALT=1. Default: the first engine's result
	// counts, and the difference is logged.
	ShadowHalt bool
}

// SettingsFrom reads settings from an environment, given as os.Getenv is. It says which variable is wrong.
func SettingsFrom(getenv func(string) string) (Settings, error) {
	if getenv == nil {
		return Settings{}, errors.New("ffi.SettingsFrom: no environment given")
	}
	s := Settings{Engine: strings.TrimSpace(getenv("EDGEFVM_ENGINE")), Compiler: getenv("EDGEFVM_COMPILER"), ShadowDir: getenv("EDGEFVM_SHADOW_DIR")}
	if s.Engine != "" && !slices.Contains(fvm.EngineNames(), s.Engine) {
		return s, fmt.Errorf("EDGEFVM_ENGINE: there is no engine %q in this program; known: %s", s.Engine, strings.Join(fvm.EngineNames(), ", "))
	}
	for name := range strings.SplitSeq(getenv("EDGEFVM_SHADOW"), ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
			continue
		case !slices.Contains(fvm.EngineNames(), name):
			return s, fmt.Errorf("EDGEFVM_SHADOW: there is no engine %q in this program; known: %s", name, strings.Join(fvm.EngineNames(), ", "))
		case slices.Contains(s.Shadow, name):
			return s, fmt.Errorf("EDGEFVM_SHADOW: %q is named twice", name)
		}
		s.Shadow = append(s.Shadow, name)
	}
	switch halt := getenv("EDGEFVM_SHADOW_HALT"); halt {
	case "", "0":
	case "1":
		s.ShadowHalt = true
	default:
		return s, fmt.Errorf("EDGEFVM_SHADOW_HALT is %q, want 0 or 1", halt)
	}
	if n := len(s.engines()); len(s.Shadow) > 0 && (n < 2 || n > 3) {
		return s, fmt.Errorf("EDGEFVM_SHADOW and EDGEFVM_ENGINE name %d engines together, want two or three", n)
	}
	return s, nil
}

// engines are the names of the engines to run on, the one whose results count first.
func (s Settings) engines() []string {
	first := s.Engine
	if first == "" && len(s.Shadow) > 0 {
		first = s.Shadow[0]
	}
	if first == "" {
		first = fvm.EngineNames()[0]
	}
	list := []string{first}
	for _, name := range s.Shadow {
		if name != first {
			list = append(list, name)
		}
	}
	return list
}

// setup is what machines are made with. They share it.
type setup struct {
	engines []*fvm.Engine
	shadow  shadow.Options
}

// operators is the setup that the environment of the process asks for. It is made once: a mistake in it stays one.
var operators = sync.OnceValues(func() (*setup, error) {
	settings, err := SettingsFrom(os.Getenv)
	if err != nil {
		return nil, err
	}
	s, err := settings.setup()
	if err == nil {
		meter.register(s.engines)
	}
	return s, err
})

func (s Settings) setup() (*setup, error) {
	var engines []*fvm.Engine
	for _, name := range s.engines() {
		e, err := fvm.NewEngine(fvm.EngineConfig{Name: name, Compiler: s.Compiler})
		if err != nil {
			return nil, fmt.Errorf("the engine %s: %w", name, err)
		}
		engines = append(engines, e)
	}
	if len(engines) == 1 {
		return &setup{engines: engines}, nil
	}
	dir := s.ShadowDir
	if dir == "" {
		cache, err := fvm.DefaultCacheDir()
		if err != nil {
			return nil, fmt.Errorf("no folder for differences is known: set EDGEFVM_SHADOW_DIR: %w", err)
		}
		dir = filepath.Join(cache, "differences")
	}
	slog.Info("EdgeFVM runs in shadow mode", "engines", s.engines(), "dir", dir, "halt", s.ShadowHalt)
	return shadowSetup(engines, dir, s.ShadowHalt), nil
}

func shadowSetup(engines []*fvm.Engine, dir string, halt bool) *setup {
	opts := shadow.Options{Engines: engines, Parallel: true, Dir: dir, OnDifference: shadow.Continue, Report: meter.differed}
	if halt {
		opts.OnDifference = shadow.Halt
	}
	return &setup{engines, opts}
}

func (s *setup) machine(ctx context.Context, cfg fvm.Config) (machine, error) {
	if len(s.engines) > 1 {
		return shadow.New(ctx, cfg, s.shadow)
	}
	cfg.Engine = s.engines[0]
	return fvm.New(ctx, cfg)
}
