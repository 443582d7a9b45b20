package carfile

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// BenchmarkOpen makes an index, opens with it, and reads blocks here and there: 100,000 blocks, or as many as
// EDGEFVM_BENCH_BLOCKS says.
func BenchmarkOpen(b *testing.B) {
	n := 100_000
	if s := os.Getenv("EDGEFVM_BENCH_BLOCKS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	path := filepath.Join(b.TempDir(), "a.car")
	write(b, path, numbers(n, 0))
	b.Run("Make", func(b *testing.B) {
		most := peak(func() {
			for b.Loop() {
				os.Remove(path + Extension)
				opened(b, path).Close()
			}
		})
		b.ReportMetric(most, "heap-MB")
	})
	b.Run("Again", func(b *testing.B) {
		for b.Loop() {
			opened(b, path).Close()
		}
	})
	b.Run("Get", func(b *testing.B) {
		s := opened(b, path)
		defer s.Close()
		most := peak(func() {
			for b.Loop() {
				if _, err := s.Get(context.Background(), block(rand.IntN(n)).Cid()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.ReportMetric(most, "heap-MB")
	})
}

// BenchmarkFrames reads blocks here and there from an archive of zstd in frames of 8,000 bytes, as Forest makes them.
func BenchmarkFrames(b *testing.B) {
	const n = 200_000
	path := filepath.Join(b.TempDir(), "a.car.zst")
	if err := os.WriteFile(path, zst(b, car(b, n, 0), 8000), 0o600); err != nil {
		b.Fatal(err)
	}
	s := opened(b, path)
	defer s.Close()
	for b.Loop() {
		if _, err := s.Get(context.Background(), block(rand.IntN(n)).Cid()); err != nil {
			b.Fatal(err)
		}
	}
}

func opened(b *testing.B, path string) *Store {
	b.Helper()
	s, err := open(context.Background(), path, Options{Folder: filepath.Dir(path)}, 0)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// peak is the most memory that the heap has while f runs, in MB, as seen every 20 ms.
func peak(f func()) float64 {
	done, most := make(chan struct{}), make(chan float64)
	go func() {
		var m runtime.MemStats
		top := 0.0
		for {
			runtime.ReadMemStats(&m)
			top = max(top, float64(m.HeapInuse)/1e6)
			select {
			case <-done:
				most <- top
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	f()
	close(done)
	return <-most
}
