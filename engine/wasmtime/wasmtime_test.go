//go:build wasmtime && cgo && linux && (amd64 || arm64)

package wasmtime

import (
	"context"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/enginetest"
	"github.com/edgefvm/fvm/engine/wazero"
)

func start(t testing.TB, opts Options) engine.Engine {
	t.Helper()
	e, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestContract(t *testing.T) {
	enginetest.Run(t, func(t *testing.T) engine.Engine { return start(t, Options{}) })
}

func TestLikeWazero(t *testing.T) {
	a := start(t, Options{})
	b, err := wazero.New(wazero.Options{})
	if err != nil {
		t.Fatal(err)
	}
	enginetest.NoDiff(t, a, b)
	for _, e := range []engine.Engine{a, b} {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkEngine(b *testing.B) {
	enginetest.Bench(b, func(b *testing.B) engine.Engine { return start(b, Options{}) })
}
