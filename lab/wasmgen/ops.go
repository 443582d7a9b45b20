package wasmgen

import "github.com/edgefvm/fvm/internal/wasm/ops"

// Short names of the value types.
const (
	i32     = ops.I32
	i64     = ops.I64
	f32     = ops.F32
	f64     = ops.F64
	funcref = ops.FuncRef
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
