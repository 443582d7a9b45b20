package shadow_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/shadow"
	"github.com/edgefvm/fvm/vector"
)

// fault makes a sound engine unsound. Each part may be nil.
type fault struct {
	// host runs in the place of a host function, such as self::root; call runs the real one.
	host func(name string, in engine.Instance, stack []uint64, call func() error) error
	// call runs in the place of a call into the guest.
	call func(in engine.Instance, call func() error) error
	// off is a fault that waits.
	off atomic.Bool
}

// faulty is an engine with a fault.
type faulty struct {
	engine.Engine
	f *fault
}

func (e faulty) Name() string { return "faulty" }

func (e faulty) Env(ctx context.Context, cfg engine.EnvConfig) (engine.Env, error) {
	host := append([]engine.HostFunc(nil), cfg.Host...)
	for i, h := range host {
		if e.f.host == nil {
			continue
		}
		host[i].Fn = func(ctx context.Context, in engine.Instance, stack []uint64) error {
			call := func() error { return h.Fn(ctx, in, stack) }
			if e.f.off.Load() {
				return call()
			}
			return e.f.host(h.Module+"::"+h.Name, in, stack, call)
		}
	}
	cfg.Host = host
	v, err := e.Engine.Env(ctx, cfg)
	return faultyEnv{v, e.f}, err
}

type faultyEnv struct {
	engine.Env
	f *fault
}

func (v faultyEnv) Compile(ctx context.Context, wasm []byte) (engine.Module, error) {
	m, err := v.Env.Compile(ctx, wasm)
	return faultyModule{m, v.f}, err
}

type faultyModule struct {
	engine.Module
	f *fault
}

func (m faultyModule) Instantiate(ctx context.Context, data any) (engine.Instance, error) {
	in, err := m.Module.Instantiate(ctx, data)
	if err != nil {
		return nil, err
	}
	return faultyInstance{in, m.f}, nil
}

type faultyInstance struct {
	engine.Instance
	f *fault
}

func (in faultyInstance) Call(ctx context.Context, export string, stack []uint64) error {
	call := func() error { return in.Instance.Call(ctx, export, stack) }
	if in.f.call == nil || in.f.off.Load() {
		return call()
	}
	return in.f.call(in, call)
}

func newFaulty(t testing.TB, f *fault) *fvm.Engine {
	t.Helper()
	e, err := wazero.New(wazero.Options{CacheDir: cacheDir(t)})
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, fvm.EngineFrom(faulty{e, f}))
}

func newEngine(t testing.TB, name string) *fvm.Engine {
	t.Helper()
	e, err := fvm.NewEngine(fvm.EngineConfig{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, e)
}

func closed(t testing.TB, e *fvm.Engine) *fvm.Engine {
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

func cacheDir(t testing.TB) string {
	t.Helper()
	dir, err := fvm.DefaultCacheDir()
	if err != nil {
		return ""
	}
	return dir
}

var actors = vector.NewActors(bundle.Options{Progress: os.Stderr})

const goldens = "../lab/conformance/testdata"

func load(t testing.TB, path string) *vector.Vector {
	t.Helper()
	if filepath.Ext(path) == "" {
		path = filepath.Join(goldens, path+".json")
	}
	if _, err := bundle.Open(t.Context(), bundle.Options{Progress: os.Stderr}); err != nil {
		t.Skipf("NOT RUN: it needs the actor bundles: %v", err)
	}
	v, err := conformance.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// runOn runs a vector on one engine, as the runner does.
func runOn(t testing.TB, v *vector.Vector, e *fvm.Engine) conformance.Outcome {
	t.Helper()
	return conformance.RunVector(t.Context(), v, 0, &conformance.Options{Actors: actors, Engine: e})
}

// inStep runs a vector in lock-step.
func inStep(t testing.TB, v *vector.Vector, opts shadow.Options, change func(*fvm.Config)) conformance.Outcome {
	t.Helper()
	return conformance.RunVector(t.Context(), v, 0, &conformance.Options{Actors: actors, Open: func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
		if change != nil {
			change(&cfg)
		}
		m, err := shadow.New(ctx, cfg, opts)
		if err != nil {
			return nil, err
		}
		return m, nil
	}})
}

// setting is a vector's, for tests that apply messages themselves.
type setting struct {
	vector.Machine
	cfg      fvm.Config
	messages []sent
}

type sent struct {
	msg    *fvm.Message
	kind   fvm.Kind
	length int
}

func (s *setting) Apply(ctx context.Context, msg *fvm.Message, kind fvm.Kind, length int) (*fvm.Result, error) {
	s.messages = append(s.messages, sent{msg, kind, length})
	return s.Machine.Apply(ctx, msg, kind, length)
}

func settingOf(t testing.TB, name string) *setting {
	t.Helper()
	s := &setting{}
	conformance.RunVector(t.Context(), load(t, name), 0, &conformance.Options{Actors: actors, NoTrace: true, Open: func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
		s.cfg = cfg
		cfg.Blockstore = &blockstore.Overlay{Top: blockstore.NewMemory(), Base: cfg.Blockstore}
		var err error
		s.Machine, err = fvm.New(ctx, cfg)
		return s, err
	}})
	if len(s.messages) == 0 {
		t.Fatal("no message ran")
	}
	return s
}

// again is the first message once more.
func (s *setting) again() sent {
	next, msg := s.messages[0], *s.messages[0].msg
	msg.Nonce++
	next.msg = &msg
	return next
}
