//go:build wasmedge && cgo && linux

package wasmedge

import (
	"sync"
	"testing"
)

// Each number stands for one instance, while others come and go.
func TestRegistry(t *testing.T) {
	var r registry
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			held := map[uint]*instance{}
			for i := range 3000 {
				in := &instance{depth: i}
				held[r.add(in)] = in
				for n, want := range held {
					if r.get(n) != want {
						t.Errorf("number %d is another instance", n)
						return
					}
					if i%3 != 0 {
						delete(held, n)
						r.remove(n)
					}
					break
				}
			}
			for n := range held {
				r.remove(n)
			}
		})
	}
	wg.Wait()
	all := *r.all.Load()
	if len(r.free) != len(all) {
		t.Errorf("%d of %d numbers are free", len(r.free), len(all))
	}
	for n, in := range all {
		if in != nil {
			t.Errorf("number %d keeps an instance", n)
		}
	}
}
