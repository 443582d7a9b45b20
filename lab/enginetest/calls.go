package enginetest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/edgefvm/fvm/engine"
)

func testCalls(x *fixture) {
	in := x.kitchen()
	x.want32(in, 0xffffffff, "echo32", 0xffffffff)
	x.want32(in, 42, "invoke", 41)
	x.do(in, "none")
	for _, v := range [][3]uint64{{5, 3, 2}, {0, 1, ^uint64(0)}, {1 << 63, 1, 1<<63 - 1}} {
		got, err := invoke(in, "sub64", v[0], v[1])
		if err != nil || got != v[2] {
			x.t.Errorf("sub64(%d, %d) = %d, %v; want %d", v[0], v[1], got, err, v[2])
		}
	}
	// Two functions in turn, many times: nothing of one call stays for the next.
	for i := uint32(0); i < 200; i++ {
		x.want32(in, i, "echo32", uint64(i))
		x.want32(in, i+1, "invoke", uint64(i))
	}
}

func testHostArguments(x *fixture) {
	in := x.kitchen()
	x.do(in, "mixed", 1<<31, 1<<63+5, 7)
	if x.args != [3]uint64{1 << 31, 1<<63 + 5, 7} {
		x.t.Errorf("host function got %x", x.args)
	}
	// A result without arguments.
	if got, err := invoke(in, "wide"); err != nil || got != 1<<63+9 {
		x.t.Errorf("wide result %x, %v", got, err)
	}
}

type richError struct{ code int }

func (e *richError) Error() string { return fmt.Sprintf("code %d", e.code) }

func testHostErrors(x *fixture) {
	in := x.kitchen()
	if _, err := invoke(in, "invoke", failWith); !errors.Is(err, errHost) {
		x.t.Fatalf("host error came back as %v", err)
	}
	x.f = func(context.Context, engine.Instance, uint32) (uint32, error) {
		return 0, fmt.Errorf("wrapped: %w", &richError{33})
	}
	_, err := invoke(in, "invoke", 1)
	var rich *richError
	if !errors.As(err, &rich) || rich.code != 33 {
		x.t.Fatalf("host error came back as %v", err)
	}
	var trap *engine.Trap
	if errors.As(err, &trap) {
		x.t.Error("a host error is no trap")
	}
	// A trap that a host function reports is the host's error, as given.
	x.f = func(context.Context, engine.Instance, uint32) (uint32, error) {
		return 0, &engine.Trap{Kind: engine.TrapUnreachable}
	}
	_, err = invoke(in, "invoke", 1)
	x.wantTrap(err, "trap given by the host", engine.TrapUnreachable)
	// The guest can be called again.
	x.f = echo
	x.want32(in, 2, "invoke", 1)
}

// A host function that panics is a fault of the node: an error, which is neither
// a trap nor the end of the process.
func testHostPanic(x *fixture) {
	in := x.kitchen()
	for _, export := range []string{"invoke", "direct"} {
		for _, v := range []any{"text", errors.New("value")} {
			x.f = func(context.Context, engine.Instance, uint32) (uint32, error) { panic(v) }
			_, err := invoke(in, export, 1)
			var trap *engine.Trap
			if err == nil || errors.As(err, &trap) || !strings.Contains(err.Error(), fmt.Sprint(v)) {
				x.t.Errorf("%s: panic in a host function came back as %v", export, err)
			}
		}
	}
}

// A guest may export what it imports.
func testExportedHostFunction(x *fixture) {
	in := x.kitchen()
	x.f = func(ctx context.Context, caller engine.Instance, n uint32) (uint32, error) {
		if caller != in {
			x.t.Error("host function got another instance")
		}
		return echo(ctx, nil, n)
	}
	x.want32(in, 5, "direct", 4)
	if _, err := invoke(in, "direct", failWith); !errors.Is(err, errHost) {
		x.t.Errorf("host error came back as %v", err)
	}
}

func testTraps(x *fixture) {
	const page = engine.PageSize
	in := x.kitchen()
	anyTable := []engine.TrapKind{engine.TrapTableOutOfBounds, engine.TrapIndirectCallToNull}
	for _, tt := range []struct {
		export string
		args   []uint64
		kinds  []engine.TrapKind
	}{
		{"unreachable", nil, []engine.TrapKind{engine.TrapUnreachable}},
		{"load8", []uint64{page}, []engine.TrapKind{engine.TrapMemoryOutOfBounds}},
		{"load32", []uint64{page - 3}, []engine.TrapKind{engine.TrapMemoryOutOfBounds}},
		{"load32", []uint64{0xfffffffc}, []engine.TrapKind{engine.TrapMemoryOutOfBounds}},
		{"store32", []uint64{page - 1, 1}, []engine.TrapKind{engine.TrapMemoryOutOfBounds}},
		{"fill", []uint64{1, 0, page}, []engine.TrapKind{engine.TrapMemoryOutOfBounds}},
		{"table", []uint64{6}, []engine.TrapKind{engine.TrapTableOutOfBounds}},
		{"table", []uint64{0xffffffff}, []engine.TrapKind{engine.TrapTableOutOfBounds}},
		{"table", []uint64{3}, anyTable},
		{"table", []uint64{2}, []engine.TrapKind{engine.TrapBadSignature}},
		{"div", []uint64{1 << 31, 0xffffffff}, []engine.TrapKind{engine.TrapIntegerOverflow}},
		{"huge", nil, []engine.TrapKind{engine.TrapIntegerOverflow}},
		{"div", []uint64{1, 0}, []engine.TrapKind{engine.TrapIntegerDivisionByZero}},
		{"rem", []uint64{1, 0}, []engine.TrapKind{engine.TrapIntegerDivisionByZero}},
		{"div64", []uint64{1, 0}, []engine.TrapKind{engine.TrapIntegerDivisionByZero}},
		{"nan", nil, []engine.TrapKind{engine.TrapBadConversionToInteger}},
	} {
		_, err := invoke(in, tt.export, tt.args...)
		x.wantTrap(err, fmt.Sprintf("%s%v", tt.export, tt.args), tt.kinds...)
		x.want32(in, 3, "echo32", 3) // still usable
	}
	x.want32(in, 7, "table", 0)
	x.want32(in, 8, "table", 1)
}

