package instrument

import "github.com/edgefvm/fvm/internal/wasm/ops"

// helper is an import that the output uses.
type helper struct {
	name            string
	params, results []byte
}

var helpers = [...]helper{
	{name: "exhausted"},
	{name: "grow", params: []byte{i32, i32}, results: []byte{i32}},
	{name: "grow_table", params: []byte{i32, i32}, results: []byte{i32}},
	{name: "opcode", params: []byte{i32, i32, i32}},
}

const (
	helperExhausted = iota
	helperGrow
	helperGrowTable
	helperOpcode
)

const noThunk = ^uint32(0)

// plan is where everything goes in the output.
type plan struct {
	m      *module
	bodies []body
	// helperIndex is each used helper's function index, -1 for one not used.
	helperIndex [len(helpers)]int64
	nHelpers    uint32
	// thunks are the functions that get a thunk: they can be called from outside or
	// through a table. A defined function's thunk bounds the stack. An imported one's
	// costs nothing and only lets every host function be called by the guest's own code.
	// thunkOf gives each function's place in thunks.
	thunks  []uint32
	thunkOf []uint32
	// dispatchers come after the thunks. dispatcherOf gives the one of each type, nil for none.
	dispatchers  []*dispatcher
	dispatcherOf []*dispatcher
	// counter, height and pages are the indices of the added globals; the last is there only if pages are counted.
	counter, height, pages uint32
	watched                *Watch
}

func newPlan(m *module, bodies []body) *plan {
	p := &plan{m: m, bodies: bodies, thunkOf: make([]uint32, len(m.funcs))}
	p.counter = uint32(len(m.globals))
	p.height, p.pages = p.counter+1, p.counter+2
	for i := range p.thunkOf {
		p.thunkOf[i] = noThunk
	}
	for _, e := range m.exports {
		if e.kind == ops.KindFunc {
			p.mark(e.index)
		}
	}
	for _, g := range m.globals[m.nImpGlob:] {
		if f, ok := g.function(); ok && f < m.nImpFunc {
			p.mark(f)
		}
	}
	for _, e := range m.elements {
		for _, f := range e.funcs {
			p.mark(f)
		}
	}
	if m.start >= 0 {
		p.mark(uint32(m.start))
	}
	for i, k := range p.thunkOf {
		if k != noThunk {
			p.thunkOf[i] = uint32(len(p.thunks))
			p.thunks = append(p.thunks, uint32(i))
		}
	}
	p.findHelpers()
	p.findDispatchers()
	return p
}

// mark asks for a thunk.
func (p *plan) mark(f uint32) { p.thunkOf[f] = 0 }

// guarded is the number of thunks of defined functions, which are those that the reference has.
func (p *plan) guarded() int {
	n := 0
	for _, f := range p.thunks {
		if f >= p.m.nImpFunc {
			n++
		}
	}
	return n
}

func (p *plan) findHelpers() {
	used := [len(helpers)]bool{helperExhausted: p.guarded() > 0}
	for i := range p.bodies {
		b := &p.bodies[i]
		used[helperExhausted] = used[helperExhausted] || len(b.charges) > 0
		for j := range b.patches {
			switch b.patches[j].kind {
			case patchLinear:
				used[helperExhausted] = true
			case patchGrow:
				used[helperGrow] = true
			case patchTableGrow:
				used[helperGrowTable] = true
			case patchWatch:
				used[helperOpcode] = true
			}
		}
	}
	for i, u := range used {
		p.helperIndex[i] = -1
		if u {
			p.helperIndex[i] = int64(p.m.nImpFunc + p.nHelpers)
			p.nHelpers++
		}
	}
}

// function is the output's index of a function of the guest.
func (p *plan) function(f uint32) uint32 {
	if f >= p.m.nImpFunc {
		f += p.nHelpers
	}
	return f
}

// outer is the index of a function's thunk, or of the function if it has none.
func (p *plan) outer(f uint32) uint32 {
	if p.thunkOf[f] == noThunk {
		return p.function(f)
	}
	return p.m.nImpFunc + p.nHelpers + uint32(len(p.bodies)) + p.thunkOf[f]
}

// thunkCost is the gas of a thunk: its arguments, the call and the guard.
func (p *plan) thunkCost(t funcType) uint64 {
	c := &p.m.rules.Costs
	return uint64(len(t.params))*c.Default + c.Call + guardCost(c)
}
