//go:build wasmtime && cgo && linux && (amd64 || arm64)

package wasmtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/edgefvm/fvm/engine"
)

// The declarations in api.h against the headers of the module that is linked.
func TestDeclarations(t *testing.T) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no cc")
	}
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/bytecodealliance/wasmtime-go/v37").Output()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "both.c")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	check := func(extra string) (string, error) {
		// asserts on sizes, types of all functions, values of all constants
		text := fmt.Sprintf("#include <wasmtime.h>\n#if WASMTIME_VERSION_MAJOR != 37\n#error version\n#endif\n#include \"api.h\"\n%s\n", extra)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(cc, "-std=gnu11", "-Werror", "-fsyntax-only", "-I", filepath.Join(strings.TrimSpace(string(dir)), "build", "include"), "-I", here, file)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := check(""); err != nil {
		t.Errorf("api.h does not agree with the headers: %v\n%s", err, out)
	}
	if out, err := check("void wasm_engine_delete(wasm_config_t *);"); err == nil {
		t.Errorf("a wrong declaration was not found: %s", out)
	}
}

// nilFault makes the processor fault in Go code. Go turns that into a panic, if
// the signal still reaches it.
func nilFault() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err, _ = r.(runtime.Error)
		}
	}()
	var p *struct{ n int }
	return fmt.Errorf("read %d", p.n)
}

func wantFault(t *testing.T, when string) {
	if err := nilFault(); err == nil || !strings.Contains(err.Error(), "nil pointer") {
		t.Errorf("nil dereference %s: %v", when, err)
	}
}

// wasmtime has signal handlers for its traps. Faults of Go code stay Go's: before,
// inside and after guests, on their threads and others.
func TestSignals(t *testing.T) {
	wantFault(t, "before there is an engine")
	e := start(t, Options{})
	defer stop(t, e)
	wantFault(t, "before a guest")
	m := load(t, e, func(_ context.Context, _ engine.Instance, n uint32) (uint32, error) {
		wantFault(t, "in a host function")
		return n, nil
	})
	quit := make(chan struct{})
	var busy, wg sync.WaitGroup
	busy.Go(func() {
		for {
			select {
			case <-quit:
				return
			default:
				wantFault(t, "on another thread")
			}
		}
	})
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if got, err := invoke(m, "ask", 7); err != nil || got != 7 {
					t.Errorf("ask: %d, %v", got, err)
				}
				var trap *engine.Trap
				if _, err := invoke(m, "load", 3*engine.PageSize); !errors.As(err, &trap) || trap.Kind != engine.TrapMemoryOutOfBounds {
					t.Errorf("load: %v", err)
				}
				wantFault(t, "after a trap")
			}
		})
	}
	wg.Wait()
	close(quit)
	busy.Wait()
	if _, err := invoke(m, "forever"); err == nil {
		t.Error("endless recursion ended")
	}
	wantFault(t, "after a stack overflow")
}

// A nil dereference in a host function that nobody recovers is the host's error.
func TestFaultInHost(t *testing.T) {
	e := start(t, Options{})
	defer stop(t, e)
	m := load(t, e, func(context.Context, engine.Instance, uint32) (uint32, error) {
		var p *uint32
		return *p, nil
	})
	_, err := invoke(m, "ask", 1)
	var trap *engine.Trap
	if err == nil || errors.As(err, &trap) || !strings.Contains(err.Error(), "nil pointer") {
		t.Errorf("got %v", err)
	}
}

// As deep as the network allows, each level with calls of its own beneath: more
// than one thread's stack holds.
func TestDeepNesting(t *testing.T) {
	const depth, frames = 1024, 1000
	e := start(t, Options{})
	defer stop(t, e)
	var m engine.Module
	threads := map[int]bool{}
	m = load(t, e, func(_ context.Context, _ engine.Instance, n uint32) (uint32, error) {
		threads[syscall.Gettid()] = true
		if n == 0 {
			return 0, nil
		}
		return invoke(m, "dive", frames, uint64(n-1))
	})
	for range 2 {
		got, err := invoke(m, "dive", frames, depth-1)
		if err != nil || got != depth*frames {
			t.Fatalf("dive: %d, %v", got, err)
		}
	}
	if len(threads) < 2 {
		t.Error("all of it was on one thread: the test shows nothing")
	}
	// At the very bottom a fault is a trap still, and an error the host's.
	bottom := errors.New("bottom")
	m = load(t, e, func(_ context.Context, _ engine.Instance, n uint32) (uint32, error) {
		if n == 0 {
			if _, err := invoke(m, "forever"); err == nil || err.Error() != (&engine.Trap{Kind: engine.TrapStackOverflow}).Error() {
				t.Errorf("endless recursion at the bottom: %v", err)
			}
			return 0, bottom
		}
		return invoke(m, "dive", frames, uint64(n-1))
	})
	if _, err := invoke(m, "dive", frames, depth-1); err != bottom {
		t.Errorf("error from the bottom: %v", err)
	}
}

func TestStackOption(t *testing.T) {
	if e, err := New(Options{MaxStack: minStack - 1}); err == nil {
		t.Error("an engine with less stack than guests need was made")
		stop(t, e)
	}
	e := start(t, Options{MaxStack: 1 << 40}) // lowered
	defer stop(t, e)
	m := load(t, e, nil)
	if _, err := invoke(m, "forever"); err == nil || err.Error() != (&engine.Trap{Kind: engine.TrapStackOverflow}).Error() {
		t.Errorf("endless recursion: %v", err)
	}
}

func TestReferencesAreRefused(t *testing.T) {
	e := start(t, Options{})
	defer stop(t, e)
	m := load(t, e, nil)
	if _, err := invoke(m, "refs", 0xdeadbeef); err == nil {
		t.Error("a word was passed for a reference")
	}
}
