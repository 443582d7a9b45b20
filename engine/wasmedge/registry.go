//go:build wasmedge && cgo && linux

package wasmedge

import (
	"slices"
	"sync"
	"sync/atomic"
)

// registry names instances for C by number, as package runtime/cgo does, at a tenth
// of the cost of a look-up: guests call the host a hundred times in a message. It is
// safe for concurrent use.
type registry struct {
	all atomic.Pointer[[]*instance] // by number; grows under mu, and into a copy

	mu   sync.Mutex
	free []uint
}

var instances registry

// add returns the number of in until remove.
func (r *registry) add(in *instance) uint {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.free) == 0 {
		r.grow()
	}
	n := r.free[len(r.free)-1]
	r.free = r.free[:len(r.free)-1]
	(*r.all.Load())[n] = in
	return n
}

// grow makes room for more. mu is held.
func (r *registry) grow() {
	var old []*instance
	if p := r.all.Load(); p != nil {
		old = *p
	}
	more := max(64, len(old))
	all := append(slices.Clip(old), make([]*instance, more)...)
	for n := range more {
		r.free = append(r.free, uint(len(all)-1-n))
	}
	r.all.Store(&all)
}

// get needs no lock: the place of a number is written before and after its use only.
func (r *registry) get(n uint) *instance { return (*r.all.Load())[n] }

func (r *registry) remove(n uint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	(*r.all.Load())[n] = nil
	r.free = append(r.free, n)
}
