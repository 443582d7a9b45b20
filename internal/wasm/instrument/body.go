package instrument

import "github.com/edgefvm/fvm/internal/wasm/ops"

// patchKind is what is done to an instruction in the output.
type patchKind uint8

const (
	patchCall       patchKind = iota + 1 // a call of a defined function
	patchIndirect                        // a call through a table
	patchCharge                          // gas of the block that starts here
	patchLinear                          // gas by the topmost operand
	patchNaN32                           // make the result's NaN the canonical one
	patchNaN64                           //
	patchCopysign32                      // copysign, in integers
	patchCopysign64                      //
	patchInit                            // table.init of a dropped segment
	patchBulk                            // a bulk operation on memories, in its shortest form
	patchGrow                            // memory.grow
	patchPages                           // memory.size, of a guest that counts its pages
	patchTableGrow                       // table.grow
	patchWatch                           // a call of the host, see Watch
)

// patch replaces the bytes from pos to end of a body, or inserts at pos. Patches
// are ordered by pos; of those at one pos a block's charge comes first, then the
// linear one.
type patch struct {
	pos, end int
	kind     patchKind
	arg      uint64 // callee, type, cost, unit or table
}

// body is a function's body and what was found out about it.
type body struct {
	code    []byte
	start   int    // where instructions start
	params  uint32 // parameters
	locals  uint32 // parameters and locals
	weight  uint32 // stack cost: locals, activation and height
	charges []patch
	patches []patch
	temps   tempSet
	linear  bool // has a patchLinear
	lasting bool // can change more of an instance than its memory and globals: see ResetSection
}

// tempSet says which locals the patches need.
type tempSet uint8

const (
	tempI32 tempSet = 1 << iota
	tempF32
	tempF64
	tempRef
)

// frame is a control frame: for types, for heights and for metering.
type frame struct {
	op     byte
	result byte // 0: none
	base   int  // height of the type stack
	dead   bool // what follows cannot be reached

	// The stack limiter's own idea of the stack, with its quirks.
	height      uint32
	polymorphic bool

	block
}

// label is the type that a branch to f takes, 0 for none.
func (f *frame) label() byte {
	if f.op == ops.Loop {
		return 0
	}
	return f.result
}

func arity(t byte) uint32 {
	if t == 0 {
		return 0
	}
	return 1
}

// checker checks function bodies one after another.
type checker struct {
	reader
	m       *module
	globals []global
	stack   []byte
	ctl     []frame
	locals  localTypes
	result  byte // of the function
	heights
	meter
	out body
}

// analyze checks every body, seeing the given globals.
func (m *module) analyze(globals []global) ([]body, error) {
	c := &checker{m: m, globals: globals}
	out := make([]body, len(m.bodies))
	for i, code := range m.bodies {
		typ := m.types[m.funcs[int(m.nImpFunc)+i]]
		if err := c.body(code, m.bodyBase[i], typ); err != nil {
			return nil, err
		}
		out[i] = c.out
	}
	return out, nil
}

func (c *checker) body(code []byte, base int, typ funcType) error {
	c.reader = reader{b: code, base: base}
	c.stack, c.ctl, c.result = c.stack[:0], c.ctl[:0], 0
	if len(typ.results) != 0 {
		c.result = typ.results[0]
	}
	c.heights = heights{height: activation}
	c.meter = meter{charges: nil}
	c.out = body{code: code, params: uint32(len(typ.params))}
	groups := c.declare(typ.params)
	c.out.start, c.out.locals = c.pos, c.locals.n
	c.ctl = append(c.ctl, frame{result: c.result, block: block{start: c.pos}})
	for c.more() {
		if len(c.ctl) == 0 {
			c.fail("instructions after the end of the function")
			break
		}
		c.see()
		c.instruction()
	}
	if c.err == nil && len(c.ctl) != 0 {
		c.fail("function without end")
	}
	if c.err != nil {
		return c.err
	}
	weight := uint64(groups)
	if !c.m.rules.StackCountsGroups {
		weight = uint64(c.out.locals - c.out.params)
	}
	if weight += uint64(c.most); weight > 1<<32-1 {
		return refusef("stack cost overflows")
	}
	c.out.weight = uint32(weight)
	var err error
	c.out.charges, err = c.finish()
	return err
}

// declare reads the locals and gives the number of their groups.
func (c *checker) declare(params []byte) uint32 {
	c.locals.reset()
	for _, t := range params {
		c.locals.add(1, t)
	}
	groups := c.u32()
	for i := groups; i > 0 && c.err == nil; i-- {
		n := c.u32()
		if !c.locals.add(n, c.m.valueType(&c.reader)) {
			c.fail("too many locals")
		}
	}
	return groups
}

// localTypes are a function's locals as runs of one type, so that many locals cost nothing.
type localTypes struct {
	n     uint32
	first []byte // types of the first ones
	ends  []uint32
	types []byte
}

func (l *localTypes) reset() { l.n, l.first, l.ends, l.types = 0, l.first[:0], l.ends[:0], l.types[:0] }

func (l *localTypes) add(n uint32, t byte) bool {
	if n == 0 {
		return true
	}
	if uint64(l.n)+uint64(n) > maxLocals {
		return false
	}
	for i := n; i > 0 && len(l.first) < 64; i-- {
		l.first = append(l.first, t)
	}
	l.n += n
	l.ends, l.types = append(l.ends, l.n), append(l.types, t)
	return true
}

func (l *localTypes) at(i uint32) byte {
	if uint64(i) < uint64(len(l.first)) {
		return l.first[i]
	}
	lo, hi := 0, len(l.ends)
	for lo < hi {
		if mid := (lo + hi) / 2; l.ends[mid] > i {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return l.types[lo]
}

func (c *checker) push(t byte) {
	if t != 0 {
		c.stack = append(c.stack, t)
	}
}

// pushAny pushes a type that may be bottom.
func (c *checker) pushAny(t byte) { c.stack = append(c.stack, t) }

// popAny pops a value of any type.
func (c *checker) popAny() byte {
	f := &c.ctl[len(c.ctl)-1]
	n := len(c.stack)
	if n == f.base {
		if !f.dead {
			c.fail("value missing")
		}
		return bottom
	}
	t := c.stack[n-1]
	c.stack = c.stack[:n-1]
	return t
}

func (c *checker) pop(want byte) byte {
	t := c.popAny()
	if t != want && t != bottom {
		c.fail("type %#x where %#x is wanted", t, want)
	}
	return t
}

// kill makes the rest of the current frame unreachable.
func (c *checker) kill() {
	f := &c.ctl[len(c.ctl)-1]
	c.stack, f.dead = c.stack[:f.base], true
}

func (c *checker) enter(op, result byte) {
	f := frame{op: op, result: result, base: len(c.stack), height: c.height}
	c.ctl = append(c.ctl, f)
}

// leave checks the current frame's results and pops it from the type stack.
func (c *checker) leave() {
	f := &c.ctl[len(c.ctl)-1]
	if f.result != 0 {
		c.pop(f.result)
	}
	if len(c.stack) != f.base {
		c.fail("values left at the end of a block")
	}
	c.stack = c.stack[:min(len(c.stack), f.base)]
}

// target is the frame that a label names.
func (c *checker) target(label uint32) *frame {
	if uint64(label) >= uint64(len(c.ctl)) {
		c.fail("unknown label %d", label)
		return nil
	}
	return &c.ctl[len(c.ctl)-1-int(label)]
}
