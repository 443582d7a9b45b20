package cli

import (
	"errors"
	"os"
	"strings"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine/wasmtime"
)

// wasmtimeName is the engine that package fvm does not know: programs that import it must not
// download the library.
const wasmtimeName = "wasmtime"

// engineNames are the engines of this program, the default first.
func engineNames() []string {
	names := fvm.EngineNames()
	if wasmtime.Built {
		names = append(names, wasmtimeName)
	}
	return names
}

// defaultEngine is the engine of commands that are not told one.
func defaultEngine() string {
	if name := os.Getenv("EDGEFVM_ENGINE"); name != "" {
		return name
	}
	return engineNames()[0]
}

// newEngine is another in tests.
var newEngine = func(cfg fvm.EngineConfig) (*fvm.Engine, error) {
	if cfg.Name != wasmtimeName {
		return fvm.NewEngine(cfg)
	}
	e, err := wasmtime.New(wasmtime.Options{})
	if err != nil {
		return nil, err
	}
	return fvm.EngineFrom(e), nil
}

// start makes the engine; the caller closes it. An engine of another build is an error that says what to install.
func (s *setting) start() (*fvm.Engine, error) {
	unknown := usagef("there is no engine %q; known: %s", s.engine, strings.Join(engineNames(), ", "))
	if s.engine == "" { // to NewEngine that is the default
		return nil, unknown
	}
	e, err := newEngine(fvm.EngineConfig{Name: s.engine, CacheDir: s.cacheDir, NoCache: s.noCache, Jobs: s.jobs, Generic: s.generic})
	if errors.Is(err, fvm.ErrUnknownEngine) {
		return nil, unknown
	}
	return e, err
}
