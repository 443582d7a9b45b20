package instrument

import "github.com/edgefvm/fvm/internal/wasm/ops"

// dispatcher is a function of the output that stands for call_indirect of one type: it has the type's parameters, then
// the index in the table. It calls the thunk that is at an index directly, which an engine does in a fraction of the
// time of a look into a table that may change. Whatever ends in a trap is left to call_indirect.
type dispatcher struct {
	typ     uint32
	place   int      // among the dispatchers
	targets []uint32 // functions, each once
	// cases are the places in targets of the table's indices from first to last; noTarget: none.
	first, last uint32
	cases       []uint16
	// placeOf is where each function is in targets.
	placeOf map[uint32]uint16
}

const noTarget = ^uint16(0)

// Bounds on what dispatchers add to an output, and on what it takes to make them. The actors of the network stay below.
const (
	maxDispatchers    = 1 << 8
	maxTargets        = 1 << 10 // of one
	maxDispatchParams = 16
	maxDispatchCases  = 1 << 16 // of all dispatchers together, and indices that are looked at
)

// fixedTable gives the function at each index of the table, noThunk where there is none; nil if there is no table
// whose contents are known and always stay the same. The host does not change tables.
func (p *plan) fixedTable() []uint32 {
	m := p.m
	if len(m.tables) != 1 || m.nImpTab != 0 || m.misplaced || p.lasting() {
		return nil
	}
	var table []uint32
	for _, e := range m.elements {
		if e.mode != segmentActive || len(e.funcs) == 0 {
			continue
		}
		end := uint64(uint32(e.offset.value)) + uint64(len(e.funcs))
		if e.offset.op != ops.I32Const || end > maxDispatchCases {
			return nil
		}
		for uint64(len(table)) < end {
			table = append(table, noThunk)
		}
		copy(table[end-uint64(len(e.funcs)):], e.funcs)
	}
	return table
}

// findDispatchers makes a dispatcher for each type of which call_indirect is used and which the table has, as far as
// the bounds allow.
func (p *plan) findDispatchers() {
	p.dispatcherOf = make([]*dispatcher, len(p.m.types))
	table := p.fixedTable()
	if table == nil {
		return
	}
	keys := make([]string, len(p.m.types)) // equal for equal types
	for i, t := range p.m.types {
		keys[i] = string(t.params) + "\x00" + string(t.results)
	}
	wanted := p.wantedDispatchers(keys)
	for i, f := range table {
		if f == noThunk {
			continue
		}
		if d := wanted[keys[p.m.funcs[f]]]; d != nil {
			d.first, d.last = min(d.first, uint32(i)), uint32(i)
		}
	}
	cases := uint32(0)
	for i, key := range keys {
		d := wanted[key]
		if d == nil || d.first > d.last {
			continue
		}
		if d.cases == nil {
			n := d.last - d.first + 1
			if n > maxDispatchCases-cases || len(p.dispatchers) == maxDispatchers {
				continue
			}
			cases += n
			d.place, d.cases, d.placeOf = len(p.dispatchers), make([]uint16, 0, n), map[uint32]uint16{}
			p.dispatchers = append(p.dispatchers, d)
		}
		p.dispatcherOf[i] = d
	}
	for i, f := range table {
		if f == noThunk {
			continue
		}
		if d := p.dispatcherOf[p.m.funcs[f]]; d != nil {
			d.add(uint32(i), f)
		}
	}
}

// wantedDispatchers are empty dispatchers, by key, of the types of which call_indirect is used.
func (p *plan) wantedDispatchers(keys []string) map[string]*dispatcher {
	wanted := map[string]*dispatcher{}
	for i := range p.bodies {
		for _, x := range p.bodies[i].patches {
			if x.kind != patchIndirect {
				continue
			}
			typ := uint32(x.arg)
			if wanted[keys[typ]] == nil && len(p.m.types[typ].params) <= maxDispatchParams {
				wanted[keys[typ]] = &dispatcher{typ: typ, first: noThunk}
			}
		}
	}
	return wanted
}

// add notes that f, a function of d's type, is at an index of the table; indices rise from call to call.
func (d *dispatcher) add(index, f uint32) {
	for d.first+uint32(len(d.cases)) < index {
		d.cases = append(d.cases, noTarget)
	}
	place, ok := d.placeOf[f]
	if !ok {
		if place = noTarget; len(d.targets) < maxTargets {
			place = uint16(len(d.targets))
			d.targets = append(d.targets, f)
		}
		d.placeOf[f] = place
	}
	d.cases = append(d.cases, place)
}

// dispatcher is the output's index of a dispatcher; the function for the rest comes after it.
func (p *plan) dispatcher(d *dispatcher) uint32 {
	return p.m.nImpFunc + p.nHelpers + uint32(len(p.bodies)+len(p.thunks)+2*d.place)
}

// callIndirect calls the function at the topmost value's index of the table.
func (p *plan) callIndirect(w *ops.Writer, b *body, x patch) {
	if d := p.dispatcherOf[x.arg]; d != nil {
		w.Op(ops.Call, p.dispatcher(d))
		return
	}
	w.Append(b.code[x.pos:x.end])
}

// dispatch writes the body of a dispatcher: a block for each target, the first one innermost, and one for the rest.
// All it does is a choice of what to call last, so that machine code can jump there: that is why call_indirect is in a
// function of its own.
func (p *plan) dispatch(w *ops.Writer, d *dispatcher) {
	index := uint32(len(p.m.types[d.typ].params))
	rest := uint32(len(d.targets))
	w.U32(0) // no locals
	for range rest + 1 {
		w.Raw(ops.Block, ops.BlockEmpty)
	}
	w.Op(ops.LocalGet, index)
	if d.first != 0 {
		w.U8(ops.I32Const)
		w.Signed(int64(int32(d.first)))
		w.U8(ops.I32Sub)
	}
	w.U8(ops.BrTable)
	w.Len(len(d.cases))
	for _, c := range d.cases {
		if c == noTarget {
			w.U32(rest)
		} else {
			w.U32(uint32(c))
		}
	}
	w.U32(rest)
	w.U8(ops.End)
	for _, f := range d.targets {
		passOn(w, index)
		w.Op(ops.Call, p.outer(f))
		w.Raw(ops.Return, ops.End)
	}
	passOn(w, index+1)
	w.Op(ops.Call, p.dispatcher(d)+1)
	w.U8(ops.End)
}

// dispatchRest writes the body of the function that does the call_indirect for which a dispatcher has no target.
func (p *plan) dispatchRest(w *ops.Writer, d *dispatcher) {
	w.U32(0) // no locals
	passOn(w, uint32(len(p.m.types[d.typ].params))+1)
	w.Op(ops.CallIndirect, d.typ)
	w.Raw(0, ops.End)
}

// passOn pushes the first n parameters.
func passOn(w *ops.Writer, n uint32) {
	for i := range n {
		w.Op(ops.LocalGet, i)
	}
}
