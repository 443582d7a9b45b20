package wazero

import (
	"math/bits"
	"testing"

	"github.com/edgefvm/fvm/engine"
)

func TestClasses(t *testing.T) {
	last, lastBytes := -1, uint64(0)
	for pages := uint64(1); pages <= keptPages; pages++ {
		c, n := class(pages * engine.PageSize)
		if n < pages*engine.PageSize || c < 0 || c >= classes || n > keptBytes {
			t.Fatalf("%d pages: class %d of %d bytes", pages, c, n)
		}
		if self, again := class(n); self != c || again != n {
			t.Fatalf("class %d of %d bytes is class %d of %d bytes", c, n, self, again)
		}
		if (c == last) != (n == lastBytes) || c < last || c > last+1 {
			t.Fatalf("%d pages: class %d of %d bytes after %d of %d", pages, c, n, last, lastBytes)
		}
		if waste := n/engine.PageSize - pages; waste*4 > pages {
			t.Errorf("%d pages: %d unused", pages, waste)
		}
		last, lastBytes = c, n
	}
	if last != classes-1 {
		t.Errorf("%d classes used of %d", last+1, classes)
	}
	if c, n := class(0); c != 0 || n != engine.PageSize {
		t.Errorf("no bytes: class %d of %d bytes", c, n)
	}
}

func TestPool(t *testing.T) {
	const page = engine.PageSize
	p := newPool(10 * page)
	a := p.get(4 * page)
	for i := range a {
		a[i] = 1
	}
	p.put(a, len(a))
	b := p.get(4*page - 100)
	if &a[0] != &b[0] {
		t.Error("the buffer was not used again")
	}
	for _, c := range b {
		if c != 0 {
			t.Fatal("a buffer of the pool is dirty")
		}
	}
	// No more than the bound is kept.
	for range 4 {
		p.put(make([]byte, 4*page), 0)
	}
	if p.size != 8*page {
		t.Errorf("%d bytes kept, want %d", p.size, 8*page)
	}
	p.put(make([]byte, keptBytes+page), 0)
	p.put(nil, 0)
	if p.size != 8*page {
		t.Errorf("%d bytes kept, want %d", p.size, 8*page)
	}
	p.drop()
	p.put(b, 0)
	if p.size != 0 {
		t.Errorf("%d bytes kept after the end", p.size)
	}
	// What cannot be had is nil.
	if bits.UintSize == 32 && p.get(4<<30) != nil {
		t.Error("4 GiB on a 32-bit platform")
	}
}

// A growing memory is copied a number of times that is logarithmic.
func TestLinearGrowth(t *testing.T) {
	l := &linear{pool: newPool(-1)}
	moves := 0
	var at *byte
	for pages := uint64(1); pages <= 1000; pages++ {
		b := l.Reallocate(pages * engine.PageSize)
		if uint64(len(b)) != pages*engine.PageSize || cap(b) != len(b) {
			t.Fatalf("%d pages: %d bytes of %d", pages, len(b), cap(b))
		}
		if &b[0] != at {
			at = &b[0]
			moves++
		}
	}
	if moves > 20 {
		t.Errorf("moved %d times", moves)
	}
	l.Free()
	l.Free()
}
