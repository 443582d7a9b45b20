package syscalls_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
	"github.com/edgefvm/fvm/internal/vm/syscalls"
	"github.com/edgefvm/fvm/lab/conformance/goldentest"
)

// An out-pointer without room is refused before the guest's counter is
// refreshed, so the next settlement charges the same execution again.
func TestQuirkOutPointerChargesTwice(t *testing.T) {
	g := newGuest(t, 28, 1_000_000)
	g.counter -= 5_000_000
	counter := g.counter
	if n, err := g.call("network::context", memSize); n != 1 || err != nil {
		t.Fatalf("errno %d, %v", n, err)
	}
	if exec, _ := g.charged("wasm_exec"); exec != 5_000_000 || g.counter != counter {
		t.Errorf("charged %d, the counter went from %d to %d", exec, counter, g.counter)
	}
	g.counter -= 7_000_000
	g.must("gas::charge", memSize, 0, 0)
	if exec, _ := g.charged("wasm_exec"); exec != 12_000_000 {
		t.Errorf("the next settlement charged %d, want 12,000,000", exec)
	}
	if want := int64(1_000_000_000 - 5_000_000 - 12_000_000 - 2*14_000_000); g.counter != want {
		t.Errorf("the counter is %d, want %d", g.counter, want)
	}
	goldentest.Run(t, "nv18-script-gas-003", "nv28-script-gas-003") // out-pointer-quirk, grow-after-quirk, quirk-then-end, quirk-return
}

// Settling does not begin anew: a guest that is gone back to and not given gas pays twice.
func TestQuirkSettleTwice(t *testing.T) {
	g := newGuest(t, 28, 1_000_000)
	g.counter -= 5_000_000
	inside := g.inside
	var outside syscalls.Outside
	for range 2 {
		g.charges = nil
		var err error
		if outside, err = inside.Leave(); err != nil {
			t.Fatal(err)
		}
		if exec, _ := g.charged("wasm_exec"); exec != 5_000_000 {
			t.Errorf("charged %d, want 5,000,000", exec)
		}
		inside = outside.Reenter(g)
	}
	inside = outside.Enter(g)
	g.charges = nil
	if _, err := inside.Leave(); err != nil {
		t.Fatal(err)
	}
	if exec, n := g.charged("wasm_exec"); exec != 0 || n != 1 {
		t.Errorf("after Enter: charged %d", exec)
	}
}

// What is taken while an instance is made is part of what is settled next, if there is an instance, and costs nothing if not.
func TestInstantiating(t *testing.T) {
	const page = 26_214_400 // milligas for 65,536 bytes
	g := newGuest(t, 28, 1_000_000)
	outside, err := g.inside.Leave()
	if err != nil {
		t.Fatal(err)
	}
	making := outside.Instantiate()
	g.inv.Account.Grow(65536)
	g.charges = nil
	if err := making.Fail(); err != nil {
		t.Fatal(err)
	}
	if exec, n := g.charged("wasm_exec"); exec != 0 || n != 1 || len(g.charges) != 1 {
		t.Errorf("without an instance: %v", g.charges)
	}
	making = outside.Instantiate()
	g.inv.Account.Grow(65536)
	inside := making.Enter(g)
	if want := int64(g.inv.Kernel.Gas().Available()); g.counter != want {
		t.Errorf("the counter is %d, want %d", g.counter, want)
	}
	g.counter -= page + 3
	g.charges = nil
	if _, err := inside.Leave(); err != nil {
		t.Fatal(err)
	}
	exec, _ := g.charged("wasm_exec")
	if growth, _ := g.charged("wasm_memory_grow"); exec != 3 || growth != page {
		t.Errorf("with an instance: charged %d and %d", exec, growth)
	}
}

// What the end of a guest's call means: a fault of the guest ends the invocation, whatever else nobody made one of ours of is this
// node's failure.
func TestEndsOfCalls(t *testing.T) {
	trap := func(k engine.TrapKind) error { return fmt.Errorf("an engine: %w", &engine.Trap{Kind: k}) }
	for _, c := range []struct {
		name     string
		err      error
		allPages bool
		want     execerr.Kind
	}{
		{"nothing", nil, false, execerr.KindNone},
		{"a trap", trap(engine.TrapUnreachable), false, execerr.KindAbort},
		{"an access out of bounds", trap(engine.TrapMemoryOutOfBounds), false, execerr.KindAbort},
		{"an access out of bounds of 4 GiB", trap(engine.TrapMemoryOutOfBounds), true, execerr.KindNode},
		{"another trap with 4 GiB", trap(engine.TrapIntegerOverflow), true, execerr.KindAbort},
		{"the native stack's end", trap(engine.TrapStackOverflow), false, execerr.KindNode},
		{"no such export", engine.ErrNoExport, false, execerr.KindNode},
		{"an exit", &execerr.Abort{Code: 20}, false, execerr.KindAbort},
		{"out of gas", execerr.ErrOutOfGas, false, execerr.KindOutOfGas},
		{"the guest's fatal error", execerr.Guestf("a state"), false, execerr.KindGuest},
		{"the guest's fatal error, of a trap", execerr.Guestf("an instance: %w", trap(engine.TrapTableOutOfBounds)), false, execerr.KindGuest},
		{"the node's fatal error, of a trap", execerr.Nodef("an instance: %w", trap(engine.TrapTableOutOfBounds)), false, execerr.KindNode},
	} {
		g := newGuest(t, 28, plenty)
		g.code, g.inv.AllPages = func() error { return c.err }, c.allPages
		err := g.inside.Call(t.Context(), "invoke", nil)
		f := execerr.Classify(err)
		if f.Kind != c.want {
			t.Errorf("%s: %v, want %v (%v)", c.name, f.Kind, c.want, err)
		}
		var tr *engine.Trap
		if errors.As(c.err, &tr) && f.Abort != nil && (f.Abort.Code != exitcode.SysErrIllegalInstruction || f.Abort.Message != tr.Error()) {
			t.Errorf("%s: %+v", c.name, f.Abort)
		}
	}
}

