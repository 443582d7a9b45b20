package instrument

import "math"

// emit writes the output module.
func (p *plan) emit(startExport string) []byte {
	m := p.m
	size := 0
	for i := range p.bodies {
		size += len(p.bodies[i].code) + 14*len(p.bodies[i].charges) + 24*len(p.bodies[i].patches) + 16
	}
	w := &writer{b: make([]byte, 0, size+len(m.rawData)+1024)}
	w.append([]byte("\x00asm\x01\x00\x00\x00"))
	types, added := p.types()
	w.section(secType, types)
	w.section(secImport, p.imports(added))
	w.section(secFunction, p.functions(added))
	if m.rawTable != nil {
		w.section(secTable, m.rawTable)
	}
	if m.rawMemory != nil {
		w.section(secMemory, m.rawMemory)
	}
	w.section(secGlobal, p.globals())
	reset := p.resettable()
	w.section(secExport, p.exports(startExport, reset))
	if len(m.elements) > 0 {
		w.section(secElement, p.elements())
	}
	if m.hasData {
		count := &writer{}
		count.u32(m.nData + 1)
		w.section(secDataCount, count.b)
	}
	p.code(w, size)
	if m.hasData || m.rawData != nil {
		w.section(secData, p.data())
	}
	if reset != nil {
		w.section(secCustom, resetSection(reset))
	}
	return w.b
}

// grown is a section's content with n more items; nil content has none.
func grown(raw []byte, n uint32) *writer {
	r := &reader{b: raw}
	count := uint32(0)
	if raw != nil {
		count = r.u32()
	}
	w := &writer{b: make([]byte, 0, len(raw)+64)}
	w.u32(count + n)
	w.append(raw[r.pos:])
	return w
}

// addedTypes are the types that the output has behind the guest's.
type addedTypes struct {
	helpers     [len(helpers)]uint32 // index of each used helper's
	dispatchers []uint32             // index of each dispatcher's
}

// types is the type section and what was added to it.
func (p *plan) types() ([]byte, addedTypes) {
	added := addedTypes{dispatchers: make([]uint32, len(p.dispatchers))}
	types := p.m.types
	w := &writer{}
	add := func(t funcType) uint32 {
		at := len(p.m.types) // look among the added ones only
		for at < len(types) && !types[at].equal(t) {
			at++
		}
		if at == len(types) {
			types = append(types[:at:at], t)
			w.u8(0x60)
			w.string(string(t.params))
			w.string(string(t.results))
		}
		return uint32(at)
	}
	for i, h := range helpers {
		// The first helper's type is always there: the start of a misplaced module has it too.
		if p.helperIndex[i] >= 0 || i == helperExhausted {
			added.helpers[i] = add(funcType{h.params, h.results})
		}
	}
	for i, d := range p.dispatchers {
		t := p.m.types[d.typ]
		added.dispatchers[i] = add(funcType{append(t.params[:len(t.params):len(t.params)], i32), t.results})
	}
	out := grown(p.m.rawType, uint32(len(types)-len(p.m.types)))
	out.append(w.b)
	return out.b, added
}

func (p *plan) imports(added addedTypes) []byte {
	w := grown(p.m.rawImport, p.nHelpers)
	for i, h := range helpers {
		if p.helperIndex[i] >= 0 {
			w.string(HelperModule)
			w.string(h.name)
			w.op(kindFunc, added.helpers[i])
		}
	}
	return w.b
}

func (p *plan) functions(added addedTypes) []byte {
	n := uint32(len(p.thunks) + 2*len(p.dispatchers))
	if p.m.misplaced {
		n++
	}
	w := grown(p.m.rawFunc, n)
	for _, f := range p.thunks {
		w.u32(p.m.funcs[f])
	}
	for _, t := range added.dispatchers {
		w.u32(t)
		w.u32(t)
	}
	if p.m.misplaced {
		w.u32(added.helpers[helperExhausted])
	}
	return w.b
}

