package evmloop

import (
	"fmt"
	"maps"
	"slices"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// value is what an instruction gives when a function runs on symbols: a name for what is not known, plus a number. Without a
// name it is the number. What memory has at an address is named by the address: "[p1+8]" is the word at the second parameter
// plus 8. Two values with one name are equal; with two names they may be.
type value struct {
	name string
	n    uint32
}

// key is an address as a name.
func (v value) key() string { return fmt.Sprintf("%s+%d", v.name, v.n) }

// write is a store.
type write struct {
	at   value
	size int // bytes
	what value
}

// path is one way through a function, to its end.
type path struct {
	writes []write
	reads  []value // addresses of words
}

// added is whether a word is written that is the one at the same address plus n; the address's first name is returned.
func (p *path) added(base string, n uint32) (at uint32, ok bool) {
	for _, w := range p.writes {
		if w.size == 4 && w.at.name == base && w.what == (value{load(w.at), n}) {
			return w.at.n, true
		}
	}
	return 0, false
}

// stored is the word that the path leaves at an address of a base.
func (p *path) stored(base string, at uint32) (value, bool) {
	for _, w := range slices.Backward(p.writes) {
		if w.size == 4 && w.at == (value{base, at}) {
			return w.what, true
		}
	}
	return value{}, false
}

func load(at value) string { return "[" + at.key() + "]" }

// sum is the name of two names added: order does not matter.
func sum(a, b string) string { return "(" + min(a, b) + " + " + max(a, b) + ")" }

func shifted(a string, by uint32) string { return fmt.Sprintf("(%s << %d)", a, by) }

const (
	maxPaths = 3000
	maxSteps = 400_000
	maxName  = 300 // of a symbol, in bytes; a longer one gets a number instead
)

// run is a function being run on symbols, on all its ways at once: where a condition is not known, on both.
type run struct {
	m     *module
	code  []instr
	steps int
	fresh int
	ends  []path
	todo  []*state
	err   error
}

type label struct {
	loop   bool
	end    int // the place of the end
	height int
	arity  int
}

type state struct {
	at     int
	stack  []value
	locals []value
	labels []label
	memory map[string]value // what was stored, by size and address
	path   path
}

// explore gives all ways through a function that end by returning. Parameters are named p0, p1, …
func (m *module) explore(f uint32) ([]path, error) {
	if int64(f) < int64(m.imported) || int64(f) >= int64(len(m.funcs)) {
		return nil, fmt.Errorf("function %d is not the module's own", f)
	}
	nLocals, code, err := decode(m.bodies[int(f)-m.imported])
	if err != nil {
		return nil, err
	}
	t := m.types[m.funcs[f]]
	r := &run{m: m, code: code}
	s := &state{memory: map[string]value{}, locals: make([]value, len(t.params)+nLocals)}
	for i := range t.params {
		s.locals[i] = value{fmt.Sprintf("p%d", i), 0}
	}
	s.labels = []label{{end: len(code) - 1, arity: len(t.results)}}
	r.todo = []*state{s}
	for len(r.todo) > 0 && r.err == nil {
		s := r.todo[len(r.todo)-1]
		r.todo = r.todo[:len(r.todo)-1]
		r.follow(s)
	}
	return r.ends, r.err
}

func (r *run) fail(format string, a ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, a...)
	}
}

// follow runs one way until it ends.
func (r *run) follow(s *state) {
	for r.err == nil && s.at >= 0 {
		if r.steps++; r.steps > maxSteps {
			r.fail("it takes more than %d steps", maxSteps)
			return
		}
		if s.at >= len(r.code) {
			r.fail("it has no end")
			return
		}
		i := &r.code[s.at]
		s.at++
		r.step(s, i)
	}
}

const stopped = -1

func (r *run) unknown() value {
	r.fresh++
	return value{fmt.Sprintf("?%d", r.fresh), 0}
}

// named is a value by a name, or by a shorter one if that is too long.
func (r *run) named(format string, a ...any) value {
	if s := fmt.Sprintf(format, a...); len(s) <= maxName {
		return value{s, 0}
	}
	return r.unknown()
}

func (r *run) pop(s *state) value {
	n := len(s.stack)
	if n == 0 {
		r.fail("a value is missing")
		return value{}
	}
	v := s.stack[n-1]
	s.stack = s.stack[:n-1]
	return v
}

func (s *state) push(v value) { s.stack = append(s.stack, v) }

