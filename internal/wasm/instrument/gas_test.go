package instrument

import (
	"math"
	"testing"
)

// thunk is the gas of entering a function of one parameter: its get, the call and the guard.
const thunk = 4 + 4 + 48

// drop1 costs 4: one constant.
var drop1 = []byte{opI32Const, 0, opDrop}

func TestGas(t *testing.T) {
	const perByte, perElement, perPage = 400, 3200, 65536 * 400 // milligas
	host := fn{params: []byte{i32}}
	other := fn{params: []byte{i32}, code: drop1}
	get := []byte{opLocalGet, 0}
	// f is function 1: the host's function is 0, other is 2.
	for _, c := range []struct {
		name string
		code []byte
		arg  uint64
		gas  uint64
		part uint64 // milligas more
		trap string
	}{
		{name: "nothing"},
		{name: "free", code: []byte{opNop, opBlock, blockEmpty, opEnd, opLoop, blockEmpty, opEnd, opReturn}},
		{name: "constants", code: []byte{opI64Const, 1, opDrop, opF32Const, 0, 0, 0, 0, opDrop, opF64Const, 0, 0, 0, 0, 0, 0, 0, 0, opDrop}, gas: 12},
		{name: "arithmetic", code: join(get, get, []byte{opI32Add, opDrop}), gas: 12},
		{name: "comparison", code: join(get, []byte{0x45, opDrop}), gas: 8},
		{name: "cast", code: join(get, []byte{opI64ExtendI32U, opDrop}), gas: 8},
		{name: "saturating", code: []byte{opF32Const, 0, 0, 0, 0, opPrefix, 0, opDrop}, gas: 8},
		{name: "sign extension", code: join(get, []byte{0xc0, opDrop}), gas: 8},
		{name: "tee and set", code: join(get, []byte{opLocalTee, 0, opLocalSet, 0}), gas: 12},
		{name: "global", code: []byte{opGlobalGet, 0, opGlobalSet, 0}, gas: 8},
		{name: "select", code: join(get, get, get, []byte{opSelect, opDrop}), gas: 16},
		{name: "load", code: join(get, []byte{0x28, 0, 0, opDrop}), gas: 8},
		{name: "store", code: join(get, get, []byte{0x36, 0, 0}), gas: 12},
		{name: "table.get, table.set", code: join(get, get, []byte{opTableGet, 0, opTableSet, 0}), gas: 16},
		{name: "sizes", code: []byte{opMemorySize, 0, opDrop, opPrefix, subTableSize, 0, opDrop}, gas: 8},
		{name: "drops of segments", code: []byte{opPrefix, subDataDrop, 0, opPrefix, subElemDrop, 0}, gas: 8},

		// A NaN made canonical and a copysign cost what the one instruction costs.
		{name: "NaN", code: join(get, []byte{0xb2, 0x91, opDrop}), gas: 12},
		{name: "copysign", code: join(get, []byte{0xb2}, get, []byte{0xb2, opF32Copysign, opDrop}), gas: 20},

		// A block is charged where it starts, even if a trap keeps it from its end.
		{name: "trap", code: join(drop1, []byte{opUnreachable}, drop1), gas: 8, trap: "unreachable"},
		{name: "trap before a block", code: join([]byte{opUnreachable, opLoop, blockEmpty}, drop1, []byte{opEnd}), trap: "unreachable"},
		{name: "trap before what a block shares", code: join([]byte{opUnreachable, opBlock, blockEmpty}, drop1, []byte{opEnd}), gas: 4, trap: "unreachable"},
		{name: "block", code: join(drop1, []byte{opBlock, blockEmpty}, drop1, []byte{opEnd}, drop1), gas: 12},

		// get, const, sub, tee and br_if in each turn.
		{name: "loop", code: join([]byte{opLoop, blockEmpty}, get, []byte{opI32Const, 1, opI32Sub, opLocalTee, 0, opBrIf, 0, opEnd}), arg: 7, gas: 7 * 20},
		{name: "then", code: join(get, []byte{opIf, blockEmpty}, drop1, []byte{opElse}, drop1, drop1, []byte{opEnd}), arg: 1, gas: 8 + 4},
		{name: "else", code: join(get, []byte{opIf, blockEmpty}, drop1, []byte{opElse}, drop1, drop1, []byte{opEnd}), gas: 8 + 8},
		{name: "if without else", code: join(get, []byte{opIf, blockEmpty}, drop1, []byte{opEnd}, drop1), gas: 8 + 4},
		{name: "return", code: join(get, []byte{opIf, blockEmpty, opReturn, opEnd}, drop1), arg: 1, gas: 8},
		{name: "no return", code: join(get, []byte{opIf, blockEmpty, opReturn, opEnd}, drop1), gas: 8 + 4},
		// What follows br cannot be reached, and is a block of its own. What follows the end is reached.
		{name: "br", code: join([]byte{opBlock, blockEmpty, opBr, 0}, drop1, []byte{opEnd}, drop1), gas: 4 + 4},

		// What follows a block that is left by its own end is charged with what comes before it.
		{name: "br_if taken", code: join([]byte{opBlock, blockEmpty}, get, []byte{opBrIf, 0}, drop1, []byte{opEnd}, drop1), arg: 1, gas: 8 + 4},
		{name: "br_if not taken", code: join([]byte{opBlock, blockEmpty}, get, []byte{opBrIf, 0}, drop1, []byte{opEnd}, drop1), gas: 8 + 4 + 4},
		{name: "br_if out of two, taken", code: join([]byte{opBlock, blockEmpty, opBlock, blockEmpty}, get, []byte{opBrIf, 1}, drop1, []byte{opEnd}, drop1, []byte{opEnd}, drop1), arg: 1, gas: 8 + 4},
		{name: "br_if out of two, not taken", code: join([]byte{opBlock, blockEmpty, opBlock, blockEmpty}, get, []byte{opBrIf, 1}, drop1, []byte{opEnd}, drop1, []byte{opEnd}, drop1), gas: 8 + 4 + 4 + 4},
		// The branch cuts after both blocks that it leaps out of.
		{name: "br_if out of three, taken", code: join(repeat(3, opBlock, blockEmpty), get, []byte{opBrIf, 2, opEnd}, drop1, []byte{opEnd}, drop1, []byte{opEnd}, drop1), arg: 1, gas: 8 + 4},
		{name: "br_if out of three, not taken", code: join(repeat(3, opBlock, blockEmpty), get, []byte{opBrIf, 2, opEnd}, drop1, []byte{opEnd}, drop1, []byte{opEnd}, drop1), gas: 8 + 4 + 4 + 4},
		// The target 1 cuts after the inner block.
		{name: "br_table to 0", code: join([]byte{opBlock, blockEmpty, opBlock, blockEmpty}, get, []byte{opBrTable, 2, 0, 1, 0, opEnd}, drop1, []byte{opEnd}, drop1), gas: 8 + 4 + 4},
		{name: "br_table to 1", code: join([]byte{opBlock, blockEmpty, opBlock, blockEmpty}, get, []byte{opBrTable, 2, 0, 1, 0, opEnd}, drop1, []byte{opEnd}, drop1), arg: 1, gas: 8 + 4},

		{name: "call of an import", code: join(get, []byte{opCall, 0}), gas: 4 + 4},
		{name: "call", code: join(get, []byte{opCall, 2}), gas: 4 + 4 + 48 + 4},
		{name: "call_indirect", code: join(get, get, []byte{opCallIndirect, 2, 0}), arg: 1, gas: 4 + 4 + 4 + thunk + 4},
		{name: "call_indirect of an import", code: join(get, get, []byte{opCallIndirect, 0, 0}), gas: 4 + 4 + 4},
		{name: "call_indirect of the wrong type", code: join(get, get, []byte{opCallIndirect, 0, 0}), arg: 2, gas: 4 + 4 + 4, trap: "invalid table access"},

		{name: "memory.grow", code: []byte{opI32Const, 2, opMemoryGrow, 0, opDrop}, gas: 8, part: 2 * perPage},
		{name: "memory.grow by a value", code: join(get, []byte{opMemoryGrow, 0, opDrop}), arg: 3, gas: 8, part: 3 * perPage},
		{name: "memory.grow without success", code: join(get, []byte{opMemoryGrow, 0, opDrop}), arg: math.MaxUint32, gas: 8, part: math.MaxUint32 * perPage},
		{name: "memory.fill", code: []byte{opI32Const, 0, opI32Const, 0, opI32Const, 9, opPrefix, subMemoryFill, 0}, gas: 16, part: 9 * perByte},
		{name: "memory.fill by a value", code: join(three, []byte{opPrefix, subMemoryFill, 0}), arg: 11, gas: 16, part: 11 * perByte},
		{name: "memory.fill too far", code: join(three, []byte{opPrefix, subMemoryFill, 0}), arg: 65537, gas: 16, part: 65537 * perByte, trap: "out of bounds memory access"},
		{name: "memory.copy", code: join(three, []byte{opPrefix, subMemoryCopy, 0, 0}), arg: 3, gas: 16, part: 3 * perByte},
		{name: "memory.init", code: join(three, []byte{opPrefix, subMemoryInit, 0, 0}), arg: 2, gas: 16, part: 2 * perByte},
		{name: "table.copy", code: join(three, []byte{opPrefix, subTableCopy, 0, 0}), arg: 1, gas: 16, part: perElement},
		{name: "table.copy by a constant", code: []byte{opI32Const, 0, opI32Const, 0, opI32Const, 1, opPrefix, subTableCopy, 0, 0}, gas: 16, part: perElement},
		{name: "table.init", code: join(three, []byte{opPrefix, subTableInit, 1, 0}), arg: 1, gas: 16, part: perElement},
		{name: "table.fill", code: []byte{opI32Const, 0, opI32Const, 0, opTableGet, 0, opLocalGet, 0, opPrefix, subTableFill, 0}, arg: 1, gas: 20, part: perElement},
		{name: "table.grow", code: []byte{opI32Const, 0, opTableGet, 0, opLocalGet, 0, opPrefix, subTableGrow, 0, opDrop}, arg: 2, gas: 16, part: 2 * perElement},
		// Only a constant just before makes the price a constant.
		{name: "nop between", code: []byte{opI32Const, 0x7f, opNop, opMemoryGrow, 0, opDrop}, gas: 8, part: math.MaxUint32 * perPage},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := start(t, &guest{
				hosts:  []fn{host},
				funcs:  []fn{{name: "f", params: []byte{i32}, code: c.code}, other},
				memory: []byte{1, 0, 1}, table: []byte{1, funcref, 0, 3}, globals: []byte{1, i32, 1, opI32Const, 0, opEnd},
				element:   []byte{2, 0, opI32Const, 0, opEnd, 2, 0, 2, 1, 0, 1, 2},
				dataCount: 1, data: []byte{1, 1, 2, 'a', 'b'},
			}, RulesV040())
			gas, err := x.gas("f", c.arg)
			if c.trap != "" {
				wantTrap(t, err, c.trap)
			} else if err != nil {
				t.Error(err)
			}
			if want := (thunk+c.gas)*milli + c.part; gas != want {
				t.Errorf("%d milligas, want %d", gas, want)
			}
		})
	}
}

