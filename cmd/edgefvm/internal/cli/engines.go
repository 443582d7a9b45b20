package cli

import (
	"errors"
	"os"
	"strings"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wasmtime"
)

// engines are those of this program. Package fvm does not know wasmtime: programs that import it must not download the
// library.
var engines = append(fvm.Engines(), fvm.EngineKind{
	Name: "wasmtime", Built: wasmtime.Built, Start: func(fvm.EngineConfig) (engine.Engine, error) { return wasmtime.New(wasmtime.Options{}) },
})

// engineNames are the engines of this program, the default first.
func engineNames() []string { return engines.Names() }

// defaultEngine is the engine of commands that are not told one.
func defaultEngine() string {
	if name := os.Getenv("EDGEFVM_ENGINE"); name != "" {
		return name
	}
	return engineNames()[0]
}

// newEngine is another in tests.
var newEngine = engines.New

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
