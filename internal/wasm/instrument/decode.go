package instrument

import (
	"bytes"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// sectionOrder is the rank of each section id in a module.
var sectionOrder = [...]int{
	ops.SecType: 1, ops.SecImport: 2, ops.SecFunction: 3, ops.SecTable: 4, ops.SecMemory: 5, ops.SecGlobal: 6, ops.SecExport: 7,
	ops.SecStart: 8, ops.SecElement: 9, ops.SecDataCount: 10, ops.SecCode: 11, ops.SecData: 12,
}

// funcType is a function's type. The slices lie in the module's bytes.
type funcType struct{ params, results []byte }

func (t funcType) equal(u funcType) bool {
	return bytes.Equal(t.params, u.params) && bytes.Equal(t.results, u.results)
}

// global is a global's type; init is its initial value with the final end.
type global struct {
	typ     byte
	mutable bool
	init    []byte
}

// function is the function that the global is a reference to.
func (g *global) function() (uint32, bool) {
	if g.init[0] != ops.RefFunc {
		return 0, false
	}
	r := &reader{b: g.init[1:]}
	return r.u32(), true
}

type export struct {
	name  string
	kind  byte
	index uint32
}

// constExpr is a constant expression: one instruction.
type constExpr struct {
	op    byte
	index uint32 // of ref.func and global.get
	value int32  // of i32.const
	raw   []byte // with the final end
}

type segmentMode uint8

const (
	segmentActive segmentMode = iota
	segmentPassive
	segmentDeclared
)

type element struct {
	mode   segmentMode
	offset constExpr
	funcs  []uint32
}

// module is a decoded and, but for function bodies, validated module.
type module struct {
	rules    *Rules
	types    []funcType
	imports  []Import
	funcs    []uint32 // type of each function, imported ones first
	nImpFunc uint32
	tables   []Extent
	nImpTab  int
	memories []Extent
	nImpMem  int
	globals  []global
	nImpGlob uint32
	exports  []export
	start    int64 // -1: none
	elements []element
	hasData  bool // a data count section is there
	nData    uint32
	active   []bool // data segments that are copied at instantiation and then dropped
	bodies   [][]byte
	bodyBase []int

	hasFuncSection bool
	misplaced      bool // a segment does not fit
	typeSize       uint64

	rawType, rawImport, rawFunc, rawTable, rawMemory, rawGlobal, rawData []byte
}

// decode reads a module and validates all but the function bodies.
func decode(wasm []byte, rules *Rules) (*module, error) {
	m := &module{rules: rules, start: -1, typeSize: 1}
	if len(wasm) < 8 || string(wasm[:8]) != ops.Header {
		return nil, refusef("not a module of version 1")
	}
	r := &reader{b: wasm, pos: 8}
	last := 0
	for r.more() {
		id := r.u8()
		size := r.u32()
		base := r.pos
		body := r.bytes(size)
		if r.err != nil {
			return nil, r.err
		}
		s := &reader{b: body, base: base}
		if id == ops.SecCustom {
			s.name()
		} else {
			if id > ops.SecDataCount {
				return nil, refusef("unknown section %d", id)
			}
			if sectionOrder[id] <= last {
				return nil, refusef("section %d out of order", id)
			}
			last = sectionOrder[id]
			m.section(id, s)
			if s.err == nil && s.more() {
				s.fail("bytes left in section %d", id)
			}
		}
		if s.err != nil {
			return nil, s.err
		}
	}
	return m, m.finish()
}

func (m *module) section(id byte, s *reader) {
	switch id {
	case ops.SecType:
		m.rawType = s.b
		m.typeSection(s)
	case ops.SecImport:
		m.rawImport = s.b
		m.importSection(s)
	case ops.SecFunction:
		m.rawFunc, m.hasFuncSection = s.b, true
		for n := m.count(s, maxItems-len(m.funcs)); n > 0 && s.err == nil; n-- {
			m.funcs = append(m.funcs, m.typeIndex(s))
		}
	case ops.SecTable:
		m.rawTable = s.b
		for n := m.count(s, maxTables-len(m.tables)); n > 0 && s.err == nil; n-- {
			m.tables = append(m.tables, m.tableType(s))
		}
	case ops.SecMemory:
		m.rawMemory = s.b
		for n := m.count(s, 1-len(m.memories)); n > 0 && s.err == nil; n-- {
			m.memories = append(m.memories, m.memoryType(s))
		}
	case ops.SecGlobal:
		m.rawGlobal = s.b
		for n := m.count(s, maxItems-len(m.globals)); n > 0 && s.err == nil; n-- {
			g := m.globalType(s)
			g.init = m.constant(s, g.typ).raw
			m.globals = append(m.globals, g)
		}
	case ops.SecExport:
		m.exportSection(s)
	case ops.SecStart:
		m.startSection(s)
	case ops.SecElement:
		for n := m.count(s, maxSegments); n > 0 && s.err == nil; n-- {
			m.elements = append(m.elements, m.element(s))
		}
	case ops.SecDataCount:
		m.hasData, m.nData = true, s.u32()
		if m.nData > maxSegments {
			s.fail("too many data segments")
		}
	case ops.SecCode:
		m.codeSection(s)
	case ops.SecData:
		m.rawData = s.b
		m.dataSection(s)
	}
}

// count reads the number of items of a section.
func (m *module) count(s *reader, limit int) uint32 {
	n := s.u32()
	if int64(n) > int64(limit) {
		s.fail("too many items")
	}
	// Each item takes at least a byte, so that no allocation outgrows the input.
	return n
}

func (m *module) typeIndex(s *reader) uint32 {
	i := s.u32()
	if s.err == nil && int64(i) >= int64(len(m.types)) {
		s.fail("unknown type %d", i)
	}
	return i
}

func (m *module) typeSection(s *reader) {
	for n := m.count(s, maxItems); n > 0 && s.err == nil; n-- {
		if s.u8() != ops.FuncType {
			s.fail("not a function type")
		}
		t := funcType{m.valueTypes(s), m.valueTypes(s)}
		if len(t.results) > 1 {
			s.fail("more than one result")
		}
		m.types = append(m.types, t)
	}
}

func (m *module) valueTypes(s *reader) []byte {
	n := s.u32()
	if n > maxParams {
		s.fail("too many values in a type")
	}
	ts := s.bytes(n)
	for _, t := range ts {
		if !m.isValueType(t) {
			s.fail("value type %#x is not accepted", t)
		}
	}
	return ts
}

func (m *module) isValueType(t byte) bool {
	return isValueType(t) && (t != funcref || m.rules.ReferenceTypes)
}

func (m *module) valueType(s *reader) byte {
	t := s.u8()
	if s.err == nil && !m.isValueType(t) {
		s.fail("value type %#x is not accepted", t)
	}
	return t
}

// grow adds to the module's size of types, which the reference bounds.
func (m *module) grow(s *reader, size int) {
	m.typeSize += uint64(size)
	if m.typeSize >= maxTypeSize {
		s.fail("the types of imports and exports are too large")
	}
}

func (m *module) funcSize(typ uint32) int {
	t := m.types[typ]
	return 1 + len(t.params) + len(t.results)
}

func (m *module) importSection(s *reader) {
	for n := m.count(s, maxItems); n > 0 && s.err == nil; n-- {
		im := Import{Module: s.name(), Name: s.name(), Kind: s.u8()}
		size := 1
		switch im.Kind {
		case ops.KindFunc:
			t := m.typeIndex(s)
			if s.err != nil {
				return
			}
			im.Params, im.Results = m.types[t].params, m.types[t].results
			size = m.funcSize(t)
			m.funcs = append(m.funcs, t)
			m.nImpFunc++
		case ops.KindTable:
			m.tables = append(m.tables, m.tableType(s))
			m.nImpTab++
		case ops.KindMemory:
			m.memories = append(m.memories, m.memoryType(s))
			m.nImpMem++
		case ops.KindGlobal:
			m.globals = append(m.globals, m.globalType(s))
			m.nImpGlob++
		default:
			s.fail("import of kind %d", im.Kind)
		}
		if im.Kind != ops.KindFunc {
			im.Params = []byte{im.Kind} // no function has such a type
		}
		if len(m.tables) > maxTables || len(m.memories) > 1 {
			s.fail("too many imports")
		}
		m.grow(s, size)
		m.imports = append(m.imports, im)
	}
}

func (m *module) limits(s *reader, most uint32) Extent {
	var l Extent
	switch s.u8() {
	case 0:
		l.Min = s.u32()
	case 1:
		l.HasMax = true
		l.Min, l.Max = s.u32(), s.u32()
		if l.Min > l.Max {
			s.fail("minimum above maximum")
		}
	default:
		s.fail("invalid limits")
	}
	if l.Min > most || l.Max > most {
		s.fail("limits too large")
	}
	return l
}

func (m *module) tableType(s *reader) Extent {
	if s.u8() != funcref {
		s.fail("element type is not accepted")
	}
	return m.limits(s, ^uint32(0))
}

func (m *module) memoryType(s *reader) Extent { return m.limits(s, ops.MaxPages) }

func (m *module) globalType(s *reader) global {
	g := global{typ: m.valueType(s)}
	switch s.u8() {
	case 0:
	case 1:
		g.mutable = true
	default:
		s.fail("invalid mutability")
	}
	return g
}

func (m *module) exportSection(s *reader) {
	seen := map[string]bool{}
	for n := m.count(s, maxItems); n > 0 && s.err == nil; n-- {
		e := export{name: s.name(), kind: s.u8(), index: s.u32()}
		if s.err != nil {
			return
		}
		totals := [...]int{ops.KindFunc: len(m.funcs), ops.KindTable: len(m.tables), ops.KindMemory: len(m.memories), ops.KindGlobal: len(m.globals)}
		if int(e.kind) >= len(totals) || int64(e.index) >= int64(totals[e.kind]) {
			s.fail("export of something unknown")
			return
		}
		size := 1
		if e.kind == ops.KindFunc {
			size = m.funcSize(m.funcs[e.index])
		}
		m.grow(s, size)
		if seen[e.name] {
			s.fail("duplicate export")
		}
		seen[e.name] = true
		m.exports = append(m.exports, e)
	}
}

func (m *module) startSection(s *reader) {
	i := s.u32()
	if s.err != nil || int64(i) >= int64(len(m.funcs)) {
		s.fail("unknown start function")
		return
	}
	if t := m.types[m.funcs[i]]; len(t.params)+len(t.results) != 0 {
		s.fail("the start function has a wrong type")
	}
	m.start = int64(i)
}

// constant reads a constant expression of type want.
func (m *module) constant(s *reader, want byte) constExpr {
	from := s.pos
	e := constExpr{op: s.u8()}
	var got byte
	switch e.op {
	case ops.I32Const:
		e.value = int32(s.signed(32))
		got = i32
	case ops.I64Const:
		s.signed(64)
		got = i64
	case ops.F32Const:
		s.bytes(4)
		got = f32
	case ops.F64Const:
		s.bytes(8)
		got = f64
	case ops.RefNull:
		if s.u8() != funcref {
			s.fail("reference type is not accepted")
		}
		got = funcref
	case ops.RefFunc:
		e.index = s.u32()
		if int64(e.index) >= int64(len(m.funcs)) {
			s.fail("unknown function")
		}
		got = funcref
	case ops.GlobalGet:
		e.index = s.u32()
		if e.index >= m.nImpGlob || m.globals[e.index].mutable {
			s.fail("not an immutable imported global")
			return e
		}
		got = m.globals[e.index].typ
	default:
		s.fail("instruction %#x is not constant", e.op)
	}
	if s.u8() != ops.End || got != want {
		s.fail("constant expression of a wrong form or type")
	}
	if s.err == nil {
		e.raw = s.b[from:s.pos:s.pos]
	}
	return e
}

func (m *module) element(s *reader) element {
	var e element
	flags := s.u32()
	if flags > 7 || flags != 0 && m.rules.FirstParser {
		s.fail("invalid element segment")
		return e
	}
	switch {
	case flags&1 == 0:
		table := uint32(0)
		if flags&2 != 0 {
			table = s.u32()
		}
		if int64(table) >= int64(len(m.tables)) {
			s.fail("unknown table")
			return e
		}
		if e.offset = m.constant(s, i32); e.offset.op != ops.I32Const && m.rules.FirstParser {
			s.fail("the offset of an element segment is not a constant")
		}
	case flags&2 == 0:
		e.mode = segmentPassive
	default:
		e.mode = segmentDeclared
	}
	if flags&3 != 0 {
		want := byte(0)
		if flags&4 != 0 {
			want = funcref
		}
		if s.u8() != want {
			s.fail("element type is not accepted")
		}
	}
	n := s.u32()
	if n > maxElems {
		s.fail("too many elements")
	}
	if flags&4 != 0 && n != 0 {
		// Quirk: the reference's gas metering accepts no element given by an expression.
		s.fail("elements given by expressions are not accepted")
	}
	for ; n > 0 && s.err == nil; n-- {
		i := s.u32()
		if int64(i) >= int64(len(m.funcs)) {
			s.fail("unknown function")
			return e
		}
		e.funcs = append(e.funcs, i)
	}
	if e.mode == segmentActive && e.offset.op == ops.I32Const && s.err == nil {
		m.place(uint32(e.offset.value), uint64(len(e.funcs)), uint64(m.tables[0].Min))
	}
	return e
}

// place notes a segment that does not fit its memory or table: an instance cannot be made.
func (m *module) place(offset uint32, size, room uint64) {
	m.misplaced = m.misplaced || uint64(offset)+size > room
}

func (m *module) codeSection(s *reader) {
	n := s.u32()
	if int64(n) != int64(len(m.funcs))-int64(m.nImpFunc) {
		s.fail("functions and bodies differ in number")
		return
	}
	m.bodies = make([][]byte, 0, min(int(n), len(s.b)))
	for ; n > 0 && s.err == nil; n-- {
		size := s.u32()
		m.bodyBase = append(m.bodyBase, s.base+s.pos)
		m.bodies = append(m.bodies, s.bytes(size))
	}
}

func (m *module) dataSection(s *reader) {
	n := s.u32()
	if n > maxSegments || m.hasData && n != m.nData {
		s.fail("wrong number of data segments")
	}
	m.nData = n
	for ; n > 0 && s.err == nil; n-- {
		flags := s.u32()
		switch flags {
		case 0, 2:
			memory := uint32(0)
			if flags == 2 {
				memory = s.u32()
			}
			if int64(memory) >= int64(len(m.memories)) {
				s.fail("unknown memory")
				return
			}
			// Quirk: the reference's gas metering accepts no other offset.
			e := m.constant(s, i32)
			if e.op != ops.I32Const {
				s.fail("the offset of a data segment is not a constant")
			}
			size := s.u32()
			s.bytes(size)
			m.place(uint32(e.value), uint64(size), uint64(m.memories[0].Min)<<16)
			m.active = append(m.active, true)
		case 1:
			s.bytes(s.u32())
			m.active = append(m.active, false)
		default:
			s.fail("invalid data segment")
		}
	}
}

// finish makes the checks that need the whole module.
func (m *module) finish() error {
	if len(m.bodies) != len(m.funcs)-int(m.nImpFunc) {
		return refusef("functions without bodies")
	}
	if m.hasData && m.rawData == nil && m.nData != 0 {
		return refusef("data segments are missing")
	}
	// Quirk: the stack limiter of 0.4.0 needs a function section, even an empty one.
	if !m.hasFuncSection && !m.rules.FirstParser {
		return refusef("no function section")
	}
	if n := m.rules.Limits.Tables; len(m.tables)-m.nImpTab > n {
		return refusef("more than one table, or than %d", n)
	}
	for _, t := range m.tables[m.nImpTab:] {
		if t.Min > m.rules.Limits.TableElements {
			return refusef("table too large")
		}
	}
	for _, l := range m.memories[m.nImpMem:] {
		if l.Min > m.rules.Limits.MemoryPages {
			return refusef("memory too large")
		}
	}
	return nil
}
