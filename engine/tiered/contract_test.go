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

func tiers(t testing.TB, patient bool) *Engine {
	t.Helper()
	e, err := New(Options{Patient: patient, Base: open(t, wazero.Options{}), Tiers: []Tier{
		{Name: "interpreter", Engine: open(t, wazero.Options{Interpreter: true})},
		{Name: "compiler", Engine: open(t, wazero.Options{})},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestContract(t *testing.T) {
	t.Run("Eager", func(t *testing.T) {
		enginetest.Run(t, func(t *testing.T) engine.Engine { return tiers(t, false) })
	})
	t.Run("Patient", func(t *testing.T) {
		enginetest.Run(t, func(t *testing.T) engine.Engine { return tiers(t, true) })
	})
}

func TestLikeItsBase(t *testing.T) {
	a, b, c := open(t, wazero.Options{}), tiers(t, false), tiers(t, true)
	enginetest.NoDiff(t, a, b)
	enginetest.NoDiff(t, a, c)
	for _, e := range []engine.Engine{a, b, c} {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}
