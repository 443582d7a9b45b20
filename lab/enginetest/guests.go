package enginetest

import (
	"context"
	"errors"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/wasm/ops"
)

const (
	counterName = "gas_counter"
	resetName   = "reset" // section of the guests that can be reset
)

var (
	none   = []byte{}
	one32  = []byte{i32}
	two32  = []byte{i32, i32}
	one64  = []byte{i64}
	two64  = []byte{i64, i64}
	mixed  = []byte{i32, i64, i32}
	three3 = []byte{i32, i32, i32}
)

// errHost is what the host functions of the tests fail with.
var errHost = errors.New("host says no")

// failWith is the argument that makes host.f fail.
const failWith = 0xdead

// hostF is host.f (i32) -> i32, the host function that most guests call.
type hostF func(ctx context.Context, in engine.Instance, n uint32) (uint32, error)

// hostFuncs is the environment of the tests. host.mixed records its arguments.
func hostFuncs(f hostF, args *[3]uint64) []engine.HostFunc {
	return []engine.HostFunc{
		{Module: "host", Name: "f", Params: []engine.ValueType{engine.I32}, Results: []engine.ValueType{engine.I32},
			Fn: func(ctx context.Context, in engine.Instance, stack []uint64) error {
				n, err := f(ctx, in, uint32(stack[0]))
				stack[0] = uint64(n)
				return err
			}},
		{Module: "other", Name: "mixed", Params: []engine.ValueType{engine.I32, engine.I64, engine.I32},
			Fn: func(_ context.Context, _ engine.Instance, stack []uint64) error {
				*args = [3]uint64{uint64(uint32(stack[0])), stack[1], uint64(uint32(stack[2]))}
				return nil
			}},
		{Module: "other", Name: "nothing",
			Fn: func(context.Context, engine.Instance, []uint64) error { return nil }},
		{Module: "other", Name: "wide", Results: []engine.ValueType{engine.I64},
			Fn: func(_ context.Context, _ engine.Instance, stack []uint64) error {
				stack[0] = 1<<63 + 9
				return nil
			}},
	}
}

// kitchen is a module with a little of everything that a reset sets back. Its memory
// has pages pages.
func kitchen(pages uint32) []byte { return newKitchen(pages).bytes() }

// lastingKitchen also has what a reset does not set back.
func lastingKitchen(pages uint32) []byte {
	m := newKitchen(pages)
	m.lasting = true
	m.fn("drop", none, none, 0, dataDrop(1))
	// Copies slot 1 to slot 4.
	m.fn("tablecopy", none, none, 0, i32c(4), i32c(1), i32c(1), tableCopy())
	return m.bytes()
}

// manyKitchen has as many functions as an actor.
func manyKitchen(pages uint32) []byte {
	m := newKitchen(pages)
	for range 800 {
		m.fn("", one32, one32, 0, get(0))
	}
	return m.bytes()
}

func newKitchen(pages uint32) *wasmModule {
	m := &wasmModule{}
	f := m.imp("host", "f", one32, one32)
	mix := m.imp("other", "mixed", mixed, none)
	nothing := m.imp("other", "nothing", none, none)
	wide := m.imp("other", "wide", none, one64)
	m.counter()
	private := m.global(i64, i64c(11))
	m.memory(limits{min: pages})
	m.table(limits{min: 6, max: 6, bounded: true})

	m.fn("echo32", one32, one32, 0, get(0))
	m.fn("sub64", two64, one64, 0, get(0), get(1), op(ops.I64Sub))
	m.fn("none", none, none, 0, call(nothing))
	m.fn("invoke", one32, one32, 0, get(0), call(f))
	m.fn("mixed", mixed, none, 0, get(0), get(1), get(2), call(mix))
	m.fn("wide", none, one64, 0, call(wide))
	m.export("direct", 0, f)
	m.fn("private", one64, one64, 0, globalGet(private), get(0), globalSet(private))
	// Counts down by 5, then asks the host, then counts down by 7.
	m.fn("count", one32, one32, 0, count(5), get(0), call(f), count(7))
	kitchenMemory(m, f)
	kitchenTable(m)
	kitchenTraps(m)
	return m
}

