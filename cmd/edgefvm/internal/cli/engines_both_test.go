//go:build wasmedge && wasmtime && cgo && linux && amd64

package cli

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wasmedge"
	"github.com/edgefvm/fvm/engine/wasmtime"
	"github.com/edgefvm/fvm/lab/enginetest"
)

// Two engines that both want the signals of memory faults, in one process: wasmtime's
// handler leaves by a jump, and relies on SA_NODEFER to get the next fault. Without
// that the second one ends the process.
func TestFaultsOfTwoEngines(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx := context.Background()
	other, err := wasmedge.New(wasmedge.Options{Interpreter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(ctx)
	e, err := wasmtime.New(wasmtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(ctx)
	v, err := e.Env(ctx, engine.EnvConfig{Host: enginetest.Host(func(context.Context, engine.Instance, uint32) (uint32, error) { return 0, nil })})
	if err != nil {
		t.Fatal(err)
	}
	m, err := v.Compile(ctx, loader)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		in, err := m.Instantiate(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		trap := new(engine.Trap)
		if err := in.Call(ctx, "f", []uint64{1 << 20}); !errors.As(err, &trap) || trap.Kind != engine.TrapMemoryOutOfBounds {
			t.Errorf("fault %d: %v", i, err)
		}
		if err := in.Close(ctx); err != nil {
			t.Error(err)
		}
		func() {
			defer func() {
				if _, ok := recover().(runtime.Error); !ok {
					t.Error("a nil dereference was not recovered")
				}
			}()
			var p *struct{ Threads int }
			p.Threads++
		}()
	}
}

// loader is a module with a page of memory and f(i32) -> i32, which loads from an address.
var loader = []byte("\x00asm\x01\x00\x00\x00" +
	"\x01\x06\x01\x60\x01\x7f\x01\x7f" + "\x03\x02\x01\x00" + "\x05\x03\x01\x00\x01" +
	"\x07\x0e\x02\x01f\x00\x00\x06memory\x02\x00" + "\x0a\x09\x01\x07\x00\x20\x00\x28\x02\x00\x0b")
