package evmloop

import (
	"fmt"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// instr is an instruction.
type instr struct {
	op  byte
	sub byte  // of the prefix 0xfc
	at  int   // where it begins in the body
	a   int64 // index, constant, label or the offset of a memory access
	end int   // of block, loop and if: the place of the end among the instructions; of if: els
	els int   // of if: the place of the else, 0 without one
	to  []uint32
}

const (
	i32Add  = 0x6a
	i32Sub  = 0x6b
	i32Shl  = 0x74
	selectT = 0x1c
	refNull = 0xd0
	refFunc = 0xd2
)

// decode reads a body: the number of its locals beside the parameters, and its instructions.
func decode(body []byte) (locals int, code []instr, err error) {
	r := &reader{b: body}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		locals += int(min(r.u32(), maxLocals))
		r.u8()
	}
	var open []int
	for r.more() {
		i := instr{at: r.pos}
		i.op = r.u8()
		i.operands(r)
		switch i.op {
		case ops.Block, ops.Loop, ops.If:
			open = append(open, len(code))
		case ops.Else:
			if len(open) > 0 {
				code[open[len(open)-1]].els = len(code)
			}
		case ops.End:
			if n := len(open); n > 0 {
				code[open[n-1]].end = len(code)
				open = open[:n-1]
			}
		}
		code = append(code, i)
	}
	if r.err == nil && (len(open) > 0 || locals > maxLocals) {
		r.fail(errMalformed)
	}
	return locals, code, r.err
}

const maxLocals = 50_000

func (i *instr) operands(r *reader) {
	switch op := i.op; {
	case op >= ops.Block && op <= ops.If:
		i.a = r.signed()
	case op == ops.BrTable:
		for n := r.count() + 1; n > 0 && r.err == nil; n-- {
			i.to = append(i.to, r.u32())
		}
	case op == ops.CallIndirect:
		i.a = int64(r.u32())
		r.u32()
	case op == ops.Br, op == ops.BrIf, op == ops.Call, op >= ops.LocalGet && op <= ops.TableSet, op == refFunc:
		i.a = int64(r.u32())
	case op >= ops.I32Load && op < ops.MemorySize:
		r.u32()
		i.a = int64(r.u32())
	case op == ops.MemorySize, op == ops.MemoryGrow, op == refNull:
		r.u8()
	case op == ops.I32Const, op == ops.I64Const:
		i.a = r.signed()
	case op == ops.I64Const+1:
		r.take(4)
	case op == ops.I64Const+2:
		r.take(8)
	case op == selectT:
		r.take(r.u32())
	case op == ops.Prefix:
		i.sub = byte(r.u32())
		switch i.sub {
		case ops.MemoryInit, ops.MemoryCopy, ops.TableInit, 14:
			r.u32()
			r.u32()
		case 9, 11, 13, 15, 16, 17:
			r.u32()
		}
	case op > 0xc4:
		r.fail(fmt.Errorf("instruction %#x", op))
	}
}
