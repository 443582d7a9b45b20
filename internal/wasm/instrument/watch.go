package instrument

import (
	"fmt"
	"slices"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// Watch is a place in a guest's code at which the output calls the host's function opcode, for tracing. The guest cannot
// observe it: the call takes no gas, no height of the stack, and changes nothing of the guest.
type Watch struct {
	// Func is the function's index in the guest, imports first. At is the offset in its body, which begins with its locals, of
	// the instruction before which the host is called.
	Func uint32
	At   int
	// Locals are of type i32; the host gets the sum of each and the number beside it.
	Locals [3]uint32
	Add    [3]uint32
}

// into puts the call among the patches of a function.
func (w *Watch) into(m *module, bodies []body) error {
	i := int64(w.Func) - int64(m.nImpFunc)
	if i < 0 || i >= int64(len(bodies)) {
		return fmt.Errorf("watching function %d: the module has no code of it", w.Func)
	}
	b := &bodies[i]
	if w.At < b.start || w.At >= len(b.code) {
		return fmt.Errorf("watching function %d at %#x: its instructions are from %#x to %#x", w.Func, w.At, b.start, len(b.code))
	}
	for _, l := range w.Locals {
		if l >= b.locals {
			return fmt.Errorf("watching function %d: it has no local %d", w.Func, l)
		}
	}
	at, _ := slices.BinarySearchFunc(b.patches, w.At, func(p patch, at int) int { return p.pos - at })
	if at > 0 && b.patches[at-1].end > w.At {
		return fmt.Errorf("watching function %d at %#x: no instruction begins there", w.Func, w.At)
	}
	b.patches = slices.Insert(b.patches, at, patch{pos: w.At, end: w.At, kind: patchWatch})
	return nil
}

// watch calls the host.
func (p *plan) watch(w *ops.Writer) {
	for i, l := range p.watched.Locals {
		w.Op(ops.LocalGet, l)
		if n := p.watched.Add[i]; n != 0 {
			w.U8(ops.I32Const)
			w.Signed(int64(int32(n)))
			w.U8(ops.I32Add)
		}
	}
	w.Op(ops.Call, uint32(p.helperIndex[helperOpcode]))
}
