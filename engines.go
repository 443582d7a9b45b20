package fvm

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wasmedge"
	"github.com/edgefvm/fvm/engine/wazero"
)

// EngineConfig chooses what runs the actors' Wasm. The zero value is wazero
// with a cache of compiled code in the user's cache folder. No setting changes a
// result.
type EngineConfig struct {
	// Name of the engine, one of EngineNames, or of the program's own list. Those of this package:
	//
	//	wazero              the default: pure Go, machine code in a second an actor
	//	wazero-interpreter  far slower, no machine code: a second opinion for package shadow
	//	wasmedge            machine code by WasmEdge's compiler, made in the background and kept in
	//	                    the cache; until it is there a module runs on wazero
	//	wasmedge-o0         machine code only: a module that is new is compiled while the caller waits, for
	//	wasmedge-o2         seconds or minutes. For tests, measurements, and programs that compile ahead
	//
	// The last three need a build with -tags wasmedge.
	Name string
	// CacheDir keeps compiled code between processes. Default: DefaultCacheDir.
	CacheDir string
	// NoCache keeps compiled code in memory only; WasmEdge's in a temporary folder.
	NoCache bool
	// Jobs is how many modules WasmEdge compiles at a time. 0: one.
	Jobs int
	// Compiler is the program that compiles for the engines wasmedge: a path, or a name that is looked for in PATH. Its
	// main calls RunIfChild and it has the same WasmEdge, as edgefvm of the same version. Default: this program, if it
	// calls RunIfChild; else what is not in the cache is an error, which says so.
	Compiler string
	// Generic makes WasmEdge's code for every processor of the architecture, to ship a
	// cache to other machines. Default: for this one. Code of either kind is used.
	Generic bool
	// Logger hears of cache entries that could not be used, and of modules that
	// stay on wazero. Default: slog.Default.
	Logger *slog.Logger
}

// DefaultCacheDir is where compiled code is kept: edgefvm in the user's cache
// folder, or the folder that the environment variable EDGEFVM_CACHE names.
func DefaultCacheDir() (string, error) {
	if dir := os.Getenv("EDGEFVM_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder is known: set EDGEFVM_CACHE: %w", err)
	}
	return filepath.Join(dir, "edgefvm"), nil
}

// EngineKind is a kind of engine that a program can start by its name.
type EngineKind struct {
	// Name by which users choose it.
	Name string
	// Built is whether it is in this program. If not, the error of Start says what to install, or how to build.
	Built bool
	// Start makes an adapter, which must pass lab/enginetest. Name and Logger are as the caller gave them; CacheDir is the
	// folder to use, "" for none.
	Start func(EngineConfig) (engine.Engine, error)
}

// EngineKinds is what a program can start by name, the default first. It is a value, and nothing registers itself: who wants
// another engine makes a longer list, and gives it to whatever starts engines. Of two with one name the first counts.
//
//	kinds := append(fvm.Engines(), fvm.EngineKind{Name: "mine", Built: true, Start: startMine})
//	e, err := kinds.New(fvm.EngineConfig{Name: name})
type EngineKinds []EngineKind

// Engines are the kinds of engine that package fvm knows, built in or not.
func Engines() EngineKinds {
	return EngineKinds{
		{wazeroName, true, startWazero},
		{wazero.InterpreterName, true, startWazero},
		{"wasmedge", wasmedge.Built, startWasmEdge},
		{"wasmedge-o0", wasmedge.Built, startWasmEdge},
		{"wasmedge-o2", wasmedge.Built, startWasmEdge},
	}
}

const wazeroName = "wazero"

// Names are the names of the kinds that are in this program, the default first.
func (kinds EngineKinds) Names() []string {
	var names []string
	for _, k := range kinds {
		if k.Built {
			names = append(names, k.Name)
		}
	}
	return names
}

// ErrUnknownEngine is of a name that is no engine's, in any build.
var ErrUnknownEngine = errors.New("there is no such engine")

// New makes an engine of the kind that cfg names. Close it when no machine uses it any more. An engine
// that this program was built without is an error that says what to install.
func (kinds EngineKinds) New(cfg EngineConfig) (e *Engine, err error) {
	defer caught("starting the engine "+cfg.Name, &err)
	if cfg.Name == "" && len(kinds) > 0 {
		cfg.Name = kinds[0].Name
	}
	if cfg.NoCache {
		cfg.CacheDir = ""
	} else if cfg.CacheDir == "" {
		dir, err := DefaultCacheDir()
		if err == nil {
			cfg.CacheDir = dir
		} // without a cache folder it compiles anew each time
	}
	for _, k := range kinds {
		if k.Name != cfg.Name {
			continue
		}
		if k.Start == nil {
			return nil, fmt.Errorf("starting the engine: the kind %q has no Start", k.Name)
		}
		eng, err := k.Start(cfg)
		if err != nil {
			return nil, fmt.Errorf("starting the engine: %w", err)
		}
		if eng == nil {
			return nil, fmt.Errorf("starting the engine: the kind %q made none", k.Name)
		}
		return EngineFrom(eng), nil
	}
	return nil, fmt.Errorf("%w: %q; known: %v", ErrUnknownEngine, cfg.Name, kinds.Names())
}

// EngineNames are the names of the engines of package fvm in this program, the default first.
func EngineNames() []string { return Engines().Names() }

// NewEngine makes an engine of package fvm, see EngineKinds.New.
func NewEngine(cfg EngineConfig) (*Engine, error) { return Engines().New(cfg) }

// sharedEngine is of the machines that are not given one.
var sharedEngine = sync.OnceValues(func() (*Engine, error) { return NewEngine(EngineConfig{}) })

func startWazero(cfg EngineConfig) (engine.Engine, error) {
	opts := wazero.Options{Logger: cfg.Logger, Interpreter: cfg.Name == wazero.InterpreterName}
	if !opts.Interpreter {
		opts.CacheDir = cfg.CacheDir
	}
	return wazero.New(opts)
}
