package syscalls

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/wasm/evmloop"
	"github.com/edgefvm/fvm/trace"
)

// Watch reads what the EVM actor's interpreter has in its memory before each opcode. It changes nothing of the guest.
type Watch struct {
	Loop *evmloop.Loop
	Tell func(*trace.Opcode)
	// Fail hears, once, that the memory is not as the loop's layout says. Nothing is told after that.
	Fail func(error)

	next   trace.Opcode // the same each time: nobody may keep it
	begun  bool
	failed bool
}

// opcode is called with the addresses of the interpreter's record and the program's, and the program counter.
func opcode(_ context.Context, in engine.Instance, stack []uint64) error {
	inv := in.Data().(*Invocation)
	w := inv.Watch
	if w == nil || w.failed {
		return nil
	}
	if err := w.read(in.Memory(), uint32(stack[0]), uint32(stack[1]), uint32(stack[2])); err != nil {
		w.failed = true
		w.Fail(err)
		return nil
	}
	charged, left := inv.Kernel.Gas().Total(), uint64(in.Counter()+inv.reserve)
	w.next.Gas, w.next.Charged = left, uint64(charged)
	w.next.Used = uint64(charged) + uint64(inv.markedGas) - left
	w.Tell(&w.next)
	return nil
}

// words are a guest's memory, of which a word beyond the end is 0 and notes that.
type words struct {
	b       []byte
	outside bool
}

func (w *words) at(at uint32) uint32 {
	if b := w.bytes(at, 4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (w *words) bytes(at, n uint32) []byte {
	if uint64(at)+uint64(n) > uint64(len(w.b)) {
		w.outside = true
		return nil
	}
	return w.b[at : at+n : at+n]
}

// maxStack is the most words of a stack.
const maxStack = 1024

func (w *Watch) read(mem []byte, machine, code, pc uint32) error {
	l := &w.Loop.Layout
	m := words{b: mem}
	state, count, size := m.at(machine+l.State), uint32(0), uint32(0)
	count, size = m.at(state+l.StackLen), m.at(state+l.MemoryLen)
	if at := m.at(machine + l.PC); at != pc {
		return fmt.Errorf("the program counter is %d in one place, %d in another", pc, at)
	}
	if count > maxStack {
		return fmt.Errorf("a stack of %d words", count)
	}
	if !w.begun && (count != 0 || size != 0 || pc != 0) {
		return fmt.Errorf("a program begins at %d, with a stack of %d words and a memory of %d bytes", pc, count, size)
	}
	w.begun = true
	w.next.PC = pc
	if op := m.bytes(m.at(code+l.Bytes)+pc, 1); op != nil {
		w.next.Op = op[0]
	}
	w.next.Stack = m.bytes(m.at(state+l.Stack), 32*count)
	w.next.Memory = m.bytes(m.at(state+l.Memory), size)
	w.next.Returned = m.bytes(m.at(state+l.Returned), m.at(state+l.ReturnedLen))
	if m.outside {
		return fmt.Errorf("before the opcode at %d: an address beyond the memory's end", pc)
	}
	return nil
}
