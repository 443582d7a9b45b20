package syscalls

import (
	"context"
	"sync/atomic"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/links"
)

// Tape is what a guest did, as far as anybody outside can see: its calls of host functions, in order, with what it executed between
// them, what they were given and what they gave, and how it ended.
//
// A guest is a function of these: with the same code and the same answers it makes the same calls. So a tape that was recorded on
// another state, or by another message, can stand for the guest as long as each answer is the one on the tape. All that
// the calls do, gas included, they do again on the true state; only the computing between them is left out. At the first other answer, or
// where the tape ends, a guest takes over: it runs from the beginning, gets the answers that there were so far, and goes on by itself.
type Tape struct {
	steps   []step
	windows []window
	data    []byte // what the windows held
	stopped bool   // not all that came after the last step is there
	ended   bool   // after the last step the guest returned value
	value   uint64
	spent   int64 // milligas that it executed after the last settlement
}

// A step is a call of a host function.
type step struct {
	hostID
	args     [maxArgs]uint64
	result   uint64
	spent    int64 // milligas that the guest executed after the last settlement
	from, to int   // its windows
	ends     bool  // the function ended the invocation
}

// maxArgs is the most arguments of a host function.
const maxArgs = 9

// A window is a part of the guest's memory that a step looked at or wrote to: what was there before, and after.
type window struct {
	off, n        uint32
	before, after int // in Tape.data
}

// hostID names a host function: a syscall, or one of the helpers that grow something.
type hostID struct {
	row   *row // nil: a helper
	grows grows
}

type grows uint8

const (
	growsMemory grows = iota + 1
	growsTable
)

// hostCall is a guest's call of a host function.
type hostCall struct {
	inv   *Invocation
	row   *row
	grows grows
	stack []uint64
}

func (h *hostCall) id() hostID { return hostID{h.row, h.grows} }

// serve does what the function does.
func (h *hostCall) serve(ctx context.Context, in engine.Instance, mem memory) error {
	switch {
	case h.row != nil:
		return h.row.serve(ctx, in, mem, h.stack)
	case h.grows == growsMemory:
		return h.inv.grow(h.stack)
	}
	return h.inv.growTable(h.stack)
}

// params is how many arguments a host function has, and which of them are 32 bits wide.
func (id hostID) params() (n int, narrow func(i int) bool) {
	if id.row == nil {
		return 2, func(int) bool { return true }
	}
	out := 0
	if id.row.outSize > 0 {
		out = 1
	}
	return out + len(id.row.params), func(i int) bool { return i < out || id.row.params[i-out] == i32 }
}

// tape stands between a guest and its host functions.
type tape interface {
	host(ctx context.Context, in engine.Instance, h hostCall) error
	// repeats reports that the guest's gas does not count: it does what was done before.
	repeats() bool
}

// windows notes what a host function looks at, or answers it.
type windows struct {
	t        *Tape
	from, to int
	playing  bool
	live     []byte // the contents of the windows, when playing
	strange  bool   // noted windows overlap or leave the memory, or one was asked for that is not on the tape
}

func (w *windows) slice(m guestMemory, off, n uint32) ([]byte, error) {
	if w.playing {
		return w.find(off, n)
	}
	b, err := m.slice(off, n)
	if err == nil {
		w.note(off, b)
	}
	w.strange = w.strange || err != nil
	return b, err
}

func (w *windows) cid(m guestMemory, off uint32) (cid.Cid, error) {
	if w.playing {
		for _, x := range w.t.windows[w.from:w.to] {
			if x.off != off {
				continue
			}
			if c, n, err := links.ParseCID(w.t.data[x.before : x.before+int(x.n)]); err == nil && n == int(x.n) {
				return c, nil
			}
		}
		w.strange = true
		return cid.Undef, errNotOnTape
	}
	c, n, err := m.cid(off)
	if err == nil {
		w.note(off, m[off:][:n])
	}
	w.strange = w.strange || err != nil
	return c, err
}

// errNotOnTape is of a part of the memory that nobody has: a step asks for parts that its arguments and what is in other parts tell, so
// it cannot be.
var errNotOnTape = execerr.Nodef("a syscall looked at another part of the memory than with the same arguments before")

func (w *windows) find(off, n uint32) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	at := 0
	for _, x := range w.t.windows[w.from:w.to] {
		if x.off == off && x.n == n {
			return w.live[at : at+int(n) : at+int(n)], nil
		}
		at += int(x.n)
	}
	w.strange = true
	return nil, errNotOnTape
}

// note keeps what is in a window before the step.
func (w *windows) note(off uint32, b []byte) {
	n := uint32(len(b))
	if n == 0 {
		return
	}
	for _, x := range w.t.windows[w.from:] {
		if x.off == off && x.n == n {
			return // the same again
		}
		if uint64(off) < uint64(x.off)+uint64(x.n) && uint64(x.off) < uint64(off)+uint64(n) {
			w.strange = true
			return
		}
	}
	w.t.windows = append(w.t.windows, window{off: off, n: n, before: len(w.t.data)})
	w.t.data = append(w.t.data, b...)
}

// recorder is a guest whose calls go on a tape.
type recorder struct {
	engine.Instance
	inv  *Invocation
	tape *Tape
	room *atomic.Int64
}

// stepBytes is about what a step takes besides what its windows held.
const stepBytes = 256

// Record makes a tape of what a new guest does. The tape is whole when Call has returned. room is how many bytes tapes may still take;
// where it ends the tape ends.
func (inv *Invocation) Record(in engine.Instance, room *atomic.Int64) (engine.Instance, *Tape) {
	r := &recorder{Instance: in, inv: inv, tape: &Tape{}, room: room}
	inv.tape = r
	return r, r.tape
}

func (r *recorder) repeats() bool { return false }

// executed is what the guest has executed since the last settlement.
func (inv *Invocation) executed(in engine.Instance) int64 {
	return int64(inv.markedGas) - (in.Counter() + inv.reserve)
}

func (r *recorder) Call(ctx context.Context, export string, stack []uint64) error {
	err := r.Instance.Call(ctx, export, stack)
	if err == nil && !r.tape.stopped {
		r.tape.ended, r.tape.value, r.tape.spent = true, uint64(uint32(stack[0])), r.inv.executed(r.Instance)
	}
	r.inv.tape = nil
	return err
}

func (r *recorder) host(ctx context.Context, in engine.Instance, h hostCall) error {
	t, mem := r.tape, memory{guestMemory: in.Memory()}
	if t.stopped || r.room.Load() < 0 {
		t.stopped = true
		return h.serve(ctx, in, mem)
	}
	size := len(t.data)
	s := step{hostID: h.id(), spent: h.inv.executed(in), from: len(t.windows)}
	n, _ := s.params()
	copy(s.args[:n], h.stack)
	w := windows{t: t, from: s.from}
	mem.tape = &w
	err := h.serve(ctx, in, mem)
	s.to, s.result = len(t.windows), uint64(uint32(h.stack[0]))
	s.ends = err != nil
	abort := execerr.Classify(err).Abort != nil
	// An error may come before all was looked at that another answer would take: nothing of it is kept.
	if w.strange || s.row != nil && err == nil && s.result != 0 || err != nil && !abort || s.ends && h.row == nil {
		t.stopped, t.windows = true, t.windows[:s.from]
		return err
	}
	for i := s.from; i < s.to; i++ {
		x := &t.windows[i]
		x.after = len(t.data)
		t.data = append(t.data, in.Memory()[x.off:][:x.n]...)
	}
	t.steps = append(t.steps, s)
	r.room.Add(int64(size - len(t.data) - stepBytes))
	return err
}
