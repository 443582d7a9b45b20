package tiered

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgefvm/fvm/engine"
)

// New instances come from the best code that is there, old ones stay.
func TestClimbs(t *testing.T) {
	low, high := newGate(), newGate()
	x := newFixture(t, func(x *fixture, _ *Options) { x.low.compile, x.high.compile = low.pass, high.pass })
	if x.eng.Name() != "base+low+high" {
		t.Errorf("name %q", x.eng.Name())
	}
	m := x.module("a")
	<-low.arrived
	x.from(m, "base")
	close(low.open)
	<-high.arrived
	x.from(m, "low")
	close(high.open)
	x.wait()
	x.from(m, "high")
	x.warnings(0)
	x.close(m)
	if n := x.base.left() + x.low.left() + x.high.left(); n != 0 {
		t.Errorf("%d modules stay open", n)
	}
	if _, err := m.Instantiate(context.Background(), nil); err == nil {
		t.Error("a closed module instantiates")
	}
}

// All modules get their first tier before one gets its second, and those that are
// used come first.
func TestOrder(t *testing.T) {
	g := newGate()
	x := newFixture(t, func(x *fixture, _ *Options) { x.low.compile = g.pass })
	first := x.module("first")
	<-g.arrived
	var mods []engine.Module
	for _, name := range []string{"idle", "used", "popular", "closed", "idle2"} {
		mods = append(mods, x.module(name))
	}
	x.from(mods[1], "base")
	for range 3 {
		x.from(mods[2], "base")
	}
	x.from(mods[3], "base")
	x.from(mods[3], "base")
	x.close(mods[3])
	if n := len(x.eng.queue.waiting); n != 4 {
		t.Errorf("%d modules wait, want 4", n)
	}
	x.from(first, "base")
	close(g.open)
	x.wait()
	if got, want := x.low.names(), "first popular used idle idle2"; got != want {
		t.Errorf("low tier compiled %s, want %s", got, want)
	}
	if got, want := x.high.names(), "popular first used idle idle2"; got != want {
		t.Errorf("high tier compiled %s, want %s", got, want)
	}
}

func TestWorkers(t *testing.T) {
	for _, n := range []int{0, 1, 3} {
		x := newFixture(t, func(x *fixture, o *Options) {
			o.Workers = n
			x.low.compile = func(context.Context, string) error { time.Sleep(10 * time.Millisecond); return nil }
		})
		for i := range 12 {
			x.module(fmt.Sprint(i))
		}
		x.wait()
		if got := x.low.top; got != max(n, 1) {
			t.Errorf("%d workers: %d at once", n, got)
		}
	}
}

// A module that a tier cannot compile stays where it is, and is mentioned once.
func TestTierFails(t *testing.T) {
	boom := errors.New("crash of the compiler")
	for name, c := range map[string]struct {
		low, high func(context.Context, string) error
		want      string
	}{
		"low":        {func(context.Context, string) error { return boom }, nil, "base"},
		"high":       {nil, func(context.Context, string) error { return boom }, "low"},
		"low panics": {func(context.Context, string) error { panic(boom) }, nil, "base"},
	} {
		t.Run(name, func(t *testing.T) {
			x := newFixture(t, func(x *fixture, _ *Options) { x.low.compile, x.high.compile = c.low, c.high })
			for range 3 {
				m := x.module("a")
				x.wait()
				x.from(m, c.want)
			}
			x.warnings(1, boom.Error())
			x.module("b")
			x.wait()
			x.warnings(2)
			if c.want == "base" && x.high.names() != "" {
				t.Errorf("the high tier compiled %s", x.high.names())
			}
		})
	}
}

// What the base refuses is refused, whatever the tiers would say.
func TestBaseFails(t *testing.T) {
	bad := errors.New("not valid")
	x := newFixture(t, func(x *fixture, _ *Options) {
		x.base.compile = func(context.Context, string) error { return bad }
	})
	if _, err := x.env.Compile(context.Background(), []byte("a")); !errors.Is(err, bad) {
		t.Errorf("error %v", err)
	}
	x.wait()
	if x.low.names() != "" {
		t.Error("a tier compiled what the base refused")
	}
}

