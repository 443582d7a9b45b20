package cli

import (
	"context"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wasmedge"
	"github.com/edgefvm/fvm/engine/wasmtime"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/internal/engine/aot"
	"github.com/edgefvm/fvm/lab/enginetest"
)

// BenchmarkEngines measures the engines of this build side by side: an invocation
// with an instance of its own, a call of the host, a call, a computation.
func BenchmarkEngines(b *testing.B) {
	run := func(name string, built bool, open func() (engine.Engine, error)) {
		b.Run(name, func(b *testing.B) {
			if !built {
				b.Skip("not in this build")
			}
			enginetest.Bench(b, func(b *testing.B) engine.Engine {
				e, err := open()
				if err != nil {
					b.Fatal(err)
				}
				return e
			})
		})
	}
	var cache *aot.Cache
	if wasmedge.Built {
		var err error
		if cache, err = aot.Open(aot.Options{Dir: b.TempDir()}); err != nil {
			b.Fatal(err)
		}
		defer cache.Close()
	}
	native := func(level aot.Level) func() (engine.Engine, error) {
		return func() (engine.Engine, error) {
			return wasmedge.New(wasmedge.Options{Native: func(ctx context.Context, wasm []byte) (string, error) {
				return cache.Artefact(ctx, wasm, level)
			}})
		}
	}
	run("wazero", true, func() (engine.Engine, error) { return wazero.New(wazero.Options{}) })
	run("wasmedge-o0", wasmedge.Built, native(aot.O0))
	run("wasmedge-o2", wasmedge.Built, native(aot.O2))
	run("wasmtime", wasmtime.Built, func() (engine.Engine, error) { return wasmtime.New(wasmtime.Options{}) })
}
