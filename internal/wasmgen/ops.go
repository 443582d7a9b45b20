package wasmgen

import "encoding/binary"

// Value types, as in the binary format.
const (
	i32     byte = 0x7f
	i64     byte = 0x7e
	f32     byte = 0x7d
	f64     byte = 0x7c
	funcref byte = 0x70
)

// Opcodes, and the second bytes of those that have two.
const (
	opUnreachable  = 0x00
	opNop          = 0x01
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opDrop         = 0x1a
	opSelect       = 0x1b
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableGet     = 0x25
	opTableSet     = 0x26
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opF32Eq        = 0x5b
	opF64Eq        = 0x61
	opI32And       = 0x71
	opRefNull      = 0xd0
	opRefFunc      = 0xd2
	opPrefix       = 0xfc
	subMemoryInit  = 8
	subDataDrop    = 9
	subMemoryCopy  = 10
	subMemoryFill  = 11
	subTableInit   = 12
	subElemDrop    = 13
	subTableCopy   = 14
	subTableGrow   = 15
	subTableSize   = 16
	subTableFill   = 17
)

const blockEmpty = 0x40

// Sections and kinds of imports and exports.
const (
	secType = iota + 1
	secImport
	secFunction
	secTable
	secMemory
	secGlobal
	secExport
	secStart
	secElement
	secCode
	secData
	secDataCount
)

const (
	kindFunc = iota
	kindTable
	kindMemory
	kindGlobal
)

type funcType struct{ params, results []byte }

type global struct {
	typ     byte
	mutable bool
}

// ordinary describes an instruction that takes operands of fixed types, left to right, and gives at most one value.
type ordinary struct {
	known bool
	n     uint8 // operands
	in    [2]byte
	out   byte // 0: none
	align int8 // natural alignment of a memory access, as a power of two; -1: none
	nan   bool // the result may be a NaN of any payload
	// extend: of the proposal for sign extension
	extend bool
}

// ordinaries is indexed by opcode.
var ordinaries = buildOrdinaries()

func buildOrdinaries() *[256]ordinary {
	var t [256]ordinary
	set := func(from, to int, o ordinary) {
		for i := from; i <= to; i++ {
			t[i] = o
		}
	}
	unary := func(from, to int, in, out byte) {
		set(from, to, ordinary{known: true, n: 1, in: [2]byte{in}, out: out, align: -1})
	}
	binary := func(from, to int, in, out byte) {
		set(from, to, ordinary{known: true, n: 2, in: [2]byte{in, in}, out: out, align: -1})
	}
	load := func(op int, out byte, align int8) {
		t[op] = ordinary{known: true, n: 1, in: [2]byte{i32}, out: out, align: align}
	}
	store := func(op int, in byte, align int8) {
		t[op] = ordinary{known: true, n: 2, in: [2]byte{i32, in}, align: align}
	}
	for i, l := range []struct {
		out   byte
		align int8
	}{{i32, 2}, {i64, 3}, {f32, 2}, {f64, 3}, {i32, 0}, {i32, 0}, {i32, 1}, {i32, 1},
		{i64, 0}, {i64, 0}, {i64, 1}, {i64, 1}, {i64, 2}, {i64, 2}} {
		load(0x28+i, l.out, l.align)
	}
	for i, s := range []struct {
		in    byte
		align int8
	}{{i32, 2}, {i64, 3}, {f32, 2}, {f64, 3}, {i32, 0}, {i32, 1}, {i64, 0}, {i64, 1}, {i64, 2}} {
		store(0x36+i, s.in, s.align)
	}
	unary(0x45, 0x45, i32, i32)  // eqz
	binary(0x46, 0x4f, i32, i32) // comparisons
	unary(0x50, 0x50, i64, i32)
	binary(0x51, 0x5a, i64, i32)
	binary(0x5b, 0x60, f32, i32)
	binary(0x61, 0x66, f64, i32)
	unary(0x67, 0x69, i32, i32) // clz, ctz, popcnt
	binary(0x6a, 0x78, i32, i32)
	unary(0x79, 0x7b, i64, i64)
	binary(0x7c, 0x8a, i64, i64)
	unary(0x8b, 0x91, f32, f32)  // abs, neg, ceil, floor, trunc, nearest, sqrt
	binary(0x92, 0x98, f32, f32) // add, sub, mul, div, min, max, copysign
	unary(0x99, 0x9f, f64, f64)
	binary(0xa0, 0xa6, f64, f64)
	unary(0xa7, 0xa7, i64, i32) // wrap
	unary(0xa8, 0xa9, f32, i32)
	unary(0xaa, 0xab, f64, i32)
	unary(0xac, 0xad, i32, i64)
	unary(0xae, 0xaf, f32, i64)
	unary(0xb0, 0xb1, f64, i64)
	unary(0xb2, 0xb3, i32, f32)
	unary(0xb4, 0xb5, i64, f32)
	unary(0xb6, 0xb6, f64, f32) // demote
	unary(0xb7, 0xb8, i32, f64)
	unary(0xb9, 0xba, i64, f64)
	unary(0xbb, 0xbb, f32, f64) // promote
	unary(0xbc, 0xbc, f32, i32) // reinterpret
	unary(0xbd, 0xbd, f64, i64)
	unary(0xbe, 0xbe, i32, f32)
	unary(0xbf, 0xbf, i64, f64)
	unary(0xc0, 0xc1, i32, i32) // extend
	unary(0xc2, 0xc4, i64, i64)
	for op := 0xc0; op <= 0xc4; op++ {
		t[op].extend = true
	}
	// Only the sign is touched by abs, neg and copysign: a NaN keeps its payload.
	for _, span := range [][2]int{{0x8d, 0x97}, {0x9b, 0xa5}, {0xb6, 0xb6}, {0xbb, 0xbb}} {
		for op := span[0]; op <= span[1]; op++ {
			t[op].nan = true
		}
	}
	return &t
}

// saturating are the types of the saturating conversions 0 to 7.
var saturating = [8][2]byte{
	{f32, i32}, {f32, i32}, {f64, i32}, {f64, i32}, {f32, i64}, {f32, i64}, {f64, i64}, {f64, i64},
}

// writer writes the binary format.
type writer struct{ b []byte }

func (w *writer) u8(c byte)           { w.b = append(w.b, c) }
func (w *writer) raw(p ...byte)       { w.b = append(w.b, p...) }
func (w *writer) append(p []byte)     { w.b = append(w.b, p...) }
func (w *writer) u32(v uint32)        { w.b = binary.AppendUvarint(w.b, uint64(v)) }
func (w *writer) len(n int)           { w.u32(uint32(n)) }
func (w *writer) string(s string)     { w.len(len(s)); w.b = append(w.b, s...) }
func (w *writer) op(c byte, i uint32) { w.u8(c); w.u32(i) }

func (w *writer) signed(v int64) {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			w.b = append(w.b, c)
			return
		}
		w.b = append(w.b, c|0x80)
	}
}

func (w *writer) section(id byte, body []byte) {
	w.u8(id)
	w.len(len(body))
	w.append(body)
}
