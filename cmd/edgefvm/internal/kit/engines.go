package kit

import (
	"os"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine/wasmtime"
)

// wasmtimeName is the engine that package fvm does not know: programs that import it must not
// download the library.
const wasmtimeName = "wasmtime"

// EngineNames are the engines of this program, the default first.
func EngineNames() []string {
	names := fvm.EngineNames()
	if wasmtime.Built {
		names = append(names, wasmtimeName)
	}
	return names
}

// DefaultEngine is the engine of commands that are not told one.
func DefaultEngine() string {
	if name := os.Getenv("EDGEFVM_ENGINE"); name != "" {
		return name
	}
	return EngineNames()[0]
}

// NewEngine is another in tests.
var NewEngine = func(cfg fvm.EngineConfig) (*fvm.Engine, error) {
	if cfg.Name != wasmtimeName {
		return fvm.NewEngine(cfg)
	}
	e, err := wasmtime.New(wasmtime.Options{})
	if err != nil {
		return nil, err
	}
	return fvm.EngineFrom(e), nil
}
