//go:build wasmedge && cgo && linux

package tiered

import (
	"context"
	"io"
	"log/slog"
	"os"
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

// The end of the native stack is no trap on native code, so that test is left out.
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
