//go:build !(wasmedge && cgo && linux)

package wasmedge

import "github.com/edgefvm/fvm/engine"

// Built is whether this program has the library in it.
const Built = false

func open(Options) (engine.Engine, error) { return nil, ErrNotBuilt }
