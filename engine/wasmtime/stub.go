//go:build !(wasmtime && cgo && linux && (amd64 || arm64))

package wasmtime

import "github.com/edgefvm/fvm/engine"

func open(Options) (engine.Engine, error) { return nil, ErrNotBuilt }
