package fvm_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

const ouch = "a bug in a plug-in"

// panicky is a store whose calls panic when they are told to.
type panicky struct {
	blockstore.Blockstore
	has, get, put bool
}

func (p *panicky) Has(ctx context.Context, c cid.Cid) (bool, error) {
	if p.has {
		panic(ouch)
	}
	return p.Blockstore.Has(ctx, c)
}

func (p *panicky) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	if p.get {
		panic(ouch)
	}
	return p.Blockstore.Get(ctx, c)
}

func (p *panicky) Put(ctx context.Context, b blocks.Block) error {
	if p.put {
		panic(ouch)
	}
	return p.Blockstore.Put(ctx, b)
}

func (p *panicky) PutMany(ctx context.Context, bs []blocks.Block) error {
	if p.put {
		panic(ouch)
	}
	return p.Blockstore.PutMany(ctx, bs)
}

// panickyEngine is one whose Env or Compile panics.
type panickyEngine struct {
	engine.Engine
	env bool
}

func (p panickyEngine) Env(ctx context.Context, cfg engine.EnvConfig) (engine.Env, error) {
	if p.env {
		panic(ouch)
	}
	e, err := p.Engine.Env(ctx, cfg)
	return panickyEnv{e}, err
}

type panickyEnv struct{ engine.Env }

func (panickyEnv) Compile(context.Context, []byte) (engine.Module, error) { panic(ouch) }

func newPanickyEngine(t *testing.T, env bool) *fvm.Engine {
	t.Helper()
	w, err := wazero.New(wazero.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := fvm.EngineFrom(panickyEngine{w, env})
	t.Cleanup(func() { e.Close(context.Background()) })
	return e
}

// told wants an error that tells of the panic and where it was.
func told(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), ouch) {
		t.Fatalf("%s: %v", what, err)
	}
}

// A panic of what a program plugs in is an error, and the machine's end where it was in use.
func TestPanics(t *testing.T) {
	s := newSetting(t, true)
	someone, err := address.NewIDAddress(99)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("New", func(t *testing.T) {
		cfg := s.config()
		cfg.Blockstore = &panicky{Blockstore: s.store, has: true}
		m, err := fvm.New(t.Context(), cfg)
		told(t, "a store", err)
		if m != nil {
			t.Error("there is a machine")
		}
		cfg = s.config()
		cfg.Engine = newPanickyEngine(t, true)
		for range 2 { // the engine is not left locked
			_, err = fvm.New(t.Context(), cfg)
			told(t, "an engine", err)
		}
	})
	for _, c := range []struct {
		name   string
		change func(*fvm.Config, *panicky)
		use    func(*fvm.Machine) error
	}{
		{"Apply, store", func(_ *fvm.Config, p *panicky) { p.get = true }, func(m *fvm.Machine) error {
			_, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength)
			return err
		}},
		{"Apply, engine", func(cfg *fvm.Config, _ *panicky) { cfg.Engine = newPanickyEngine(t, false) }, func(m *fvm.Machine) error {
			_, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength)
			return err
		}},
		{"Apply, hooks", func(cfg *fvm.Config, _ *panicky) {
			cfg.Hooks = &trace.Hooks{OnReturn: func(*trace.Return) { panic(ouch) }}
		}, func(m *fvm.Machine) error {
			_, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength)
			return err
		}},
		{"Actor", func(_ *fvm.Config, p *panicky) { p.get = true }, func(m *fvm.Machine) error {
			_, _, err := m.Actor(t.Context(), someone)
			return err
		}},
		{"Flush", func(_ *fvm.Config, p *panicky) { p.put = true }, func(m *fvm.Machine) error {
			if _, err := m.Apply(t.Context(), s.msg, fvm.Explicit, chainLength); err != nil {
				t.Fatal(err)
			}
			root, err := m.Flush(t.Context())
			if root.Defined() {
				t.Error("there is a root")
			}
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := s.config()
			store := &panicky{Blockstore: &blockstore.Overlay{Top: blockstore.NewMemory(), Base: s.store}}
			cfg.Blockstore = store
			var late panicky // New itself is to succeed
			c.change(&cfg, &late)
			m, err := fvm.New(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			store.get, store.put = late.get, late.put
			told(t, c.name, c.use(m))
			store.get, store.put = false, false
			if _, err := m.Flush(t.Context()); !errors.Is(err, fvm.ErrPoisoned) {
				t.Errorf("the machine was used again: %v", err)
			}
		})
	}
	t.Run("Preload", func(t *testing.T) {
		b, code := newestActors(t)
		e := newPanickyEngine(t, false)
		told(t, "an engine", e.Preload(t.Context(), code, 28, 2, b.Codes()...))
		told(t, "a store", e.Preload(t.Context(), &panicky{Blockstore: code, get: true}, 28, 2, b.Codes()...))
		told(t, "an environment", newPanickyEngine(t, true).Preload(t.Context(), code, 28, 2, b.Codes()...))
	})
	t.Run("ApplyTipset", func(t *testing.T) {
		cfg := s.config()
		cfg.Blockstore = &panicky{Blockstore: s.store, has: true}
		_, err := fvm.ApplyTipset(t.Context(), fvm.Tipset{Config: cfg, ParentEpoch: cfg.Epoch - 1})
		told(t, "a store", err)
		ts := fvm.Tipset{Config: s.config(), ParentEpoch: cfg.Epoch - 1}
		ts.Round = func(context.Context, fvm.Config) (fvm.Config, error) { panic(ouch) }
		res, err := fvm.ApplyTipset(t.Context(), ts)
		told(t, "the caller's own function", err)
		if res != nil {
			t.Error("there is a result")
		}
		msg := fvm.ChainMessage{Message: s.msg, ChainLength: chainLength}
		other := *s.msg
		other.Nonce++
		for workers := 1; workers <= 3; workers += 2 {
			ts := fvm.Tipset{Config: s.config(), ParentEpoch: cfg.Epoch - 1, Workers: workers}
			ts.Hooks = &trace.Hooks{OnCall: func(*trace.Call) { panic(ouch) }}
			ts.Blocks = []fvm.TipsetBlock{{Miner: someone, WinCount: 1, Messages: []fvm.ChainMessage{msg, {Message: &other, ChainLength: chainLength}}}}
			_, err = fvm.ApplyTipset(t.Context(), ts)
			told(t, "hooks", err)
		}
	})
}

// panickyChain panics when it is asked for randomness.
type panickyChain struct{ externs.Externs }

func (panickyChain) ChainRandomness(context.Context, abi.ChainEpoch) ([32]byte, error) { panic(ouch) }

func (panickyChain) BeaconRandomness(context.Context, abi.ChainEpoch) ([32]byte, error) { panic(ouch) }

// A panic of an extern comes through the guest that asked, and is an error all the same.
func TestPanicOfExterns(t *testing.T) {
	v, err := vector.Load("lab/conformance/testdata/nv28-script-random-005.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := vector.PrepareOn(t.Context(), v, 0, vector.NewActors(bundle.Options{}), nil, func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
		cfg.Externs = panickyChain{cfg.Externs}
		return fvm.New(ctx, cfg)
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Len() {
		if _, err = s.Apply(t.Context(), i); err != nil {
			break
		}
	}
	told(t, "an extern", err)
	if _, err := s.Flush(t.Context()); !errors.Is(err, fvm.ErrPoisoned) {
		t.Errorf("the machine was used again: %v", err)
	}
}
