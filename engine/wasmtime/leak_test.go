//go:build wasmtime && cgo && linux && (amd64 || arm64)

package wasmtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/edgefvm/fvm/engine"
)

// resident is the memory of this process that is in use, and its mappings.
func resident(t *testing.T) (kib, maps int) {
	t.Helper()
	runtime.GC()
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size int
	if _, err := fmt.Sscan(string(raw), &size, &kib); err != nil {
		t.Fatal(err)
	}
	raw, err = os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return kib * os.Getpagesize() >> 10, bytes.Count(raw, []byte("\n"))
}

// wantLittle checks that work leaves nothing behind, after it was done a few times.
func wantLittle(t *testing.T, limit int, work func()) {
	t.Helper()
	work()
	kib, maps := resident(t)
	work()
	nowKiB, nowMaps := resident(t)
	t.Logf("%d KiB more, %d mappings more", nowKiB-kib, nowMaps-maps)
	if nowKiB-kib > limit || nowMaps-maps > 100 {
		t.Errorf("%d KiB more, %d mappings more", nowKiB-kib, nowMaps-maps)
	}
}

var errHost = errors.New("host says no")

// Instances that end well, with a trap, and with an error of the host.
func TestInstancesAreFreed(t *testing.T) {
	n := 20_000
	if testing.Short() {
		n = 2_000
	}
	e := start(t, Options{})
	defer stop(t, e)
	m := load(t, e, func(_ context.Context, _ engine.Instance, n uint32) (uint32, error) {
		if n == 0 {
			return 0, errHost
		}
		return n, nil
	})
	wantLittle(t, 8<<10, func() {
		for i := range n {
			want := error(nil)
			arg, export := uint64(1), "ask"
			switch i % 3 {
			case 1:
				arg, want = 0, errHost
			case 2:
				arg, export, want = 3*engine.PageSize, "load", &engine.Trap{Kind: engine.TrapMemoryOutOfBounds}
			}
			if _, err := invoke(m, export, arg); fmt.Sprint(err) != fmt.Sprint(want) {
				t.Fatalf("%s: %v", export, err)
			}
		}
		if live := len(m.(*module).env.live); live != 0 {
			t.Errorf("%d instances are left", live)
		}
	})
}

// Faults of one instance, which leaves traps and errors of wasmtime behind.
func TestFaultsAreFreed(t *testing.T) {
	e := start(t, Options{})
	defer stop(t, e)
	m := load(t, e, func(context.Context, engine.Instance, uint32) (uint32, error) { return 0, errHost })
	in, err := m.Instantiate(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	wantLittle(t, 4<<10, func() {
		for range 20_000 {
			for export, arg := range map[string]uint64{"ask": 0, "load": 3 * engine.PageSize} {
				if in.Call(context.Background(), export, []uint64{arg}) == nil {
					t.Fatal("no error")
				}
			}
		}
	})
}

// Engines, environments, code and text of bad code; closed in any order or by the
// engine, with instances that nobody closed.
func TestEnginesAreFreed(t *testing.T) {
	ctx := context.Background()
	wantLittle(t, 16<<10, func() {
		for range 50 {
			e := start(t, Options{})
			a, b := load(t, e, nil).(*module), load(t, e, nil).(*module)
			in, err := a.Instantiate(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			in.SetCounter(5)
			if _, err := a.env.Compile(ctx, []byte("\x00asm\x01\x00\x00\x00\x01\x05")); err == nil {
				t.Fatal("bad code was compiled")
			}
			if err := b.env.Close(ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Instantiate(ctx, nil); !errors.Is(err, errClosed) {
				t.Fatalf("instance of a closed environment: %v", err)
			}
			stop(t, e)
			if err := in.Call(ctx, "ask", []uint64{1}); !errors.Is(err, errClosed) {
				t.Fatalf("call after the engine was closed: %v", err)
			}
			if in.Counter() != 0 || in.Memory() != nil || in.Close(ctx) != nil || a.Close(ctx) != nil || a.env.Close(ctx) != nil {
				t.Fatal("something is left after the engine was closed")
			}
			in.SetCounter(6)
		}
	})
}

// An instance outlives its module: the code stays as long as it is needed.
func TestInstanceOutlivesModule(t *testing.T) {
	ctx := context.Background()
	e := start(t, Options{})
	defer stop(t, e)
	m := load(t, e, func(_ context.Context, _ engine.Instance, n uint32) (uint32, error) { return n + 1, nil })
	in, err := m.Instantiate(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(ctx); err != nil {
		t.Fatal(err)
	}
	stack := []uint64{4}
	if err := in.Call(ctx, "dive", append(stack, 4)); err != nil {
		t.Errorf("call: %v", err)
	}
	if err := in.Close(ctx); err != nil {
		t.Error(err)
	}
}
