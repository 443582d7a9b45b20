//go:build wasmedge && cgo && linux

package wasmedge

// #include "guest.h"
import "C"

import (
	"container/list"
	"fmt"
	"slices"
)

// Bounds on used guests that wait for their next invocation.
const (
	maxKept      = 1024      // of a module: the deepest nest
	maxKeptBytes = 192 << 20 // of an environment: such a nest of small actors
	// maxResetBytes is the largest memory that is looked through rather than mapped
	// anew.
	maxResetBytes = 4 << 20
	// functionBytes is an estimate of what the library takes for a function of an instance.
	functionBytes = 512
	// guestBytes is one of what it takes besides, and the kernel for the mapping.
	guestBytes = 32 << 10
)

// shelf holds the kept guests of an environment, which are as new. env.mu guards it.
type shelf struct {
	order list.List // of kept; the newest in front
	bytes uint64

	most      int    // maxKept, in tests less
	mostBytes uint64 // maxKeptBytes, in tests less
}

type kept struct {
	m     *module
	c     *C.struct_efvm_guest
	bytes uint64 // what it takes, by estimate
}

// heapBytes is an estimate of what a guest of m takes of the C library's heap.
func (m *module) heapBytes() uint64 { return guestBytes + uint64(m.facts.functions)*functionBytes }

// remember looks at the first guest of m while it is new. Later ones can be made
// like it if the module says how, and is not too large.
func (m *module) remember(c *C.struct_efvm_guest) {
	if m.env.eng.reuse && m.facts.resettable && c.first_bytes <= maxResetBytes {
		m.image = C.efvm_image_of(c)
	}
}

// canBeKept says whether a reset makes the guest new, and takes its memory back to
// the first size. A guest may have failed, but if a call of it left the library in a
// way that is not known (see whole), nothing is known of the guest.
func (in *instance) canBeKept() bool {
	return in.torn == 0 && in.m.image != nil && int(in.c.n_globals) == len(in.m.facts.mutable) && C.efvm_shrink(in.c) != 0
}

// reset makes a used guest new, and ready to be kept.
func (m *module) reset(c *C.struct_efvm_guest) kept {
	resident := C.efvm_reset(c, m.image, nil)
	return kept{m, c, uint64(resident) + m.heapBytes()}
}

// keep puts a guest on the shelf, and returns those for which there is no room any
// more. env.mu is held.
func (v *env) keep(k kept) (gone []*C.struct_efvm_guest) {
	m := k.m
	m.kept = append(m.kept, v.kept.order.PushFront(k))
	v.kept.bytes += k.bytes
	if len(m.kept) > v.kept.most {
		gone = append(gone, v.unkeep(m.kept[0]))
		m.drop()
	}
	for v.kept.bytes > v.kept.mostBytes {
		last := v.kept.order.Back()
		gone = append(gone, v.unkeep(last))
		last.Value.(kept).m.drop()
	}
	return gone
}

// unkeep takes a guest from the shelf. It still counts as an instance. env.mu is held.
func (v *env) unkeep(e *list.Element) *C.struct_efvm_guest {
	k := v.kept.order.Remove(e).(kept)
	v.kept.bytes -= k.bytes
	i := len(k.m.kept) - 1 // it is the newest of its module, or the oldest
	if k.m.kept[i] != e {
		i = slices.Index(k.m.kept, e)
	}
	k.m.kept = slices.Delete(k.m.kept, i, i+1)
	return k.c
}

// take returns the guest of m that was kept last, nil if there is none. env.mu is held.
func (m *module) take() *C.struct_efvm_guest {
	if len(m.kept) == 0 {
		return nil
	}
	return m.env.unkeep(m.kept[len(m.kept)-1])
}

// takeAll empties the shelf of m's guests, which count as instances no more. env.mu
// is held.
func (m *module) takeAll() (all []*C.struct_efvm_guest) {
	for c := m.take(); c != nil; c = m.take() {
		all = append(all, c)
		m.instances--
	}
	return all
}

// reuse hands out a kept guest. It is compared with a new one first if the engine
// was asked to.
func (m *module) reuse(c *C.struct_efvm_guest) error {
	m.env.eng.resets.Add(1)
	if !m.env.eng.check {
		return nil
	}
	fresh, err := m.fresh()
	defer m.env.eng.delete(fresh)
	if err != nil {
		return err
	}
	var at C.uint64_t
	if what := C.efvm_difference(c, fresh, &at); what != nil {
		return fmt.Errorf("wasmedge: a reset instance is not as a new one: %s, at %d", C.GoString(what), uint64(at))
	}
	return nil
}