// A tier that cannot instantiate is stood in for by the base. A trap is the
// guest's own.
func TestInstantiateFails(t *testing.T) {
	var fail error
	x := newFixture(t, func(x *fixture, _ *Options) {
		x.high.make = func(string) error { return fail }
		x.base.make = x.high.make
	})
	m := x.module("a")
	x.wait()
	x.from(m, "high")
	fail = fmt.Errorf("wrapped: %w", &engine.Trap{Kind: engine.TrapTableOutOfBounds})
	if _, err := m.Instantiate(context.Background(), nil); err != fail {
		t.Errorf("error %v", err)
	}
	x.warnings(0)
	fail = errors.New("no address space")
	x.base.make = nil
	x.from(m, "base")
	x.from(m, "base")
	x.warnings(1, "no address space")
	fail = nil
	x.from(m, "high")
}

// Code that is there already is taken at once, before anything slow, and the
// tiers below are passed over.
func TestReady(t *testing.T) {
	g := newGate()
	x := newFixture(t, func(x *fixture, o *Options) {
		x.low.compile = g.pass
		o.Tiers[1].Ready = func(wasm []byte) bool { return strings.HasPrefix(string(wasm), "ready") }
	})
	x.module("slow")
	<-g.arrived
	a, slow, b := x.module("ready a"), x.module("slow 2"), x.module("ready b")
	close(g.open)
	x.wait()
	for _, m := range []engine.Module{a, slow, b} {
		x.from(m, "high")
	}
	if got := x.low.names(); got != "slow slow 2" {
		t.Errorf("low tier compiled %s", got)
	}
	if got := x.high.names(); got != "ready a ready b slow slow 2" {
		t.Errorf("high tier compiled %s", got)
	}
}

func TestEnvFails(t *testing.T) {
	x := newFixture(t, func(x *fixture, _ *Options) { x.low.env = func() error { return errors.New("no library") } })
	m := x.module("a")
	x.wait()
	x.from(m, "high")
	v, err := x.eng.Env(context.Background(), engine.EnvConfig{})
	if err != nil {
		t.Fatal(err)
	}
	x.close(v)
	x.warnings(1, "no library", "low")
	x.base.env = func() error { return errors.New("bad host function") }
	if _, err := x.eng.Env(context.Background(), engine.EnvConfig{}); err == nil {
		t.Error("an environment without a base")
	}
}

// Closing a module, an environment or the engine stops what is done for it.
func TestClosingStopsWork(t *testing.T) {
	for _, what := range []string{"module", "environment", "engine"} {
		t.Run(what, func(t *testing.T) {
			before := runtime.NumGoroutine()
			g := newGate()
			x := newFixture(t, func(x *fixture, _ *Options) {
				x.low.compile = func(ctx context.Context, name string) error {
					defer time.Sleep(20 * time.Millisecond) // a child takes a moment to die
					return g.pass(ctx, name)
				}
			})
			m := x.module("a")
			other := x.module("b")
			<-g.arrived
			switch what {
			case "module":
				x.close(m)
				x.close(other)
				x.wait()
			case "environment":
				x.close(x.env)
			case "engine":
				x.close(x.eng)
			}
			if got := x.low.names(); got != "a" {
				t.Errorf("compiled %s", got)
			}
			if x.low.left() != 0 || x.high.names() != "" {
				t.Error("the work went on")
			}
			if what != "module" {
				if _, err := x.env.Compile(context.Background(), []byte("c")); err == nil {
					t.Error("a closed environment compiles")
				}
				if _, err := m.Instantiate(context.Background(), nil); err == nil {
					t.Error("a module of a closed environment instantiates")
				}
			}
			x.warnings(0)
			x.wait()
			for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
				}
			}
		})
	}
}

// A tier that does not watch its context finishes after the module was closed.
func TestLateCode(t *testing.T) {
	g := newGate()
	x := newFixture(t, func(x *fixture, _ *Options) {
		x.low.compile = func(_ context.Context, name string) error { return g.pass(context.Background(), name) }
	})
	m := x.module("a")
	<-g.arrived
	x.close(m)
	close(g.open)
	x.wait()
	if x.low.left() != 0 || x.high.names() != "" {
		t.Errorf("%d modules stay open, the high tier compiled %q", x.low.left(), x.high.names())
	}
}

