package solidity

import (
	"bytes"
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/trace"
)

// Load reads a block of the state, such as a contract's.
type Load func(ctx context.Context, c cid.Cid) ([]byte, error)

// Tracer makes a Report of each message. It belongs to the goroutine that applies messages.
type Tracer struct {
	project *Project
	load    Load

	report  *Report
	frames  []*frame
	known   map[abi.ActorID]*code // of contracts that were called or made in the message
	byCID   map[cid.Cid]*code
	nodes   int
	current *spot
	flowed  uint64 // milligas
	charged uint64
	returns []byte // what the call returned that failed last
}

// frame is a call that has not ended.
type frame struct {
	call    *trace.Call
	invoked *trace.Invoke
	runs    bool
	limit   uint64
	code    *code // nil: no contract of the project
	stack   []*spot
	now     spot  // where it is
	back    *spot // where the last opcode went back to
}

// spot is a place in a tree of functions.
type spot struct {
	node *Node
	line int
	pc   uint32
	op   byte
	// whole: it comes from all of the function, as the jump into it does that is not written in the source.
	whole bool
}

// Node is a function that was called, with those that it called.
type Node struct {
	Name, File string
	Line       int // where it begins; 0: not known
	Calls      []*Node
	// Gas of its lines, in milligas; line 0 is what has no line.
	Gas map[int]uint64

	function *span
}

