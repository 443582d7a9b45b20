package gas

import (
	"math"

	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/trace"
)

// maxLimit is the most gas that a message can have: the guest's gas counter is
// a signed 64-bit number of milligas.
const maxLimit Gas = math.MaxInt64

// Tracker is the gas of one message while it runs. It lives as long as the
// message and belongs to the goroutine that applies it.
type Tracker struct {
	limit, used Gas
	signed      bool       // used, and what is charged, are signed numbers
	outer       []snapshot // of the calls around, outermost first
	hook        func(trace.GasCharge)
}

// snapshot is a limit that waits for an inner one to end.
type snapshot struct{ limit, used Gas }

// NewTracker begins with a limit, at most 2^63-1 milligas. hooks may be nil.
func NewTracker(limit Gas, hooks *trace.Hooks) *Tracker {
	t := &Tracker{limit: min(limit, maxLimit)}
	if hooks != nil {
		t.hook = hooks.OnGasCharge
	}
	return t
}

// NewSignedTracker is NewTracker for network versions 16 and 17, which counted in signed gas: charges are numbers in two's
// complement, a negative one gives gas back, and what is used may fall below zero. Deleting an actor did that, and any
// actor can ask for it.
func NewSignedTracker(limit Gas, hooks *trace.Hooks) *Tracker {
	t := NewTracker(limit, hooks)
	t.signed = true
	return t
}

// Charge takes gas for computing, under a name. Errors are those of Apply.
func (t *Tracker) Charge(name string, g Gas) error { return t.take(Charge{Name: name, Compute: g}) }

// Apply takes a charge. If less is left, it takes all of that and fails with
// execerr.ErrOutOfGas. The hook hears of the charge either way, in full.
func (t *Tracker) Apply(c Charge) error {
	if c == (Charge{}) {
		return nil
	}
	return t.take(c)
}

func (t *Tracker) take(c Charge) error {
	enough := t.use(c)
	if t.hook != nil {
		t.hook(trace.GasCharge{Name: c.Name, Compute: uint64(c.Compute), Other: uint64(c.Other)})
	}
	if !enough {
		return execerr.ErrOutOfGas
	}
	return nil
}

// use adds a charge to what is used, at most to the limit, and reports that the limit allows it.
func (t *Tracker) use(c Charge) bool {
	if t.signed {
		used := addSigned(int64(t.used), addSigned(int64(c.Compute), int64(c.Other)))
		t.used = Gas(min(used, int64(t.limit)))
		return used <= int64(t.limit)
	}
	used := t.used.Add(c.Total())
	t.used = min(used, t.limit)
	return used <= t.limit
}

// Spent is what a guest has used whose counter went from last to counter, in milligas.
func (t *Tracker) Spent(last Gas, counter int64) Gas {
	switch {
	case t.signed:
		return Gas(subSigned(int64(last), counter))
	case counter < 0:
		return last.Add(Gas(-uint64(counter)))
	}
	return last.Sub(Gas(counter))
}

// PushLimit gives what follows a limit of its own, at most what is available.
func (t *Tracker) PushLimit(limit Gas) {
	t.outer = append(t.outer, snapshot{t.limit, t.used})
	t.limit, t.used = min(t.Available(), limit), 0
}

// PopLimit ends the innermost limit: what was used under it counts for the
// outer one. It fails, fatally, if there is no limit to end.
func (t *Tracker) PopLimit() error {
	last := len(t.outer) - 1
	if last < 0 {
		return execerr.Nodef("there is no gas limit to end")
	}
	s := t.outer[last]
	t.outer = t.outer[:last]
	t.limit, t.used = s.limit, t.used.Add(s.used)
	return nil
}

// Available is what is left under the innermost limit.
func (t *Tracker) Available() Gas {
	if t.signed {
		return Gas(subSigned(int64(t.limit), int64(t.used)))
	}
	return t.limit.Sub(t.used)
}

// Used is what was taken under the innermost limit. More given back than taken is nothing used.
func (t *Tracker) Used() Gas {
	if t.signed {
		return Gas(max(int64(t.used), 0))
	}
	return t.used
}

// Total is what was taken under all limits.
func (t *Tracker) Total() Gas {
	all := t.used
	for _, s := range t.outer {
		all = all.Add(s.used)
	}
	return all
}

// Limit is the innermost limit.
func (t *Tracker) Limit() Gas { return t.limit }
