package replay

import (
	"fmt"
	"os"
	"testing"
)

// BenchmarkChains is whole chains of ../shared, with one worker and with two in turn. What engines compile is compiled before.
func BenchmarkChains(b *testing.B) {
	if _, err := os.Stat(shared); err != nil {
		b.Skip("SKIPPED: ../shared/chains is not there")
	}
	for _, name := range []string{"dev29", "real28", "two29", "upgrades16"} {
		chain := load(b, shared, name)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", name, workers), func(b *testing.B) {
				o := chain.options(b)
				o.Workers = workers
				for b.Loop() {
					rep, err := Run(b.Context(), o)
					if err != nil || !rep.Good() {
						b.Fatal(err, rep)
					}
				}
			})
		}
	}
}
