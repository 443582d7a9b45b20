//go:build !(cgo && wasmedge)

package aot

import "errors"

var errNoLibrary = errors.New("aot: this program was built without WasmEdge: install libwasmedge with its headers (Debian: libwasmedge-dev) and build with CGO_ENABLED=1 and -tags wasmedge")

// Library is the version of the WasmEdge library.
func Library() (string, error) { return "", errNoLibrary }

func compileFile(*order) error { return errNoLibrary }
