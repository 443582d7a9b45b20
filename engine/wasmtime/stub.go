//go:build !(wasmtime && cgo && linux && (amd64 || arm64))

package wasmtime

import "github.com/edgefvm/fvm/engine"

// Built is whether this program has the library in it.
const Built = false

func open(Options) (engine.Engine, error) { return nil, ErrNotBuilt }
