package instrument

// checkReference refuses what the reference refuses only after its own passes,
// on its own output.
func (p *plan) checkReference() error {
	m := p.m
	if len(m.funcs)+len(p.thunks)+1 > maxItems || len(m.globals)+2 > maxItems || len(m.imports)+1 > maxItems {
		return refusef("too many items after instrumentation")
	}
	if m.typeSize+1 >= maxTypeSize {
		return refusef("the types of imports and exports are too large")
	}
	for i := range p.bodies {
		b := &p.bodies[i]
		if b.linear && b.locals+1 > maxLocals {
			return refusef("too many locals after instrumentation")
		}
	}
	return nil
}
