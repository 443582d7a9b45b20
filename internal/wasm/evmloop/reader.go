package evmloop

import (
	"errors"
	"fmt"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// reader reads b from pos. The first failure sticks; later reads give zeros.
type reader struct {
	b   []byte
	pos int
	err error
}

var errMalformed = errors.New("the module ends too early, or has a number that is too long")

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.pos = len(r.b)
}

func (r *reader) more() bool { return r.pos < len(r.b) }

func (r *reader) u8() byte {
	if !r.more() {
		r.fail(errMalformed)
		return 0
	}
	r.pos++
	return r.b[r.pos-1]
}

func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)-r.pos) {
		r.fail(errMalformed)
		return nil
	}
	r.pos += int(n)
	return r.b[r.pos-int(n) : r.pos]
}

func (r *reader) leb() (v uint64, bits uint) {
	for bits < 70 {
		c := r.u8()
		v |= uint64(c&0x7f) << bits
		bits += 7
		if c < 0x80 {
			return v, bits
		}
	}
	r.fail(errMalformed)
	return 0, 64
}

func (r *reader) u32() uint32 { v, _ := r.leb(); return uint32(v) }

func (r *reader) signed() int64 {
	v, bits := r.leb()
	if bits < 64 && v>>(bits-1) != 0 {
		v |= ^uint64(0) << bits
	}
	return int64(v)
}

// count reads the number of items of a vector; each takes at least a byte.
func (r *reader) count() int {
	n := r.u32()
	if uint64(n) > uint64(len(r.b)-r.pos) {
		r.fail(errMalformed)
		return 0
	}
	return int(n)
}

type funcType struct{ params, results []byte }

// segment is bytes that are in memory from the start.
type segment struct {
	at    uint32
	bytes []byte
}

// module is what the finder has to know of a module.
type module struct {
	types    []funcType
	funcs    []uint32 // type of each function, imported ones first
	imported int
	bodies   [][]byte
	table    map[uint32]uint32 // functions by their place in the table
	data     []segment
}

// readModule reads a module that has been validated.
func readModule(wasm []byte) (*module, error) {
	if len(wasm) < 8 || string(wasm[:8]) != ops.Header {
		return nil, errors.New("no module of version 1")
	}
	m := &module{table: map[uint32]uint32{}}
	r := &reader{b: wasm, pos: 8}
	for r.more() {
		id := r.u8()
		s := &reader{b: r.take(r.u32())}
		if r.err == nil {
			m.section(id, s)
		}
		if s.err != nil {
			return nil, fmt.Errorf("section %d: %w", id, s.err)
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	if len(m.bodies) != len(m.funcs)-m.imported {
		return nil, errors.New("functions without bodies")
	}
	return m, nil
}

func (m *module) section(id byte, s *reader) {
	switch id {
	case ops.SecType:
		for n := s.count(); n > 0 && s.err == nil; n-- {
			s.u8()
			m.types = append(m.types, funcType{s.take(s.u32()), s.take(s.u32())})
		}
	case ops.SecImport:
		m.imports(s)
	case ops.SecFunction:
		for n := s.count(); n > 0 && s.err == nil; n-- {
			m.function(s)
		}
	case ops.SecElement:
		m.elements(s)
	case ops.SecCode:
		for n := s.count(); n > 0 && s.err == nil; n-- {
			m.bodies = append(m.bodies, s.take(s.u32()))
		}
	case ops.SecData:
		for n := s.count(); n > 0 && s.err == nil; n-- {
			if s.u32() != 0 {
				s.fail(errors.New("a data segment that is not copied at the start"))
				return
			}
			at := m.offset(s)
			m.data = append(m.data, segment{at, s.take(s.u32())})
		}
	}
}

func (m *module) function(s *reader) {
	t := s.u32()
	if int64(t) >= int64(len(m.types)) {
		s.fail(fmt.Errorf("no type %d", t))
	}
	m.funcs = append(m.funcs, t)
}

func (m *module) imports(s *reader) {
	for n := s.count(); n > 0 && s.err == nil; n-- {
		s.take(s.u32())
		s.take(s.u32())
		if s.u8() != ops.KindFunc {
			s.fail(errors.New("an import that is no function"))
			return
		}
		m.function(s)
		m.imported++
	}
}

func (m *module) elements(s *reader) {
	for n := s.count(); n > 0 && s.err == nil; n-- {
		if s.u32() != 0 {
			s.fail(errors.New("an element segment that is not copied at the start"))
			return
		}
		at := m.offset(s)
		for i := range uint32(s.count()) {
			m.table[at+i] = s.u32()
		}
	}
}

// offset reads a constant expression.
func (m *module) offset(s *reader) uint32 {
	if s.u8() != ops.I32Const {
		s.fail(errors.New("an offset that is not a constant"))
	}
	at := s.signed()
	if s.u8() != ops.End {
		s.fail(errors.New("an offset that is not a constant"))
	}
	return uint32(at)
}

// word is the number that memory has at an address from the start.
func (m *module) word(at uint32) (uint32, bool) {
	for _, d := range m.data {
		if at >= d.at && uint64(at-d.at)+4 <= uint64(len(d.bytes)) {
			b := d.bytes[at-d.at:]
			return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24, true
		}
	}
	return 0, false
}
