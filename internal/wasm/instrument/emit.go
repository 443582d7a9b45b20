package instrument

import (
	"math"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// emit writes the output module.
func (p *plan) emit(startExport string) []byte {
	m := p.m
	size := 0
	for i := range p.bodies {
		size += len(p.bodies[i].code) + 14*len(p.bodies[i].charges) + 24*len(p.bodies[i].patches) + 16
	}
	w := &ops.Writer{B: make([]byte, 0, size+len(m.rawData)+1024)}
	w.Append([]byte(ops.Header))
	types, added := p.types()
	w.Section(ops.SecType, types)
	w.Section(ops.SecImport, p.imports(added))
	w.Section(ops.SecFunction, p.functions(added))
	if m.rawTable != nil {
		w.Section(ops.SecTable, m.rawTable)
	}
	if m.rawMemory != nil {
		w.Section(ops.SecMemory, m.rawMemory)
	}
	w.Section(ops.SecGlobal, p.globals())
	reset := p.resettable()
	w.Section(ops.SecExport, p.exports(startExport, reset))
	if len(m.elements) > 0 {
		w.Section(ops.SecElement, p.elements())
	}
	if m.hasData {
		count := &ops.Writer{}
		count.U32(m.nData + 1)
		w.Section(ops.SecDataCount, count.B)
	}
	p.code(w, size)
	if m.hasData || m.rawData != nil {
		w.Section(ops.SecData, p.data())
	}
	if reset != nil {
		w.Section(ops.SecCustom, resetSection(reset))
	}
	return w.B
}

// grown is a section's content with n more items; nil content has none.
func grown(raw []byte, n uint32) *ops.Writer {
	r := &reader{b: raw}
	count := uint32(0)
	if raw != nil {
		count = r.u32()
	}
	w := &ops.Writer{B: make([]byte, 0, len(raw)+64)}
	w.U32(count + n)
	w.Append(raw[r.pos:])
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
	w := &ops.Writer{}
	add := func(t funcType) uint32 {
		at := len(p.m.types) // look among the added ones only
		for at < len(types) && !types[at].equal(t) {
			at++
		}
		if at == len(types) {
			types = append(types[:at:at], t)
			w.U8(ops.FuncType)
			w.String(string(t.params))
			w.String(string(t.results))
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
	out.Append(w.B)
	return out.B, added
}

func (p *plan) imports(added addedTypes) []byte {
	w := grown(p.m.rawImport, p.nHelpers)
	for i, h := range helpers {
		if p.helperIndex[i] >= 0 {
			w.String(HelperModule)
			w.String(h.name)
			w.Op(ops.KindFunc, added.helpers[i])
		}
	}
	return w.B
}

func (p *plan) functions(added addedTypes) []byte {
	n := uint32(len(p.thunks) + 2*len(p.dispatchers))
	if p.m.misplaced {
		n++
	}
	w := grown(p.m.rawFunc, n)
	for _, f := range p.thunks {
		w.U32(p.m.funcs[f])
	}
	for _, t := range added.dispatchers {
		w.U32(t)
		w.U32(t)
	}
	if p.m.misplaced {
		w.U32(added.helpers[helperExhausted])
	}
	return w.B
}

func (p *plan) globals() []byte {
	w := &ops.Writer{}
	added := 2
	if p.m.rules.CountPages {
		added++
	}
	w.Len(len(p.m.globals) + added)
	for _, g := range p.m.globals {
		w.U8(g.typ)
		if g.mutable {
			w.U8(1)
		} else {
			w.U8(0)
		}
		if f, ok := g.function(); ok {
			// Quirk: a reference taken here is to the function, not to its thunk.
			index := p.function(f)
			if f < p.m.nImpFunc {
				index = p.outer(f)
			}
			w.Op(ops.RefFunc, index)
			w.U8(ops.End)
		} else {
			w.Append(g.init)
		}
	}
	w.Raw(i64, 1, ops.I64Const, 0, ops.End) // counter
	w.Raw(i32, 1, ops.I32Const, 0, ops.End) // height
	if p.m.rules.CountPages {
		pages := uint32(0)
		if len(p.m.memories) > 0 {
			pages = p.m.memories[0].Min
		}
		w.Raw(i32, 1, ops.I32Const)
		w.Signed(int64(pages))
		w.U8(ops.End)
	}
	return w.B
}

func (p *plan) exports(startExport string, reset []mutable) []byte {
	m := p.m
	w, n := &ops.Writer{}, 1
	for _, e := range m.exports {
		if e.name == CounterExport {
			continue
		}
		n++
		w.String(e.name)
		index := e.index
		if e.kind == ops.KindFunc {
			index = p.outer(index)
		}
		w.Op(e.kind, index)
	}
	if startExport != "" {
		n++
		w.String(startExport)
		if m.misplaced {
			w.Op(ops.KindFunc, m.nImpFunc+p.nHelpers+uint32(len(p.bodies)+len(p.thunks)))
		} else {
			w.Op(ops.KindFunc, p.outer(uint32(m.start)))
		}
	}
	w.String(CounterExport)
	w.Op(ops.KindGlobal, p.counter)
	for _, g := range reset {
		if g.index != p.counter {
			n++
			w.String(g.name)
			w.Op(ops.KindGlobal, g.index)
		}
	}
	out := &ops.Writer{}
	out.Len(n)
	out.Append(w.B)
	return out.B
}

func (p *plan) elements() []byte {
	w := &ops.Writer{}
	w.Len(len(p.m.elements) + 1)
	for _, e := range p.m.elements {
		switch e.mode {
		case segmentActive: // the only table there can be
			if p.m.misplaced {
				w.Raw(1, 0) // passive, and never used
				break
			}
			w.U32(0)
			w.Append(e.offset.raw)
		case segmentPassive:
			w.Raw(1, 0)
		case segmentDeclared:
			w.Raw(3, 0)
		}
		w.Len(len(e.funcs))
		for _, f := range e.funcs {
			w.U32(p.outer(f))
		}
	}
	w.Raw(1, 0, 0) // one more, passive and empty: see patchInit
	return w.B
}

// data is the data section, with one more segment that is passive and empty, see
// patchInit. In a misplaced module all are.
func (p *plan) data() []byte {
	m := p.m
	w := &ops.Writer{}
	switch {
	case m.misplaced:
		n := m.nData
		if m.hasData {
			n++
		}
		w.U32(n)
		for range n {
			w.Raw(1, 0)
		}
		return w.B
	case m.hasData:
		w = grown(m.rawData, 1)
		w.Raw(1, 0)
		return w.B
	}
	return m.rawData
}

func (p *plan) code(w *ops.Writer, size int) {
	all := &ops.Writer{B: make([]byte, 0, size)}
	n := len(p.bodies) + len(p.thunks) + 2*len(p.dispatchers)
	if p.m.misplaced {
		n++
	}
	all.Len(n)
	one := &ops.Writer{}
	end := func() { // of the one function
		all.Len(len(one.B))
		all.Append(one.B)
		one.B = one.B[:0]
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
		all.Raw(3, 0, ops.Unreachable, ops.End)
	}
	w.Section(ops.SecCode, all.B)
}

func (p *plan) thunk(w *ops.Writer, f uint32) {
	t := p.m.types[p.m.funcs[f]]
	w.U32(0) // no locals
	if f >= p.m.nImpFunc {
		p.charge(w, p.thunkCost(t))
	}
	for i := range t.params {
		w.Op(ops.LocalGet, uint32(i))
	}
	if f >= p.m.nImpFunc {
		p.call(w, f)
	} else {
		w.Op(ops.Call, f)
	}
	w.U8(ops.End)
}

// body writes a function body with its patches.
func (p *plan) body(w *ops.Writer, b *body) {
	temps := p.declare(w, b)
	at, charges := b.start, b.charges
	for _, x := range b.patches {
		for len(charges) > 0 && charges[0].pos <= x.pos {
			w.Append(b.code[at:charges[0].pos])
			at = charges[0].pos
			p.charge(w, charges[0].arg)
			charges = charges[1:]
		}
		w.Append(b.code[at:x.pos])
		at = x.end
		p.patch(w, b, x, temps)
	}
	for _, x := range charges {
		w.Append(b.code[at:x.pos])
		at = x.pos
		p.charge(w, x.arg)
	}
	w.Append(b.code[at:])
}

// temps are the indices of the added locals.
type temps struct{ i32, f32, f64, ref uint32 }

// declare writes the locals, with those that patches need.
func (p *plan) declare(w *ops.Writer, b *body) temps {
	r := &reader{b: b.code}
	groups := r.u32()
	var t temps
	next, n := b.locals, uint32(0)
	add := &ops.Writer{}
	for _, x := range []struct {
		set  tempSet
		typ  byte
		slot *uint32
	}{{tempI32, i32, &t.i32}, {tempF32, f32, &t.f32}, {tempF64, f64, &t.f64}, {tempRef, funcref, &t.ref}} {
		if b.temps&x.set != 0 {
			*x.slot = next
			next++
			n++
			add.Raw(1, x.typ)
		}
	}
	w.U32(groups + n)
	w.Append(b.code[r.pos:b.start])
	w.Append(add.B)
	return t
}

func (p *plan) patch(w *ops.Writer, b *body, x patch, t temps) {
	switch x.kind {
	case patchCall:
		p.call(w, uint32(x.arg))
	case patchIndirect:
		p.callIndirect(w, b, x)
	case patchLinear:
		w.Op(ops.LocalTee, t.i32)
		w.Op(ops.GlobalGet, p.counter)
		w.Op(ops.LocalGet, t.i32)
		w.U8(ops.I64ExtendI32U)
		w.U8(ops.I64Const)
		w.Signed(int64(x.arg))
		w.Raw(ops.I64Mul, ops.I64Sub)
		p.checkCounter(w)
	case patchNaN32:
		w.Append(b.code[x.pos:x.end])
		w.Op(ops.LocalTee, t.f32)
		w.Raw(ops.F32Const, 0, 0, 0xc0, 0x7f)
		w.Op(ops.LocalGet, t.f32)
		w.Op(ops.LocalGet, t.f32)
		w.Raw(ops.F32Eq, ops.Select)
	case patchNaN64:
		w.Append(b.code[x.pos:x.end])
		w.Op(ops.LocalTee, t.f64)
		w.Raw(ops.F64Const, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)
		w.Op(ops.LocalGet, t.f64)
		w.Op(ops.LocalGet, t.f64)
		w.Raw(ops.F64Eq, ops.Select)
	case patchCopysign32:
		w.Op(ops.LocalSet, t.f32)
		w.Raw(ops.I32ReinterpretF32, ops.I32Const)
		w.Signed(math.MaxInt32)
		w.U8(ops.I32And)
		w.Op(ops.LocalGet, t.f32)
		w.Raw(ops.I32ReinterpretF32, ops.I32Const)
		w.Signed(math.MinInt32)
		w.Raw(ops.I32And, ops.I32Or, ops.F32ReinterpretI32)
	case patchCopysign64:
		w.Op(ops.LocalSet, t.f64)
		w.Raw(ops.I64ReinterpretF64, ops.I64Const)
		w.Signed(math.MaxInt64)
		w.U8(ops.I64And)
		w.Op(ops.LocalGet, t.f64)
		w.Raw(ops.I64ReinterpretF64, ops.I64Const)
		w.Signed(math.MinInt64)
		w.Raw(ops.I64And, ops.I64Or, ops.F64ReinterpretI64)
	case patchInit:
		// Not every engine drops what instantiation has copied: the segment behind
		// the guest's own is empty for all.
		w.Raw(ops.Prefix, ops.TableInit)
		w.Len(len(p.m.elements))
		w.U8(0)
	case patchBulk:
		p.bulk(w, uint32(x.arg&0xff), uint32(x.arg>>8))
	case patchPages:
		w.Op(ops.GlobalGet, p.pages)
	case patchWatch:
		p.watch(w)
	case patchGrow:
		w.Op(ops.LocalTee, t.i32)
		if p.m.rules.CountPages {
			p.growCounted(w, t.i32)
			break
		}
		w.Raw(ops.MemorySize, 0)
		w.Op(ops.Call, uint32(p.helperIndex[helperGrow]))
		w.Raw(ops.If, i32)
		w.Op(ops.LocalGet, t.i32)
		w.Raw(ops.MemoryGrow, 0)
		p.tellLarge(w)
		p.elseMinusOne(w)
	case patchTableGrow:
		w.Op(ops.LocalSet, t.i32)
		w.Op(ops.LocalSet, t.ref)
		w.Op(ops.LocalGet, t.i32)
		w.Raw(ops.Prefix, ops.TableSize)
		w.U32(uint32(x.arg))
		w.Op(ops.Call, uint32(p.helperIndex[helperGrowTable]))
		w.Raw(ops.If, i32)
		w.Op(ops.LocalGet, t.ref)
		w.Op(ops.LocalGet, t.i32)
		w.Raw(ops.Prefix, ops.TableGrow)
		w.U32(uint32(x.arg))
		p.elseMinusOne(w)
	}
}

func (p *plan) bulk(w *ops.Writer, sub, segment uint32) {
	w.Op(ops.Prefix, sub)
	switch sub {
	case ops.MemoryInit:
		if p.m.active[segment] {
			segment = p.m.nData // as for patchInit
		}
		w.U32(segment)
	case ops.MemoryCopy:
		w.U8(0)
	}
	w.U8(0)
}

// tellLarge asks for nothing more, 0 pages, if the memory has become large: so the engine sees it before it is written to.
func (p *plan) tellLarge(w *ops.Writer) {
	w.Raw(ops.MemorySize, 0, ops.I32Const)
	w.Signed(LargeMemory)
	w.Raw(ops.I32GtU, ops.If, ops.BlockEmpty, ops.I32Const, 0, ops.MemorySize, 0)
	w.Op(ops.Call, uint32(p.helperIndex[helperGrow]))
	w.Raw(ops.Drop, ops.End)
}

// growCounted grows the memory by delta, the topmost value, and counts.
func (p *plan) growCounted(w *ops.Writer, delta uint32) {
	w.Op(ops.GlobalGet, p.pages)
	w.Op(ops.Call, uint32(p.helperIndex[helperGrow]))
	w.Raw(ops.If, i32)
	w.Op(ops.GlobalGet, p.pages) // the result
	w.Op(ops.LocalGet, delta)
	w.Raw(ops.MemoryGrow, 0, ops.I32Const, 0x7f, ops.I32Eq, ops.If, ops.BlockEmpty, ops.I32Const, 0x7f, ops.I32Const, 0x7f)
	w.Op(ops.Call, uint32(p.helperIndex[helperGrow]))
	w.Raw(ops.Drop, ops.End)
	w.Op(ops.GlobalGet, p.pages)
	w.Op(ops.LocalGet, delta)
	w.U8(ops.I32Add)
	w.Op(ops.GlobalSet, p.pages)
	p.elseMinusOne(w)
}

func (p *plan) elseMinusOne(w *ops.Writer) { w.Raw(ops.Else, ops.I32Const, 0x7f, ops.End) }

// charge takes cost off the counter. Quirk: it is an i64 there.
func (p *plan) charge(w *ops.Writer, cost uint64) {
	w.Op(ops.GlobalGet, p.counter)
	w.U8(ops.I64Const)
	w.Signed(int64(cost))
	w.U8(ops.I64Sub)
	p.checkCounter(w)
}

// checkCounter sets the counter to the topmost value and calls the host if it is negative.
func (p *plan) checkCounter(w *ops.Writer) {
	w.Op(ops.GlobalSet, p.counter)
	w.Op(ops.GlobalGet, p.counter)
	w.Raw(ops.I64Const, 0, ops.I64LtS, ops.If, ops.BlockEmpty)
	w.Op(ops.Call, uint32(p.helperIndex[helperExhausted]))
	w.U8(ops.End)
}

// call calls a defined function under the stack limit.
func (p *plan) call(w *ops.Writer, f uint32) {
	weight := p.bodies[f-p.m.nImpFunc].weight
	w.Op(ops.GlobalGet, p.height)
	w.U8(ops.I32Const)
	w.Signed(int64(int32(weight)))
	w.U8(ops.I32Add)
	w.Op(ops.GlobalSet, p.height)
	w.Op(ops.GlobalGet, p.height)
	w.U8(ops.I32Const)
	w.Signed(int64(int32(p.m.rules.StackLimit)))
	w.Raw(ops.I32GtU, ops.If, ops.BlockEmpty, ops.Unreachable, ops.End)
	w.Op(ops.Call, p.function(f))
	w.Op(ops.GlobalGet, p.height)
	w.U8(ops.I32Const)
	w.Signed(int64(int32(weight)))
	w.U8(ops.I32Sub)
	w.Op(ops.GlobalSet, p.height)
}
