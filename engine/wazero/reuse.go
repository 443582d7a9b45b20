package wazero

import (
	"bytes"
	"container/list"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/edgefvm/fvm/engine"
)

// A new guest costs wazero the linking of each function and of each element of the tables, about 60 microseconds for
// an actor. A used one is made new by what its module's section of engine.EnvConfig.Reset admits: its memory, the
// size of that, and its mutable globals are all that can have changed.

// Bounds on used guests that wait for their next invocation, besides those of their memories in bytes.
const (
	maxKept    = 8  // of a module
	maxKeptAll = 64 // of an engine
	// maxResetBytes is the largest buffer of a memory that is repaired rather than given back.
	maxResetBytes = 4 << 20
)

// blockSize is the unit of a snapshot, in bytes. A page of the system's has one or more.
const blockSize = 4096

var zeros [blockSize]byte

// Reused is how many instances of an engine of this package were made by a reset;
// 0 for other engines.
func Reused(e engine.Engine) uint64 {
	if w, ok := e.(*wazeroEngine); ok {
		return w.resets.Load()
	}
	return 0
}

// snapshot is what a guest is when it is new.
type snapshot struct {
	size    int      // of its memory, in bytes
	blocks  [][]byte // of its memory, nil for zeros
	globals []uint64 // the mutable ones, in the order of facts.mutable
}

// mayBeKept says whether the module lets its guests be reset.
func (m *module) mayBeKept() bool {
	return m.facts.resettable && m.env.eng.shelf.max > 0
}

// snapshot looks at a new guest. It is nil if guests are not kept.
func (m *module) snapshot(g *guest) *snapshot {
	if !m.mayBeKept() || len(g.mem.buf) > maxResetBytes {
		return nil
	}
	s := &snapshot{size: g.mem.size}
	s.blocks = make([][]byte, (s.size+blockSize-1)/blockSize)
	m.env.eng.touched(g, func(i int, block []byte) {
		if !bytes.Equal(block, zeros[:]) {
			s.blocks[i] = bytes.Clone(block)
		}
	})
	for _, x := range g.mutable {
		s.globals = append(s.globals, x.Get())
	}
	return s
}

// touched visits the blocks of a guest's memory, as far as it was used, that may not be zero. The system knows the pages that
// were written since they were mapped: those that have no page of memory are zero. 18 Wasm pages of which 20 of the
// system's are in use take 4 microseconds, where looking at all takes 15.
func (e *wazeroEngine) touched(g *guest, visit func(i int, block []byte)) {
	memory := g.mem.buf[:g.mem.used]
	page := len(memory)
	var in []byte
	if e.pages != nil {
		if in = e.pages.read(memory, g.scratch); in != nil {
			page, g.scratch = e.pages.size, in
		}
	}
	for at := 0; at < len(memory); at += page {
		if in != nil && !inUse(in, at/page) {
			continue
		}
		for i := at; i < min(at+page, len(memory)); i += blockSize {
			visit(i/blockSize, memory[i:i+blockSize])
		}
	}
}

// canBeKept says whether a reset makes the guest new, and takes its memory back to
// the first size.
func (in *instance) canBeKept() bool {
	if in.spoiled || in.m.new == nil || len(in.mem.buf) > maxResetBytes {
		return false
	}
	return in.guest.shrink(in.m.new.size)
}

// shrink makes the memory as small as it was. Wasm knows no such thing: wazero is asked to grow
// the memory, and takes what the allocator gives it.
func (g *guest) shrink(size int) bool {
	if g.mem.size == size {
		return true
	}
	g.mem.first = &size
	_, ok := g.mod.Memory().Grow(1)
	g.mem.first = nil
	return ok && int(g.mod.Memory().Size()) == size
}

