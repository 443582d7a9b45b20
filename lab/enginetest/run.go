// Package enginetest is the contract that every adapter of package engine must
// pass, as tests.
//
// An adapter's own tests call Run with a function that makes an engine, and
// NoDiff to compare two engines. The guests are assembled here by hand, so that
// the tests need no tools and no files. What does not belong here: anything
// about one adapter, or about Filecoin.
package enginetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/edgefvm/fvm/engine"
)

// fixture is one engine with one environment.
type fixture struct {
	t    *testing.T
	eng  engine.Engine
	env  engine.Env
	args [3]uint64 // what host.mixed was last called with
	f    hostF     // what host.f does; echo unless a test says otherwise
}

// Run runs the contract tests on engines that open makes, one per test. open may
// register cleanups; Run closes the engines.
func Run(t *testing.T, open func(*testing.T) engine.Engine) { RunWithout(t, open) }

// RunWithout is Run without the named tests, for an engine that gives another answer to
// them. Its adapter shows in a test of its own which.
func RunWithout(t *testing.T, open func(*testing.T) engine.Engine, names ...string) {
	tests := []struct {
		name string
		run  func(*fixture)
	}{
		{"Calls", testCalls},
		{"HostArguments", testHostArguments},
		{"HostErrors", testHostErrors},
		{"HostPanic", testHostPanic},
		{"ExportedHostFunction", testExportedHostFunction},
		{"Traps", testTraps},
		{"StackOverflow", testStackOverflow},
		{"LimitedRecursion", testLimitedRecursion},
		{"Counter", testCounter},
		{"NoCounter", testNoCounter},
		{"MemoryView", testMemoryView},
		{"MemoryGrowth", testMemoryGrowth},
		{"MemoryMovesInHostCall", testMemoryMovesInHostCall},
		{"LargeMemory", testLargeMemory},
		{"NoMemory", testNoMemory},
		{"EmptyMemory", testEmptyMemory},
		{"FreshMemory", testFreshMemory},
		{"FreshState", testFreshState},
		{"FreshAgain", testFreshAgain},
		{"Segments", testSegments},
		{"Reentrant", testReentrant},
		{"Nested", testNested},
		{"NestedErrors", testNestedErrors},
		{"Concurrent", testConcurrent},
		{"Data", testData},
		{"NoExport", testNoExport},
		{"ShortStack", testShortStack},
		{"Context", testContext},
		{"BadModules", testBadModules},
		{"BadEnvironments", testBadEnvironments},
		{"TwoEnvironments", testTwoEnvironments},
		{"Closing", testClosing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if slices.Contains(names, tt.name) {
				t.Skip("NOT RUN: the adapter tests it in another way")
			}
			tt.run(newFixture(t, open(t)))
		})
	}
}

func newFixture(t *testing.T, eng engine.Engine) *fixture {
	t.Helper()
	if eng.Name() == "" {
		t.Error("engine without a name")
	}
	x := &fixture{t: t, eng: eng, f: echo}
	x.env = x.newEnv(counterName)
	t.Cleanup(func() {
		if err := eng.Close(context.Background()); err != nil {
			t.Errorf("closing the engine: %v", err)
		}
	})
	return x
}

// echo returns its argument plus one, and fails on failWith.
func echo(_ context.Context, _ engine.Instance, n uint32) (uint32, error) {
	if n == failWith {
		return 0, errHost
	}
	return n + 1, nil
}

func (x *fixture) newEnv(counter string) engine.Env {
	x.t.Helper()
	call := func(ctx context.Context, in engine.Instance, n uint32) (uint32, error) { return x.f(ctx, in, n) }
	v, err := x.eng.Env(context.Background(), engine.EnvConfig{Host: hostFuncs(call, &x.args), Counter: counter, Reset: resetName})
	if err != nil {
		x.t.Fatalf("environment: %v", err)
	}
	return v
}

func (x *fixture) compile(wasm []byte) engine.Module {
	x.t.Helper()
	m, err := x.env.Compile(context.Background(), wasm)
	if err != nil {
		x.t.Fatalf("compile: %v", err)
	}
	return m
}

func (x *fixture) instantiate(m engine.Module, data any) engine.Instance {
	x.t.Helper()
	in, err := m.Instantiate(context.Background(), data)
	if err != nil {
		x.t.Fatalf("instantiate: %v", err)
	}
	return in
}

// kitchen is an instance of the kitchen module with one page.
func (x *fixture) kitchen() engine.Instance {
	x.t.Helper()
	return x.instantiate(x.compile(kitchen(1)), nil)
}

func (x *fixture) close(in engine.Instance) {
	x.t.Helper()
	if err := in.Close(context.Background()); err != nil {
		x.t.Fatalf("close: %v", err)
	}
}

// call calls an export and returns the first word of the stack.
func invoke(in engine.Instance, export string, args ...uint64) (uint64, error) {
	stack := make([]uint64, max(len(args), 1))
	copy(stack, args)
	err := in.Call(context.Background(), export, stack)
	return stack[0], err
}

// want32 calls an export that returns an i32.
func (x *fixture) want32(in engine.Instance, want uint32, export string, args ...uint64) {
	x.t.Helper()
	got, err := invoke(in, export, args...)
	if err != nil {
		x.t.Fatalf("%s%v: %v", export, args, err)
	}
	if uint32(got) != want {
		x.t.Fatalf("%s%v = %d, want %d", export, args, uint32(got), want)
	}
}

// do calls an export that must succeed.
func (x *fixture) do(in engine.Instance, export string, args ...uint64) {
	x.t.Helper()
	if _, err := invoke(in, export, args...); err != nil {
		x.t.Fatalf("%s%v: %v", export, args, err)
	}
}

// wantTrap checks for a trap of one of the kinds.
func (x *fixture) wantTrap(err error, what string, kinds ...engine.TrapKind) {
	x.t.Helper()
	var trap *engine.Trap
	if !errors.As(err, &trap) {
		x.t.Fatalf("%s: %v, want a trap", what, err)
	}
	for _, k := range kinds {
		if trap.Kind == k {
			return
		}
	}
	x.t.Fatalf("%s: %v, want %v", what, trap, kinds)
}
