package instrument

import "github.com/edgefvm/fvm/internal/wasm/ops"

// Value types, as in the binary format.
const (
	i32     byte = 0x7f
	i64     byte = 0x7e
	f32     byte = 0x7d
	f64     byte = 0x7c
	funcref byte = 0x70
	bottom  byte = 0 // any type, in code that cannot be reached
)

func isValueType(t byte) bool { return t >= f64 && t <= i32 || t == funcref }

// Opcodes that the pass treats by name.
const (
	opUnreachable   = 0x00
	opNop           = 0x01
	opBlock         = 0x02
	opLoop          = 0x03
	opIf            = 0x04
	opElse          = 0x05
	opEnd           = 0x0b
	opBr            = 0x0c
	opBrIf          = 0x0d
	opBrTable       = 0x0e
	opReturn        = 0x0f
	opCall          = 0x10
	opCallIndirect  = 0x11
	opDrop          = 0x1a
	opSelect        = 0x1b
	opLocalGet      = 0x20
	opLocalSet      = 0x21
	opLocalTee      = 0x22
	opGlobalGet     = 0x23
	opGlobalSet     = 0x24
	opTableGet      = 0x25
	opTableSet      = 0x26
	opMemorySize    = 0x3f
	opMemoryGrow    = 0x40
	opI32Const      = 0x41
	opI64Const      = 0x42
	opF32Const      = 0x43
	opF64Const      = 0x44
	opI64Eqz        = 0x50
	opI64LtS        = 0x53
	opI32Eq         = 0x46
	opI32GtU        = 0x4b
	opF32Eq         = 0x5b
	opF64Eq         = 0x61
	opI32Add        = 0x6a
	opI32Sub        = 0x6b
	opI64Add        = 0x7c
	opI64Sub        = 0x7d
	opI64Mul        = 0x7e
	opI32And        = 0x71
	opI32Or         = 0x72
	opI64And        = 0x83
	opI64Or         = 0x84
	opF32Copysign   = 0x98
	opF64Copysign   = 0xa6
	opI64ExtendI32U = 0xad

	opI32ReinterpretF32 = 0xbc
	opI64ReinterpretF64 = 0xbd
	opF32ReinterpretI32 = 0xbe
	opF64ReinterpretI64 = 0xbf

	opRefNull = 0xd0
	opRefFunc = 0xd2
	opPrefix  = 0xfc

	subMemoryInit = 8
	subDataDrop   = 9
	subMemoryCopy = 10
	subMemoryFill = 11
	subTableInit  = 12
	subElemDrop   = 13
	subTableCopy  = 14
	subTableGrow  = 15
	subTableSize  = 16
	subTableFill  = 17

	blockEmpty = 0x40
)

// ordinaries is indexed by opcode.
var ordinaries = ops.Table()

// price is what an ordinary instruction costs.
func price(op byte, o *ops.Ordinary, costs *Costs) uint64 {
	switch {
	case o.Align >= 0 && o.Out == 0:
		return costs.Store
	case o.Align >= 0:
		return costs.Load
	}
	switch op {
	case 0xa7, opI64ExtendI32U, opI32ReinterpretF32, opI64ReinterpretF64, opF32ReinterpretI32, opF64ReinterpretI64:
		return costs.Default // casts are priced as stack operations, not as arithmetic
	}
	return costs.Math
}