// reset makes a kept guest new.
func (m *module) reset(ctx context.Context, g *guest) error {
	m.env.eng.touched(g, func(i int, block []byte) {
		want := zeros[:]
		if i < len(m.new.blocks) && m.new.blocks[i] != nil {
			want = m.new.blocks[i]
		}
		if !bytes.Equal(block, want) { // reading leaves the processor's cache to what is in use
			copy(block, want)
		}
	})
	g.mem.used = g.mem.size
	for i, x := range g.mutable {
		x.Set(m.new.globals[i])
	}
	m.env.eng.resets.Add(1)
	if !m.env.eng.check {
		return nil
	}
	fresh, err := m.fresh()
	if err != nil {
		return err
	}
	defer fresh.close(ctx) //nolint:errcheck // its memory goes back to the pool, whatever it says
	if what := m.difference(g, fresh); what != "" {
		return fmt.Errorf("wazero: a reset instance is not as a new one: %s", what)
	}
	return nil
}

// difference says what is not the same in two guests, nothing if all is.
func (m *module) difference(g, fresh *guest) string {
	a, b := g.mem.bytes(), fresh.mem.bytes()
	if len(a) != len(b) || m.memory && g.mod.Memory().Size() != fresh.mod.Memory().Size() {
		return fmt.Sprintf("size of the memory, %d and %d bytes", len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			return fmt.Sprintf("memory, at %d", i)
		}
	}
	for i := g.mem.size; i < len(g.mem.buf); i++ {
		if g.mem.buf[i] != 0 {
			return fmt.Sprintf("what the memory grows into, at %d", i)
		}
	}
	for i, x := range g.mutable {
		if x.Get() != fresh.mutable[i].Get() {
			return "global " + m.facts.mutable[i]
		}
	}
	return ""
}

// shelf has the kept guests of an engine.
type shelf struct {
	mu    sync.Mutex
	max   int64     // bytes of memory
	size  int64     // bytes of memory
	order list.List // of kept; the newest in front
}

type kept struct {
	m *module
	g *guest
}

// put keeps a guest and makes room for it. It returns false if there is no place for more of its module.
func (s *shelf) put(m *module, g *guest) bool {
	gone, ok := s.add(m, g)
	for _, old := range gone {
		old.close(context.Background()) //nolint:errcheck // its memory goes back to the pool, whatever it says
	}
	return ok
}

func (s *shelf) add(m *module, g *guest) (gone []*guest, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.closed.Load() || m.env.closed || len(m.kept) >= maxKept {
		return nil, false
	}
	g.kept = s.order.PushFront(kept{m, g})
	m.kept = append(m.kept, g)
	g.counted = int64(g.mem.used)
	s.size += g.counted
	for s.size > s.max || s.order.Len() > maxKeptAll {
		gone = append(gone, s.remove(s.order.Back()))
	}
	return gone, true
}

// take returns the guest of m that was kept last, nil if there is none.
func (s *shelf) take(m *module) *guest {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(m.kept) == 0 {
		return nil
	}
	return s.remove(m.kept[len(m.kept)-1].kept)
}

// remove takes a guest off. The shelf is locked.
func (s *shelf) remove(e *list.Element) *guest {
	k := s.order.Remove(e).(kept)
	k.g.kept = nil
	i := slices.Index(k.m.kept, k.g)
	k.m.kept = slices.Delete(k.m.kept, i, i+1)
	s.size -= k.g.counted
	return k.g
}

// clear closes the kept guests of some modules.
func (s *shelf) clear(of func(*module) bool) {
	for _, g := range s.some(of) {
		g.close(context.Background()) //nolint:errcheck // its memory goes back to the pool, whatever it says
	}
}

func (s *shelf) some(of func(*module) bool) (gone []*guest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := s.order.Front(); e != nil; {
		next := e.Next()
		if of(e.Value.(kept).m) {
			gone = append(gone, s.remove(e))
		}
		e = next
	}
	return gone
}

// end closes the kept guests of an environment, which keeps no more.
func (s *shelf) end(v *env) {
	s.mu.Lock()
	v.closed = true
	s.mu.Unlock()
	s.clear(func(m *module) bool { return m.env == v })
}