func (r *run) local(s *state, i int64) *value {
	if i < 0 || i >= int64(len(s.locals)) {
		r.fail("no local %d", i)
		return &value{}
	}
	return &s.locals[i]
}

func (r *run) step(s *state, i *instr) {
	switch i.op {
	case ops.Unreachable:
		s.at = stopped
	case ops.Nop:
	case ops.Block, ops.Loop, ops.If:
		r.open(s, i)
	case ops.Else: // the end of the first part
		s.at = s.labels[len(s.labels)-1].end
	case ops.End:
		if s.labels = s.labels[:len(s.labels)-1]; len(s.labels) == 0 {
			r.done(s)
		}
	case ops.Br:
		r.jump(s, uint32(i.a))
	case ops.BrIf:
		r.jumpIf(s, i)
	case ops.BrTable:
		r.pop(s)
		for _, l := range i.to[1:] {
			r.fork(s, l)
		}
		r.jump(s, i.to[0])
	case ops.Return:
		r.done(s)
	case ops.Call, ops.CallIndirect:
		r.call(s, i)
	case ops.Drop:
		r.pop(s)
	case ops.Select:
		c, b, a := r.pop(s), r.pop(s), r.pop(s)
		switch {
		case c.name != "":
			s.push(r.unknown())
		case c.n != 0:
			s.push(a)
		default:
			s.push(b)
		}
	case ops.LocalGet:
		s.push(*r.local(s, i.a))
	case ops.LocalSet:
		*r.local(s, i.a) = r.pop(s)
	case ops.LocalTee:
		v := r.pop(s)
		*r.local(s, i.a) = v
		s.push(v)
	case ops.GlobalGet:
		s.push(r.named("g%d", i.a))
	case ops.GlobalSet:
		r.pop(s)
	case ops.I32Const, ops.I64Const:
		if i.op == ops.I64Const && i.a != int64(int32(i.a)) {
			s.push(r.named("%d", i.a))
		} else {
			s.push(value{"", uint32(i.a)})
		}
	default:
		r.compute(s, i)
	}
}

func (r *run) open(s *state, i *instr) {
	arity := 1
	if i.a == ops.BlockEmpty-0x80 { // as a signed number of seven bits
		arity = 0
	}
	l := label{loop: i.op == ops.Loop, end: i.end, arity: arity}
	if i.op != ops.If {
		l.height = len(s.stack)
		s.labels = append(s.labels, l)
		return
	}
	c := r.pop(s)
	l.height = len(s.stack)
	s.labels = append(s.labels, l)
	other := i.end
	if i.els != 0 {
		other = i.els + 1
	}
	switch {
	case c.name != "":
		t := s.clone()
		t.at = other
		r.later(t)
	case c.n == 0:
		s.at = other
	}
}

func (s *state) clone() *state {
	t := *s
	t.stack, t.locals, t.labels = slices.Clone(s.stack), slices.Clone(s.locals), slices.Clone(s.labels)
	t.memory = maps.Clone(s.memory)
	t.path.writes, t.path.reads = slices.Clip(s.path.writes), slices.Clip(s.path.reads)
	s.path.writes, s.path.reads = slices.Clip(s.path.writes), slices.Clip(s.path.reads)
	return &t
}

func (r *run) later(s *state) {
	if r.todo = append(r.todo, s); len(r.todo)+len(r.ends) > maxPaths {
		r.fail("there are more than %d ways through it", maxPaths)
	}
}

func (r *run) fork(s *state, to uint32) {
	t := s.clone()
	r.jump(t, to)
	if t.at != stopped {
		r.later(t)
	}
}

func (r *run) jumpIf(s *state, i *instr) {
	switch c := r.pop(s); {
	case c.name != "":
		r.fork(s, uint32(i.a))
	case c.n != 0:
		r.jump(s, uint32(i.a))
	}
}

func (r *run) jump(s *state, to uint32) {
	if int(to) >= len(s.labels) {
		r.fail("no label %d", to)
		return
	}
	l := s.labels[len(s.labels)-1-int(to)]
	if l.loop { // once more round is nothing new
		s.at = stopped
		return
	}
	s.labels = s.labels[:len(s.labels)-1-int(to)]
	if n := len(s.stack) - l.arity; n >= l.height {
		s.stack = append(s.stack[:l.height], s.stack[n:]...)
	} else {
		r.fail("a value is missing at a jump")
	}
	if s.at = l.end + 1; len(s.labels) == 0 {
		r.done(s)
	}
}