func TestThunkGas(t *testing.T) {
	for n := 0; n < 4; n++ {
		x := start(t, &guest{funcs: []fn{{name: "f", params: repeat(n, i64)}}}, RulesV040())
		gas, err := x.gas("f", make([]uint64, n)...)
		if want := uint64(4*n+52) * milli; gas != want || err != nil {
			t.Errorf("%d parameters: %d milligas, %v, want %d", n, gas, err, want)
		}
	}
	x := start(t, &guest{hosts: []fn{{name: "f", params: []byte{i64}}}}, RulesV040())
	if gas, err := x.gas("f", 1); gas != 0 || err != nil {
		t.Errorf("an import: %d milligas, %v", gas, err)
	}
}

// The counter may reach zero, and below it the host is asked before the block runs.
func TestExhaustion(t *testing.T) {
	const need = (thunk + 4 + 4) * milli
	g := oneFunc(opLocalGet, 0, opCall, 0)
	g.hosts = []fn{{params: []byte{i32}}}
	x := start(t, g, RulesV040())
	for _, c := range []struct {
		have    int64
		refills int
		calls   int
		fails   bool
	}{{need, 0, 1, false}, {need - 1, 0, 0, true}, {need - 1, 1, 1, false}, {0, 1, 1, false}, {0, 0, 0, true}} {
		setCounter(x.mod, c.have)
		x.refills, x.log = c.refills, nil
		_, err := x.call("f", 1)
		if endless(err) != c.fails || len(x.log) != c.calls {
			t.Errorf("%+v: %v, %d calls of the host", c, err, len(x.log))
		}
	}
}

