package enginetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/edgefvm/fvm/engine"
)

// Bench measures what the FVM does most: an invocation with an instance of its
// own, a call of the host, a computation. open is as for Run.
func Bench(b *testing.B, open func(*testing.B) engine.Engine) {
	ctx := context.Background()
	setup := func(b *testing.B, wasm []byte) engine.Module {
		b.Helper()
		e := open(b)
		b.Cleanup(func() { _ = e.Close(ctx) })
		var args [3]uint64
		v, err := e.Env(ctx, engine.EnvConfig{Host: hostFuncs(echo, &args), Counter: counterName, Reset: resetName})
		if err != nil {
			b.Fatal(err)
		}
		m, err := v.Compile(ctx, wasm)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		b.ResetTimer()
		return m
	}
	for _, pages := range []uint32{1, 17, 32} {
		b.Run(fmt.Sprintf("Invocation/%dpages", pages), func(b *testing.B) {
			m := setup(b, kitchen(pages))
			stack := make([]uint64, 1)
			for b.Loop() {
				benchInvocation(b, m, "invoke", stack)
			}
		})
	}
	b.Run("Invocation/actor", func(b *testing.B) {
		m := setup(b, manyKitchen(17))
		stack := make([]uint64, 1)
		for b.Loop() {
			benchInvocation(b, m, "invoke", stack)
		}
	})
	b.Run("HostError", func(b *testing.B) {
		m := setup(b, kitchen(1))
		in, _ := m.Instantiate(ctx, nil)
		stack := make([]uint64, 1)
		for b.Loop() {
			stack[0] = failWith
			if in.Call(ctx, "invoke", stack) == nil {
				b.Fatal("no error")
			}
		}
	})
	b.Run("HostCall", func(b *testing.B) {
		in, _ := setup(b, hostLoop()).Instantiate(ctx, nil)
		if err := in.Call(ctx, "loop", []uint64{uint64(b.N)}); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("Call", func(b *testing.B) {
		in, _ := setup(b, kitchen(1)).Instantiate(ctx, nil)
		stack := make([]uint64, 1)
		for b.Loop() {
			if err := in.Call(ctx, "echo32", stack); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Counter", func(b *testing.B) {
		in, _ := setup(b, kitchen(1)).Instantiate(ctx, nil)
		for b.Loop() {
			in.SetCounter(in.Counter() + 1)
		}
	})
	b.Run("Compute", func(b *testing.B) {
		in, _ := setup(b, kernel()).Instantiate(ctx, nil)
		if err := in.Call(ctx, "work", []uint64{uint64(b.N), 1}); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("Nested1024", func(b *testing.B) {
		m := setup(b, kitchen(3))
		for b.Loop() {
			benchNest(b, m, maxDepth)
		}
	})
}

func benchInvocation(b *testing.B, m engine.Module, export string, stack []uint64) {
	ctx := context.Background()
	in, err := m.Instantiate(ctx, nil)
	if err != nil {
		b.Fatal(err)
	}
	stack[0] = 1
	if err := in.Call(ctx, export, stack); err != nil {
		b.Fatal(err)
	}
	if err := in.Close(ctx); err != nil {
		b.Fatal(err)
	}
}

// benchNest holds n instances open at once, each after a call.
func benchNest(b *testing.B, m engine.Module, n int) {
	if n == 0 {
		return
	}
	ctx := context.Background()
	in, err := m.Instantiate(ctx, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := in.Call(ctx, "invoke", []uint64{1}); err != nil {
		b.Fatal(err)
	}
	benchNest(b, m, n-1)
	if err := in.Close(ctx); err != nil {
		b.Fatal(err)
	}
}
