package syscalls

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/execerr"
)

// player stands for a guest, and becomes one where the tape no longer holds.
type player struct {
	inv     *Invocation
	tape    *Tape
	make    func() (engine.Instance, error)
	real    engine.Instance // nil: none is needed so far
	counter int64           // the guest's
	live    []byte          // the windows of the step at hand
}

// Play is a guest that does what is on a tape. make makes a real one of the same code.
func (inv *Invocation) Play(t *Tape, make func() (engine.Instance, error)) engine.Instance {
	return &player{inv: inv, tape: t, make: make}
}

func (p *player) Data() any { return p.inv }

func (p *player) Memory() []byte {
	if p.real != nil {
		return p.real.Memory()
	}
	return nil
}

func (p *player) Counter() int64 {
	if p.real != nil {
		return p.real.Counter()
	}
	return p.counter
}

func (p *player) SetCounter(n int64) {
	if p.real != nil {
		p.real.SetCounter(n)
		return
	}
	p.counter = n
}

func (p *player) Close(ctx context.Context) error {
	if p.real != nil {
		return p.real.Close(ctx)
	}
	return nil
}

// Call plays the tape. A guest is called once.
func (p *player) Call(ctx context.Context, export string, stack []uint64) error {
	t := p.tape
	for i := range t.steps {
		s := &t.steps[i]
		if !p.execute(s.spent) {
			return p.takeOver(ctx, export, stack, &repetition{tape: t, steps: i})
		}
		h := hostCall{inv: p.inv, row: s.row, grows: s.grows}
		args := s.args
		h.stack = args[:]
		p.live = p.live[:0]
		for _, x := range t.windows[s.from:s.to] {
			p.live = append(p.live, t.data[x.before:][:x.n]...)
		}
		w := windows{t: t, from: s.from, to: s.to, playing: true, live: p.live}
		if err := h.serve(ctx, p, memory{tape: &w}); err != nil {
			if w.strange {
				return errNotOnTape
			}
			return err // the guest would have been ended by it too
		}
		if w.strange {
			return errNotOnTape
		}
		if s.ends || uint64(uint32(args[0])) != s.result || !p.same(s) {
			return p.takeOver(ctx, export, stack, &repetition{tape: t, steps: i + 1, result: args[0], live: slices.Clone(p.live)})
		}
	}
	if !t.ended || !p.execute(t.spent) {
		return p.takeOver(ctx, export, stack, &repetition{tape: t, steps: len(t.steps)})
	}
	stack[0] = t.value
	return nil
}

// execute takes what the guest executes off its counter, or reports that it would run out of gas on the way, which a guest must show.
func (p *player) execute(milligas int64) bool {
	left := int64(p.inv.markedGas) - milligas
	if milligas < 0 || left < 0 {
		return false
	}
	p.counter, p.inv.reserve = left, 0
	return true
}

// same reports that a step left in the memory what it did when it was recorded.
func (p *player) same(s *step) bool {
	at := 0
	for _, x := range p.tape.windows[s.from:s.to] {
		if !bytes.Equal(p.live[at:at+int(x.n)], p.tape.data[x.after:][:x.n]) {
			return false
		}
		at += int(x.n)
	}
	return true
}

// takeOver runs a real guest, which repeats the steps that were made.
func (p *player) takeOver(ctx context.Context, export string, stack []uint64, r *repetition) error {
	in, err := p.make()
	if err != nil {
		return execerr.Nodef("instantiating an actor: %w", err)
	}
	p.real, r.left = in, p.counter+p.inv.reserve
	if r.steps == 0 {
		p.inv.give(in, r.left)
		return in.Call(ctx, export, stack)
	}
	if r.live == nil {
		last := &r.tape.steps[r.steps-1]
		r.result = last.result
		for _, x := range r.tape.windows[last.from:last.to] {
			r.live = append(r.live, r.tape.data[x.after:][:x.n]...)
		}
	}
	in.SetCounter(slice)
	p.inv.tape = r
	err = in.Call(ctx, export, stack)
	if p.inv.tape != nil {
		p.inv.tape = nil
		if ctx.Err() != nil {
			return err
		}
		return execerr.Nodef("a guest of the code %s did not repeat what it had done: %w", p.inv.Code, errors.Join(err, errRepeat))
	}
	return err
}

// errRepeat is of a guest that is no function of its answers.
var errRepeat = errors.New("it made other calls with the same answers")

// repetition answers a guest what it was answered before.
type repetition struct {
	tape   *Tape
	steps  int    // so many
	done   int    // of them
	result uint64 // of the last one, and what its windows held
	live   []byte
	left   int64 // the guest's milligas after them
}

func (r *repetition) repeats() bool { return true }

func (r *repetition) host(_ context.Context, in engine.Instance, h hostCall) error {
	s := &r.tape.steps[r.done]
	n, narrow := s.params()
	same := s.hostID == h.id()
	for i := 0; same && i < n; i++ {
		same = uint32(s.args[i]) == uint32(h.stack[i]) && (narrow(i) || s.args[i] == h.stack[i])
	}
	if !same {
		return errRepeat
	}
	r.done++
	mem := in.Memory()
	last, live := r.done == r.steps, r.live
	for _, x := range r.tape.windows[s.from:s.to] {
		b := r.tape.data[x.after:][:x.n]
		if last {
			b, live = live[:x.n], live[x.n:]
		}
		copy(mem[x.off:][:x.n], b)
	}
	if !last {
		h.stack[0] = s.result
		in.SetCounter(slice)
		return nil
	}
	h.stack[0] = r.result
	h.inv.tape = nil
	h.inv.give(in, r.left)
	return nil
}
