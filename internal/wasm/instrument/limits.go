package instrument

// checkReference refuses what the reference refuses only after its own passes,
// on its own output.
func (p *plan) checkReference() error {
	m := p.m
	if len(m.funcs)+p.guarded()+1 > maxItems || len(m.globals)+2 > maxItems || len(m.imports)+1 > maxItems {
		return refusef("too many items after instrumentation")
	}
	if m.typeSize+1 >= maxTypeSize {
		return refusef("the types of imports and exports are too large")
	}
	for i := range p.bodies {
		if b := &p.bodies[i]; b.linear && b.locals+1 > maxLocals {
			return refusef("too many locals after instrumentation")
		}
	}
	if n := p.recordSize(); n > m.rules.Limits.InstanceBytes {
		return refusef("an instance takes %d bytes", n)
	}
	if m.nImpGlob > 0 {
		return p.checkGlobals()
	}
	return nil
}

// checkGlobals refuses modules that the reference's passes turn into invalid ones.
//
// Quirk: they mistake indices of globals where globals are imported. The stack's
// height is taken to be the global whose index is the number of defined ones, and
// then each index is raised by one for the gas counter, which is imported last. What
// stays valid by luck cannot be linked, since the network offers no global.
func (p *plan) checkGlobals() error {
	m := p.m
	if m.rules.FirstParser {
		return p.checkGlobalsFirst()
	}
	for _, im := range m.imports {
		if im.Kind == kindGlobal && im.Module == "gas" && im.Name == "gas_counter" {
			return refusef("import of the gas counter")
		}
	}
	seen := make([]global, 0, len(m.globals)+2)
	seen = append(seen, m.globals[:m.nImpGlob]...)
	seen = append(seen, global{typ: i64, mutable: true})
	seen = append(seen, m.globals[m.nImpGlob:]...)
	seen = append(seen, global{typ: i32, mutable: true})
	height := seen[len(m.globals)-int(m.nImpGlob)+1]
	if p.guards() && (height.typ != i32 || !height.mutable) {
		return refusef("imported globals displace the stack height")
	}
	_, err := m.analyze(seen[1 : len(m.globals)+1])
	return err
}

// checkGlobalsFirst is checkGlobals for 0.2.0, which raises only the indices behind the gas counter, so that those of the
// guest are right, and that of the stack's height is not. The gas counter itself is not offered to guests.
func (p *plan) checkGlobalsFirst() error {
	m := p.m
	for _, im := range m.imports {
		switch {
		case im.Kind != kindGlobal:
		case im.Module == "gas" && im.Name == "gas_couner":
			return refusef("import of the gas counter")
		case im.Module != "gas" && im.Name != "gas_couner":
			return refusef("import of a global")
		}
	}
	n := int(m.nImpGlob)
	seen := append(append([]global(nil), m.globals[:n]...), global{typ: i64, mutable: true})
	seen = append(append(seen, m.globals[n:]...), global{typ: i32, mutable: true})
	height := len(m.globals) - n // the number of defined ones
	if height >= n {
		height++
	}
	if g := seen[height]; p.guards() && (g.typ != i32 || !g.mutable) {
		return refusef("imported globals displace the stack height")
	}
	return nil
}

// guards reports whether any call is guarded by the stack limiter.
func (p *plan) guards() bool {
	if p.guarded() > 0 {
		return true
	}
	for i := range p.bodies {
		for _, x := range p.bodies[i].patches {
			if x.kind == patchCall {
				return true
			}
		}
	}
	return false
}

// The reference's record of an instance, on a machine of 64 bits: its fixed part, and
// what each item takes.
const (
	recordBase       = 160 + 48
	recordImport     = 24 // of any kind
	recordMemory     = 24 // a pointer and a definition
	recordTable      = 16
	recordGlobal     = 16
	recordFuncRef    = 32
	recordGlobalUnit = 16 // globals are aligned to it
)

// recordSize is the size in bytes of the record of an instance of the reference's output.
func (p *plan) recordSize() uint64 {
	m := p.m
	n := uint64(recordBase)
	n += recordImport * uint64(m.nImpMem+m.nImpTab+int(m.nImpFunc)+int(m.nImpGlob)+1)
	n += recordMemory * uint64(len(m.memories)-m.nImpMem)
	n += recordTable * uint64(len(m.tables)-m.nImpTab)
	n = (n + recordGlobalUnit - 1) / recordGlobalUnit * recordGlobalUnit
	n += recordGlobal * uint64(len(m.globals)-int(m.nImpGlob)+1)
	return n + recordFuncRef*uint64(p.escaped())
}

// escaped is the number of functions of the reference's output whose reference can be
// taken: imported ones, thunks, and those that globals refer to.
func (p *plan) escaped() int {
	taken := map[uint32]bool{}
	for _, g := range p.m.globals[p.m.nImpGlob:] {
		if f, ok := g.function(); ok && f >= p.m.nImpFunc {
			taken[f] = true
		}
	}
	return int(p.m.nImpFunc) + p.guarded() + len(taken)
}