func count(n int64) []byte {
	return cat(globalGet(0), i64c(n), op(ops.I64Sub), globalSet(0))
}

func kitchenMemory(m *wasmModule, f uint32) {
	m.data(16, "segment")
	m.passive("passive!")
	m.fn("load8", one32, one32, 0, get(0), load8())
	m.fn("load32", one32, one32, 0, get(0), load32())
	m.fn("store32", two32, none, 0, get(0), get(1), store32())
	m.fn("size", none, one32, 0, memorySize())
	m.fn("grow", one32, one32, 0, get(0), memoryGrow())
	m.fn("fill", three3, none, 0, get(0), get(1), get(2), memoryFill())
	m.fn("init", one32, none, 0, get(0), i32c(0), i32c(8), memoryInit(1))
	// Stores 0x77 at 0, grows by one page, asks the host, loads from 0.
	m.fn("growcall", one32, one32, 0, i32c(0), i32c(0x77), store32(), i32c(1), memoryGrow(), op(ops.Drop),
		get(0), call(f), op(ops.Drop), i32c(0), load32())
}

// kitchenTable fills slots 0 to 2 of 6.
func kitchenTable(m *wasmModule) {
	seven := m.fn("", none, one32, 0, i32c(7))
	eight := m.fn("", none, one32, 0, i32c(8))
	wide := m.fn("", none, one64, 0, i64c(9))
	m.elem(0, seven, eight, wide)
	m.fn("table", one32, one32, 0, get(0), callTable(m.typ(none, one32)))
}

func kitchenTraps(m *wasmModule) {
	m.fn("unreachable", none, none, 0, op(ops.Unreachable))
	m.fn("div", two32, one32, 0, get(0), get(1), op(ops.I32DivS))
	m.fn("rem", two32, one32, 0, get(0), get(1), op(ops.I32RemU))
	m.fn("div64", two64, one64, 0, get(0), get(1), op(ops.I64DivU))
	m.fn("nan", none, one32, 0, f32c(0, 0, 0xc0, 0x7f), op(ops.I32TruncF32S))
	m.fn("huge", none, one32, 0, f32c(0, 0, 0x80, 0x7e), op(ops.I32TruncF32S))
	self := uint32(len(m.imports) + len(m.funcs))
	m.fn("recurse", one64, one64, 0, get(0), i64c(1), op(ops.I64Add), call(self), i64c(3), op(ops.I64Mul))
	// Goes down n calls and comes back.
	self = uint32(len(m.imports) + len(m.funcs))
	m.fn("down", one64, one64, 0,
		op(ops.Block, ops.BlockEmpty), get(0), op(ops.I64Eqz), op(ops.BrIf, 0),
		get(0), i64c(1), op(ops.I64Sub), call(self), i64c(1), op(ops.I64Add), set(0), op(ops.End),
		get(0))
}

// kernel is a loop of arithmetic, stores and counting: work(n, seed) -> i64.
func kernel() []byte {
	m := &wasmModule{}
	m.counter()
	m.memory(limits{min: 1})
	m.fn("work", two64, one64, 0,
		op(ops.Loop, ops.BlockEmpty),
		get(1), i64c(0x5851f42d4c957f2d), op(ops.I64Mul), get(0), op(ops.I64Xor), i64c(13), op(ops.I64Rotl), set(1),
		get(1), op(ops.I32WrapI64), i32c(8000), op(ops.I32RemU), get(1), store64(),
		count(3),
		get(0), i64c(1), op(ops.I64Sub), set(0),
		get(0), op(ops.I64Eqz), op(ops.I32Eqz), op(ops.BrIf, 0),
		op(ops.End), get(1))
	return m.bytes()
}

// hostLoop calls host.f n times: loop(n).
func hostLoop() []byte {
	m := &wasmModule{}
	f := m.imp("host", "f", one32, one32)
	m.counter()
	m.memory(limits{min: 1})
	m.fn("loop", one32, none, 0,
		op(ops.Loop, ops.BlockEmpty),
		i32c(1), call(f), op(ops.Drop),
		get(0), i32c(1), op(ops.I32Sub), set(0),
		get(0), op(ops.BrIf, 0), op(ops.End))
	return m.bytes()
}
