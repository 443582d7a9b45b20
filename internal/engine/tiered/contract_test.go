package tiered

import (
	"context"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wazero"
	"github.com/edgefvm/fvm/lab/enginetest"
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

// What the base finds on disk is counted, as it is without tiers.
func TestFromDisk(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	for _, want := range []uint64{0, 1} {
		e, err := New(Options{Base: open(t, wazero.Options{CacheDir: dir})})
		if err != nil {
			t.Fatal(err)
		}
		v, err := e.Env(ctx, engine.EnvConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Compile(ctx, []byte("\x00asm\x01\x00\x00\x00")); err != nil {
			t.Fatal(err)
		}
		if got := e.FromDisk(); got != want {
			t.Errorf("%d modules from disk, want %d", got, want)
		}
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	x := newFixture(t, nil)
	if got := x.eng.FromDisk(); got != 0 {
		t.Errorf("a base that does not count: %d", got)
	}
}
