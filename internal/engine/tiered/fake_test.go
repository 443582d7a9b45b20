package tiered

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgefvm/fvm/engine"
)

// fake is an engine that only notes what is done with it. Its instances know
// whose they are, by Data.
type fake struct {
	name    string
	env     func() error
	compile func(ctx context.Context, wasm string) error
	make    func(wasm string) error // what Instantiate says
	closing error

	mu       sync.Mutex
	compiled []string
	open     map[string]int // modules that were compiled and not closed
	now, top int            // compilations at once
	envs     int
	closed   bool
}

func newFake(name string) *fake { return &fake{name: name, open: map[string]int{}} }

func (f *fake) Name() string { return f.name }

func (f *fake) Env(context.Context, engine.EnvConfig) (engine.Env, error) {
	if f.env != nil {
		if err := f.env(); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.envs++
	return &fakeEnv{f: f}, nil
}

func (f *fake) Close(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.now > 0 {
		return errors.New("closed an engine that compiles")
	}
	return f.closing
}

func (f *fake) names() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.compiled, " ")
}

func (f *fake) left() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, k := range f.open {
		n += k
	}
	return n
}

type fakeEnv struct{ f *fake }

func (v *fakeEnv) Compile(ctx context.Context, wasm []byte) (engine.Module, error) {
	f, name := v.f, string(wasm)
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil, errors.New("compiling on a closed engine")
	}
	f.compiled = append(f.compiled, name)
	f.now++
	f.top = max(f.top, f.now)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.now--
		f.mu.Unlock()
	}()
	if f.compile != nil {
		if err := f.compile(ctx, name); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open[name]++
	return &fakeModule{f, name}, nil
}

func (v *fakeEnv) Close(context.Context) error {
	v.f.mu.Lock()
	defer v.f.mu.Unlock()
	if v.f.now > 0 {
		return errors.New("closed an environment that compiles")
	}
	v.f.envs--
	return nil
}

type fakeModule struct {
	f    *fake
	wasm string
}

func (m *fakeModule) Instantiate(context.Context, any) (engine.Instance, error) {
	if m.f.make != nil {
		if err := m.f.make(m.wasm); err != nil {
			return nil, err
		}
	}
	return &fakeInstance{of: m.f.name}, nil
}

func (m *fakeModule) Close(context.Context) error {
	m.f.mu.Lock()
	defer m.f.mu.Unlock()
	m.f.open[m.wasm]--
	return nil
}

type fakeInstance struct {
	engine.Instance
	of string
}

// fixture is a tiered engine of fakes with one environment.
type fixture struct {
	*testing.T
	base, low, high *fake
	eng             *Engine
	env             engine.Env
	log             *lockedBuffer
}

func newFixture(t *testing.T, change func(*fixture, *Options)) *fixture {
	t.Helper()
	x := &fixture{T: t, base: newFake("base"), low: newFake("low"), high: newFake("high"), log: &lockedBuffer{}}
	opts := Options{Base: x.base, Tiers: []Tier{{Engine: x.low}, {Engine: x.high}}, Logger: slog.New(slog.NewTextHandler(x.log, nil))}
	if change != nil {
		change(x, &opts)
	}
	var err error
	if x.eng, err = New(opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.eng.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if x.env, err = x.eng.Env(context.Background(), engine.EnvConfig{}); err != nil {
		t.Fatal(err)
	}
	return x
}

func (x *fixture) module(name string) engine.Module {
	x.Helper()
	m, err := x.env.Compile(context.Background(), []byte(name))
	if err != nil {
		x.Fatal(err)
	}
	return m
}

// from checks which engine a new instance is of.
func (x *fixture) from(m engine.Module, want string) {
	x.Helper()
	in, err := m.Instantiate(context.Background(), nil)
	if err != nil {
		x.Errorf("instantiate: %v", err)
		return
	}
	if got := in.(*fakeInstance).of; got != want {
		x.Errorf("instance of %s, want %s", got, want)
	}
}

func (x *fixture) wait() {
	x.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := x.eng.Wait(ctx); err != nil {
		x.Fatalf("waiting: %v", err)
	}
}

func (x *fixture) close(c interface{ Close(context.Context) error }) {
	x.Helper()
	if err := c.Close(context.Background()); err != nil {
		x.Errorf("closing: %v", err)
	}
}

func (x *fixture) warnings(n int, texts ...string) {
	x.Helper()
	log := x.log.String()
	if got := strings.Count(log, "WARN"); got != n {
		x.Errorf("%d warnings, want %d:\n%s", got, n, log)
	}
	for _, s := range texts {
		if !strings.Contains(log, s) {
			x.Errorf("no warning says %q:\n%s", s, log)
		}
	}
}

// gate holds compilations up until it is opened, or their contexts end.
type gate struct {
	arrived chan string
	open    chan struct{}
}

func newGate() *gate { return &gate{make(chan string, 100), make(chan struct{})} }

func (g *gate) pass(ctx context.Context, name string) error {
	g.arrived <- name
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
