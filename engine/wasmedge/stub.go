//go:build !(wasmedge && cgo && linux)

package wasmedge

import (
	"errors"

	"github.com/edgefvm/fvm/engine"
)

func open(Options) (engine.Engine, error) {
	return nil, errors.New("wasmedge: this program was built without it; " +
		"on Linux install the library (apt install libwasmedge-dev, 0.14.1 or later) and a C compiler, " +
		"then build with CGO_ENABLED=1 go build -tags wasmedge")
}
