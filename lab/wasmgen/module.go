// Package wasmgen makes WebAssembly modules, random ones and some that run every
// instruction, to compare what they do on two engines, on two implementations, or
// before and after the pass over them.
//
// Tests and the fuzzer call it; it calls nothing of this module.
package wasmgen

import "math/rand"

type gen struct {
	*rand.Rand
	tame    bool
	actor   bool
	first   bool
	w       writer
	types   []funcType
	funcs   []int // type of each function, imports first
	imports int
	globals []global
	table   bool
	memory  bool
	datas   []bool // is passive
	elems   []bool
	fixed   bool // the table never changes, nor does a segment go

	locals []byte
	spare  uint32 // of tame modules: a local of type f32, then one of type f64
	stack  []byte
	ctl    []genFrame
	budget int
}

type genFrame struct {
	op     byte
	result byte
	base   int
	dead   bool
}

func (g *gen) one(n int) bool { return g.Intn(n) == 0 }

func (g *gen) valType() byte {
	if !g.first && g.one(12) {
		return funcref
	}
	return []byte{i32, i32, i32, i64, f32, f64}[g.Intn(6)]
}

// Options say what modules are like.
type Options struct {
	// Tame modules do the same on every engine: they make no NaN that is not canonical but from constants and operands, use no
	// segment that instantiation drops, grow tables by little and have each index in its shortest form.
	Tame bool
	// Actor modules export invoke, of the right type, and import gas.available, if anything; First ones self.current_balance. What
	// runs before invoke, and what globals begin with, is plainer than in others.
	Actor bool
	// First modules have nothing that the parser of before nv18 does not read.
	First bool
}

// Module makes a module that is valid or nearly so; in one of three no instruction changes a table or drops a segment. The
// same seed makes the same bytes.
func Module(seed int64, o Options) []byte {
	g := &gen{Rand: rand.New(rand.NewSource(seed)), tame: o.Tame, actor: o.Actor, first: o.First}
	g.table, g.memory = !g.one(5), !g.one(6)
	// What never changes is treated otherwise by the pass; by chance alone hardly a module would be so.
	g.fixed = seed%3 == 0
	g.table = g.table || g.fixed
	g.types = append(g.types, funcType{nil, nil})
	if g.actor {
		g.types = append(g.types, funcType{[]byte{i32}, []byte{i32}})
	}
	for n := g.Intn(5); n > 0; n-- {
		t := funcType{}
		for k := g.Intn(4); k > 0; k-- {
			t.params = append(t.params, g.valType())
		}
		if !g.one(3) {
			t.results = []byte{g.valType()}
		}
		g.types = append(g.types, t)
	}
	g.imports = g.Intn(3)
	if g.actor {
		g.imports = g.Intn(2)
	}
	for n := g.imports + 1 + g.Intn(4); n > 0; n-- {
		g.funcs = append(g.funcs, g.Intn(len(g.types)))
	}
	if g.actor {
		g.funcs[0], g.funcs[g.imports] = 1, 1
	}
	g.w.append([]byte("\x00asm\x01\x00\x00\x00"))
	g.head()
	g.segments()
	g.code()
	if len(g.datas) > 0 {
		w := &writer{}
		w.len(len(g.datas))
		for _, passive := range g.datas {
			if passive {
				w.u8(1)
			} else {
				w.raw(0, opI32Const)
				w.signed(int64(g.Intn(70000)))
				if g.one(40) {
					w.b = w.b[:len(w.b)-1]
					w.raw(0x7f)
				}
				w.u8(opEnd)
			}
			w.string("some data to copy")
		}
		g.w.section(secData, w.b)
	}
	return g.w.b
}

