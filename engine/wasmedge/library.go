//go:build wasmedge && cgo && linux

package wasmedge

// #cgo CFLAGS: -O2
// #cgo LDFLAGS: -lwasmedge -ldl -pthread
// #include "guest.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/edgefvm/fvm/engine"
)

// Built is whether this program has the library in it.
const Built = true

// maxPages is all that a memory can have. The pass decides what it may have.
const maxPages = 65536

type wasmedgeEngine struct {
	native func(ctx context.Context, wasm []byte) (string, error) // nil for the interpreter
	conf   *C.WasmEdge_ConfigureContext
	reuse  bool
	check  bool // compare what was reset with what is new
	// longWay is Options.longWay.
	longWay bool
	resets  atomic.Uint64
	heap    heap

	mu     sync.Mutex
	envs   map[*env]struct{}
	closed bool
}

var _ engine.Engine = (*wasmedgeEngine)(nil)

// errClosed is what a closed engine, environment or instance answers.
var errClosed = errors.New("wasmedge: closed")

// prepared is whether this process is ready for the library: once for all.
var prepared = sync.OnceValue(prepare)

func prepare() error {
	if err := sameVersion(int(C.WasmEdge_VersionGetMajor()), int(C.WasmEdge_VersionGetMinor())); err != nil {
		return err
	}
	if why := C.efvm_thread_local_check(); why != nil {
		return fmt.Errorf("wasmedge: %s", C.GoString(why))
	}
	if why := C.efvm_guard(); why != nil {
		return fmt.Errorf("wasmedge: %s", C.GoString(why))
	}
	C.WasmEdge_LogOff() // it writes to the standard output
	return nil
}

// sameVersion compares the library's version with that of the headers. All
// versions answer to one name, and another one runs machine code wrongly, or
// interprets it without a word.
func sameVersion(major, minor int) error {
	if major != C.WASMEDGE_VERSION_MAJOR || minor != C.WASMEDGE_VERSION_MINOR {
		return fmt.Errorf("wasmedge: the library has version %d.%d, but this program was built for %d.%d: "+
			"build it again on this machine, or install that version", major, minor, C.WASMEDGE_VERSION_MAJOR, C.WASMEDGE_VERSION_MINOR)
	}
	return nil
}

func libraryVersion() string { return C.GoString(C.WasmEdge_VersionGet()) }

var unknown sync.Once

// warnUnknown says once what a library costs that was never run with this package.
func warnUnknown(once *sync.Once, logger *slog.Logger, library string) {
	if knowsTable(library, 0) {
		return
	}
	once.Do(func() {
		logger.Warn("wasmedge: this version of the library was never run with this program: it carries calls of the host itself, which cost twice as much", "library", library)
	})
}

func open(opts Options) (engine.Engine, error) {
	e, err := newEngine(opts, maxPages)
	if err != nil {
		return nil, err
	}
	if e.native != nil {
		if err := e.selfTest(); err != nil {
			return nil, errors.Join(err, e.Close(context.Background()))
		}
	}
	logger := opts.Logger
	if logger == nil {
		logger = slog.Default()
	}
	if !opts.Interpreter {
		warnUnknown(&unknown, logger, libraryVersion())
	}
	logger.Debug("engine wasmedge", "library", libraryVersion(), "interpreter", opts.Interpreter, "reuse", e.reuse, "shrinks", C.efvm_can_shrink() != 0)
	return e, nil
}

func newEngine(opts Options, pages uint32) (*wasmedgeEngine, error) {
	if !opts.Interpreter && opts.Native == nil {
		return nil, errors.New("wasmedge: Options.Native is missing: nothing makes machine code")
	}
	if err := prepared(); err != nil {
		return nil, err
	}
	e := &wasmedgeEngine{native: opts.Native, envs: map[*env]struct{}{}, reuse: !opts.NoReuse, check: opts.CheckReset,
		longWay: opts.longWay, heap: heap{delay: heapDelay}}
	if opts.Interpreter {
		e.native = nil
	}
	e.conf = C.efvm_configure(C.int(bit(opts.Interpreter)), C.uint32_t(pages))
	if e.conf == nil {
		return nil, errors.New("wasmedge: the library makes no configuration")
	}
	return e, nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// delete frees a guest.
func (e *wasmedgeEngine) delete(g *C.struct_efvm_guest) {
	n := uint64(g.heap)
	C.efvm_delete(g)
	e.heap.gone(n)
}

func (e *wasmedgeEngine) reused() uint64 { return e.resets.Load() }

func (e *wasmedgeEngine) Name() string { return "wasmedge" }

// Close closes every environment.
func (e *wasmedgeEngine) Close(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	for v := range e.envs {
		if err := v.close(); err != nil {
			return err
		}
		delete(e.envs, v)
	}
	e.closed = true
	e.heap.close()
	C.WasmEdge_ConfigureDelete(e.conf)
	return nil
}

// failure is an error of the library that is neither a trap nor the host's.
func failure(doing string, code C.uint32_t) error {
	return fmt.Errorf("wasmedge: %s: %s (code %#x)", doing, C.GoString(C.efvm_message(code)), uint32(code))
}
