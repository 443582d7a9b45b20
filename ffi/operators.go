package ffi

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/edgefvm/fvm"
)

// Settings are what an operator can choose for a node, by environment variables that are read when the first machine of the
// package's functions is made; or a program, for a [Node] of its own.
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
	for name := range strings.SplitSeq(getenv("EDGEFVM_SHADOW"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			s.Shadow = append(s.Shadow, name)
		}
	}
	switch halt := getenv("EDGEFVM_SHADOW_HALT"); halt {
	case "", "0":
	case "1":
		s.ShadowHalt = true
	default:
		return s, fmt.Errorf("EDGEFVM_SHADOW_HALT is %q, want 0 or 1", halt)
	}
	return s, s.check("EDGEFVM_ENGINE", "EDGEFVM_SHADOW")
}

// check says what is wrong with the engines. The fields are called as whoever set them knows them.
func (s Settings) check(engine, shadow string) error {
	known := func(field, name string) error {
		if !slices.Contains(fvm.EngineNames(), name) {
			return fmt.Errorf("%s: there is no engine %q in this program; known: %s", field, name, strings.Join(fvm.EngineNames(), ", "))
		}
		return nil
	}
	if s.Engine != "" {
		if err := known(engine, s.Engine); err != nil {
			return err
		}
	}
	for i, name := range s.Shadow {
		if err := known(shadow, name); err != nil {
			return err
		}
		if slices.Contains(s.Shadow[:i], name) {
			return fmt.Errorf("%s: %q is named twice", shadow, name)
		}
	}
	if n := len(s.engines()); len(s.Shadow) > 0 && (n < 2 || n > 3) {
		return fmt.Errorf("%s and %s name %d engines together, want two or three", shadow, engine, n)
	}
	return nil
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