func (g *gen) head() {
	w := &writer{}
	w.len(len(g.types))
	for _, t := range g.types {
		w.u8(0x60)
		w.string(string(t.params))
		w.string(string(t.results))
	}
	g.w.section(secType, w.b)
	w = &writer{}
	if !g.first && (g.actor && g.one(60) || !g.actor && g.one(10)) {
		for n := 1 + g.Intn(3); n > 0; n-- {
			g.globals = append(g.globals, global{typ: g.valType(), mutable: g.one(2)})
		}
	}
	w.len(g.imports + len(g.globals))
	for _, x := range g.globals {
		w.string("env")
		w.string("g")
		w.raw(kindGlobal, x.typ, 0)
		if x.mutable {
			w.b[len(w.b)-1] = 1
		}
	}
	for i := 0; i < g.imports; i++ {
		switch {
		case g.actor && g.first: // as cheap, and of the same type
			w.string("self")
			w.string("current_balance")
		case g.actor:
			w.string("gas")
			w.string("available")
		default:
			w.string("env")
			w.string(string(rune('a' + i)))
		}
		w.op(kindFunc, uint32(g.funcs[i]))
	}
	g.w.section(secImport, w.b)
	w = &writer{}
	w.len(len(g.funcs) - g.imports)
	for _, t := range g.funcs[g.imports:] {
		w.len(t)
	}
	g.w.section(secFunction, w.b)
	if g.table {
		if g.one(2) {
			g.w.section(secTable, []byte{1, funcref, 0, byte(g.Intn(12))})
		} else {
			n := byte(g.Intn(12))
			g.w.section(secTable, []byte{1, funcref, 1, n, n + byte(g.Intn(9))})
		}
	}
	if g.memory {
		if g.one(2) {
			g.w.section(secMemory, []byte{1, 0, byte(1 + g.Intn(2))})
		} else {
			g.w.section(secMemory, []byte{1, 1, 1, byte(1 + g.Intn(4))})
		}
	}
	g.globalSection()
	w = &writer{}
	n := 0
	for i := range g.funcs {
		if i >= g.imports || g.one(3) {
			n++
			if g.actor && i == g.imports {
				w.string("invoke")
			} else {
				w.string("f" + string(rune('0'+i)))
			}
			w.op(kindFunc, uint32(i))
		}
	}
	if g.memory {
		n++
		w.string("memory")
		w.op(kindMemory, 0)
	}
	for i, x := range g.globals {
		if x.typ != funcref {
			n++
			w.string("g" + string(rune('0'+i)))
			w.op(kindGlobal, uint32(i))
		}
	}
	all := &writer{}
	all.len(n)
	all.append(w.b)
	g.w.section(secExport, all.b)
}

func (g *gen) globalSection() {
	w := &writer{}
	n := g.Intn(5)
	w.len(n)
	for ; n > 0; n-- {
		x := global{typ: g.valType(), mutable: !g.one(4)}
		g.globals = append(g.globals, x)
		w.u8(x.typ)
		if x.mutable {
			w.u8(1)
		} else {
			w.u8(0)
		}
		if x.typ == funcref {
			if g.one(3) || g.actor {
				w.raw(opRefNull, funcref)
			} else {
				w.op(opRefFunc, uint32(g.Intn(len(g.funcs))))
			}
		} else {
			g.constant(w, x.typ)
		}
		w.u8(opEnd)
	}
	g.w.section(secGlobal, w.b)
}

func (g *gen) segments() {
	if g.one(8) && !(g.actor && g.imports > 0) {
		for i := g.imports; i < len(g.funcs); i++ {
			if g.funcs[i] == 0 {
				w := &writer{}
				w.len(i)
				g.w.section(secStart, w.b)
				break
			}
		}
	}
	w := &writer{}
	g.elems = make([]bool, g.Intn(4))
	if g.first && !g.table {
		g.elems = nil
	}
	w.len(len(g.elems))
	for i := range g.elems {
		switch mode := g.Intn(4); {
		case g.first || mode < 2 && g.table:
			w.raw(0, opI32Const, byte(g.Intn(4)), opEnd)
		case mode == 2:
			w.raw(3, 0)
		default:
			g.elems[i] = true
			w.raw(1, 0)
		}
		n := g.Intn(5)
		w.len(n)
		for ; n > 0; n-- {
			w.len(g.Intn(len(g.funcs)))
		}
	}
	g.w.section(secElement, w.b)
	g.datas = make([]bool, g.Intn(3))
	for i := range g.datas {
		g.datas[i] = g.one(2) || !g.memory
	}
	if len(g.datas) > 0 {
		g.w.section(secDataCount, []byte{byte(len(g.datas))})
	}
}

