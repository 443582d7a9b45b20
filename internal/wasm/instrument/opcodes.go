package instrument

import "github.com/edgefvm/fvm/internal/wasm/ops"

// Short names of the value types, and one more.
const (
	i32          = ops.I32
	i64          = ops.I64
	f32          = ops.F32
	f64          = ops.F64
	funcref      = ops.FuncRef
	bottom  byte = 0 // any type, in code that cannot be reached
)

func isValueType(t byte) bool { return t >= f64 && t <= i32 || t == funcref }

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
	case ops.I32WrapI64, ops.I64ExtendI32U, ops.I32ReinterpretF32, ops.I64ReinterpretF64, ops.F32ReinterpretI32, ops.F64ReinterpretI64:
		return costs.Default // casts are priced as stack operations, not as arithmetic
	}
	return costs.Math
}
