package wazero

import (
	"bytes"
	"math/bits"
	"slices"
	"sync"

	"github.com/tetratelabs/wazero/experimental"

	"github.com/edgefvm/fvm/engine"
)

// Buffers come in size classes, four between a power of two and the next, in
// pages: 1 to 8, then 10, 12, 14, 16, 20, 24, ... so that at most a fifth of one
// is unused. Those of the garbage collector's heap are kept for reuse. What is larger, and
// what deep calls need beyond the pool's bound, is mapped where the system can do that, and gives its pages
// back when its instance ends: as garbage it would stay resident for long, and double the heap.
const (
	keptPages = 128 // 8 MiB
	keptBytes = keptPages * engine.PageSize
	classes   = 24
	// Mapped buffers have largeBytes, which is what a message may use, or all that a memory can have. A page costs nothing
	// until it is touched, so that it is better to map too much than to move a growing memory.
	largeBytes = 512 << 20
	allBytes   = 4 << 30
	keptMapped = 4 // free mapped buffers
)

// class returns the index and the size in bytes of the smallest class that holds
// size bytes, at most keptBytes.
func class(size uint64) (index int, bytes uint64) {
	pages := max((size+engine.PageSize-1)/engine.PageSize, 1)
	k := max(bits.Len64(pages-1)-3, 0)
	units := (pages + 1<<k - 1) >> k
	return 4*k + int(units) - 1, units << k * engine.PageSize
}

// pool keeps guest memories for reuse. Every buffer in it is zero from end to
// end. Making a fresh one costs page faults and garbage collections, which is
// most of the price of an invocation.
type pool struct {
	mu   sync.Mutex
	max  int64 // bytes
	size int64 // bytes in free
	heap int64 // bytes of all buffers on the heap, in use or not
	free [classes][][]byte
	// mapped are the first bytes of the mapped buffers, and freeMapped those that
	// nobody uses, without a page.
	mapped     map[*byte]bool
	freeMapped [][]byte
	pages      *pagemap // nil: the system does not tell which pages are in use
}

func newPool(limit int64) *pool { return &pool{max: limit} }

// get returns a zero buffer with at least size bytes, nil if the platform
// cannot address that many.
func (p *pool) get(size uint64) []byte {
	if size > keptBytes {
		want := uint64(largeBytes)
		if size > largeBytes {
			want = allBytes
		}
		if b := p.getMapped(want); b != nil {
			return b
		}
		return p.makeBuffer((size + keptBytes - 1) / keptBytes * keptBytes)
	}
	c, n := class(size)
	p.mu.Lock()
	if last := len(p.free[c]) - 1; last >= 0 {
		b := p.free[c][last]
		p.free[c][last] = nil
		p.free[c] = p.free[c][:last]
		p.size -= int64(len(b))
		p.mu.Unlock()
		return b
	}
	p.evict(int64(n))
	full := p.max > 0 && p.heap+int64(n) > p.max
	p.mu.Unlock()
	if full {
		if b := p.getMapped(n); b != nil {
			return b
		}
	}
	return p.makeBuffer(n)
}

// evict leaves free buffers of other classes to the garbage collector, until there is
// room for n bytes. The pool is locked.
func (p *pool) evict(n int64) {
	for c := classes - 1; c >= 0; c-- {
		for last := len(p.free[c]) - 1; last >= 0 && p.heap+n > p.max; last-- {
			freed := int64(len(p.free[c][last]))
			p.free[c][last] = nil
			p.free[c] = p.free[c][:last]
			p.size -= freed
			p.heap -= freed
		}
	}
}

func (p *pool) makeBuffer(n uint64) []byte {
	b := makeBuffer(n)
	p.mu.Lock()
	p.heap += int64(len(b))
	p.mu.Unlock()
	return b
}

func makeBuffer(n uint64) (b []byte) {
	if n > uint64(^uint(0)>>1) {
		return nil
	}
	// make panics if n is beyond the address space of a 32-bit platform.
	defer func() {
		if recover() != nil {
			b = nil
		}
	}()
	return make([]byte, n)
}

// put takes back a buffer of which the guest could reach used bytes.
func (p *pool) put(b []byte, used int) {
	n := int64(len(b))
	if n == 0 || p.putMapped(b) || !p.reserve(n) {
		return
	}
	clear(b[:used]) // the rest is still zero
	c, _ := class(uint64(n))
	p.mu.Lock()
	p.free[c] = append(p.free[c], b)
	p.mu.Unlock()
}

