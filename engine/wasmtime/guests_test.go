//go:build wasmtime && cgo && linux && (amd64 || arm64)

package wasmtime

import (
	"context"
	"testing"

	wt "github.com/bytecodealliance/wasmtime-go/v37"

	"github.com/edgefvm/fvm/engine"
)

const counterName = "counter"

// guest calls host.f in every way that the tests need.
const guest = `(module
  (import "host" "f" (func $f (param i32) (result i32)))
  (global (export "counter") (mut i64) (i64.const 0))
  (memory (export "memory") 3)
  (func (export "ask") (param i32) (result i32) (call $f (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "refs") (param externref))
  ;; frames calls down, then the host
  (func $dive (export "dive") (param i32 i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call $dive (i32.sub (local.get 0) (i32.const 1)) (local.get 1))))
      (else (call $f (local.get 1)))))
  (func $forever (export "forever") (result i64) (i64.add (call $forever) (i64.const 1))))`

type hostFn func(ctx context.Context, in engine.Instance, n uint32) (uint32, error)

func assemble(t testing.TB, text string) []byte {
	t.Helper()
	wasm, err := wt.Wat2Wasm(text)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// load compiles the guest in an environment of its own.
func load(t testing.TB, e engine.Engine, f hostFn) engine.Module {
	t.Helper()
	ctx := context.Background()
	one := []engine.ValueType{engine.I32}
	v, err := e.Env(ctx, engine.EnvConfig{Counter: counterName, Host: []engine.HostFunc{{
		Module: "host", Name: "f", Params: one, Results: one,
		Fn: func(ctx context.Context, in engine.Instance, stack []uint64) error {
			n, err := f(ctx, in, uint32(stack[0]))
			stack[0] = uint64(n)
			return err
		}}}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := v.Compile(ctx, assemble(t, guest))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// invoke runs an export of a new instance.
func invoke(m engine.Module, export string, args ...uint64) (uint32, error) {
	ctx := context.Background()
	in, err := m.Instantiate(ctx, nil)
	if err != nil {
		return 0, err
	}
	stack := append(args, 0)
	err = in.Call(ctx, export, stack)
	if cerr := in.Close(ctx); cerr != nil {
		return 0, cerr
	}
	return uint32(stack[0]), err
}

func stop(t testing.TB, e engine.Engine) {
	t.Helper()
	if err := e.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
