package enginetest

import (
	"fmt"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// A small assembler: just enough of the binary format to write guests by hand.

// Value types of guests. The floats occur only inside bodies.
const (
	i32 = ops.I32
	i64 = ops.I64
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
	m.types = append(m.types, cat([]byte{ops.FuncType}, vec(params), vec(results)))
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
	m.codes = append(m.codes, vec(cat(decl, cat(body...), []byte{ops.End})))
	index := uint32(len(m.imports) + len(m.funcs) - 1)
	if name != "" {
		m.export(name, ops.KindFunc, index)
	}
	return index
}

func (m *wasmModule) export(name string, kind byte, index uint32) {
	m.exports = append(m.exports, cat(vec([]byte(name)), []byte{kind}, uleb(index)))
}

func (m *wasmModule) memory(l limits) {
	m.mems = append(m.mems, l.encode())
	m.export("memory", ops.KindMemory, 0)
}

func (m *wasmModule) global(typ byte, init []byte) uint32 {
	m.globals = append(m.globals, cat([]byte{typ, 1}, init, []byte{ops.End}))
	g := uint32(len(m.globals) - 1)
	name := fmt.Sprint("mutable ", g)
	m.export(name, ops.KindGlobal, g)
	m.mutable = append(m.mutable, name)
	return g
}

// counter gives the module the counter that the tests' environments ask for.
func (m *wasmModule) counter() {
	m.export(counterName, ops.KindGlobal, m.global(i64, i64c(0)))
}

// table defines table 0 of function references.
func (m *wasmModule) table(l limits) {
	m.tables = append(m.tables, cat([]byte{ops.FuncRef}, l.encode()))
}

func (m *wasmModule) elem(offset int32, funcs ...uint32) {
	e := cat([]byte{0}, i32c(offset), []byte{ops.End}, uleb(uint32(len(funcs))))
	for _, f := range funcs {
		e = cat(e, uleb(f))
	}
	m.elems = append(m.elems, e)
}

func (m *wasmModule) data(offset int32, b string) {
	m.datas = append(m.datas, cat([]byte{0}, i32c(offset), []byte{ops.End}, vec([]byte(b))))
}

// passive is a data segment for memory.init.
func (m *wasmModule) passive(b string) {
	m.dataCount = true
	m.datas = append(m.datas, cat([]byte{1}, vec([]byte(b))))
}

func (m *wasmModule) bytes() []byte {
	out := []byte(ops.Header)
	// First, so that a module that is cut short is none.
	if !m.lasting {
		list := uleb(uint32(len(m.mutable)))
		for _, name := range m.mutable {
			list = cat(list, vec([]byte(name)))
		}
		out = cat(out, []byte{ops.SecCustom}, vec(cat(vec([]byte(resetName)), list)))
	}
	section := func(id byte, items [][]byte) {
		if len(items) > 0 {
			out = cat(out, []byte{id}, vec(cat(uleb(uint32(len(items))), cat(items...))))
		}
	}
	section(ops.SecType, m.types)
	section(ops.SecImport, m.imports)
	section(ops.SecFunction, m.funcs)
	section(ops.SecTable, m.tables)
	section(ops.SecMemory, m.mems)
	section(ops.SecGlobal, m.globals)
	section(ops.SecExport, m.exports)
	if m.start != nil {
		out = cat(out, []byte{ops.SecStart}, vec(m.start))
	}
	section(ops.SecElement, m.elems)
	if m.dataCount {
		out = cat(out, []byte{ops.SecDataCount}, vec(uleb(uint32(len(m.datas)))))
	}
	section(ops.SecCode, m.codes)
	section(ops.SecData, m.datas)
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

func uleb(v uint32) []byte { return ops.AppendU32(nil, v) }

func sleb(v int64) []byte { return ops.AppendSigned(nil, v) }

func i32c(v int32) []byte         { return cat(op(ops.I32Const), sleb(int64(v))) }
func i64c(v int64) []byte         { return cat(op(ops.I64Const), sleb(v)) }
func f32c(le ...byte) []byte      { return cat(op(ops.F32Const), le) }
func get(local uint32) []byte     { return cat(op(ops.LocalGet), uleb(local)) }
func set(local uint32) []byte     { return cat(op(ops.LocalSet), uleb(local)) }
func globalGet(g uint32) []byte   { return cat(op(ops.GlobalGet), uleb(g)) }
func globalSet(g uint32) []byte   { return cat(op(ops.GlobalSet), uleb(g)) }
func call(f uint32) []byte        { return cat(op(ops.Call), uleb(f)) }
func callTable(typ uint32) []byte { return cat(op(ops.CallIndirect), uleb(typ), op(0)) }
func load32() []byte              { return op(ops.I32Load, 2, 0) }
func load8() []byte               { return op(ops.I32Load8U, 0, 0) }
func store32() []byte             { return op(ops.I32Store, 2, 0) }
func store64() []byte             { return op(ops.I64Store, 3, 0) }
func memorySize() []byte          { return op(ops.MemorySize, 0) }
func memoryGrow() []byte          { return op(ops.MemoryGrow, 0) }
func memoryFill() []byte          { return op(ops.Prefix, ops.MemoryFill, 0) }
func memoryInit(d uint32) []byte  { return cat(op(ops.Prefix, ops.MemoryInit), uleb(d), op(0)) }
func dataDrop(d uint32) []byte    { return cat(op(ops.Prefix, ops.DataDrop), uleb(d)) }
func tableCopy() []byte           { return op(ops.Prefix, ops.TableCopy, 0, 0) }
