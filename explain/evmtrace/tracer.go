package evmtrace

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/trace"
)

// Options say what is kept of each step, by the names of geth's options. The zero value is geth's default: no memory, no
// returned data.
type Options struct {
	DisableStack     bool `json:"disableStack"`
	DisableStorage   bool `json:"disableStorage"`
	EnableMemory     bool `json:"enableMemory"`
	EnableReturnData bool `json:"enableReturnData"`
	// Limit is how many steps are kept. 0: all.
	Limit int `json:"limit"`
	// MaxBytes is about how many bytes all steps of a message may take. 0: 256 MiB.
	MaxBytes int `json:"-"`
}

const defaultMaxBytes = 256 << 20

// Word is a number of 256 bits, its high byte first.
type Word [32]byte

// Step is an opcode before it is executed.
type Step struct {
	PC    uint32
	Op    byte
	Depth int         // 1: the outermost contract
	Self  abi.ActorID // the actor whose code and storage it is
	// Gas is what the call had left, Cost what was used until the next step: in milligas.
	Gas, Cost uint64
	Stack     []Word // the topmost is the last; nil if not kept
	// Memory is the contract's, Returned what the last call returned; nil if not kept. Steps may share them: they are not to be
	// written to.
	Memory, Returned []byte
	// Storage is what the contract has read and written of its storage so far in the message, this opcode included; only for
	// SLOAD and SSTORE. What was undone since is in it as well, as with geth.
	Storage map[Word]Word
	// Error says how the frame failed whose last step this is; empty for a revert, as with geth.
	Error string
}

// Log is what a message did.
type Log struct {
	GasUsed uint64 // gas, as in the receipt
	Failed  bool
	// Return is what the message returned, without the CBOR around it if it was a byte string.
	Return []byte
	Steps  []Step
	// Outside is what no step has, in milligas: the message's inclusion, native actors around contracts, the start of the first
	// contract, steps that were left out. With the costs of all steps it adds up to what the message used.
	Outside uint64
	// Left out, if that is not 0, are so many steps at the end: see Options.Limit and MaxBytes.
	LeftOut int
	// Unwatched are calls of contracts that have no steps, or not all.
	Unwatched []Unwatched
}

// Unwatched is a contract's call whose opcodes could not be read.
type Unwatched struct {
	ID     abi.ActorID
	Bundle string // such as "v16/mainnet", or the CID of the code
	Err    error  // what did not match
}

func (u Unwatched) Error() string {
	return fmt.Sprintf("the opcodes of actor %d (EVM actor of bundle %s) cannot be traced: %v", u.ID, u.Bundle, u.Err)
}

// Tracer makes a Log of each message. Not safe for concurrent use: it belongs to the goroutine that applies messages.
type Tracer struct {
	opts    Options
	log     Log
	frames  []frame
	current int // the step to which gas flows; -1: none yet
	flowed  uint64
	charged uint64 // by the charges told
	bytes   int
	storage map[abi.ActorID]map[Word]Word
	words   []Word // room for stacks
}

// frame is a call of an actor that has not ended.
type frame struct {
	self  abi.ActorID
	depth int // of contracts
	runs  bool
	last  int    // its last step, -1: none
	limit uint64 // what the message has used when the frame has no gas left
	slot  *Word  // the last step is an SLOAD of it
	lands uint64 // where the last opcode jumps to; nowhere if it does not jump

	memory, returned []byte // as they were last kept
}

const nowhere = 1 << 32

// New makes a tracer.
func New(o Options) *Tracer {
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	t := &Tracer{opts: o}
	t.reset()
	return t
}

func (t *Tracer) reset() {
	*t = Tracer{opts: t.opts, current: -1, storage: map[abi.ActorID]map[Word]Word{}}
}

// Hooks are the hooks for a machine. next, if it is not nil, hears of all that they hear.
func (t *Tracer) Hooks(next *trace.Hooks) *trace.Hooks {
	h := &trace.Hooks{}
	if next != nil {
		*h = *next
	}
	h.OnGasCharge = after(t.charge, h.OnGasCharge)
	h.OnCall = after(t.call, h.OnCall)
	h.OnInvoke = after(t.invoke, h.OnInvoke)
	h.OnReturn = after(t.end, h.OnReturn)
	h.OnError = after(func(e *trace.Error) { t.fail(e.Text) }, h.OnError)
	h.OnOpcode = after(t.opcode, h.OnOpcode)
	h.OnUnwatched = after(t.unwatched, h.OnUnwatched)
	return h
}

