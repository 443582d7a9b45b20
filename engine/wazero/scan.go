package wazero

import (
	"errors"
	"fmt"

	"github.com/edgefvm/fvm/engine"
)

// facts are what the adapter needs to know about a module and wazero does not tell.
type facts struct {
	// misfit is the trap of the first segment that does not fit. wazero leaves
	// out element segments that do not, where the specification has a trap.
	misfit engine.TrapKind
}

var errMalformed = errors.New("malformed module")

// Section ids and import or export kinds of the binary format.
const (
	secImport, secTable, secMemory, secGlobal = 2, 4, 5, 6
	secExport, secStart, secElement, secData  = 7, 8, 9, 11
	kindFunc, kindGlobal                      = 0, 3
)

// scanner reads a module that wazero has validated. Its own checks are only
// against running off the end.
type scanner struct {
	b       []byte
	bad     bool
	tables  []uint64 // elements at least
	memory  uint64   // bytes at least
	globals [][2]byte
	counter string
	found   bool
	misfit  engine.TrapKind
	err     error
}

// scan reads wasm. counter is the export that must be a mutable i64 global,
// empty for none.
func scan(wasm []byte, counter string) (facts, error) {
	if len(wasm) < 8 {
		return facts{}, errMalformed
	}
	s := &scanner{b: wasm[8:], counter: counter}
	for len(s.b) > 0 && !s.bad && s.err == nil {
		id := s.byte()
		body := s.take(s.u32())
		rest := s.b
		s.b = body
		s.section(id)
		s.b = rest
	}
	switch {
	case s.err != nil:
		return facts{}, s.err
	case s.bad:
		return facts{}, errMalformed
	case counter != "" && !s.found:
		return facts{}, fmt.Errorf("no mutable i64 global is exported as %q", counter)
	}
	return facts{misfit: s.misfit}, nil
}

func (s *scanner) section(id byte) {
	var item func()
	switch id {
	case secStart:
		s.err = errors.New("module has a start function")
		return
	case secImport:
		item = s.importItem
	case secTable:
		item = func() { s.byte(); s.tables = append(s.tables, s.limits()) }
	case secMemory:
		item = func() { s.memory = s.limits() * engine.PageSize }
	case secGlobal:
		item = func() { s.globals = append(s.globals, [2]byte{s.byte(), s.byte()}); s.constExpr() }
	case secExport:
		item = s.exportItem
	case secElement:
		item = s.element
	case secData:
		item = s.data
	default:
		return
	}
	for n := s.u32(); n > 0 && !s.bad && s.err == nil; n-- {
		item()
	}
}

func (s *scanner) importItem() {
	mod, name := s.take(s.u32()), s.take(s.u32())
	if s.byte() != kindFunc {
		s.err = fmt.Errorf("import %s.%s is not a function", mod, name)
	}
	s.u32()
}

func (s *scanner) exportItem() {
	name, kind, index := string(s.take(s.u32())), s.byte(), s.u32()
	if name != s.counter || s.counter == "" {
		return
	}
	if kind == kindGlobal && int(index) < len(s.globals) && s.globals[index] == [2]byte{byte(engine.I64), 1} {
		s.found = true
	}
}

// element reads one element segment. The flags' bits: 0 not active, 1 explicit
// table (active) or declared only, 2 expressions instead of indices.
func (s *scanner) element() {
	flags := s.u32()
	active := flags&1 == 0
	var table, offset uint64
	if active {
		if flags&2 != 0 {
			table = uint64(s.u32())
		}
		offset = s.constExpr()
	}
	if flags&3 != 0 {
		s.byte() // element kind or reference type
	}
	n := s.u32()
	for i := uint32(0); i < n && !s.bad; i++ {
		if flags&4 != 0 {
			s.constExpr()
		} else {
			s.u32()
		}
	}
	if active && (table >= uint64(len(s.tables)) || offset+uint64(n) > s.tables[table]) {
		s.misfit = engine.TrapTableOutOfBounds
	}
}

func (s *scanner) data() {
	flags := s.u32()
	active := flags != 1
	var offset uint64
	if flags == 2 {
		s.u32()
	}
	if active {
		offset = s.constExpr()
	}
	n := s.u32()
	s.take(n)
	// Tables are filled first, so their misfit is the one that shows.
	if active && offset+uint64(n) > s.memory && s.misfit == 0 {
		s.misfit = engine.TrapMemoryOutOfBounds
	}
}

// limits reads limits and returns the minimum.
func (s *scanner) limits() uint64 {
	flags := s.byte()
	low := s.u32()
	if flags&1 != 0 {
		s.u32()
	}
	return uint64(low)
}

// constExpr reads a constant expression. The value returned is that of an
// i32.const, taken as unsigned.
func (s *scanner) constExpr() (value uint64) {
	for !s.bad && s.err == nil {
		switch op := s.byte(); op {
		case 0x0b: // end
			return value
		case 0x41, 0x42: // i32.const, i64.const
			value = uint64(uint32(s.leb(true)))
		case 0x43: // f32.const
			s.take(4)
		case 0x44: // f64.const
			s.take(8)
		case 0xd0: // ref.null
			s.byte()
		case 0xd2: // ref.func
			s.u32()
		default:
			s.err = fmt.Errorf("constant expression with opcode 0x%02x", op)
		}
	}
	return 0
}

func (s *scanner) byte() byte {
	if len(s.b) == 0 {
		s.bad = true
		return 0
	}
	c := s.b[0]
	s.b = s.b[1:]
	return c
}

func (s *scanner) take(n uint32) []byte {
	if uint64(n) > uint64(len(s.b)) {
		s.bad = true
		return nil
	}
	b := s.b[:n]
	s.b = s.b[n:]
	return b
}

func (s *scanner) u32() uint32 { return uint32(s.leb(false)) }

// leb reads a LEB128 number.
func (s *scanner) leb(signed bool) uint64 {
	var v uint64
	for shift := 0; shift < 70; shift += 7 {
		c := s.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if signed && c&0x40 != 0 && shift+7 < 64 {
				v |= ^uint64(0) << (shift + 7)
			}
			return v
		}
	}
	s.bad = true
	return 0
}