func (r *run) done(s *state) {
	if s.at = stopped; len(r.ends) > maxPaths {
		r.fail("there are more than %d ways through it", maxPaths)
	}
	r.ends = append(r.ends, s.path)
}

// call goes by what it calls: what that stores is not looked at.
func (r *run) call(s *state, i *instr) {
	typ := i.a
	if i.op == ops.Call {
		if i.a >= int64(len(r.m.funcs)) {
			r.fail("no function %d", i.a)
			return
		}
		typ = int64(r.m.funcs[i.a])
	} else {
		r.pop(s)
	}
	if typ >= int64(len(r.m.types)) {
		r.fail("no type %d", typ)
		return
	}
	t := r.m.types[typ]
	for range t.params {
		r.pop(s)
	}
	for range t.results {
		s.push(r.unknown())
	}
}

// accessSize are the bytes of loads and stores from ops.I32Load on.
var accessSize = [...]int{4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4, 4, 8, 4, 8, 1, 2, 1, 2, 4}

const i64Load32U = 0x35

// compute is any instruction that takes operands and gives a value.
func (r *run) compute(s *state, i *instr) {
	o := &ordinary[i.op]
	switch {
	case i.op >= ops.I32Load && i.op < ops.I32Store:
		r.load(s, i)
		return
	case i.op >= ops.I32Store && i.op < ops.MemorySize:
		v, at := r.pop(s), r.pop(s)
		at.n += uint32(i.a)
		size := accessSize[i.op-ops.I32Load]
		s.memory[fmt.Sprint(size, at.key())] = v
		s.path.writes = append(s.path.writes, write{at, size, v})
		return
	case o.Known():
		b := r.pop(s)
		if o.N == 1 {
			s.push(r.unary(i.op, b))
		} else {
			s.push(r.binary(i.op, r.pop(s), b))
		}
		return
	case i.op == ops.MemorySize:
		s.push(r.unknown())
	case i.op == ops.MemoryGrow:
		r.pop(s)
		s.push(r.unknown())
	case i.op == ops.Prefix && (i.sub == ops.MemoryCopy || i.sub == 11): // copy and fill
		r.pop(s)
		r.pop(s)
		r.pop(s)
	case i.op == ops.Prefix && i.sub < 8: // conversions
		r.pop(s)
		s.push(r.unknown())
	case i.op == ops.I64Const+1, i.op == ops.I64Const+2:
		s.push(r.unknown())
	default:
		r.fail("instruction %#x is not followed", i.op)
	}
}

var ordinary = ops.Table()

func (r *run) load(s *state, i *instr) {
	at := r.pop(s)
	at.n += uint32(i.a)
	size := accessSize[i.op-ops.I32Load]
	if size == 4 {
		s.path.reads = append(s.path.reads, at)
	}
	if v, ok := s.memory[fmt.Sprint(size, at.key())]; ok && (i.op <= ops.I32Load+1 || i.op == i64Load32U) {
		s.push(v)
		return
	}
	if i.op == ops.I32Load || i.op == i64Load32U {
		s.push(r.named("%s", load(at)))
	} else {
		s.push(r.named("%d:%d%s", i.op, size, load(at)))
	}
}

func (r *run) unary(op byte, v value) value {
	switch {
	case op == ops.I64ExtendI32U:
		return v
	case (op == ops.I32Eqz || op == ops.I64Eqz) && v.name == "":
		return value{"", truth(v.n == 0)}
	case v.name == "":
		return r.unknown()
	}
	return r.named("%#x(%s)", op, v.key())
}

func (r *run) binary(op byte, a, b value) value {
	known := a.name == "" && b.name == ""
	switch {
	case op == i32Add && a.name != "" && b.name != "":
		v := r.named("%s", sum(a.name, b.name))
		v.n = a.n + b.n
		return v
	case op == i32Add:
		return value{a.name + b.name, a.n + b.n}
	case op == i32Sub && b.name == "":
		return value{a.name, a.n - b.n}
	case op == i32Shl && known:
		return value{"", a.n << (b.n & 31)}
	case op == i32Shl && b.name == "":
		v := r.named("%s", shifted(a.name, b.n))
		v.n = a.n << (b.n & 31)
		return v
	case op == ops.I32Eq && known:
		return value{"", truth(a.n == b.n)}
	case op == ops.I32Eq+1 && known:
		return value{"", truth(a.n != b.n)}
	}
	return r.named("%#x(%s, %s)", op, a.key(), b.key())
}

func truth(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
