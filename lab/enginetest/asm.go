package enginetest

import "fmt"

// A small assembler: just enough of the binary format to write guests by hand.

// Value types of guests. The floats occur only inside bodies.
const (
	i32 = 0x7f
	i64 = 0x7e
)

// Opcodes, by their names in the text format.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opDrop         = 0x1a
	opI32Eqz       = 0x45
	opI64Eqz       = 0x50
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI32DivS      = 0x6d
	opI32RemU      = 0x70
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Mul       = 0x7e
	opI64DivU      = 0x80
	opI64Xor       = 0x85
	opI64Rotl      = 0x89
	opI32WrapI64   = 0xa7
	opI32TruncF32S = 0xa8
	blockVoid      = 0x40
)

type limits struct {
	min, max uint32
	bounded  bool
}

func (l limits) encode() []byte {
	if l.bounded {
		return cat([]byte{1}, uleb(l.min), uleb(l.max))
	}
	return cat([]byte{0}, uleb(l.min))
}

// wasmModule is a module in the making. Items are sections' entries, encoded.
type wasmModule struct {
	types, imports, funcs, tables, mems, globals, exports, elems, codes, datas [][]byte

	start     []byte
	dataCount bool
	mutable   []string // exports of mutable globals
	// lasting: the guest changes more of itself than a reset sets back.
	lasting bool
}

func (m *wasmModule) typ(params, results []byte) uint32 {
	m.types = append(m.types, cat([]byte{0x60}, vec(params), vec(results)))
	return uint32(len(m.types) - 1)
}

// imp imports a function. All imports come before the first fn.
func (m *wasmModule) imp(module, name string, params, results []byte) uint32 {
	t := m.typ(params, results)
	m.imports = append(m.imports, cat(vec([]byte(module)), vec([]byte(name)), []byte{0}, uleb(t)))
	return uint32(len(m.imports) - 1)
}

// fn defines a function, exported if it has a name. locals are i64.
func (m *wasmModule) fn(name string, params, results []byte, locals uint32, body ...[]byte) uint32 {
	t := m.typ(params, results)
	m.funcs = append(m.funcs, uleb(t))
	decl := []byte{0}
	if locals > 0 {
		decl = cat([]byte{1}, uleb(locals), []byte{i64})
	}
	m.codes = append(m.codes, vec(cat(decl, cat(body...), []byte{opEnd})))
	index := uint32(len(m.imports) + len(m.funcs) - 1)
	if name != "" {
		m.export(name, 0, index)
	}
	return index
}

func (m *wasmModule) export(name string, kind byte, index uint32) {
	m.exports = append(m.exports, cat(vec([]byte(name)), []byte{kind}, uleb(index)))
}

func (m *wasmModule) memory(l limits) {
	m.mems = append(m.mems, l.encode())
	m.export("memory", 2, 0)
}

func (m *wasmModule) global(typ byte, init []byte) uint32 {
	m.globals = append(m.globals, cat([]byte{typ, 1}, init, []byte{opEnd}))
	g := uint32(len(m.globals) - 1)
	name := fmt.Sprint("mutable ", g)
	m.export(name, 3, g)
	m.mutable = append(m.mutable, name)
	return g
}

// counter gives the module the counter that the tests' environments ask for.
func (m *wasmModule) counter() {
	m.export(counterName, 3, m.global(i64, i64c(0)))
}

// table defines table 0 of function references.
func (m *wasmModule) table(l limits) { m.tables = append(m.tables, cat([]byte{0x70}, l.encode())) }

func (m *wasmModule) elem(offset int32, funcs ...uint32) {
	e := cat([]byte{0}, i32c(offset), []byte{opEnd}, uleb(uint32(len(funcs))))
	for _, f := range funcs {
		e = cat(e, uleb(f))
	}
	m.elems = append(m.elems, e)
}

func (m *wasmModule) data(offset int32, b string) {
	m.datas = append(m.datas, cat([]byte{0}, i32c(offset), []byte{opEnd}, vec([]byte(b))))
}

// passive is a data segment for memory.init.
func (m *wasmModule) passive(b string) {
	m.dataCount = true
	m.datas = append(m.datas, cat([]byte{1}, vec([]byte(b))))
}

func (m *wasmModule) bytes() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	// First, so that a module that is cut short is none.
	if !m.lasting {
		list := uleb(uint32(len(m.mutable)))
		for _, name := range m.mutable {
			list = cat(list, vec([]byte(name)))
		}
		out = cat(out, []byte{0}, vec(cat(vec([]byte(resetName)), list)))
	}
	section := func(id byte, items [][]byte) {
		if len(items) > 0 {
			out = cat(out, []byte{id}, vec(cat(uleb(uint32(len(items))), cat(items...))))
		}
	}
	section(1, m.types)
	section(2, m.imports)
	section(3, m.funcs)
	section(4, m.tables)
	section(5, m.mems)
	section(6, m.globals)
	section(7, m.exports)
	if m.start != nil {
		out = cat(out, []byte{8}, vec(m.start))
	}
	section(9, m.elems)
	if m.dataCount {
		out = cat(out, []byte{12}, vec(uleb(uint32(len(m.datas)))))
	}
	section(10, m.codes)
	section(11, m.datas)
	return out
}

func cat(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func op(codes ...byte) []byte { return codes }

func vec(b []byte) []byte { return cat(uleb(uint32(len(b))), b) }

func uleb(v uint32) []byte {
	var out []byte
	for ; v >= 0x80; v >>= 7 {
		out = append(out, byte(v)|0x80)
	}
	return append(out, byte(v))
}

func sleb(v int64) []byte {
	var out []byte
	for v < -64 || v > 63 {
		out = append(out, byte(v)|0x80)
		v >>= 7
	}
	return append(out, byte(v)&0x7f)
}

func i32c(v int32) []byte         { return cat(op(0x41), sleb(int64(v))) }
func i64c(v int64) []byte         { return cat(op(0x42), sleb(v)) }
func f32c(le ...byte) []byte      { return cat(op(0x43), le) }
func get(local uint32) []byte     { return cat(op(0x20), uleb(local)) }
func set(local uint32) []byte     { return cat(op(0x21), uleb(local)) }
func globalGet(g uint32) []byte   { return cat(op(0x23), uleb(g)) }
func globalSet(g uint32) []byte   { return cat(op(0x24), uleb(g)) }
func call(f uint32) []byte        { return cat(op(0x10), uleb(f)) }
func callTable(typ uint32) []byte { return cat(op(0x11), uleb(typ), op(0)) }
func load32() []byte              { return op(0x28, 2, 0) }
func load8() []byte               { return op(0x2d, 0, 0) }
func store32() []byte             { return op(0x36, 2, 0) }
func store64() []byte             { return op(0x37, 3, 0) }
func memorySize() []byte          { return op(0x3f, 0) }
func memoryGrow() []byte          { return op(0x40, 0) }
func memoryFill() []byte          { return op(0xfc, 11, 0) }
func memoryInit(d uint32) []byte  { return cat(op(0xfc, 8), uleb(d), op(0)) }
func dataDrop(d uint32) []byte    { return cat(op(0xfc, 9), uleb(d)) }
func tableCopy() []byte           { return op(0xfc, 14, 0, 0) }