// Place is a line of a function.
type Place struct {
	Function string `json:"function"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Text     string `json:"text,omitempty"` // of the line
	PC       uint32 `json:"pc"`
	Opcode   byte   `json:"opcode"`
}

// Failure is where a message failed.
type Failure struct {
	ExitCode exitcode.ExitCode `json:"exitCode"`
	// Stack has the innermost place first: that of the opcode which failed.
	Stack []Place `json:"stack"`
}

// Report is what a message did.
type Report struct {
	GasUsed uint64 // gas
	Root    *Node  // the message; what its contracts called is below
	Outside uint64 // milligas that no opcode took
	Failure *Failure
	// Unknown are contracts that ran and are none of the project's, by the actor's ID.
	Unknown map[abi.ActorID]bool
	// Unwatched are errors about contracts whose opcodes could not be watched.
	Unwatched []error

	project *Project
}

// maxNodes bounds the tree: calls that are too many count as their caller's.
const maxNodes = 100_000

// New makes a tracer.
func New(p *Project, load Load) *Tracer {
	t := &Tracer{project: p, load: load, byCID: map[cid.Cid]*code{}}
	t.reset()
	return t
}

func (t *Tracer) reset() {
	*t = Tracer{project: t.project, load: t.load, byCID: t.byCID, known: map[abi.ActorID]*code{}}
	t.report = &Report{Root: &Node{Name: "message", Gas: map[int]uint64{}}, Unknown: map[abi.ActorID]bool{}, project: t.project}
}

// Hooks are the hooks for a machine. next, if it is not nil, hears of all that they hear.
func (t *Tracer) Hooks(next *trace.Hooks) *trace.Hooks {
	h := &trace.Hooks{}
	if next != nil {
		*h = *next
	}
	h.OnGasCharge = both(func(c trace.GasCharge) { t.charged += c.Compute + c.Other }, h.OnGasCharge)
	h.OnCall = both(func(c *trace.Call) { t.frames = append(t.frames, &frame{call: c}) }, h.OnCall)
	h.OnInvoke = both(func(i *trace.Invoke) {
		if n := len(t.frames); n > 0 {
			t.frames[n-1].invoked = i
		}
	}, h.OnInvoke)
	h.OnReturn = both(func(r *trace.Return) { t.end(r.ExitCode, r.Data) }, h.OnReturn)
	h.OnError = both(func(*trace.Error) { t.end(exitcode.SysErrFatal, nil) }, h.OnError)
	h.OnOpcode = both(t.opcode, h.OnOpcode)
	h.OnUnwatched = both(func(u *trace.Unwatched) {
		t.report.Unwatched = append(t.report.Unwatched, fmt.Errorf("the opcodes of f0%d cannot be watched: %w", u.ID, u.Err))
	}, h.OnUnwatched)
	return h
}

func both[E any](a, b func(E)) func(E) {
	if b == nil {
		return a
	}
	return func(e E) {
		a(e)
		b(e)
	}
}

// Take hands over the report of the message that ended, which used so much gas, and begins a new one.
func (t *Tracer) Take(gasUsed uint64) *Report {
	t.current = nil
	t.flow(gasUsed * milli)
	r := t.report
	r.GasUsed = gasUsed
	t.reset()
	return r
}

const milli = 1000

// flow gives what was used since the last time to where the message is.
func (t *Tracer) flow(used uint64) {
	if used < t.flowed {
		return
	}
	d := used - t.flowed
	t.flowed = used
	if t.current == nil {
		t.report.Outside += d
		return
	}
	t.current.node.Gas[t.current.line] += d
}

func (t *Tracer) opcode(o *trace.Opcode) {
	n := len(t.frames)
	if n == 0 {
		return
	}
	f := t.frames[n-1]
	t.charged = o.Charged
	t.flow(o.Used)
	f.limit = o.Used + o.Gas
	if !f.runs {
		t.begin(f)
	}
	// What has no source counts as the opcode before, or as the call that it came back to.
	top := f.stack[len(f.stack)-1].node
	here := f.now
	if f.back != nil {
		here, f.back = *f.back, nil
	}
	if here.node == nil {
		here.node = top
	}
	node, line, jump, whole := here.node, here.line, byte('-'), false
	if f.code != nil {
		if i, ok := f.code.at[int(o.PC)]; ok {
			e := &f.code.entries[i]
			jump = e.jump
			if s := f.code.files[e.file]; s != nil {
				line = s.line(e.start)
				fn := s.function(e.start)
				node = top
				if fn != nil && fn != node.function {
					node = t.child(node, fn.name, s.Path, fn)
				}
				whole = fn != nil && fn.start == e.start
			}
		}
	}
	f.now = spot{node, line, o.PC, o.Op, whole}
	t.current = &f.now
	const opJUMP = 0x56
	switch {
	case o.Op != opJUMP:
	case jump == 'i':
		at := f.now
		f.stack = append(f.stack, &at)
	case jump == 'o' && len(f.stack) > 1:
		f.back = f.stack[len(f.stack)-1]
		f.stack = f.stack[:len(f.stack)-1]
	}
}

// child is a function that a node calls.
func (t *Tracer) child(of *Node, name, file string, fn *span) *Node {
	for _, c := range of.Calls {
		if c.function == fn && c.Name == name {
			return c
		}
	}
	if t.nodes >= maxNodes {
		return of
	}
	t.nodes++
	c := &Node{Name: name, File: file, Gas: map[int]uint64{}, function: fn}
	if fn != nil {
		c.Line = fn.line
	}
	of.Calls = append(of.Calls, c)
	return c
}

// begin finds out whose code a frame runs.
func (t *Tracer) begin(f *frame) {
	f.runs = true
	caller := t.report.Root
	for i := len(t.frames) - 2; i >= 0; i-- {
		if t.frames[i].runs {
			caller = t.frames[i].now.node
			break
		}
	}
	f.code = t.codeOf(f)
	name, file := "contract", ""
	if f.invoked != nil {
		name = fmt.Sprintf("contract f0%d", f.invoked.ID)
		if f.code == nil {
			t.report.Unknown[f.invoked.ID] = true
		}
	}
	if f.code != nil {
		name, file = f.code.owner.name, f.code.owner.path
	}
	f.stack = []*spot{{node: t.child(caller, name, file, nil)}}
}

// Methods of the EVM actor that run code (builtin-actors, actors/evm).
const (
	methodConstructor = 1
	methodResurrect   = 2
	methodDelegate    = 6
)

func (t *Tracer) codeOf(f *frame) *code {
	if f.invoked == nil {
		return nil
	}
	id := f.invoked.ID
	switch f.call.Method {
	case methodConstructor, methodResurrect: // [creator, initcode]
		if f.call.Params == nil {
			return nil
		}
		r := cbor.NewReader(f.call.Params.Data)
		r.Tuple(2)
		r.Raw()
		init := r.Bytes()
		if r.End() != nil {
			return nil
		}
		c := t.project.find(init, true)
		if c != nil {
			t.known[id] = c.owner.runtime
		}
		return c
	case methodDelegate: // [code, input, caller, value]
		if f.call.Params == nil {
			return nil
		}
		r := cbor.NewReader(f.call.Params.Data)
		r.Len()
		c := r.CID()
		if r.Failed() {
			return nil
		}
		return t.runtime(c)
	}
	if c := t.known[id]; c != nil {
		return c
	}
	data, err := t.load(context.Background(), f.invoked.Head)
	if err != nil {
		return nil
	}
	r := cbor.NewReader(data)
	r.Len()
	c := r.CID()
	if r.Failed() {
		return nil
	}
	x := t.runtime(c)
	t.known[id] = x
	return x
}

// runtime is the contract of bytecode in the state.
func (t *Tracer) runtime(c cid.Cid) *code {
	if x, ok := t.byCID[c]; ok {
		return x
	}
	data, err := t.load(context.Background(), c)
	if err != nil {
		return nil
	}
	x := t.project.find(data, false)
	t.byCID[c] = x
	return x
}

// end is the end of the innermost frame.
func (t *Tracer) end(exit exitcode.ExitCode, data *trace.Block) {
	n := len(t.frames)
	if n == 0 {
		return
	}
	f := t.frames[n-1]
	if f.runs {
		if exit == exitcode.SysErrOutOfGas {
			t.charged = min(t.charged, f.limit)
		}
		t.flow(t.charged)
	}
	t.failed(f, exit, data)
	t.frames = t.frames[:n-1]
	if !f.runs {
		return
	}
	t.current = nil
	for i := n - 2; i >= 0; i-- {
		if c := t.frames[i]; c.runs {
			t.current = &c.now
			break
		}
	}
}

// failed notes where a call failed. What it passes on of a call below, by the same returned data, failed there.
func (t *Tracer) failed(f *frame, exit exitcode.ExitCode, data *trace.Block) {
	if exit.IsSuccess() {
		if len(t.frames) == 1 {
			t.report.Failure = nil
		}
		return
	}
	if !f.runs {
		return // its failure is that of the call below, or of a native actor: the caller says so
	}
	var returned []byte
	if data != nil {
		returned = data.Data
	}
	const reverted = 33
	if t.report.Failure != nil && exit == reverted && len(content(returned)) > 0 && bytes.Equal(content(returned), content(t.returns)) {
		return
	}
	t.returns = returned
	t.report.Failure = &Failure{ExitCode: exit, Stack: t.stackOf()}
}

// content is data without the CBOR of a byte string around it.
func content(b []byte) []byte {
	r := cbor.NewReader(b)
	data := r.Bytes()
	if r.End() != nil {
		return b
	}
	return data
}

// stackOf are the places of all open calls, the innermost first.
func (t *Tracer) stackOf() (list []Place) {
	const most = 256
	for i := len(t.frames) - 1; i >= 0 && len(list) < most; i-- {
		f := t.frames[i]
		if !f.runs {
			continue
		}
		list = append(list, t.place(&f.now))
		for j := len(f.stack) - 1; j > 0 && len(list) < most; j-- {
			if !f.stack[j].whole {
				list = append(list, t.place(f.stack[j]))
			}
		}
	}
	return list
}

func (t *Tracer) place(s *spot) Place {
	p := Place{Function: s.node.Name, File: s.node.File, Line: s.line, PC: s.pc, Opcode: s.op}
	if src := t.project.sources[s.node.File]; src != nil {
		p.Text = src.Line(s.line)
	}
	return p
}
