// Package ops is what the WebAssembly specification says of the binary format and of instructions with fixed operands: their
// types, the alignment of memory accesses, which results may be NaNs. It writes the format, too.
//
// Callers: the instrumentation pass, the generator of modules that tests it, and whoever reads or makes modules besides; an
// engine that validates and runs the generated modules judges all. What does not belong here: prices, what a network accepts, and
// reading, in which the pass must be as strict as the network and others need not be.
package ops

// Short names for the table below.
const (
	i32 = I32
	i64 = I64
	f32 = F32
	f64 = F64
)

// Ordinary is an instruction that takes operands of fixed types, left to right, and gives at most one value. The zero value is
// none of these.
type Ordinary struct {
	N      uint8 // operands
	In     [2]byte
	Out    byte // 0: none
	Align  int8 // natural alignment of a memory access, as a power of two; -1: none
	NaN    bool // the result may be a NaN of any payload
	Extend bool // of the sign extension proposal
}

// Known tells an ordinary instruction from the rest: each takes an operand.
func (o *Ordinary) Known() bool { return o.N > 0 }

// Saturating are the types of the saturating conversions 0 to 7: what each takes and gives.
func Saturating() [8][2]byte {
	return [8][2]byte{
		{f32, i32}, {f32, i32}, {f64, i32}, {f64, i32}, {f32, i64}, {f32, i64}, {f64, i64}, {f64, i64},
	}
}

// Table holds the ordinary instructions by opcode.
func Table() *[256]Ordinary {
	var t [256]Ordinary
	set := func(from, to int, o Ordinary) {
		for i := from; i <= to; i++ {
			t[i] = o
		}
	}
	unary := func(from, to int, in, out byte) {
		set(from, to, Ordinary{N: 1, In: [2]byte{in}, Out: out, Align: -1})
	}
	binary := func(from, to int, in, out byte) {
		set(from, to, Ordinary{N: 2, In: [2]byte{in, in}, Out: out, Align: -1})
	}
	load := func(op int, out byte, align int8) {
		t[op] = Ordinary{N: 1, In: [2]byte{i32}, Out: out, Align: align}
	}
	store := func(op int, in byte, align int8) {
		t[op] = Ordinary{N: 2, In: [2]byte{i32, in}, Align: align}
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
		t[op].Extend = true
	}
	// Only the sign is touched by abs, neg and copysign: a NaN keeps its payload.
	for _, span := range [][2]int{{0x8d, 0x97}, {0x9b, 0xa5}, {0xb6, 0xb6}, {0xbb, 0xbb}} {
		for op := span[0]; op <= span[1]; op++ {
			t[op].NaN = true
		}
	}
	return &t
}
