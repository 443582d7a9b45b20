package wazero

import (
	"testing"

	"github.com/edgefvm/fvm/lab/enginetest"
)

// A mapped buffer has large pages but for its beginning, and small ones have none.
func TestLargePages(t *testing.T) {
	for _, n := range []uint64{keptBytes, largeBytes} {
		b := mapBuffer(n)
		if b == nil {
			t.Fatal("not mapped")
		}
		defer unmapBuffer(b)
		for at, want := range map[uint64]bool{0: false, keptBytes - 4096: false, keptBytes: true, n - 4096: n > keptBytes} {
			if at >= n {
				continue
			}
			got, err := enginetest.LargePages(b[at:])
			if err != nil {
				t.Skip("the kernel: ", err)
			}
			if got != want {
				t.Errorf("%d bytes, at %d: large pages %v", n, at, got)
			}
		}
	}
}
