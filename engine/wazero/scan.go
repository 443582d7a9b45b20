package wazero

import (
	"errors"
	"fmt"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/internal/binary"
	"github.com/edgefvm/fvm/internal/wasm/ops"
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
	globals binary.Globals
	misfit  engine.TrapKind
	reset   string // name of the section of EnvConfig.Reset, empty for none
}

// scan reads wasm. counter is the export that must be a mutable i64 global, reset
// the section that says how to reset guests; empty for none.
func scan(wasm []byte, counter, reset string) (facts, error) {
	if len(wasm) < 8 {
		return facts{}, binary.ErrMalformed
	}
	s := &scanner{Reader: binary.Reader{B: wasm[8:]}, reset: reset}
	for len(s.B) > 0 && s.Err == nil {
		id := s.Byte()
		body := s.Take(s.U32())
		rest := s.B
		s.B = body
		s.section(id)
		s.B = rest
	}
	if s.Err != nil {
		return facts{}, s.Err
	}
	if counter != "" {
		if err := s.globals.CheckCounter(counter); err != nil {
			return facts{}, err
		}
	}
	mutable, resettable, err := s.globals.Reset(reset)
	if err != nil {
		return facts{}, err
	}
	return facts{misfit: s.misfit, mutable: mutable, resettable: resettable}, nil
}

func (s *scanner) section(id byte) {
	var item func()
	switch id {
	case ops.SecCustom:
		if !s.globals.Custom(&s.Reader, s.reset) {
			return
		}
		item = func() { s.globals.Listed(&s.Reader) }
	case ops.SecStart:
		s.Fail(errors.New("module has a start function"))
		return
	case ops.SecImport:
		item = s.importItem
	case ops.SecTable:
		item = func() { s.Byte(); s.tables = append(s.tables, s.limits()) }
	case ops.SecMemory:
		item = func() { s.memory = s.limits() * engine.PageSize }
	case ops.SecGlobal:
		item = func() { s.globals.Item(&s.Reader); s.constExpr() }
	case ops.SecExport:
		item = s.exportItem
	case ops.SecElement:
		item = s.element
	case ops.SecData:
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
	if s.Byte() != ops.KindFunc {
		s.Fail(fmt.Errorf("import %s.%s is not a function", mod, name))
	}
	s.U32()
}

func (s *scanner) exportItem() {
	name, kind, index := string(s.Take(s.U32())), s.Byte(), s.U32()
	if kind == ops.KindGlobal {
		s.globals.Export(name, index)
	}
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
		case ops.End:
			return value
		case ops.I32Const, ops.I64Const:
			value = uint64(uint32(s.Signed()))
		case ops.F32Const:
			s.Take(4)
		case ops.F64Const:
			s.Take(8)
		case ops.RefNull:
			s.Byte()
		case ops.RefFunc:
			s.U32()
		default:
			s.Fail(fmt.Errorf("constant expression with opcode 0x%02x", op))
		}
	}
	return 0
}