func (g *gen) code() {
	all := &writer{}
	all.len(len(g.funcs) - g.imports)
	for _, t := range g.funcs[g.imports:] {
		w := &writer{}
		typ := g.types[t]
		g.locals = append([]byte(nil), typ.params...)
		n := g.Intn(4)
		if g.tame {
			w.len(n + 2)
		} else {
			w.len(n)
		}
		for ; n > 0; n-- {
			k, v := g.Intn(3), g.valType()
			w.len(k)
			w.u8(v)
			for ; k > 0; k-- {
				g.locals = append(g.locals, v)
			}
		}
		if g.tame {
			w.raw(1, f32, 1, f64)
			g.spare = uint32(len(g.locals))
		}
		g.stack, g.budget = nil, 10+g.Intn(120)
		result := byte(0)
		if len(typ.results) > 0 {
			result = typ.results[0]
		}
		g.ctl = []genFrame{{result: result}}
		for len(g.ctl) > 0 {
			g.step(w)
		}
		all.len(len(w.b))
		all.append(w.b)
	}
	g.w.section(secCode, all.b)
}

func (g *gen) constant(w *writer, t byte) {
	switch t {
	case i32:
		w.u8(opI32Const)
		w.signed([]int64{0, 1, 2, 5, 100, 65536, -1, 1 << 20, -1 << 31, int64(g.Int31())}[g.Intn(10)])
	case i64:
		w.u8(opI64Const)
		w.signed([]int64{0, 1, -1, -1 << 63, int64(g.Uint64())}[g.Intn(5)])
	case f32:
		w.u8(opF32Const)
		b := [][]byte{{0, 0, 0, 0}, {0, 0, 0x80, 0x7f}, {1, 0, 0xa0, 0xff}, {0, 0, 0x20, 0x41}, {1, 2, 3, 4}}
		w.append(b[g.Intn(len(b))])
	case f64:
		w.u8(opF64Const)
		b := [][]byte{make([]byte, 8), {0, 0, 0, 0, 0, 0, 0xf0, 0x7f}, {1, 0, 0, 0, 0, 0, 0xf4, 0xff}, {0, 0, 0, 0, 0, 0, 0x24, 0x40}}
		w.append(b[g.Intn(len(b))])
	}
}

func (g *gen) top() *genFrame { return &g.ctl[len(g.ctl)-1] }

// need puts values of the given types on the stack, left to right, if they are not there.
func (g *gen) need(w *writer, types ...byte) {
	f := g.top()
	n := len(g.stack)
	if n-f.base >= len(types) && string(g.stack[n-len(types):]) == string(types) {
		g.stack = g.stack[:n-len(types)]
		return
	}
	if f.dead && n == f.base {
		return
	}
	for _, t := range types {
		g.value(w, t)
	}
	g.stack = g.stack[:max(f.base, len(g.stack)-len(types))]
}

// value pushes a value of a type.
func (g *gen) value(w *writer, t byte) {
	var from []func()
	for i, l := range g.locals {
		if l == t {
			i := i
			from = append(from, func() { w.op(opLocalGet, uint32(i)) })
		}
	}
	for i, x := range g.globals {
		if x.typ == t {
			i := i
			from = append(from, func() { w.op(opGlobalGet, uint32(i)) })
		}
	}
	if t == funcref {
		if g.table {
			from = append(from, func() { w.raw(opI32Const, 1, opTableGet, 0) })
		}
		if len(from) == 0 {
			w.u8(opUnreachable)
			f := g.top()
			f.dead, g.stack = true, g.stack[:f.base]
			g.stack = append(g.stack, t)
			return
		}
	}
	if t != funcref && (len(from) == 0 || g.one(3)) {
		g.constant(w, t)
	} else {
		from[g.Intn(len(from))]()
	}
	g.stack = append(g.stack, t)
}

func (g *gen) give(t byte) {
	if t != 0 {
		g.stack = append(g.stack, t)
	}
}

func (g *gen) kill() {
	f := g.top()
	f.dead, g.stack = true, g.stack[:f.base]
}

// settle makes the stack what the end of the current frame wants.
func (g *gen) settle(w *writer) {
	f := g.top()
	keep := f.result != 0 && len(g.stack) == f.base+1 && g.stack[f.base] == f.result
	if !keep {
		for len(g.stack) > f.base {
			w.u8(opDrop)
			g.stack = g.stack[:len(g.stack)-1]
		}
		if f.result != 0 && !f.dead {
			g.value(w, f.result)
		}
	}
	g.stack = g.stack[:min(len(g.stack), f.base)]
}