// The default target of br_table does not count: what follows the inner block, which
// the default leaps over, is charged with what comes before it.
func TestQuirkBranchTableDefault(t *testing.T) {
	code := join([]byte{opBlock, blockEmpty, opBlock, blockEmpty, opLocalGet, 0, opBrTable, 1, 0, 1, opEnd}, drop1, []byte{opEnd})
	for _, c := range []struct {
		skips    bool
		arg, gas uint64
	}{{true, 0, 12}, {true, 1, 12}, {false, 0, 12}, {false, 1, 8}} {
		r := RulesV040()
		r.BranchTableSkipsDefault = c.skips
		x := start(t, oneFunc(code...), r)
		if gas, err := x.gas("f", c.arg); gas != (thunk+c.gas)*milli || err != nil {
			t.Errorf("%+v: %d milligas, %v", c, gas, err)
		}
	}
}

func TestQuirkNegativeConstant(t *testing.T) {
	for name, op := range map[string][]byte{
		"memory.grow": {opI32Const, 0x7f, opMemoryGrow, 0, opDrop},
		"memory.fill": {opI32Const, 0, opI32Const, 0, opI32Const, 0x7f, opPrefix, subMemoryFill, 0},
		"memory.copy": {opI32Const, 0, opI32Const, 0, opI32Const, 0x7f, opPrefix, subMemoryCopy, 0, 0},
		"dead":        {opReturn, opI32Const, 0x7f, opMemoryGrow, 0, opDrop},
	} {
		t.Run(name, func(t *testing.T) { refused(t, oneFunc(op...).wasm(), RulesV040(), "negative constant") })
	}
	// Where the price has no unit, it is none.
	r := RulesV040()
	r.Costs.MemoryGrow.Unit = 0
	if gas, err := start(t, oneFunc(opI32Const, 0x7f, opMemoryGrow, 0, opDrop), r).gas("f", 0); gas != (thunk+8)*milli || err != nil {
		t.Errorf("%d milligas, %v", gas, err)
	}
}

