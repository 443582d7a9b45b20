// Package wasmedge adapts libwasmedge, the WasmEdge runtime, to the engine
// contract. Guests run as machine code that was compiled ahead of time.
//
// It lives below package engine and is made by the embedder (through fvm) or by
// tests. It calls libwasmedge through a thin binding of its own, and the standard
// library. It does not compile: Options.Native hands it machine code. What does
// not belong here: compiling and keeping machine code, and prices, limits, or
// any other rule that decides a result; those are in the code that the
// instrumentation pass hands to Compile.
//
// The library was not made for a process with a runtime of its own in it. Each
// cure for that has a test of what it does:
//
//   - signals.c keeps the library from replacing the process's signal handlers,
//     tells a guest's fault from all others, and ends the process where the
//     native stack is used up, because that must not decide a result.
//   - threads.c keeps the library's thread-local state over nested calls, and
//     measures the native stack.
//   - instance.go goes on with a fresh thread where that stack runs short.
//   - module.go refuses an instance with less memory than its module declares.
//   - frames.go refuses machine code that needs more stack than is planned for.
//
// README.md in this folder has a picture of it, and the versions of the library that
// were run.
//
// The other parts: library.go makes engines, selftest.go proves at start that
// the cures hold, env.go binds host functions, guest.c runs guests and carries
// their calls of the host, shortcut.c takes most of these calls past the library,
// scan.go reads the few facts about a module that the binding needs, reuse.go
// keeps used guests and reset.c makes them new again.
//
// The package needs the build tag wasmedge, cgo and Linux, and for machine code
// amd64. Elsewhere New says so.
package wasmedge

import (
	"context"
	"errors"
	"log/slog"

	"github.com/edgefvm/fvm/engine"
)

// Options are the settings of an engine. None of them changes a result.
type Options struct {
	// Native returns the path of the machine code of a module: a shared library
	// that this version of WasmEdge compiled from exactly these bytes, which it
	// has found valid. The path must stand for the content, since the system
	// loads a path once; its file must stay as it is until Env.Close. Native is
	// called by several goroutines at once, and by New for a module of the
	// self-test.
	Native func(ctx context.Context, wasm []byte) (path string, err error)
	// Interpreter runs guests in the library's interpreter instead, which is
	// slow and has no end of its stack. It is for tests. Native is not used then.
	Interpreter bool
	// NoReuse makes a new guest for each instance. Otherwise a guest that returned
	// from each call is kept, and reset for the next instance, if its module says
	// how (engine.EnvConfig.Reset).
	NoReuse bool
	// CheckReset compares each guest that was reset with a new one, byte by byte. A
	// difference is an error of Instantiate. It is for tests.
	CheckReset bool
	// Logger gets the version of the library, and a warning if it was never run with
	// this package. Nil: slog.Default().
	Logger *slog.Logger

	//lint:ignore U1000 it is read with the build tag wasmedge
	longWay bool // the library carries all calls of the host, as one does that was never run
}

// ErrLargeFrame is an error of Compile: a function of the module needs more of the
// native stack than this engine plans for. Another engine can run the module.
var ErrLargeFrame = errors.New("frame too large for native code")

// ErrNotBuilt is what New answers in a program without the library.
var ErrNotBuilt = errors.New("wasmedge: this program was built without it: " +
	"on Linux install the library (apt install libwasmedge-dev, 0.14.1 or later) and a C compiler, " +
	"then build with CGO_ENABLED=1 go build -tags wasmedge")

// Reused is how many instances of an engine of this package were made by a reset;
// 0 for other engines.
func Reused(e engine.Engine) uint64 {
	if r, ok := e.(interface{ reused() uint64 }); ok {
		return r.reused()
	}
	return 0
}

// New makes an engine. The error says what is missing: the library, a build with
// it, or a process in which it can work.
func New(opts Options) (engine.Engine, error) { return open(opts) }
