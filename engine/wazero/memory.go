package wazero

import (
	"math/bits"
	"sync"

	"github.com/tetratelabs/wazero/experimental"

	"github.com/edgefvm/fvm/engine"
)

const (
	minClass = 16 // 2^16 bytes: one page
	maxClass = 26 // 2^26 bytes: larger buffers are not kept
	bigStep  = 1 << maxClass
)

// pool keeps guest memories for reuse. Every buffer in it is zero from end to
// end. Making a fresh one costs page faults and garbage collections, which is
// most of the price of an invocation.
type pool struct {
	mu   sync.Mutex
	max  int64 // bytes
	size int64 // bytes
	free [maxClass - minClass + 1][][]byte
}

func newPool(limit int64) *pool { return &pool{max: limit} }

// class is the smallest class whose buffers hold size bytes.
func class(size uint64) int { return max(bits.Len64(size-1), minClass) - minClass }

// get returns a zero buffer with at least size bytes, nil if the platform
// cannot address that many.
func (p *pool) get(size uint64) []byte {
	if size > bigStep {
		// Steps, not powers of two: half a gigabyte of waste is too much.
		return makeBuffer((size + bigStep - 1) / bigStep * bigStep)
	}
	c := class(size)
	p.mu.Lock()
	if n := len(p.free[c]); n > 0 {
		b := p.free[c][n-1]
		p.free[c][n-1] = nil
		p.free[c] = p.free[c][:n-1]
		p.size -= int64(len(b))
		p.mu.Unlock()
		return b
	}
	p.mu.Unlock()
	return makeBuffer(1 << (c + minClass))
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
	if n > bigStep || n == 0 || !p.reserve(n) {
		return
	}
	clear(b[:used]) // the rest is still zero
	c := class(uint64(n))
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
	p.free = [maxClass - minClass + 1][][]byte{}
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
		b := l.pool.get(max(size, engine.PageSize))
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
