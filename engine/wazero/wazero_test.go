package wazero

import (
	"context"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/lab/enginetest"
)

func TestContract(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts func(*testing.T) Options
	}{
		{"Default", func(*testing.T) Options { return Options{} }},
		{"Interpreter", func(*testing.T) Options { return Options{Interpreter: true} }},
		{"CheckReset", func(*testing.T) Options { return Options{CheckReset: true} }},
		{"NoReuse", func(*testing.T) Options { return Options{NoReuse: true} }},
		{"NoPool", func(*testing.T) Options { return Options{MaxPoolBytes: -1} }},
		{"Cache", func(t *testing.T) Options { return Options{CacheDir: t.TempDir()} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			enginetest.Run(t, func(t *testing.T) engine.Engine { return open(t, tt.opts(t)) })
		})
	}
}

func open(t testing.TB, opts Options) engine.Engine {
	t.Helper()
	e, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCompilerLikeInterpreter(t *testing.T) {
	a, b := open(t, Options{}), open(t, Options{Interpreter: true})
	enginetest.NoDiff(t, a, b)
	for _, e := range []engine.Engine{a, b} {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}
