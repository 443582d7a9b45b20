package instrument

import "github.com/edgefvm/fvm/internal/wasm/ops"

func (c *checker) patch(pos, end int, kind patchKind, arg uint64) {
	c.out.patches = append(c.out.patches, patch{pos: pos, end: end, kind: kind, arg: arg})
}

// instruction reads and checks one instruction.
func (c *checker) instruction() {
	at := c.pos
	op := c.u8()
	costs := &c.m.rules.Costs
	if o := &ordinaries[op]; o.Known() {
		c.ordinary(o, at, op)
		c.isConst = false
		return
	}
	switch op {
	case ops.I32Const:
		c.last, c.isConst = int32(c.signed(32)), true
		c.constantOf(i32)
		return // the constant is remembered
	case ops.LocalGet, ops.LocalSet, ops.LocalTee:
		c.local(op)
	case ops.Unreachable:
		c.kill()
		c.ctl[len(c.ctl)-1].polymorphic = true
	case ops.Nop:
	case ops.Block, ops.Loop, ops.If:
		c.begin(op)
	case ops.Else:
		c.otherwise()
	case ops.End:
		c.end()
	case ops.Br, ops.BrIf, ops.Return:
		c.jump(op)
	case ops.BrTable:
		c.jumpTable()
	case ops.Call:
		c.call(at)
	case ops.CallIndirect:
		c.callIndirect(at)
	case ops.Drop:
		c.popAny()
		c.down(1)
	case ops.Select:
		c.choose()
	case ops.GlobalGet, ops.GlobalSet:
		c.global(op)
	case ops.TableGet, ops.TableSet:
		c.table(op)
	case ops.MemorySize, ops.MemoryGrow:
		c.memorySize(op, at)
	case ops.I64Const:
		c.signed(64)
		c.constantOf(i64)
	case ops.F32Const:
		c.bytes(4)
		c.constantOf(f32)
	case ops.F64Const:
		c.bytes(8)
		c.constantOf(f64)
	case ops.Prefix:
		c.prefixed(at, costs)
	default:
		c.fail("instruction %#x is not accepted", op)
	}
	c.isConst = false
}

func (c *checker) constantOf(t byte) {
	c.push(t)
	c.up(1)
	c.spend(c.m.rules.Costs.Default)
}

func (c *checker) ordinary(o *ops.Ordinary, at int, op byte) {
	if o.Align >= 0 {
		if c.memory(); c.u32() > uint32(o.Align) {
			c.fail("alignment too large")
		}
		c.u32()
	}
	if o.Extend && !c.m.rules.SignExtension {
		c.fail("sign extension is not accepted")
	}
	if o.N == 2 {
		c.pop(o.In[1])
	}
	c.pop(o.In[0])
	c.push(o.Out)
	c.down(uint32(o.N))
	c.up(arity(o.Out))
	c.spend(price(op, o, &c.m.rules.Costs))
	switch op { // wazero 1.12 gets the sign wrong in large functions on amd64
	case ops.F32Copysign:
		c.patch(at, c.pos, patchCopysign32, 0)
		c.out.temps |= tempF32
	case ops.F64Copysign:
		c.patch(at, c.pos, patchCopysign64, 0)
		c.out.temps |= tempF64
	}
	if o.NaN {
		kind, temp := patchNaN32, tempF32
		if o.Out == f64 {
			kind, temp = patchNaN64, tempF64
		}
		c.patch(at, c.pos, kind, uint64(op))
		c.out.temps |= temp
	}
}

func (c *checker) memory() {
	if len(c.m.memories) == 0 {
		c.fail("unknown memory")
	}
}

func (c *checker) local(op byte) {
	i := c.u32()
	if i >= c.locals.n {
		c.fail("unknown local")
		return
	}
	t := c.locals.at(i)
	switch op {
	case ops.LocalGet:
		c.push(t)
		c.up(1)
	case ops.LocalSet:
		c.pop(t)
		c.down(1)
	case ops.LocalTee:
		c.pop(t)
		c.push(t)
		c.down(1)
		c.up(1)
	}
	c.spend(c.m.rules.Costs.Default)
}

func (c *checker) global(op byte) {
	i := c.u32()
	if uint64(i) >= uint64(len(c.globals)) {
		c.fail("unknown global")
		return
	}
	g := &c.globals[i]
	if op == ops.GlobalGet {
		c.push(g.typ)
		c.up(1)
	} else {
		if !g.mutable {
			c.fail("the global is immutable")
		}
		c.pop(g.typ)
		c.down(1)
	}
	c.spend(c.m.rules.Costs.Default)
}

// begin opens a block, loop or if.
func (c *checker) begin(op byte) {
	result := c.u8()
	switch {
	case result == ops.BlockEmpty:
		result = 0
	case !c.m.isValueType(result):
		c.fail("block type is not accepted")
		return
	}
	if op == ops.If {
		c.pop(i32)
		c.down(1)
		c.spend(c.m.rules.Costs.Branch)
	}
	start := c.pos
	if op == ops.Block {
		start = c.ctl[len(c.ctl)-1].start
	}
	c.enter(op, result)
	c.open(start, op == ops.Loop)
}