func (p *plan) globals() []byte {
	w := &writer{}
	added := 2
	if p.m.rules.CountPages {
		added++
	}
	w.len(len(p.m.globals) + added)
	for _, g := range p.m.globals {
		w.u8(g.typ)
		if g.mutable {
			w.u8(1)
		} else {
			w.u8(0)
		}
		if f, ok := g.function(); ok {
			// Quirk: a reference taken here is to the function, not to its thunk.
			index := p.function(f)
			if f < p.m.nImpFunc {
				index = p.outer(f)
			}
			w.op(opRefFunc, index)
			w.u8(opEnd)
		} else {
			w.append(g.init)
		}
	}
	w.raw(i64, 1, opI64Const, 0, opEnd) // counter
	w.raw(i32, 1, opI32Const, 0, opEnd) // height
	if p.m.rules.CountPages {
		pages := uint32(0)
		if len(p.m.memories) > 0 {
			pages = p.m.memories[0].Min
		}
		w.raw(i32, 1, opI32Const)
		w.signed(int64(pages))
		w.u8(opEnd)
	}
	return w.b
}

func (p *plan) exports(startExport string, reset []mutable) []byte {
	m := p.m
	w, n := &writer{}, 1
	for _, e := range m.exports {
		if e.name == CounterExport {
			continue
		}
		n++
		w.string(e.name)
		index := e.index
		if e.kind == kindFunc {
			index = p.outer(index)
		}
		w.op(e.kind, index)
	}
	if startExport != "" {
		n++
		w.string(startExport)
		if m.misplaced {
			w.op(kindFunc, m.nImpFunc+p.nHelpers+uint32(len(p.bodies)+len(p.thunks)))
		} else {
			w.op(kindFunc, p.outer(uint32(m.start)))
		}
	}
	w.string(CounterExport)
	w.op(kindGlobal, p.counter)
	for _, g := range reset {
		if g.index != p.counter {
			n++
			w.string(g.name)
			w.op(kindGlobal, g.index)
		}
	}
	out := &writer{}
	out.len(n)
	out.append(w.b)
	return out.b
}

func (p *plan) elements() []byte {
	w := &writer{}
	w.len(len(p.m.elements) + 1)
	for _, e := range p.m.elements {
		switch e.mode {
		case segmentActive: // the only table there can be
			if p.m.misplaced {
				w.raw(1, 0) // passive, and never used
				break
			}
			w.u32(0)
			w.append(e.offset.raw)
		case segmentPassive:
			w.raw(1, 0)
		case segmentDeclared:
			w.raw(3, 0)
		}
		w.len(len(e.funcs))
		for _, f := range e.funcs {
			w.u32(p.outer(f))
		}
	}
	w.raw(1, 0, 0) // one more, passive and empty: see patchInit
	return w.b
}

// data is the data section, with one more segment that is passive and empty, see
// patchInit. In a misplaced module all are.
func (p *plan) data() []byte {
	m := p.m
	w := &writer{}
	switch {
	case m.misplaced:
		n := m.nData
		if m.hasData {
			n++
		}
		w.u32(n)
		for range n {
			w.raw(1, 0)
		}
		return w.b
	case m.hasData:
		w = grown(m.rawData, 1)
		w.raw(1, 0)
		return w.b
	}
	return m.rawData
}

func (p *plan) code(w *writer, size int) {
	all := &writer{b: make([]byte, 0, size)}
	n := len(p.bodies) + len(p.thunks) + 2*len(p.dispatchers)
	if p.m.misplaced {
		n++
	}
	all.len(n)
	one := &writer{}
	end := func() { // of the one function
		all.len(len(one.b))
		all.append(one.b)
		one.b = one.b[:0]
	}
	for i := range p.bodies {
		p.body(one, &p.bodies[i])
		end()
	}
	for _, f := range p.thunks {
		p.thunk(one, f)
		end()
	}
	for _, d := range p.dispatchers {
		p.dispatch(one, d)
		end()
		p.dispatchRest(one, d)
		end()
	}
	if p.m.misplaced {
		all.raw(3, 0, opUnreachable, opEnd)
	}
	w.section(secCode, all.b)
}

func (p *plan) thunk(w *writer, f uint32) {
	t := p.m.types[p.m.funcs[f]]
	w.u32(0) // no locals
	if f >= p.m.nImpFunc {
		p.charge(w, p.thunkCost(t))
	}
	for i := range t.params {
		w.op(opLocalGet, uint32(i))
	}
	if f >= p.m.nImpFunc {
		p.call(w, f)
	} else {
		w.op(opCall, f)
	}
	w.u8(opEnd)
}