// getMapped returns a zero buffer of n bytes, nil if it cannot be mapped.
func (p *pool) getMapped(n uint64) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, b := range p.freeMapped {
		if uint64(len(b)) == n {
			p.freeMapped = slices.Delete(p.freeMapped, i, i+1)
			return b
		}
	}
	b := mapBuffer(n)
	if b != nil {
		if n <= keptBytes {
			smallPages(b)
		}
		if p.mapped == nil {
			p.mapped = map[*byte]bool{}
		}
		p.mapped[&b[0]] = true
	}
	return b
}

// putMapped takes back a buffer if it is mapped.
func (p *pool) putMapped(b []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.mapped[&b[0]] {
		return false
	}
	if p.max > 0 && len(p.freeMapped) < keptMapped && forgetBuffer(b) {
		p.freeMapped = append(p.freeMapped, b)
		return true
	}
	delete(p.mapped, &b[0])
	unmapBuffer(b)
	return true
}

// reserve makes room in the pool for n bytes of the heap, or leaves them to the garbage collector.
func (p *pool) reserve(n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n > keptBytes || p.size+n > p.max {
		p.heap -= n
		return false
	}
	p.size += n
	return true
}

func (p *pool) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = [classes][][]byte{}
	p.size, p.max = 0, 0
	for _, b := range p.freeMapped {
		delete(p.mapped, &b[0])
		unmapBuffer(b)
	}
	p.freeMapped = nil
}

// linear is the memory of one instance. Growth is never refused: the guard that
// the instrumentation pass puts before memory.grow decides about that.
type linear struct {
	pool *pool
	buf  []byte // all of it; the guest sees the first size bytes
	size int
	used int // beyond the first used bytes all are zero
	// mapped asks for a buffer of maxResetBytes of which the system tells the pages in use, if that is enough.
	mapped bool
	// first is set while shrink makes wazero ask for a memory of that size, in bytes.
	first *int
}

var (
	_ experimental.MemoryAllocator = (*linear)(nil)
	_ experimental.LinearMemory    = (*linear)(nil)
)

// Allocate is called once, when a module with a memory is instantiated.
func (l *linear) Allocate(_, _ uint64) experimental.LinearMemory { return l }

// Reallocate gives the memory its new size, moving it if need be.
func (l *linear) Reallocate(size uint64) []byte {
	if l.first != nil {
		l.size = *l.first
		return l.buf[:l.size:l.size]
	}
	if l.buf == nil && l.mapped && size <= maxResetBytes {
		l.buf = l.pool.getMapped(maxResetBytes)
	}
	if l.buf == nil || size > uint64(len(l.buf)) {
		want := size
		if l.buf != nil { // growth a page at a time must not copy each time
			want = max(size, min(uint64(len(l.buf))*3/2, largeBytes))
		}
		b := l.pool.get(want)
		if b == nil {
			return nil
		}
		l.pool.copyTouched(b, l.buf[:l.size])
		l.pool.put(l.buf, l.used)
		l.buf = b
	}
	l.size = int(size)
	l.used = max(l.used, l.size)
	// wazero counts bytes in 32 bits: of 4 GiB it gets all but the last one. An initial memory it slices by
	// itself, and finds none; the caller treats what goes wrong at that size as a failure of the node.
	return l.buf[:min(size, allBytes-1):size]
}

// copyTouched copies what is not zero to a buffer that is: a page of it that nobody writes to needs no memory. Looking at a page
// that has none gives it one, so the system is asked first.
func (p *pool) copyTouched(to, from []byte) {
	var in []byte
	page := len(zeroPage)
	if p.pages != nil && p.isMapped(from) {
		if in = p.pages.read(from, nil); in != nil {
			page = p.pages.size
		}
	}
	for at := 0; at < len(from); at += page {
		if in != nil && !inUse(in, at/page) {
			continue
		}
		part := from[at:min(at+page, len(from))]
		if in != nil || !bytes.Equal(part, zeroPage[:len(part)]) {
			copy(to[at:], part)
		}
	}
}

func (p *pool) isMapped(b []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(b) > 0 && p.mapped[&b[0]]
}

var zeroPage [4 << 10]byte

// Free gives the memory back to the pool.
func (l *linear) Free() {
	l.pool.put(l.buf, l.used)
	l.buf, l.size, l.used = nil, 0, 0
}

func (l *linear) bytes() []byte { return l.buf[:l.size:l.size] }