func TestSettle(t *testing.T) {
	const given = 1_000_000_000 // milligas
	for _, c := range []struct {
		name         string
		counter      int64
		memory       uint64 // bytes taken
		exec, growth uint64 // milligas
		outOfGas     bool
	}{
		{"nothing ran", given, 0, 0, 0, false},
		{"some", given - 7, 0, 7, 0, false},
		{"all", 0, 0, given, 0, false},
		{"below zero", -5, 0, given + 5, 0, true},
		{"far below zero", -1 << 63, 0, given + 1<<63, 0, true},
		// The guest has paid for its memory; the charge is split for the trace: 65,536 bytes are 26,214,400 milligas.
		{"a page", given - 26_214_400 - 4000, 65536, 4000, 26_214_400, false},
		{"a page that it did not pay for", given - 1000, 65536, 0, 1000, false},
		{"a counter that rose", given + 1, 0, 0, 0, false},
	} {
		g := newGuest(t, 28, given/1000)
		if c.memory > 0 {
			g.inv.Account.Grow(c.memory)
		}
		g.charges = nil
		g.counter = c.counter
		_, err := g.inside.Leave()
		if errors.Is(err, execerr.ErrOutOfGas) != c.outOfGas || (err != nil) != c.outOfGas {
			t.Errorf("%s: %v", c.name, err)
		}
		exec, _ := g.charged("wasm_exec")
		growth, n := g.charged("wasm_memory_grow")
		if exec != c.exec || growth != c.growth || (n > 0) != (c.growth > 0) {
			t.Errorf("%s: charged %d and %d, want %d and %d", c.name, exec, growth, c.exec, c.growth)
		}
	}
}

// The guest gets its gas in slices, between which the context is looked at. No charge depends on them.
func TestSlices(t *testing.T) {
	const slice = 20_000_000_000
	g := newGuest(t, 28, 48_000_000) // 2.4 slices
	if g.counter != slice {
		t.Fatalf("the counter begins at %d", g.counter)
	}
	for i, want := range []int64{slice, 8_000_000_000 - 6} {
		g.counter = -3
		if _, err := g.call("edgefvm::exhausted"); err != nil || g.counter != want || len(g.charges) > 0 {
			t.Fatalf("slice %d: counter %d, %v, charges %v; want %d", i+2, g.counter, err, g.charges, want)
		}
	}
	g.counter = -3
	g.code = func() error {
		_, err := g.call("edgefvm::exhausted")
		return fmt.Errorf("unwound: %w", err)
	}
	if err := g.inside.Call(t.Context(), "invoke", nil); err != execerr.ErrOutOfGas || g.counter != -3 {
		t.Fatalf("at the end: %v, counter %d", err, g.counter)
	}
	if _, err := g.inside.Leave(); !errors.Is(err, execerr.ErrOutOfGas) {
		t.Errorf("settling: %v", err)
	}
	if exec, _ := g.charged("wasm_exec"); exec != 48_000_000_003 {
		t.Errorf("charged %d", exec)
	}
}

// The first syscall of an invocation looks at the context, then each 16th, and the next but one after a slice of gas.
func TestSyscallsLook(t *testing.T) {
	g := newGuest(t, 28, 480_000_000)
	ctx := &execerrtest.Countdown{Context: t.Context(), Left: 1000}
	call := func() (looks int) {
		before := ctx.Left
		if err := g.funcs["gas::available"].Fn(ctx, g, make([]uint64, 1)); err != nil {
			t.Fatal(err)
		}
		return before - ctx.Left
	}
	for i := range 49 {
		if got, want := call(), map[bool]int{true: 1}[i%16 == 0]; got != want {
			t.Errorf("syscall %d looks %d times, not %d", i, got, want)
		}
	}
	for i := range 10 {
		g.counter -= 20_000_000_000 // a slice
		// What the guest uses before a syscall counts for the next one.
		if got, want := call(), min(i, 1); got != want {
			t.Errorf("syscall %d after a slice of gas looks %d times, not %d", i, got, want)
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := contextOf(t)
	cancel()
	for _, name := range []string{"edgefvm::exhausted", "gas::available", "send::send", "vm::exit"} {
		g := newGuest(t, 28, 48_000_000)
		g.counter = -1
		g.charges = nil
		err := g.funcs[name].Fn(ctx, g, make([]uint64, 10))
		if !isNodeFailure(err) || !errors.Is(err, ctx.Err()) || len(g.charges) > 0 {
			t.Errorf("%s: %v, charges %v", name, err, g.charges)
		}
	}
}