// dear are rules in which memory.grow costs more than it ever does on a network, so that a few make a great sum.
func dear() Rules {
	r := RulesV040()
	r.Costs.MemoryGrow = Linear{Base: 1 << 62}
	return r
}

// grow is memory.grow by nothing, and growCost its price by those rules.
var grow = []byte{opI32Const, 0, opMemoryGrow, 0, opDrop}

const growCost = 1<<62 + 4*milli

// A block's cost is a signed number where it is taken off the counter.
func TestQuirkCostAboveMaxInt64(t *testing.T) {
	const n = 3
	x := start(t, oneFunc(repeat(n, grow...)...), dear())
	setCounter(x.mod, 0)
	x.refills = 1 // for the thunk
	if _, err := x.call("f", 0); err != nil {
		t.Fatal(err)
	}
	cost := uint64(growCost)
	cost *= n // above the greatest i64
	if got, want := counter(x.mod), fullCounter-int64(cost); got != want || got < fullCounter {
		t.Errorf("counter %d, want %d", got, want)
	}
	refused(t, oneFunc(repeat(n+1, grow...)...).wasm(), dear(), "cost of a block overflows")
}

// Where a block's first part is added to what comes before it, the sum has 64 bits.
func TestQuirkCostWrapsAround(t *testing.T) {
	const before, inside = 3, 2
	code := join(repeat(before, grow...), []byte{opBlock, blockEmpty}, repeat(inside, grow...), []byte{opEnd})
	x := start(t, oneFunc(code...), dear())
	cost := uint64(growCost)
	cost *= before + inside
	if gas, err := x.gas("f", 0); gas != thunk*milli+cost || err != nil {
		t.Errorf("%d milligas, %v, want %v and the thunk", gas, err, cost)
	}
}

// A global's reference is to the function itself: it costs no thunk.
func TestQuirkGlobalReference(t *testing.T) {
	g := &guest{
		funcs: []fn{
			{name: "f", code: []byte{opI32Const, 0, opGlobalGet, 0, opTableSet, 0, opI32Const, 0, opCallIndirect, 0, 0}},
			{name: "g"}, // exported by a thunk
		},
		table: []byte{1, funcref, 0, 1}, globals: []byte{1, funcref, 0, opRefFunc, 1, opEnd},
	}
	x := start(t, g, RulesV040())
	if gas, err := x.gas("f"); gas != (52+5*4)*milli || err != nil {
		t.Errorf("%d milligas, %v", gas, err)
	}
}
