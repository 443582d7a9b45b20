package wazero

import (
	"bytes"
	"math/bits"
	"runtime"
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

// Large buffers are mapped, come back zero, and are given back at the end.
func TestMappedBuffers(t *testing.T) {
	if runtime.GOOS != "linux" || bits.UintSize == 32 {
		t.Skip("NOT RUN: large memories are not mapped here")
	}
	p := newPool(keptBytes)
	l := &linear{pool: p}
	l.Reallocate(keptBytes)[keptBytes-1] = 7
	b := l.Reallocate(keptBytes + engine.PageSize)
	if b[keptBytes-1] != 7 || b[keptBytes] != 0 || len(p.mapped) != 1 {
		t.Fatalf("moved: %d and %d, %d mapped", b[keptBytes-1], b[keptBytes], len(p.mapped))
	}
	at := &b[0]
	if b = l.Reallocate(largeBytes); &b[0] != at {
		t.Error("a mapped memory moved")
	}
	b[largeBytes-1] = 9
	l.Free()
	again := p.get(keptBytes + 1)
	if &again[0] != at || again[keptBytes-1] != 0 || again[largeBytes-1] != 0 {
		t.Error("a mapped buffer was not used again, or is dirty")
	}
	all := [][]byte{p.get(largeBytes + 1)}
	if uint64(len(all[0])) != allBytes {
		t.Errorf("a large buffer has %d bytes", len(all[0]))
	}
	for range keptMapped + 2 {
		all = append(all, p.get(keptBytes+1))
	}
	for _, b := range append(all, again) {
		p.put(b, len(b))
	}
	if len(p.freeMapped) != keptMapped || len(p.mapped) != keptMapped {
		t.Errorf("%d free of %d, want %d", len(p.freeMapped), len(p.mapped), keptMapped)
	}
	last := p.get(keptBytes + 1)
	p.drop()
	p.put(last, 0)
	if len(p.freeMapped) != 0 || len(p.mapped) != 0 {
		t.Errorf("at the end %d free of %d", len(p.freeMapped), len(p.mapped))
	}
}

// The heap's part is bounded: what is in use beyond it is mapped, and free buffers of
// other sizes make room.
func TestPoolBound(t *testing.T) {
	if runtime.GOOS != "linux" || bits.UintSize == 32 {
		t.Skip("NOT RUN: memories are not mapped here")
	}
	const page = engine.PageSize
	p := newPool(10 * page)
	var used [][]byte
	for range 20 {
		used = append(used, p.get(page))
	}
	if p.heap != 10*page || len(p.mapped) != 10 {
		t.Errorf("%d pages on the heap, %d mapped, want 10 and 10", p.heap/page, len(p.mapped))
	}
	for _, b := range used {
		p.put(b, len(b))
	}
	if p.heap != 10*page || p.size != p.heap || len(p.mapped) != keptMapped {
		t.Errorf("afterwards %d pages on the heap, %d free, %d mapped", p.heap/page, p.size/page, len(p.mapped))
	}
	b := p.get(4 * page)
	if p.heap != 10*page || p.size != 6*page || len(p.mapped) != keptMapped {
		t.Errorf("with 4 pages %d on the heap, %d free, %d mapped", p.heap/page, p.size/page, len(p.mapped))
	}
	p.put(b, 0)
	if p.size != 10*page {
		t.Errorf("at the end %d pages free", p.size/page)
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

// What was written moves with a memory that outgrows its buffer, and a page that was only mapped stays without memory.
func TestGrowthCopiesWhatWasTouched(t *testing.T) {
	for _, pages := range []*pagemap{openPagemap(), nil} {
		p := newPool(1 << 30)
		p.pages = pages
		l := &linear{pool: p, mapped: true}
		b := l.Reallocate(maxResetBytes)
		for i, at := range []int{0, 4095, 4096, maxResetBytes / 2, maxResetBytes - 1} {
			b[at] = byte(i + 1)
		}
		want := append(bytes.Clone(b), make([]byte, engine.PageSize)...)
		if b = l.Reallocate(maxResetBytes + engine.PageSize); !bytes.Equal(b, want) {
			t.Error("the memory is another")
		}
		if pages != nil {
			pages.close()
		}
	}
}