func after[E any](a, b func(E)) func(E) {
	if b == nil {
		return a
	}
	return func(e E) {
		a(e)
		b(e)
	}
}

// Take hands over the log of the message that ended, which used so much gas, and begins a new one.
func (t *Tracer) Take(gasUsed uint64) *Log {
	t.current = -1
	t.flow(gasUsed * milli)
	l := t.log
	l.GasUsed = gasUsed
	t.reset()
	return &l
}

func (t *Tracer) charge(c trace.GasCharge) { t.charged += c.Compute + c.Other }

func (t *Tracer) call(*trace.Call) {
	f := frame{last: -1, lands: nowhere}
	if n := len(t.frames); n > 0 {
		f.depth = t.frames[n-1].depth
	}
	t.frames = append(t.frames, f)
}

func (t *Tracer) invoke(i *trace.Invoke) {
	if n := len(t.frames); n > 0 {
		t.frames[n-1].self = i.ID
	}
}

func (t *Tracer) unwatched(u *trace.Unwatched) {
	name := u.Code.String()
	if c, ok := bundle.CodeOf(u.Code); ok {
		name = c.Bundle()
	}
	t.log.Unwatched = append(t.log.Unwatched, Unwatched{u.ID, name, u.Err})
}

// flow gives what was used since the last time to the current step.
func (t *Tracer) flow(used uint64) {
	switch d := used - t.flowed; {
	case used < t.flowed:
		return
	case t.current >= 0:
		t.log.Steps[t.current].Cost += d
	default:
		t.log.Outside += d
	}
	t.flowed = used
}

func (t *Tracer) opcode(o *trace.Opcode) {
	n := len(t.frames)
	if n == 0 {
		return
	}
	f := &t.frames[n-1]
	if !f.runs {
		f.runs = true
		f.depth++
	}
	t.charged = o.Charged
	t.flow(o.Used)
	f.limit = o.Used + o.Gas
	t.loaded(f, o)
	if uint64(o.PC) == f.lands+1 {
		// The EVM actor's jumps go behind the JUMPDEST that they found to be there.
		t.add(f, o, uint32(f.lands), opJUMPDEST)
	}
	t.add(f, o, o.PC, o.Op)
	f.lands = jump(o)
	if !t.opts.DisableStorage && f.last >= 0 && (o.Op == opSLOAD || o.Op == opSSTORE) {
		t.touches(f, o)
	}
}

// jump is where an opcode jumps to.
func jump(o *trace.Opcode) uint64 {
	to, ok := top(o, 0)
	condition := Word{1}
	if o.Op == opJUMPI {
		condition, _ = top(o, 1)
	} else if o.Op != opJUMP {
		return nowhere
	}
	if !ok || condition == (Word{}) || [24]byte(to[:24]) != ([24]byte{}) {
		return nowhere
	}
	return min(binary.BigEndian.Uint64(to[24:]), nowhere)
}

// add makes a step, to which gas flows from now on.
func (t *Tracer) add(f *frame, o *trace.Opcode, pc uint32, op byte) {
	if t.log.LeftOut > 0 || t.bytes > t.opts.MaxBytes || t.opts.Limit > 0 && len(t.log.Steps) >= t.opts.Limit {
		t.log.LeftOut++
		t.current, f.last = -1, -1
		return
	}
	s := Step{PC: pc, Op: op, Depth: f.depth, Self: f.self, Gas: o.Gas}
	t.bytes += stepBytes
	if !t.opts.DisableStack {
		s.Stack = t.stack(o.Stack)
		t.bytes += len(o.Stack)
	}
	if t.opts.EnableMemory {
		s.Memory = t.keep(&f.memory, o.Memory)
	}
	if t.opts.EnableReturnData {
		s.Returned = t.keep(&f.returned, o.Returned)
	}
	t.current = len(t.log.Steps)
	f.last = t.current
	t.log.Steps = append(t.log.Steps, s)
}

