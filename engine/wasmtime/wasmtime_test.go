//go:build wasmtime && cgo && linux && (amd64 || arm64)

package wasmtime

import (
	"context"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/lab/enginetest"
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

// What the reference has switched off is refused, and what it has on is not.
// wasmtime has no switch for constant expressions with arithmetic; the
// instrumentation pass refuses those.
func TestFeatures(t *testing.T) {
	e := start(t, Options{})
	defer stop(t, e)
	v, err := e.Env(context.Background(), engine.EnvConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		`(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))`: true,
		`(table 1 externref) (func (result externref) (table.get (i32.const 0)))`:   true,
		`(func (result i32) (i32.extend8_s (i32.const 200)))`:                       true,
		`(func (result i32) (i32.trunc_sat_f32_s (f32.const nan)))`:                 true,
		`(func (result i32 i32) (i32.const 1) (i32.const 2))`:                       false,
		`(func (param v128))`: false,
		`(func (drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0))))`: false,
		`(memory 1 1 shared)`:        false,
		`(func $f (return_call $f))`: false,
		`(memory i64 1)`:             false,
		`(memory 1) (memory 1)`:      false,
		`(func (param (ref func)))`:  false,
		`(func (param anyref))`:      false,
	} {
		m, err := v.Compile(context.Background(), assemble(t, "(module "+text+")"))
		if (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
		if err == nil {
			if err := m.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}
	}
}

func BenchmarkEngine(b *testing.B) {
	enginetest.Bench(b, func(b *testing.B) engine.Engine { return start(b, Options{}) })
}
