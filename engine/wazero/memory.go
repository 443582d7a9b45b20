package wazero

import (
	"math/bits"
	"sync"

	"github.com/tetratelabs/wazero/experimental"

	"github.com/edgefvm/fvm/engine"
)

// Buffers come in size classes, four between a power of two and the next, in
// pages: 1 to 8, then 10, 12, 14, 16, 20, 24, ... so that at most a fifth of one
// is unused. Larger ones are not kept.
const (
	keptPages = 1024 // 64 MiB
	keptBytes = keptPages * engine.PageSize
	classes   = 36
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
	size int64 // bytes
	free [classes][][]byte
}

func newPool(limit int64) *pool { return &pool{max: limit} }

// get returns a zero buffer with at least size bytes, nil if the platform
// cannot address that many.
func (p *pool) get(size uint64) []byte {
	if size > keptBytes {
		return makeBuffer((size + keptBytes - 1) / keptBytes * keptBytes)
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
	p.mu.Unlock()
	return makeBuffer(n)
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
	if n > keptBytes || n == 0 || !p.reserve(n) {
		return
	}
	clear(b[:used]) // the rest is still zero
	c, _ := class(uint64(n))
	p.mu.Lock()
	p.free[c] = append(p.free[c], b)
	p.mu.Unlock()
}

func (p *pool) reserve(n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.size+n > p.max {
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
}

// linear is the memory of one instance. Growth is never refused: the guard that
// the instrumentation pass puts before memory.grow decides about that.
type linear struct {
	pool *pool
	buf  []byte // all of it; the guest sees the first size bytes
	size int
}

var (
	_ experimental.MemoryAllocator = (*linear)(nil)
	_ experimental.LinearMemory    = (*linear)(nil)
)

// Allocate is called once, when a module with a memory is instantiated.
func (l *linear) Allocate(_, _ uint64) experimental.LinearMemory { return l }

// Reallocate gives the memory its new size, moving it if need be.
func (l *linear) Reallocate(size uint64) []byte {
	if l.buf == nil || size > uint64(len(l.buf)) {
		want := size
		if l.buf != nil { // growth a page at a time must not copy each time
			want = max(size, min(uint64(len(l.buf))*3/2, keptBytes))
		}
		b := l.pool.get(want)
		if b == nil {
			return nil
		}
		copy(b, l.buf[:l.size])
		l.pool.put(l.buf, l.size)
		l.buf = b
	}
	l.size = int(size)
	return l.buf[:size:size]
}

// Free gives the memory back to the pool.
func (l *linear) Free() {
	l.pool.put(l.buf, l.size)
	l.buf, l.size = nil, 0
}

func (l *linear) bytes() []byte { return l.buf[:l.size:l.size] }