// body writes a function body with its patches.
func (p *plan) body(w *writer, b *body) {
	temps := p.declare(w, b)
	at, charges := b.start, b.charges
	for _, x := range b.patches {
		for len(charges) > 0 && charges[0].pos <= x.pos {
			w.append(b.code[at:charges[0].pos])
			at = charges[0].pos
			p.charge(w, charges[0].arg)
			charges = charges[1:]
		}
		w.append(b.code[at:x.pos])
		at = x.end
		p.patch(w, b, x, temps)
	}
	for _, x := range charges {
		w.append(b.code[at:x.pos])
		at = x.pos
		p.charge(w, x.arg)
	}
	w.append(b.code[at:])
}

// temps are the indices of the added locals.
type temps struct{ i32, f32, f64, ref uint32 }

// declare writes the locals, with those that patches need.
func (p *plan) declare(w *writer, b *body) temps {
	r := &reader{b: b.code}
	groups := r.u32()
	var t temps
	next, n := b.locals, uint32(0)
	add := &writer{}
	for _, x := range []struct {
		set  tempSet
		typ  byte
		slot *uint32
	}{{tempI32, i32, &t.i32}, {tempF32, f32, &t.f32}, {tempF64, f64, &t.f64}, {tempRef, funcref, &t.ref}} {
		if b.temps&x.set != 0 {
			*x.slot = next
			next++
			n++
			add.raw(1, x.typ)
		}
	}
	w.u32(groups + n)
	w.append(b.code[r.pos:b.start])
	w.append(add.b)
	return t
}

func (p *plan) patch(w *writer, b *body, x patch, t temps) {
	switch x.kind {
	case patchCall:
		p.call(w, uint32(x.arg))
	case patchIndirect:
		p.callIndirect(w, b, x)
	case patchLinear:
		w.op(opLocalTee, t.i32)
		w.op(opGlobalGet, p.counter)
		w.op(opLocalGet, t.i32)
		w.u8(opI64ExtendI32U)
		w.u8(opI64Const)
		w.signed(int64(x.arg))
		w.raw(opI64Mul, opI64Sub)
		p.checkCounter(w)
	case patchNaN32:
		w.append(b.code[x.pos:x.end])
		w.op(opLocalTee, t.f32)
		w.raw(opF32Const, 0, 0, 0xc0, 0x7f)
		w.op(opLocalGet, t.f32)
		w.op(opLocalGet, t.f32)
		w.raw(opF32Eq, opSelect)
	case patchNaN64:
		w.append(b.code[x.pos:x.end])
		w.op(opLocalTee, t.f64)
		w.raw(opF64Const, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)
		w.op(opLocalGet, t.f64)
		w.op(opLocalGet, t.f64)
		w.raw(opF64Eq, opSelect)
	case patchCopysign32:
		w.op(opLocalSet, t.f32)
		w.raw(opI32ReinterpretF32, opI32Const)
		w.signed(math.MaxInt32)
		w.u8(opI32And)
		w.op(opLocalGet, t.f32)
		w.raw(opI32ReinterpretF32, opI32Const)
		w.signed(math.MinInt32)
		w.raw(opI32And, opI32Or, opF32ReinterpretI32)
	case patchCopysign64:
		w.op(opLocalSet, t.f64)
		w.raw(opI64ReinterpretF64, opI64Const)
		w.signed(math.MaxInt64)
		w.u8(opI64And)
		w.op(opLocalGet, t.f64)
		w.raw(opI64ReinterpretF64, opI64Const)
		w.signed(math.MinInt64)
		w.raw(opI64And, opI64Or, opF64ReinterpretI64)
	case patchInit:
		// Not every engine drops what instantiation has copied: the segment behind
		// the guest's own is empty for all.
		w.raw(opPrefix, subTableInit)
		w.len(len(p.m.elements))
		w.u8(0)
	case patchBulk:
		p.bulk(w, uint32(x.arg&0xff), uint32(x.arg>>8))
	case patchPages:
		w.op(opGlobalGet, p.pages)
	case patchGrow:
		w.op(opLocalTee, t.i32)
		if p.m.rules.CountPages {
			p.growCounted(w, t.i32)
			break
		}
		w.raw(opMemorySize, 0)
		w.op(opCall, uint32(p.helperIndex[helperGrow]))
		w.raw(opIf, i32)
		w.op(opLocalGet, t.i32)
		w.raw(opMemoryGrow, 0)
		p.tellLarge(w)
		p.elseMinusOne(w)
	case patchTableGrow:
		w.op(opLocalSet, t.i32)
		w.op(opLocalSet, t.ref)
		w.op(opLocalGet, t.i32)
		w.raw(opPrefix, subTableSize)
		w.u32(uint32(x.arg))
		w.op(opCall, uint32(p.helperIndex[helperGrowTable]))
		w.raw(opIf, i32)
		w.op(opLocalGet, t.ref)
		w.op(opLocalGet, t.i32)
		w.raw(opPrefix, subTableGrow)
		w.u32(uint32(x.arg))
		p.elseMinusOne(w)
	}
}

