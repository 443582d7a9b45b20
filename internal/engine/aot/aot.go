// Package aot makes native code of WebAssembly modules ahead of time, with
// WasmEdge's compiler, and keeps it on disk.
//
// The compiler is LLVM: it needs seconds to minutes and half a gigabyte, and it
// replaces the process's signal handlers. So it runs in a child process, which is a
// program that agreed to be one: this program itself under a hidden subcommand, if its
// main calls RunIfChild first, or the one that Options.Command names. No other program
// is ever started. Whatever happens to a child is an error of its module.
//
// What comes out are shared objects, and whoever loads one runs it. Their names
// hold a key (all that the code depends on) and a hash of the content, so that
// a truncated or altered file is noticed before it is loaded, and one name never
// stands for two contents: the dynamic linker would hand out the old one.
//
// The parts: aot.go has the settings and the key, artefact.go decides when to
// compile, child.go and exec.go are the two ends of the child process, compile_*.go
// calls the compiler, store.go is a folder of artefacts, cachedir.go is for those who
// look after the folder.
//
// Callers: the root package, which hands artefacts to engine/wasmedge and RunIfChild to
// programs' main. What does not belong here: loading or running artefacts, and what is
// done while there is none (tiered).
package aot

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/cpuid/v2"
)

// Level is how hard the compiler tries.
type Level int

// The levels. There is no O1: it takes as long as O2, and in 0.14.1 it failed where the
// others did not.
const (
	O0 Level = 0 // a second or so per actor; code about 1.7 times slower than O2's
	O2 Level = 2 // ten times as long
)

func (l Level) String() string { return fmt.Sprintf("O%d", int(l)) }

func (l Level) check() error {
	if l != O0 && l != O2 {
		return fmt.Errorf("aot: no such level: %v", l)
	}
	return nil
}

// DefaultTimeout is how long one compilation may take when Options does not say.
const DefaultTimeout = 15 * time.Minute

// Options are the settings of a cache. None of them changes what guests compute.
type Options struct {
	// Dir keeps artefacts between processes. They are machine code that will be
	// run, so only this user and root may be able to write to it, or to a folder above
	// it that is not sticky. Empty, or unusable: they live in a temporary folder as
	// long as the Cache.
	Dir string
	// PassVersion stands for whatever made the modules, and is part of the key.
	PassVersion string
	// Command is a program and its first arguments that runs RunIfChild. Nil:
	// this program, if it does; else nothing is compiled.
	Command []string
	// Jobs is how many modules are compiled at a time. 0: one.
	Jobs int
	// Timeout bounds one compilation. 0: DefaultTimeout.
	Timeout time.Duration
	// Generic makes code that runs on every processor of the architecture, for
	// artefacts that are shipped to other machines. Caches without it use such code
	// too where they find it.
	Generic bool
	// Logger gets warnings. Nil: slog.Default().
	Logger *slog.Logger
}

// Cache makes artefacts and finds those made before. Safe for concurrent use.
type Cache struct {
	log        *slog.Logger
	target     target
	pass       string
	generic    bool
	command    []string
	commandErr error
	timeout    time.Duration
	slots      chan struct{}
	home       *store // nil without one

	ctx    context.Context // ends when the cache is closed
	cancel context.CancelFunc
	users  sync.WaitGroup
	swept  sync.Once // leftovers of other processes were looked for

	mu     sync.Mutex
	closed bool
	full   bool   // nothing more goes into home
	spare  *store // the temporary folder, nil until needed
	giveUp func() // releases it
	making map[string]bool
}

// target is what native code depends on, besides the module.
type target struct{ library, cpu, anyCPU string }

var errClosed = errors.New("aot: closed")

// Open makes a cache. Trouble with the folder is a warning; the error is for a
// program without WasmEdge.
func Open(opts Options) (*Cache, error) {
	library, err := Library()
	if err != nil {
		return nil, err
	}
	return open(opts, target{library, processor(false), processor(true)}), nil
}

func open(opts Options, t target) *Cache {
	c := &Cache{
		log: opts.Logger, target: t, pass: opts.PassVersion, generic: opts.Generic, timeout: opts.Timeout,
		slots: make(chan struct{}, max(opts.Jobs, 1)), making: map[string]bool{},
	}
	if c.generic {
		c.target.cpu = t.anyCPU
	}
	if c.log == nil {
		c.log = slog.Default()
	}
	if c.timeout <= 0 {
		c.timeout = DefaultTimeout
	}
	c.command, c.commandErr = command(opts.Command)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if opts.Dir == "" {
		return c
	}
	home, err := openStore(opts.Dir)
	if err != nil {
		c.log.Warn("native code will not be cached", "dir", opts.Dir, "err", err)
		return c
	}
	c.home = home
	home.sweep(abandoned) // best effort; Clean reports
	return c
}

// Close stops children, waits for their callers, and removes the temporary
// folder. Artefacts that are loaded stay usable.
func (c *Cache) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.users.Wait()
	if c.spare == nil {
		return nil
	}
	err := os.RemoveAll(filepath.Dir(c.spare.path))
	c.giveUp()
	return err
}

// enter notes a caller that Close has to wait for.
func (c *Cache) enter() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	c.users.Add(1)
	return nil
}

// key stands for everything that decides what an artefact's code is.
func (c *Cache) key(wasm []byte, level Level) string { return c.keyFor(c.target.cpu, wasm, level) }

func (c *Cache) keyFor(cpu string, wasm []byte, level Level) string {
	sum := sha256.Sum256(wasm)
	k := fmt.Sprintf("edgefvm wasmedge aot 1: %x %q %q %v %q", sum, c.pass, c.target.library, level, cpu)
	return fmt.Sprintf("%x", sha256.Sum256([]byte(k)))
}

// keys are those of code that can be used here, the best first.
func (c *Cache) keys(wasm []byte, level Level) []string {
	own := []string{c.key(wasm, level)}
	if c.target.cpu == c.target.anyCPU {
		return own
	}
	return append(own, c.keyFor(c.target.anyCPU, wasm, level))
}

// processor describes what code may use. The compiler looks at the same facts.
func processor(generic bool) string {
	arch := runtime.GOOS + "/" + runtime.GOARCH
	if generic {
		return arch + " generic"
	}
	cpu := &cpuid.CPU
	features := cpu.FeatureSet()
	slices.Sort(features)
	return fmt.Sprintf("%s %s %d %d %s", arch, cpu.VendorString, cpu.Family, cpu.Model, strings.Join(features, ","))
}
