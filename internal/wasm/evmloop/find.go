package evmloop

import (
	"bytes"
	"fmt"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// Loop is where the interpreter takes its next opcode. At that place three locals have what an opcode works on.
type Loop struct {
	// Func is the function's index in the module, At the offset in its body of the instruction before which a call can be put:
	// the operand stack has nothing there that the call could disturb, and each opcode comes by once, before it is done.
	Func uint32
	At   int
	// Machine, Code and PC are locals of the function: the address of the interpreter's record (to which MachineAdd is to be
	// added), the address of the program's, and the program counter.
	Machine, Code, PC uint32
	MachineAdd        uint32
	Layout            Layout
	// Defined has the opcodes that the interpreter knows.
	Defined [256]bool
}

// Layout is where things lie, in bytes. Addresses and lengths are words of 32 bits, low byte first.
type Layout struct {
	// Bytes is where the address of the program's bytes lies in its record.
	Bytes uint32
	// PC and State lie in the interpreter's record: the program counter, and the address of the state.
	PC, State uint32
	// The rest lies in the state: address and length of the stack, of the memory and of what the last call returned. The stack
	// is words of 32 bytes, low byte first; its length counts words.
	Stack, StackLen, Memory, MemoryLen, Returned, ReturnedLen uint32
}

// Find finds the interpreter in a valid module. An error says what is not as it should be. Pure: safe from any goroutine.
func Find(wasm []byte) (*Loop, error) {
	m, err := readModule(wasm)
	if err != nil {
		return nil, fmt.Errorf("no interpreter of the EVM found: reading the module: %w", err)
	}
	l, list, err := m.dispatch()
	if err != nil {
		return nil, fmt.Errorf("no interpreter of the EVM found: %w", err)
	}
	if err := m.layout(l, list); err != nil {
		return nil, fmt.Errorf("the layout of the EVM's interpreter, function %d, is not understood: %w", l.Func, err)
	}
	return l, nil
}

// indexing is a byte of memory becoming the index of a word, as compilers write it.
var indexing = []byte{ops.I32Load8U, 0, 0, ops.I32Const, 2, i32Shl}

// handlers are the functions of the opcodes.
type handlers [256]uint32

// dispatch finds the one call of an opcode's function.
func (m *module) dispatch() (*Loop, *handlers, error) {
	var (
		found *Loop
		list  *handlers
		why   error
	)
	for i, body := range m.bodies {
		if !bytes.Contains(body, indexing) {
			continue // most functions: a byte is cheaper to look for than to decode
		}
		_, code, err := decode(body)
		if err != nil {
			return nil, nil, fmt.Errorf("function %d: %w", m.imported+i, err)
		}
		for k := range code {
			if code[k].op != ops.CallIndirect {
				continue
			}
			l, at, ok := dispatches(code[:k])
			if !ok {
				continue
			}
			l.Func = uint32(m.imported + i)
			h, err := m.handlers(l, at, code[k].a)
			if err != nil {
				why = fmt.Errorf("function %d calls by a byte through the list at %#x, but %w", l.Func, at, err)
				continue
			}
			if found != nil {
				return nil, nil, fmt.Errorf("functions %d and %d both look like it", found.Func, l.Func)
			}
			found, list = l, h
		}
	}
	if found == nil && why == nil {
		why = fmt.Errorf("no function of %d calls through a list in memory by a byte of a program", len(m.bodies))
	}
	if found == nil {
		return nil, nil, why
	}
	return found, list, nil
}

// back reads instructions from the last to the first.
type back struct {
	code []instr
	ok   bool
}

func (b *back) peek(op byte) bool { return len(b.code) > 0 && b.code[len(b.code)-1].op == op }

func (b *back) want(op byte) (i instr) {
	if b.ok = b.ok && b.peek(op); b.ok {
		i = b.code[len(b.code)-1]
		b.code = b.code[:len(b.code)-1]
	}
	return i
}

// constant reads "const, op" if it is there.
func (b *back) constant(op byte) (n uint32) {
	if n := len(b.code); n > 1 && b.code[n-1].op == op && b.code[n-2].op == ops.I32Const {
		b.want(op)
		return uint32(b.want(ops.I32Const).a)
	}
	return 0
}

// dispatches reads what comes before a call through a table:
//
//	result, machine, mem8[mem32[code + bytes] + pc] << 2, mem32[it + list]
func dispatches(code []instr) (l *Loop, list uint32, ok bool) {
	b, l := &back{code, true}, &Loop{}
	list = uint32(b.want(ops.I32Load).a)
	list += b.constant(i32Add)
	b.want(i32Shl)
	if two := b.want(ops.I32Const); two.a != 2 {
		return nil, 0, false
	}
	if b.want(ops.I32Load8U).a != 0 {
		return nil, 0, false
	}
	b.want(i32Add)
	if b.peek(ops.LocalGet) {
		l.PC = uint32(b.want(ops.LocalGet).a)
		l.program(b)
	} else {
		l.program(b)
		l.PC = uint32(b.want(ops.LocalGet).a)
	}
	l.MachineAdd = b.constant(i32Add)
	l.Machine = uint32(b.want(ops.LocalGet).a)
	b.constant(i32Add)
	l.At = b.want(ops.LocalGet).at
	return l, list, b.ok
}

func (l *Loop) program(b *back) {
	l.Layout.Bytes = uint32(b.want(ops.I32Load).a)
	l.Layout.Bytes += b.constant(i32Add)
	l.Code = uint32(b.want(ops.LocalGet).a)
}

// Opcodes that are looked at.
const (
	opUndefined = 0x0c
	opMSIZE     = 0x59
	opPOP       = 0x50
	opMSTORE8   = 0x53
	opJUMPDEST  = 0x5b
	opPUSH0     = 0x5f
	opRETSIZE   = 0x3d
	opCALLSIZE  = 0x36
)

// handlers reads the list of functions.
func (m *module) handlers(l *Loop, at uint32, typ int64) (*handlers, error) {
	h := &handlers{}
	for op := range h {
		place, ok := m.word(at + 4*uint32(op))
		if !ok {
			return nil, fmt.Errorf("no data of the module has its entry %#02x", op)
		}
		if h[op], ok = m.table[place]; !ok {
			return nil, fmt.Errorf("its entry %#02x is no place of the table", op)
		}
		if f := h[op]; int64(f) >= int64(len(m.funcs)) || int64(m.funcs[f]) != typ {
			return nil, fmt.Errorf("its entry %#02x is a function of another type", op)
		}
	}
	if t := m.types[typ]; string(t.params) != string([]byte{ops.I32, ops.I32}) || len(t.results) != 0 {
		return nil, fmt.Errorf("its functions do not take a result's address and a machine's")
	}
	for op := range h {
		l.Defined[op] = h[op] != h[opUndefined]
	}
	for op, want := range everDefined {
		if want != 0 && l.Defined[op] != (want > 0) {
			return nil, fmt.Errorf("its entry %#02x does not tell opcodes from what is none", op)
		}
	}
	return h, nil
}

// everDefined has 1 for the opcodes of Ethereum's London that Filecoin has in each version of its actors, -1 for bytes that are
// no opcodes of any of Ethereum's versions, and for those that Filecoin never had: CALLCODE, BLOBHASH and BLOBBASEFEE.
var everDefined = func() (t [256]int8) {
	for _, span := range [][2]int{{0x00, 0x0b}, {0x10, 0x1d}, {0x20, 0x20}, {0x30, 0x48}, {0x50, 0x5b}, {0x5f, 0xa4}, {0xf0, 0xf1}, {0xf3, 0xf5}, {0xfa, 0xfa}, {0xfd, 0xff}} {
		for op := span[0]; op <= span[1]; op++ {
			t[op] = 1
		}
	}
	for _, span := range [][2]int{{0x0c, 0x0f}, {0x21, 0x2f}, {0x49, 0x4a}, {0x4c, 0x4f}, {0xb0, 0xbf}, {0xf2, 0xf2}, {0xfb, 0xfc}} {
		for op := span[0]; op <= span[1]; op++ {
			t[op] = -1
		}
	}
	return t
}()
