package wazero

import (
	"errors"
	"fmt"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/internal/binary"
)

// facts are what the adapter needs to know about a module and wazero does not tell.
type facts struct {
	// misfit is the trap of the first segment that does not fit. wazero leaves
	// out element segments that do not, where the specification has a trap.
	misfit engine.TrapKind
	// mutable are the exports of all mutable globals, if guests can be reset; see engine.EnvConfig.Reset.
	mutable    []string
	resettable bool
}

// scanner reads a module that wazero has validated. Its own checks are only
// against running off the end.
type scanner struct {
	binary.Reader
	tables  []uint64 // elements at least
	memory  uint64   // bytes at least
	globals [][2]byte
	counter string
	found   bool
	misfit  engine.TrapKind
	shown   map[string]uint32 // exported globals by name
	reset   string            // name of the section of EnvConfig.Reset, empty for none
	listed  bool              // there is one
	mutable []string
}

// scan reads wasm. counter is the export that must be a mutable i64 global, reset
// the section that says how to reset guests; empty for none.
func scan(wasm []byte, counter, reset string) (facts, error) {
	if len(wasm) < 8 {
		return facts{}, binary.ErrMalformed
	}
	s := &scanner{Reader: binary.Reader{B: wasm[8:]}, counter: counter, reset: reset, shown: map[string]uint32{}}
	for len(s.B) > 0 && s.Err == nil {
		id := s.Byte()
		body := s.Take(s.U32())
		rest := s.B
		s.B = body
		s.section(id)
		s.B = rest
	}
	switch {
	case s.Err != nil:
		return facts{}, s.Err
	case counter != "" && !s.found:
		return facts{}, fmt.Errorf("no mutable i64 global is exported as %q", counter)
	}
	if err := s.checkReset(); err != nil {
		return facts{}, err
	}
	return facts{misfit: s.misfit, mutable: s.mutable, resettable: s.listed}, nil
}

func (s *scanner) section(id byte) {
	var item func()
	switch id {
	case binary.SecCustom:
		if name := string(s.Take(s.U32())); name != s.reset || name == "" || s.listed {
			return
		}
		s.listed = true
		item = func() { s.mutable = append(s.mutable, string(s.Take(s.U32()))) }
	case binary.SecStart:
		s.Fail(errors.New("module has a start function"))
		return
	case binary.SecImport:
		item = s.importItem
	case binary.SecTable:
		item = func() { s.Byte(); s.tables = append(s.tables, s.limits()) }
	case binary.SecMemory:
		item = func() { s.memory = s.limits() * engine.PageSize }
	case binary.SecGlobal:
		item = func() { s.globals = append(s.globals, [2]byte{s.Byte(), s.Byte()}); s.constExpr() }
	case binary.SecExport:
		item = s.exportItem
	case binary.SecElement:
		item = s.element
	case binary.SecData:
		item = s.data
	default:
		return
	}
	for n := s.U32(); n > 0 && s.Err == nil; n-- {
		item()
	}
}

func (s *scanner) importItem() {
	mod, name := s.Take(s.U32()), s.Take(s.U32())
	if s.Byte() != binary.KindFunc {
		s.Fail(fmt.Errorf("import %s.%s is not a function", mod, name))
	}
	s.U32()
}

func (s *scanner) exportItem() {
	name, kind, index := string(s.Take(s.U32())), s.Byte(), s.U32()
	if kind != binary.KindGlobal {
		return
	}
	s.shown[name] = index
	if name == s.counter && s.counter != "" && int64(index) < int64(len(s.globals)) && s.globals[index] == [2]byte{byte(engine.I64), 1} {
		s.found = true
	}
}

// checkReset refuses a section that cannot be true: a mutable global would be
// missing from it, or is no number.
func (s *scanner) checkReset() error {
	if !s.listed {
		return nil
	}
	listed := map[uint32]bool{}
	for _, name := range s.mutable {
		index, ok := s.shown[name]
		if !ok || int64(index) >= int64(len(s.globals)) || s.globals[index][1] != 1 {
			return fmt.Errorf("section %s: no mutable global is exported as %q", s.reset, name)
		}
		listed[index] = true
	}
	for i, g := range s.globals {
		number := g[0] >= 0x7c && g[0] <= 0x7f // f64, f32, i64, i32
		if g[1] == 1 && (!listed[uint32(i)] || !number) {
			return fmt.Errorf("section %s: mutable global %d is missing, or no number", s.reset, i)
		}
	}
	return nil
}

// element reads one element segment. The flags' bits: 0 not active, 1 explicit
// table (active) or declared only, 2 expressions instead of indices.
func (s *scanner) element() {
	flags := s.U32()
	active := flags&1 == 0
	var table, offset uint64
	if active {
		if flags&2 != 0 {
			table = uint64(s.U32())
		}
		offset = s.constExpr()
	}
	if flags&3 != 0 {
		s.Byte() // element kind or reference type
	}
	n := s.U32()
	for i := uint32(0); i < n && s.Err == nil; i++ {
		if flags&4 != 0 {
			s.constExpr()
		} else {
			s.U32()
		}
	}
	if active && (table >= uint64(len(s.tables)) || offset+uint64(n) > s.tables[table]) {
		s.misfit = engine.TrapTableOutOfBounds
	}
}

func (s *scanner) data() {
	flags := s.U32()
	active := flags != 1
	var offset uint64
	if flags == 2 {
		s.U32()
	}
	if active {
		offset = s.constExpr()
	}
	n := s.U32()
	s.Take(n)
	// Tables are filled first, so their misfit is the one that shows.
	if active && offset+uint64(n) > s.memory && s.misfit == 0 {
		s.misfit = engine.TrapMemoryOutOfBounds
	}
}

// limits reads limits and returns the minimum.
func (s *scanner) limits() uint64 {
	flags := s.Byte()
	low := s.U32()
	if flags&1 != 0 {
		s.U32()
	}
	return uint64(low)
}

// constExpr reads a constant expression. The value returned is that of an
// i32.const, taken as unsigned.
func (s *scanner) constExpr() (value uint64) {
	for s.Err == nil {
		switch op := s.Byte(); op {
		case 0x0b: // end
			return value
		case 0x41, 0x42: // i32.const, i64.const
			value = uint64(uint32(s.Signed()))
		case 0x43: // f32.const
			s.Take(4)
		case 0x44: // f64.const
			s.Take(8)
		case 0xd0: // ref.null
			s.Byte()
		case 0xd2: // ref.func
			s.U32()
		default:
			s.Fail(fmt.Errorf("constant expression with opcode 0x%02x", op))
		}
	}
	return 0
}
