package tiered

import (
	"context"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/enginetest"
	"github.com/edgefvm/fvm/engine/wazero"
)

func open(t testing.TB, opts wazero.Options) engine.Engine {
	t.Helper()
	e, err := wazero.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func tiers(t testing.TB) *Engine {
	t.Helper()
	e, err := New(Options{Base: open(t, wazero.Options{}), Tiers: []Tier{
		{Name: "interpreter", Engine: open(t, wazero.Options{Interpreter: true})},
		{Name: "compiler", Engine: open(t, wazero.Options{})},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// patient makes Compile wait for the tiers, so that all instances are of the last.
type patient struct{ *Engine }

type patientEnv struct {
	engine.Env
	eng *Engine
}

func (p patient) Env(ctx context.Context, cfg engine.EnvConfig) (engine.Env, error) {
	v, err := p.Engine.Env(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return patientEnv{v, p.Engine}, nil
}

func (v patientEnv) Compile(ctx context.Context, wasm []byte) (engine.Module, error) {
	m, err := v.Env.Compile(ctx, wasm)
	if err != nil {
		return nil, err
	}
	return m, v.eng.Wait(ctx)
}

func TestContract(t *testing.T) {
	t.Run("Eager", func(t *testing.T) {
		enginetest.Run(t, func(t *testing.T) engine.Engine { return tiers(t) })
	})
	t.Run("Patient", func(t *testing.T) {
		enginetest.Run(t, func(t *testing.T) engine.Engine { return patient{tiers(t)} })
	})
}

func TestLikeItsBase(t *testing.T) {
	a, b := open(t, wazero.Options{}), tiers(t)
	enginetest.NoDiff(t, a, b)
	enginetest.NoDiff(t, a, patient{b})
	for _, e := range []engine.Engine{a, b} {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}
