package evmloop

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

const machine = "p1" // an opcode's function takes the interpreter's record second

// layout finds out where things lie.
func (m *module) layout(l *Loop, h *handlers) error {
	for _, step := range []struct {
		opcode string
		op     byte
		learn  func(l *Loop, ways []path) error
	}{
		{"JUMPDEST", opJUMPDEST, jumpdest},
		{"POP", opPOP, pop},
		{"PUSH0", opPUSH0, push0},
		{"MSIZE", opMSIZE, msize},
		{"RETURNDATASIZE", opRETSIZE, returndatasize},
		{"CALLDATASIZE", opCALLSIZE, calldatasize},
		{"MSTORE8", opMSTORE8, mstore8},
	} {
		ways, err := m.explore(h[step.op])
		if err == nil {
			err = step.learn(l, ways)
		}
		if err != nil {
			return fmt.Errorf("%s, function %d: %w", step.opcode, h[step.op], err)
		}
	}
	return nil
}

// one is what every way that tells anything tells.
func one[T comparable](ways []path, tells func(*path) (T, bool)) (T, error) {
	var (
		got  T
		some bool
	)
	for i := range ways {
		v, ok := tells(&ways[i])
		if ok && some && v != got {
			return got, errors.New("it does two things")
		}
		if ok {
			got, some = v, true
		}
	}
	if !some {
		return got, fmt.Errorf("none of %d ways through it does what the opcode does", len(ways))
	}
	return got, nil
}

// goesOn reports that a way ends with the program counter after the opcode.
func (l *Loop) goesOn(p *path) bool {
	v, ok := p.stored(machine, l.Layout.PC)
	return ok && v == value{load(value{machine, l.Layout.PC}), 1}
}

// state is the name of the state's address.
func (l *Loop) state() string { return load(value{machine, l.Layout.State}) }

// field is the name of a word of the state.
func (l *Loop) field(at uint32) string { return load(value{l.state(), at}) }

func jumpdest(l *Loop, ways []path) (err error) {
	l.Layout.PC, err = one(ways, func(p *path) (uint32, bool) { return p.added(machine, 1) })
	return err
}

// pop takes one off a length in a record that the machine points to.
func pop(l *Loop, ways []path) error {
	type place struct{ state, length uint32 }
	at, err := one(ways, func(p *path) (place, bool) {
		if !l.goesOn(p) {
			return place{}, false
		}
		for _, r := range p.reads {
			if r.name != machine || r.n == l.Layout.PC {
				continue
			}
			if at, ok := p.added(load(r), ^uint32(0)); ok {
				return place{r.n, at}, true
			}
		}
		return place{}, false
	})
	l.Layout.State, l.Layout.StackLen = at.state, at.length
	return err
}

// push0 stores four zero words of eight bytes behind the stack, and adds one to its length.
func push0(l *Loop, ways []path) error {
	length := l.field(l.Layout.StackLen)
	at, err := one(ways, func(p *path) (uint32, bool) {
		if v, ok := p.stored(l.state(), l.Layout.StackLen); !ok || v != (value{length, 1}) || !l.goesOn(p) {
			return 0, false
		}
		for _, r := range p.reads {
			if r.name == l.state() && r.n != l.Layout.StackLen && p.zeroes(sum(load(r), shifted(length, 5))) {
				return r.n, true
			}
		}
		return 0, false
	})
	l.Layout.Stack = at
	if err == nil && !vector(at, l.Layout.StackLen) {
		err = fmt.Errorf("address and length of the stack are at %d and %d", at, l.Layout.StackLen)
	}
	return err
}

// vector reports that an address and a length can be those of one of Rust's vectors: three words side by side.
func vector(at, length uint32) bool {
	return length-at == 4 || length-at == 8 || at-length == 4 || at-length == 8
}

// zeroes reports that 32 zero bytes are stored.
func (p *path) zeroes(at string) bool {
	for n := uint32(0); n < 32; n += 8 {
		if !slices.Contains(p.writes, write{value{at, n}, 8, value{}}) {
			return false
		}
	}
	return true
}

// length is the one word of the state that an opcode reads which pushes a length, besides those of the stack.
func (l *Loop) length(ways []path) (uint32, error) {
	return one(ways, func(p *path) (uint32, bool) {
		v, ok := p.stored(l.state(), l.Layout.StackLen)
		if !ok || v != (value{l.field(l.Layout.StackLen), 1}) || !l.goesOn(p) {
			return 0, false
		}
		var at []uint32
		for _, r := range p.reads {
			if r.name == l.state() && !l.ofStack(r.n) && !slices.Contains(at, r.n) {
				at = append(at, r.n)
			}
		}
		if len(at) != 1 {
			return 0, false
		}
		return at[0], true
	})
}

// ofStack reports that a word of the state belongs to the stack: address, length, and the third word, which is its room.
func (l *Loop) ofStack(at uint32) bool {
	least, most := min(l.Layout.Stack, l.Layout.StackLen), max(l.Layout.Stack, l.Layout.StackLen)
	if most-least == 8 {
		return at >= least && at <= most
	}
	return at+4 >= least && at <= most+4
}

func msize(l *Loop, ways []path) (err error) {
	l.Layout.MemoryLen, err = l.length(ways)
	return err
}

func returndatasize(l *Loop, ways []path) (err error) {
	l.Layout.ReturnedLen, err = l.length(ways)
	l.Layout.Returned = l.Layout.ReturnedLen - l.Layout.StackLen + l.Layout.Stack // one kind of record has one layout
	return err
}

// calldatasize learns nothing: three lengths are three places.
func calldatasize(l *Loop, ways []path) error {
	at, err := l.length(ways)
	if x := &l.Layout; err == nil && (at == x.MemoryLen || at == x.ReturnedLen || x.MemoryLen == x.ReturnedLen) {
		err = errors.New("the lengths of memory, call data and returned data are at one place")
	}
	return err
}

// mstore8 stores a byte at the memory's address plus something.
func mstore8(l *Loop, ways []path) error {
	at, err := one(ways, func(p *path) (uint32, bool) {
		if !l.goesOn(p) {
			return 0, false
		}
		for _, w := range p.writes {
			for _, r := range p.reads {
				if w.size == 1 && r.name == l.state() && !l.ofStack(r.n) && isSum(w.at.name, load(r)) {
					return r.n, true
				}
			}
		}
		return 0, false
	})
	x := &l.Layout
	x.Memory = at
	if err == nil && x.MemoryLen-at != x.StackLen-x.Stack {
		err = fmt.Errorf("address and length of the memory are at %d and %d, those of the stack at %d and %d", at, x.MemoryLen, x.Stack, x.StackLen)
	}
	return err
}

// isSum reports that a name is that of a sum of which the other is a part.
func isSum(name, part string) bool {
	return strings.HasPrefix(name, "("+part+" + ") || strings.HasPrefix(name, "(") && strings.HasSuffix(name, " + "+part+")")
}