func testStackOverflow(x *fixture) {
	in := x.kitchen()
	_, err := invoke(in, "recurse", 0)
	x.wantTrap(err, "endless recursion", engine.TrapStackOverflow)
}

// The instrumentation pass allows at most 1024 calls deep: 2048 elements, two
// for each frame. The native stack must have room for that.
func testLimitedRecursion(x *fixture) {
	in := x.kitchen()
	for _, n := range []uint64{1, 1024} {
		if got, err := invoke(in, "down", n); err != nil || got != n {
			x.t.Errorf("%d calls deep: %d, %v", n, got, err)
		}
	}
}

func testCounter(x *fixture) {
	in := x.kitchen()
	if in.Counter() != 0 {
		x.t.Errorf("counter starts at %d", in.Counter())
	}
	in.SetCounter(1000)
	x.f = func(_ context.Context, caller engine.Instance, n uint32) (uint32, error) {
		if got := caller.Counter(); got != 995 {
			x.t.Errorf("counter in the host function is %d", got)
		}
		caller.SetCounter(caller.Counter() - 100)
		if n == failWith {
			return 0, errHost
		}
		return n, nil
	}
	x.do(in, "count", 1)
	if in.Counter() != 888 {
		x.t.Errorf("counter after the call is %d, want 888", in.Counter())
	}
	in.SetCounter(1000)
	if _, err := invoke(in, "count", failWith); !errors.Is(err, errHost) {
		x.t.Fatal(err)
	}
	if in.Counter() != 895 {
		x.t.Errorf("counter after an error is %d, want 895", in.Counter())
	}
	for _, v := range []int64{-1, 1<<63 - 1, -1 << 63} {
		if in.SetCounter(v); in.Counter() != v {
			x.t.Errorf("counter %d became %d", v, in.Counter())
		}
	}
}

func testNoCounter(x *fixture) {
	x.env = x.newEnv("")
	m := &wasmModule{}
	m.fn("answer", none, one32, 0, i32c(42))
	in := x.instantiate(x.compile(m.bytes()), nil)
	in.SetCounter(5)
	if in.Counter() != 0 {
		x.t.Errorf("counter is %d without one", in.Counter())
	}
	x.want32(in, 42, "answer")
}

func testData(x *fixture) {
	m := x.compile(kitchen(1))
	type key struct{ n int }
	a, b := x.instantiate(m, &key{1}), x.instantiate(m, nil)
	x.f = func(_ context.Context, caller engine.Instance, n uint32) (uint32, error) {
		if k, ok := caller.Data().(*key); !ok || k.n != 1 || caller != a {
			x.t.Errorf("host function got %v", caller.Data())
		}
		return n, nil
	}
	x.do(a, "invoke", 1)
	if b.Data() != nil {
		x.t.Errorf("data is %v, want nil", b.Data())
	}
}

func testNoExport(x *fixture) {
	in := x.kitchen()
	for _, name := range []string{"absent", "", "memory", counterName} {
		if _, err := invoke(in, name, 0); !errors.Is(err, engine.ErrNoExport) {
			x.t.Errorf("call of %q: %v", name, err)
		}
	}
}

func testShortStack(x *fixture) {
	in := x.kitchen()
	var trap *engine.Trap
	if err := in.Call(context.Background(), "sub64", make([]uint64, 1)); err == nil || errors.As(err, &trap) {
		x.t.Errorf("call with a short stack: %v", err)
	}
	if err := in.Call(context.Background(), "none", nil); err != nil {
		x.t.Errorf("call without a stack: %v", err)
	}
}

// Call does not look at the context; it hands it to host functions as it is.
func testContext(x *fixture) {
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "v"))
	cancel()
	in := x.kitchen()
	stack := []uint64{4}
	if err := in.Call(ctx, "echo32", stack); err != nil || uint32(stack[0]) != 4 {
		x.t.Errorf("call with a cancelled context: %v", err)
	}
	x.f = func(got context.Context, _ engine.Instance, _ uint32) (uint32, error) {
		if got.Value(key{}) != "v" {
			x.t.Error("host function got another context")
		}
		return 0, got.Err()
	}
	if err := in.Call(ctx, "invoke", stack); !errors.Is(err, context.Canceled) {
		x.t.Errorf("host function's context error came back as %v", err)
	}
}