func TestClose(t *testing.T) {
	x := newFixture(t, nil)
	x.module("a")
	x.close(x.eng)
	x.close(x.eng)
	for _, f := range []*fake{x.base, x.low, x.high} {
		if !f.closed {
			t.Errorf("%s is not closed", f.name)
		}
	}
	if _, err := x.eng.Env(context.Background(), engine.EnvConfig{}); err == nil {
		t.Error("a closed engine makes environments")
	}
	y := newFixture(t, nil)
	y.high.closing = errors.New("still in use")
	if err := y.eng.Close(context.Background()); !errors.Is(err, y.high.closing) {
		t.Errorf("error %v", err)
	}
	y.high.closing = nil
}

func TestWaitWatchesContext(t *testing.T) {
	x := newFixture(t, func(x *fixture, _ *Options) { x.low.compile = newGate().pass })
	x.module("a")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := x.eng.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestNew(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("an engine without a base")
	}
	if _, err := New(Options{Base: newFake("base"), Tiers: make([]Tier, 1)}); err == nil {
		t.Error("a tier without an engine")
	}
	x := newFixture(t, func(_ *fixture, o *Options) { o.Tiers = nil; o.Name = "alone" })
	x.from(x.module("a"), "base")
	if x.eng.Name() != "alone" {
		t.Errorf("name %q", x.eng.Name())
	}
}

// The caller may change what it gave to Compile.
func TestKeepsTheWasm(t *testing.T) {
	g := newGate()
	x := newFixture(t, func(x *fixture, _ *Options) { x.low.compile = g.pass })
	x.module("first")
	<-g.arrived
	wasm := []byte("later")
	if _, err := x.env.Compile(context.Background(), wasm); err != nil {
		t.Fatal(err)
	}
	copy(wasm, "XXXXX")
	close(g.open)
	x.wait()
	if got := x.high.names(); got != "first later" {
		t.Errorf("compiled %s", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	x := newFixture(t, func(x *fixture, o *Options) {
		o.Workers = 3
		x.low.compile = func(_ context.Context, name string) error {
			if strings.HasSuffix(name, "7") {
				return errors.New("seven")
			}
			return nil
		}
	})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 50 {
				m := x.module(fmt.Sprintf("%d.%d", g, i))
				for range 5 {
					if _, err := m.Instantiate(context.Background(), nil); err != nil {
						t.Error(err)
					}
				}
				if i%2 == 0 {
					x.close(m)
				}
			}
		}()
	}
	wg.Wait()
	x.wait()
	if got := x.base.left(); got != 8*25 {
		t.Errorf("%d modules open, want %d", got, 8*25)
	}
	if got := x.high.left(); got != 8*20 { // of the odd ones, those with a seven have failed
		t.Errorf("%d modules open on the high tier, want %d", got, 8*20)
	}
}

// A patient engine comes back with the best code, or with the context's error.
func TestPatient(t *testing.T) {
	g := newGate()
	x := newFixture(t, func(x *fixture, o *Options) { x.low.compile, o.Patient = g.pass, true })
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-g.arrived; cancel() }()
	if _, err := x.env.Compile(ctx, []byte("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if n := x.base.left() + x.low.left() + x.high.left(); n != 0 || x.high.names() != "" {
		t.Errorf("%d modules stay open, and the high tier compiled %q", n, x.high.names())
	}
	close(g.open)
	go func() { <-g.arrived }()
	x.from(x.module("a"), "high")
	x.warnings(0)
}

func TestTally(t *testing.T) {
	boom := errors.New("crash of the compiler")
	x := newFixture(t, func(x *fixture, _ *Options) {
		x.low.compile = func(_ context.Context, name string) error {
			if name == "bad" {
				return boom
			}
			return nil
		}
		x.high.compile = func(_ context.Context, name string) error {
			if name == "half" {
				return boom
			}
			return nil
		}
	})
	for _, name := range []string{"a", "bad", "half", "b"} {
		x.module(name)
	}
	x.wait()
	if got, want := fmt.Sprint(x.eng.Tally()), "[{base 1} {low 1} {high 2}]"; got != want {
		t.Errorf("tally %s, want %s", got, want)
	}
}
