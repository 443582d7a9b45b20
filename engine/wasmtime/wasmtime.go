// Package wasmtime adapts wasmtime, the runtime that the reference implementation
// uses, to the engine contract. It is an arbiter when two other engines differ, and
// a peer in benchmarks. The library is 37.0.0, one release after the 36 that ref-fvm
// 4.8 is built with.
//
// It lives below package engine and is made by the embedder or by tests. It calls
// the C API of wasmtime and the standard library, nothing else of this module.
// What does not belong here: prices, limits, NaNs, or any other rule that decides
// a result; those are in the code that the instrumentation pass hands to Compile.
//
// It is built with the tag "wasmtime", on Linux with cgo; otherwise New says so.
// The library comes out of the Go module wasmtime-go, which carries it for every
// platform: 57 MB to download and 205 MB on disk. The module is an ordinary
// requirement of go.mod, not one of a nested module, because Go downloads a module
// when it builds a package of it, and without the tag nothing here imports one: a
// build or a test pays for two lines in go.sum. The exception is "go mod tidy",
// which considers all tags. It fetches the library for this module, and would for
// every program that imports this package, however indirectly. That is why the
// packages that programs import, the front door first of all, must not import this
// one.
//
// Of wasmtime-go only the library is used. Its functions box every value, look
// exports up by name, and leave memory to finalizers: a host call that uses the
// memory and the counter costs forty times what it costs here. The C API is declared in api.h, and a test holds the
// declarations against the module's headers.
//
// The parts: engine.go makes engines and environments, module.go compiles,
// instance.go runs; glue.h and glue.c are their C half: the trampoline for host
// functions, and what is cheaper to do without crossing over.
package wasmtime

import (
	"errors"

	"github.com/edgefvm/fvm/engine"
)

// DefaultMaxStack is the native stack that a guest may use when Options does not
// say. Our own limiter lets it have 2048 values in 1024 calls, so this is 2 KiB
// for each value. A guest that needs more gets engine.TrapStackOverflow, which is a
// failure of this node and never a receipt.
const DefaultMaxStack = 4 << 20

// Options are the settings of an engine. None of them changes a result.
type Options struct {
	// MaxStack bounds the native stack of one guest, in bytes. 0:
	// DefaultMaxStack. It is lowered to what threads of this process have.
	MaxStack int
}

// ErrNotBuilt is what New answers in a program without wasmtime.
var ErrNotBuilt = errors.New("wasmtime: not built in: build on Linux (amd64 or arm64) with CGO_ENABLED=1, a C compiler, and -tags wasmtime")

// New makes an engine.
func New(opts Options) (engine.Engine, error) { return open(opts) }
