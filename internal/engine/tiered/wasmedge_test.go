//go:build wasmedge && cgo && linux

package tiered

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wasmedge"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/internal/engine/aot"
	"github.com/edgefvm/fvm/lab/enginetest"
)

func TestMain(m *testing.M) {
	aot.RunIfChild()
	os.Exit(m.Run())
}

// edge is wazero with WasmEdge's code at both levels behind it.
func edge(t testing.TB, cache *aot.Cache, log io.Writer, patient bool) *Engine {
	t.Helper()
	opts := Options{Base: open(t, wazero.Options{}), Workers: 2, Patient: patient, Logger: slog.New(slog.NewTextHandler(log, nil))}
	for _, level := range []aot.Level{aot.O0, aot.O2} {
		e, err := wasmedge.New(wasmedge.Options{Native: func(ctx context.Context, wasm []byte) (string, error) {
			return cache.Artefact(ctx, wasm, level)
		}})
		if err != nil {
			t.Fatal(err)
		}
		opts.Tiers = append(opts.Tiers, Tier{Name: "wasmedge " + level.String(), Engine: e, Ready: func(wasm []byte) bool {
			_, ok := cache.Lookup(wasm, level)
			return ok
		}})
	}
	e, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func openCache(t testing.TB) *aot.Cache {
	t.Helper()
	cache, err := aot.Open(aot.Options{Dir: t.TempDir(), Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cache.Close() })
	return cache
}

// Endless recursion ends the process on native code, so that test is left out.
// Modules that change on the way would take a child each.
func TestContractWasmEdge(t *testing.T) {
	cache := openCache(t)
	t.Run("Eager", func(t *testing.T) {
		enginetest.RunWithout(t, func(t *testing.T) engine.Engine { return edge(t, cache, os.Stderr, false) }, "StackOverflow")
	})
	t.Run("Patient", func(t *testing.T) {
		enginetest.RunWithout(t, func(t *testing.T) engine.Engine { return edge(t, cache, os.Stderr, true) }, "StackOverflow", "BadModules")
	})
}

func TestWasmEdgeLikeWazero(t *testing.T) {
	log := &lockedBuffer{}
	cache := openCache(t)
	a, b, c := open(t, wazero.Options{}), edge(t, cache, log, false), edge(t, cache, log, true)
	enginetest.NoDiff(t, a, b)
	enginetest.NoDiff(t, a, c)
	if log.String() != "" { // then it was wazero with wazero that were compared
		t.Error(log)
	}
	for _, e := range []engine.Engine{a, b, c} {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// Code that could overrun the native stack stays on the base, with one warning,
// and computes the same.
func TestLargeFrameStaysOnTheBase(t *testing.T) {
	log := &lockedBuffer{}
	e := edge(t, openCache(t), log, true)
	ctx := context.Background()
	v, err := e.Env(ctx, engine.EnvConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, locals := range []uint64{1, 50000} {
		m, err := v.Compile(ctx, doubler(locals))
		if err != nil {
			t.Fatal(err)
		}
		in, err := m.Instantiate(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if stack := []uint64{21}; in.Call(ctx, "f", stack) != nil || stack[0] != 42 {
			t.Errorf("%d locals: %v", locals, stack)
		}
		if err := in.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	if got, want := fmt.Sprint(e.Tally()), "[{wazero 1} {wasmedge O0 0} {wasmedge O2 1}]"; got != want {
		t.Errorf("tally %s, want %s", got, want)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), wasmedge.ErrLargeFrame.Error()) {
		t.Errorf("the log:\n%s", log)
	}
	if err := e.Close(ctx); err != nil {
		t.Error(err)
	}
}

// doubler is a module with f(i64) -> i64, which keeps what it computes in its last local.
func doubler(locals uint64) []byte {
	n := binary.AppendUvarint(nil, locals)
	body := slices.Concat([]byte{1}, n, []byte{0x7e, 0x20, 0, 0x42, 1, 0x86, 0x21}, n, []byte{0x20}, n, []byte{0x0b})
	section := func(id byte, item ...byte) []byte {
		return slices.Concat([]byte{id}, binary.AppendUvarint(nil, uint64(len(item)+1)), []byte{1}, item)
	}
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, 0x60, 1, 0x7e, 1, 0x7e), section(3, 0), section(7, 1, 'f', 0, 0),
		section(10, slices.Concat(binary.AppendUvarint(nil, uint64(len(body))), body)...))
}