func (g *gen) end(w *writer) {
	f := *g.top()
	g.settle(w)
	if f.op == opIf && (f.result != 0 || g.one(2)) {
		w.u8(opElse)
		t := g.top()
		t.op, t.dead = opElse, false
		return
	}
	w.u8(opEnd)
	g.ctl = g.ctl[:len(g.ctl)-1]
	g.give(f.result)
}

func (g *gen) label() (uint32, byte) {
	l := g.Intn(len(g.ctl))
	f := g.ctl[len(g.ctl)-1-l]
	if f.op == opLoop {
		return uint32(l), 0
	}
	return uint32(l), f.result
}

func (g *gen) step(w *writer) {
	g.budget--
	if g.budget < 0 || len(g.ctl) > 1 && g.one(14) {
		g.end(w)
		return
	}
	switch g.Intn(16) {
	case 0, 1, 2:
		g.value(w, g.valType())
	case 3, 4, 5, 6:
		g.plain(w)
	case 7:
		g.block(w)
	case 8:
		g.branch(w)
	case 9:
		g.callOp(w)
	case 10:
		if len(g.locals) > 0 {
			i := g.Intn(len(g.locals))
			g.need(w, g.locals[i])
			if g.one(2) {
				w.op(opLocalTee, uint32(i))
				g.give(g.locals[i])
			} else {
				w.op(opLocalSet, uint32(i))
			}
		}
	case 11:
		if len(g.globals) > 0 {
			i := g.Intn(len(g.globals))
			if g.globals[i].mutable {
				g.need(w, g.globals[i].typ)
				w.op(opGlobalSet, uint32(i))
			}
		}
	case 12:
		if len(g.stack) > g.top().base {
			w.u8(opDrop)
			g.stack = g.stack[:len(g.stack)-1]
		} else {
			w.u8(opNop)
		}
	case 13:
		t := []byte{i32, i64, f32, f64}[g.Intn(4)]
		g.need(w, t, t, i32)
		w.u8(opSelect)
		g.give(t)
	default:
		g.bulkOp(w)
	}
}

