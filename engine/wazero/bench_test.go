package wazero

import (
	"context"
	"testing"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/lab/enginetest"
)

func BenchmarkEngine(b *testing.B) {
	for _, tt := range []struct {
		name string
		opts Options
	}{{"compiler", Options{}}, {"nopool", Options{MaxPoolBytes: -1}}, {"interpreter", Options{Interpreter: true}}} {
		b.Run(tt.name, func(b *testing.B) {
			enginetest.Bench(b, func(b *testing.B) engine.Engine { return open(b, tt.opts) })
		})
	}
}

// BenchmarkOpen is what an engine costs a short process.
func BenchmarkOpen(b *testing.B) {
	for name, dir := range map[string]string{"memory": "", "disk": b.TempDir()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				e := open(b, Options{CacheDir: dir})
				v, err := e.Env(context.Background(), engine.EnvConfig{})
				if err != nil || v == nil {
					b.Fatal(err)
				}
				if err := e.Close(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