const (
	stepBytes = 200 // about
	slotBytes = 100
)

const (
	opSLOAD    = 0x54
	opSSTORE   = 0x55
	opJUMP     = 0x56
	opJUMPI    = 0x57
	opJUMPDEST = 0x5b
)

// keep copies bytes, unless they are what was kept last: few opcodes change the memory.
func (t *Tracer) keep(last *[]byte, now []byte) []byte {
	if !bytes.Equal(*last, now) {
		*last = bytes.Clone(now)
		t.bytes += len(now)
	}
	return *last
}

// stack copies a stack.
func (t *Tracer) stack(raw []byte) []Word {
	n := len(raw) / 32
	if t.words == nil || n > len(t.words) {
		t.words = make([]Word, max(n, 4096))
	}
	ws := t.words[:n:n]
	t.words = t.words[n:]
	for i := range ws {
		turn(&ws[i], raw[32*i:])
	}
	return ws
}

// turn is a word of the actor's, which has its low byte first.
func turn(w *Word, raw []byte) {
	_ = raw[31]
	for i := 0; i < 32; i += 8 {
		binary.LittleEndian.PutUint64(w[24-i:], bits.ReverseBytes64(binary.LittleEndian.Uint64(raw[i:])))
	}
}

// top is the word n below the topmost.
func top(o *trace.Opcode, n int) (w Word, ok bool) {
	at := len(o.Stack) - 32*(n+1)
	if at < 0 {
		return w, false
	}
	turn(&w, o.Stack[at:])
	return w, true
}

// touches notes the slot that an opcode reads or writes.
func (t *Tracer) touches(f *frame, o *trace.Opcode) {
	slot, ok := top(o, 0)
	if !ok {
		return
	}
	if o.Op == opSLOAD {
		f.slot = &slot
		return
	}
	if v, ok := top(o, 1); ok {
		t.touched(f, slot, v)
	}
}

// loaded finishes the last step of the frame if it was an SLOAD: what was read is on the stack now.
func (t *Tracer) loaded(f *frame, o *trace.Opcode) {
	if f.slot == nil {
		return
	}
	slot := *f.slot
	f.slot = nil
	if v, ok := top(o, 0); ok && f.last >= 0 {
		t.touched(f, slot, v)
	}
}

func (t *Tracer) touched(f *frame, slot, value Word) {
	all := t.storage[f.self]
	if all == nil {
		all = map[Word]Word{}
		t.storage[f.self] = all
	}
	all[slot] = value
	seen := make(map[Word]Word, len(all))
	for k, v := range all {
		seen[k] = v
	}
	t.bytes += slotBytes * len(all)
	t.log.Steps[f.last].Storage = seen
}

// end is the end of the innermost frame.
func (t *Tracer) end(r *trace.Return) {
	text := ""
	if r.ExitCode != exitcode.Ok && r.ExitCode != exitReverted {
		text = failure(r.ExitCode)
	}
	t.leave(text, r.ExitCode == exitcode.SysErrOutOfGas)
	if len(t.frames) == 0 {
		t.log.Failed = r.ExitCode != exitcode.Ok
		if r.Data != nil {
			t.log.Return = content(r.Data)
		}
	}
}

func (t *Tracer) fail(text string) {
	t.leave(text, false)
	if len(t.frames) == 0 {
		t.log.Failed = true
	}
}

func (t *Tracer) leave(text string, outOfGas bool) {
	n := len(t.frames)
	if n == 0 {
		return
	}
	f := t.frames[n-1]
	t.frames = t.frames[:n-1]
	if !f.runs {
		return
	}
	if outOfGas {
		// A charge for which there was not enough gas took what there was.
		t.charged = min(t.charged, f.limit)
	}
	t.flow(t.charged)
	if f.last >= 0 && text != "" {
		t.log.Steps[f.last].Error = text
	}
	// What comes now is the caller's, to its next step.
	t.current = -1
	for i := n - 2; i >= 0; i-- {
		if c := t.frames[i]; c.runs && c.last >= 0 {
			t.current = c.last
			break
		}
	}
}