func (p *plan) bulk(w *writer, sub, segment uint32) {
	w.op(opPrefix, sub)
	switch sub {
	case subMemoryInit:
		if p.m.active[segment] {
			segment = p.m.nData // as for patchInit
		}
		w.u32(segment)
	case subMemoryCopy:
		w.u8(0)
	}
	w.u8(0)
}

// tellLarge asks for nothing more, 0 pages, if the memory has become large: so the engine sees it before it is written to.
func (p *plan) tellLarge(w *writer) {
	w.raw(opMemorySize, 0, opI32Const)
	w.signed(LargeMemory)
	w.raw(opI32GtU, opIf, blockEmpty, opI32Const, 0, opMemorySize, 0)
	w.op(opCall, uint32(p.helperIndex[helperGrow]))
	w.raw(opDrop, opEnd)
}

// growCounted grows the memory by delta, the topmost value, and counts.
func (p *plan) growCounted(w *writer, delta uint32) {
	w.op(opGlobalGet, p.pages)
	w.op(opCall, uint32(p.helperIndex[helperGrow]))
	w.raw(opIf, i32)
	w.op(opGlobalGet, p.pages) // the result
	w.op(opLocalGet, delta)
	w.raw(opMemoryGrow, 0, opI32Const, 0x7f, opI32Eq, opIf, blockEmpty, opI32Const, 0x7f, opI32Const, 0x7f)
	w.op(opCall, uint32(p.helperIndex[helperGrow]))
	w.raw(opDrop, opEnd)
	w.op(opGlobalGet, p.pages)
	w.op(opLocalGet, delta)
	w.u8(opI32Add)
	w.op(opGlobalSet, p.pages)
	p.elseMinusOne(w)
}

func (p *plan) elseMinusOne(w *writer) { w.raw(opElse, opI32Const, 0x7f, opEnd) }

// charge takes cost off the counter. Quirk: it is an i64 there.
func (p *plan) charge(w *writer, cost uint64) {
	w.op(opGlobalGet, p.counter)
	w.u8(opI64Const)
	w.signed(int64(cost))
	w.u8(opI64Sub)
	p.checkCounter(w)
}

// checkCounter sets the counter to the topmost value and calls the host if it is negative.
func (p *plan) checkCounter(w *writer) {
	w.op(opGlobalSet, p.counter)
	w.op(opGlobalGet, p.counter)
	w.raw(opI64Const, 0, opI64LtS, opIf, blockEmpty)
	w.op(opCall, uint32(p.helperIndex[helperExhausted]))
	w.u8(opEnd)
}

// call calls a defined function under the stack limit.
func (p *plan) call(w *writer, f uint32) {
	weight := p.bodies[f-p.m.nImpFunc].weight
	w.op(opGlobalGet, p.height)
	w.u8(opI32Const)
	w.signed(int64(int32(weight)))
	w.u8(opI32Add)
	w.op(opGlobalSet, p.height)
	w.op(opGlobalGet, p.height)
	w.u8(opI32Const)
	w.signed(int64(int32(p.m.rules.StackLimit)))
	w.raw(opI32GtU, opIf, blockEmpty, opUnreachable, opEnd)
	w.op(opCall, p.function(f))
	w.op(opGlobalGet, p.height)
	w.u8(opI32Const)
	w.signed(int64(int32(weight)))
	w.u8(opI32Sub)
	w.op(opGlobalSet, p.height)
}
