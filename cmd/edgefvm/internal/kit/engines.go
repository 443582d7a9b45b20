package kit

import (
	"os"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wasmtime"
)

// engines are those of this program. Package fvm does not know wasmtime: programs that import it must not download the
// library.
var engines = append(fvm.Engines(), fvm.EngineKind{
	Name: "wasmtime", Built: wasmtime.Built, Start: func(fvm.EngineConfig) (engine.Engine, error) { return wasmtime.New(wasmtime.Options{}) },
})

// EngineNames are the engines of this program, the default first.
func EngineNames() []string { return engines.Names() }

// DefaultEngine is the engine of commands that are not told one.
func DefaultEngine() string {
	if name := os.Getenv("EDGEFVM_ENGINE"); name != "" {
		return name
	}
	return EngineNames()[0]
}

// NewEngine is another in tests.
var NewEngine = engines.New
