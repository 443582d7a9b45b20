package wasmgen

import (
	"encoding/binary"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

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
	opI32Mul       = 0x6c
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

// What the specification says of instructions.
var (
	ordinaries = ops.Table() // by opcode
	saturating = ops.Saturating()
)

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