func (g *gen) plain(w *writer) {
	for {
		op := g.Intn(256)
		o := ordinaries[op]
		if g.first && o.Extend || !o.Known() || o.Align >= 0 && !g.memory {
			continue
		}
		g.need(w, o.In[:o.N]...)
		if o.N > 0 && o.Align >= 0 && o.N == 1 && g.one(2) {
			// keep most addresses low
			w.raw(opI32Const)
			w.signed(0xffff)
			w.raw(opI32And)
		}
		w.u8(byte(op))
		if o.Align >= 0 {
			w.len(g.Intn(int(o.Align) + 1))
			w.len(g.Intn(100))
		}
		if o.NaN && g.tame {
			i, constant, eq := g.spare, []byte{opF32Const, 0, 0, 0xc0, 0x7f}, byte(opF32Eq)
			if o.Out == f64 {
				i, constant, eq = g.spare+1, []byte{opF64Const, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, opF64Eq
			}
			w.op(opLocalTee, i)
			w.append(constant)
			w.op(opLocalGet, i)
			w.op(opLocalGet, i)
			w.raw(eq, opSelect)
		}
		g.give(o.Out)
		return
	}
}

func (g *gen) block(w *writer) {
	op := []byte{opBlock, opLoop, opIf}[g.Intn(3)]
	if op == opIf {
		g.need(w, i32)
	}
	w.u8(op)
	f := genFrame{op: op, base: len(g.stack)}
	if g.one(2) {
		f.result = g.valType()
		w.u8(f.result)
	} else {
		w.u8(blockEmpty)
	}
	g.ctl = append(g.ctl, f)
}

func (g *gen) branch(w *writer) {
	l, t := g.label()
	var types []byte
	if t != 0 {
		types = []byte{t}
	}
	switch g.Intn(7) {
	case 0, 1, 2:
		g.need(w, append(types, i32)...)
		w.op(opBrIf, l)
		g.give(t)
	case 3:
		g.need(w, types...)
		w.op(opBr, l)
		g.kill()
	case 4:
		labels := []uint32{l}
		for n := g.Intn(4); n > 0; n-- {
			if l2, t2 := g.label(); t2 == t {
				labels = append(labels, l2)
			}
		}
		g.need(w, append(types, i32)...)
		w.u8(opBrTable)
		g.Shuffle(len(labels), func(i, j int) { labels[i], labels[j] = labels[j], labels[i] })
		w.len(len(labels) - 1)
		for _, x := range labels {
			w.u32(x)
		}
		g.kill()
	case 5:
		if r := g.ctl[0].result; r != 0 {
			g.need(w, r)
		}
		w.u8(opReturn)
		g.kill()
	case 6:
		if g.one(3) {
			w.u8(opUnreachable)
			g.kill()
		}
	}
}

func (g *gen) callOp(w *writer) {
	if g.table && g.one(3) {
		t := g.Intn(len(g.types))
		if g.fixed && g.one(2) {
			t = g.funcs[g.Intn(len(g.funcs))]
		}
		g.need(w, append(append([]byte(nil), g.types[t].params...), i32)...)
		if g.fixed && g.one(2) {
			w.raw(opI32Const, 7, opI32And)
		}
		w.op(opCallIndirect, uint32(t))
		padded := g.Intn(2)
		if g.first {
			padded = 0
		}
		w.raw([][]byte{{0}, {0x80, 0}}[padded]...)
		for _, r := range g.types[t].results {
			g.give(r)
		}
		return
	}
	f := g.Intn(len(g.funcs))
	t := g.types[g.funcs[f]]
	g.need(w, t.params...)
	w.op(opCall, uint32(f))
	for _, r := range t.results {
		g.give(r)
	}
}

func (g *gen) bulkOp(w *writer) {
	op := func(sub byte, imm ...byte) { w.raw(opPrefix, sub); w.raw(imm...) }
	// A constant length that is negative is refused, so be sparing with them.
	length := func() {
		switch {
		case g.one(2):
			w.u8(opNop)
		case !g.one(60):
			w.raw(opDrop, opI32Const, byte(g.Intn(20)))
		}
	}
	three := func() {
		g.need(w, i32, i32, i32)
		length()
	}
	// segment is one that memory.init or table.init may use, if there is one.
	segment := func(passive []bool) (byte, bool) {
		if len(passive) == 0 {
			return 0, false
		}
		i := g.Intn(len(passive))
		if g.first {
			i = 0
		}
		return byte(i), passive[i] || !g.tame
	}
	kinds := 14
	if g.first {
		kinds = 9
	}
	switch k := g.Intn(kinds); {
	case g.fixed && (k == 3 || k >= 6 && k <= 9 || k == 11 || k == 12): // lasting changes
	case k == 0 && g.memory:
		w.raw(opMemorySize, 0)
		g.give(i32)
	case k == 1 && g.memory:
		g.need(w, i32)
		w.raw(opI32Const, 3, opI32And, opMemoryGrow, 0)
		g.give(i32)
	case k == 2 && g.memory:
		if i, ok := segment(g.datas); ok {
			three()
			op(subMemoryInit, i, 0)
		}
	case k == 3:
		if i, ok := segment(g.datas); ok {
			op(subDataDrop, i)
		}
	case k == 4 && g.memory:
		three()
		if g.tame || g.first || g.one(2) {
			op(subMemoryCopy, 0, 0)
		} else {
			op(subMemoryCopy, 0x80, 0, 0)
		}
	case k == 5 && g.memory:
		three()
		op(subMemoryFill, 0)
	case k == 6 && g.table:
		if i, ok := segment(g.elems); ok {
			three()
			op(subTableInit, i, 0)
		}
	case k == 7:
		if i, ok := segment(g.elems); ok {
			op(subElemDrop, i)
		}
	case k == 8 && g.table:
		three()
		op(subTableCopy, 0, 0)
	case k == 9 && g.table:
		g.need(w, funcref, i32)
		if g.tame {
			w.raw(opI32Const, 15, opI32And)
		}
		length()
		op(subTableGrow, 0)
		g.give(i32)
	case k == 10 && g.table:
		op(subTableSize, 0)
		g.give(i32)
	case k == 11 && g.table:
		g.need(w, i32, funcref, i32)
		length()
		op(subTableFill, 0)
	case k == 12 && g.table:
		g.need(w, i32, funcref)
		w.raw(opTableSet, 0)
	case k == 13:
		i := g.Intn(8)
		g.need(w, saturating[i][0])
		op(byte(i))
		g.give(saturating[i][1])
	}
}
