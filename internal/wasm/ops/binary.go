package ops

import "encoding/binary"

// Value types, and the type of a block without a result.
const (
	I32        byte = 0x7f
	I64        byte = 0x7e
	F32        byte = 0x7d
	F64        byte = 0x7c
	FuncRef    byte = 0x70
	BlockEmpty      = 0x40
)

// FuncType begins a function's type.
const FuncType = 0x60

// MaxPages is the most pages of a memory.
const MaxPages = 65536

// Header begins every module: magic number and version.
const Header = "\x00asm\x01\x00\x00\x00"

// Section ids.
const (
	SecCustom = iota
	SecType
	SecImport
	SecFunction
	SecTable
	SecMemory
	SecGlobal
	SecExport
	SecStart
	SecElement
	SecCode
	SecData
	SecDataCount
)

// Kinds of imports and exports.
const (
	KindFunc = iota
	KindTable
	KindMemory
	KindGlobal
)

// Opcodes that callers treat by name; Table has what else is said of the ordinary ones.
const (
	Unreachable  = 0x00
	Nop          = 0x01
	Block        = 0x02
	Loop         = 0x03
	If           = 0x04
	Else         = 0x05
	End          = 0x0b
	Br           = 0x0c
	BrIf         = 0x0d
	BrTable      = 0x0e
	Return       = 0x0f
	Call         = 0x10
	CallIndirect = 0x11
	Drop         = 0x1a
	Select       = 0x1b
	LocalGet     = 0x20
	LocalSet     = 0x21
	LocalTee     = 0x22
	GlobalGet    = 0x23
	GlobalSet    = 0x24
	TableGet     = 0x25
	TableSet     = 0x26
	I32Load      = 0x28
	I32Load8U    = 0x2d
	I32Store     = 0x36
	I64Store     = 0x37
	MemorySize   = 0x3f
	MemoryGrow   = 0x40
	I32Const     = 0x41
	I64Const     = 0x42
	F32Const     = 0x43
	F64Const     = 0x44

	I32Eqz       = 0x45
	I32Eq        = 0x46
	I32GtU       = 0x4b
	I64Eqz       = 0x50
	I64LtS       = 0x53
	F32Eq        = 0x5b
	F64Eq        = 0x61
	I32Add       = 0x6a
	I32Sub       = 0x6b
	I32Mul       = 0x6c
	I32DivS      = 0x6d
	I32RemU      = 0x70
	I32And       = 0x71
	I32Or        = 0x72
	I64Add       = 0x7c
	I64Sub       = 0x7d
	I64Mul       = 0x7e
	I64DivU      = 0x80
	I64And       = 0x83
	I64Or        = 0x84
	I64Xor       = 0x85
	I64Rotl      = 0x89
	F32Copysign  = 0x98
	F64Copysign  = 0xa6
	I32WrapI64   = 0xa7
	I32TruncF32S = 0xa8

	I64ExtendI32U     = 0xad
	I32ReinterpretF32 = 0xbc
	I64ReinterpretF64 = 0xbd
	F32ReinterpretI32 = 0xbe
	F64ReinterpretI64 = 0xbf
	RefNull           = 0xd0
	RefFunc           = 0xd2
	Prefix            = 0xfc // one of the next follows
	MemoryInit        = 8
	DataDrop          = 9
	MemoryCopy        = 10
	MemoryFill        = 11
	TableInit         = 12
	ElemDrop          = 13
	TableCopy         = 14
	TableGrow         = 15
	TableSize         = 16
	TableFill         = 17
)

// AppendU32 appends an unsigned LEB128 number in its shortest form.
func AppendU32(b []byte, v uint32) []byte { return binary.AppendUvarint(b, uint64(v)) }

// AppendSigned appends a signed LEB128 number in its shortest form.
func AppendSigned(b []byte, v int64) []byte {
	for v < -0x40 || v > 0x3f {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}

// Writer writes the binary format to the end of B.
type Writer struct{ B []byte }

// U8 writes a byte.
func (w *Writer) U8(c byte) { w.B = append(w.B, c) }

// Raw writes bytes.
func (w *Writer) Raw(p ...byte) { w.B = append(w.B, p...) }

// Append writes what is encoded already.
func (w *Writer) Append(p []byte) { w.B = append(w.B, p...) }

// U32 writes an unsigned number.
func (w *Writer) U32(v uint32) { w.B = AppendU32(w.B, v) }

// Len writes a length.
func (w *Writer) Len(n int) { w.U32(uint32(n)) }

// Signed writes a signed number, of 32 bits or of 64.
func (w *Writer) Signed(v int64) { w.B = AppendSigned(w.B, v) }

// String writes a vector of bytes.
func (w *Writer) String(s string) { w.Len(len(s)); w.B = append(w.B, s...) }

// Op writes an instruction, or anything else of a byte, with an index.
func (w *Writer) Op(c byte, i uint32) { w.U8(c); w.U32(i) }

// Section writes a section.
func (w *Writer) Section(id byte, body []byte) {
	w.U8(id)
	w.Len(len(body))
	w.Append(body)
}
