//go:build wasmedge && cgo && linux

package wasmedge

// #include "guest.h"
import "C"

import (
	"sync"
	"time"
)

// The C library's heap is one for each thread that needed it, and each keeps what
// was freed in it: a call of a thousand nested guests left 45 MB behind on whatever
// thread it ran, and after some hours on all of them. So it is told to give that to
// the system, some time after many guests went: they may be needed again at once.
const (
	heapSpare = 32 << 20 // bytes
	heapDelay = 10 * time.Second
)

// heap counts what the guests of an engine take of the C library's heap, in bytes,
// by estimate. It is safe for concurrent use.
type heap struct {
	delay time.Duration // heapDelay, in tests less

	mu        sync.Mutex
	now, peak uint64 // the peak since memory was given back
	timer     *time.Timer
	closed    bool
	trims     int
}

func (h *heap) made(n uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now += n
	h.peak = max(h.peak, h.now)
}

func (h *heap) gone(n uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now -= n
	if h.peak-h.now > heapSpare && h.timer == nil && !h.closed {
		h.timer = time.AfterFunc(h.delay, h.trim)
	}
}

func (h *heap) trim() {
	C.efvm_trim() // without the lock, since it takes milliseconds
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timer, h.peak = nil, h.now
	h.trims++
}

// close leaves no timer behind, and gives back what the engine had.
func (h *heap) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if h.timer != nil && h.timer.Stop() {
		C.efvm_trim()
	}
}