func (c *checker) otherwise() {
	f := &c.ctl[len(c.ctl)-1]
	if f.op != ops.If {
		c.fail("else without if")
		return
	}
	c.leave()
	// Quirk: the limiter neither resets the height here nor takes the stack as known again.
	f.op, f.dead = ops.Else, false
	c.cut()
}

func (c *checker) end() {
	f := c.ctl[len(c.ctl)-1]
	if f.op == ops.If && f.result != 0 {
		c.fail("if with a result but without else")
		return
	}
	c.leave()
	c.close()
	c.height = f.height
	c.up(arity(f.result))
	if len(c.ctl) > 0 {
		c.push(f.result)
	}
}

func (c *checker) jump(op byte) {
	label := uint32(len(c.ctl) - 1)
	cost := uint64(0)
	switch op {
	case ops.Br:
		label, cost = c.u32(), c.m.rules.Costs.Jump
	case ops.BrIf:
		label, cost = c.u32(), c.m.rules.Costs.Branch
		c.pop(i32)
	}
	f := c.target(label)
	if f == nil {
		return
	}
	t := f.label()
	if t != 0 {
		c.pop(t)
	}
	c.down(arity(t))
	if op == ops.BrIf {
		c.push(t)
		c.down(1)
		c.up(arity(t))
	} else {
		c.kill()
		c.ctl[len(c.ctl)-1].polymorphic = true
	}
	c.spend(cost)
	c.cut()
	c.branch(label)
}

func (c *checker) jumpTable() {
	c.pop(i32)
	n := c.u32()
	if n > maxBrTable {
		c.fail("br_table too large")
		return
	}
	from := c.pos
	for i := uint32(0); i < n && c.err == nil; i++ {
		c.u32()
	}
	label := c.u32()
	byDefault := c.target(label)
	if byDefault == nil {
		return
	}
	t := byDefault.label()
	targets := &reader{b: c.b[from:c.pos], base: c.base + from}
	c.spend(c.m.rules.Costs.BranchTable)
	c.cut()
	for i := uint32(0); i < n; i++ {
		l := targets.u32()
		f := c.target(l)
		if f == nil {
			return
		}
		u := f.label()
		if arity(u) != arity(t) {
			c.fail("targets of br_table differ")
		}
		if u != 0 {
			c.pushAny(c.pop(u))
		}
		c.branch(l)
	}
	// Quirk: 0.4.0 leaves out the default target.
	if !c.m.rules.BranchTableSkipsDefault {
		c.branch(label)
	}
	if t != 0 {
		c.pop(t)
	}
	c.down(arity(t))
	c.kill()
	c.ctl[len(c.ctl)-1].polymorphic = true
}

func (c *checker) apply(t funcType) {
	for i := len(t.params) - 1; i >= 0; i-- {
		c.pop(t.params[i])
	}
	for _, r := range t.results {
		c.push(r)
	}
	c.down(uint32(len(t.params)))
	c.up(uint32(len(t.results)))
}

func (c *checker) call(at int) {
	i := c.u32()
	if uint64(i) >= uint64(len(c.m.funcs)) {
		c.fail("unknown function")
		return
	}
	c.apply(c.m.types[c.m.funcs[i]])
	costs := &c.m.rules.Costs
	c.spend(costs.Call)
	if i >= c.m.nImpFunc {
		c.spend(guardCost(costs))
		c.patch(at, c.pos, patchCall, uint64(i))
	}
}

// guardCost is the price of what the reference's stack limiter puts around a call of a
// defined function: get, const, add, set, get, const, gt, if before the call and get,
// const, sub, set after it.
func guardCost(costs *Costs) uint64 { return 8*costs.Default + 3*costs.Math + costs.Branch }

func (c *checker) callIndirect(at int) {
	t := c.m.typeIndex(&c.reader)
	table := c.shortIndex()
	if uint64(table) >= uint64(len(c.m.tables)) {
		c.fail("unknown table")
	}
	if c.err != nil {
		return
	}
	c.pop(i32)
	c.down(1)
	c.apply(c.m.types[t])
	c.spend(c.m.rules.Costs.CallIndirect)
	c.patch(at, c.pos, patchIndirect, uint64(t))
}

func (c *checker) choose() {
	c.pop(i32)
	a, b := c.popAny(), c.popAny()
	switch {
	case a == funcref || b == funcref:
		c.fail("select of references")
	case a == bottom:
		a = b
	case b != bottom && a != b:
		c.fail("select of different types")
	}
	c.pushAny(a)
	c.down(2)
	c.down(1)
	c.up(1)
	c.spend(c.m.rules.Costs.Default)
}
