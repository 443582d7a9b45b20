package conformance

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/edgefvm/fvm/vector"
)

// BenchmarkVectors times the messages of each vector, of this repository or of FVM_VECTORS, after a run that
// compiles their actors: blocks in memory, no tracing. Choose vectors by name:
//
//	go test -bench 'Vectors/nv28-(multisig|evm)' -benchtime 20x ./conformance
func BenchmarkVectors(b *testing.B) {
	paths := filepath.SplitList(os.Getenv(envVectors))
	if len(paths) == 0 {
		paths = []string{"testdata"}
	}
	files, err := Find(paths...)
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range files {
		v, err := Load(path)
		if err != nil {
			b.Fatal(err)
		}
		if skipFor(Skips(), v.Name, v.Variants()[0].NV) != "" {
			continue
		}
		b.Run(v.Name, func(b *testing.B) { benchVector(b, v) })
	}
}

func benchVector(b *testing.B, v *vector.Vector) {
	ctx := b.Context()
	run := func() (times []time.Duration) {
		b.StopTimer()
		s, err := vector.Prepare(ctx, v, 0, actors, nil, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		for i := range s.Len() {
			start := time.Now()
			if _, err := s.Apply(ctx, i); err != nil && !errors.Is(err, vector.ErrNoReceipt) {
				b.Fatal(err)
			}
			times = append(times, time.Since(start))
		}
		return times
	}
	run()
	b.ReportAllocs()
	b.ResetTimer()
	var all []time.Duration
	for range b.N {
		all = append(all, run()...)
	}
	b.StopTimer()
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Nanoseconds()), "ns/message-p50")
}
