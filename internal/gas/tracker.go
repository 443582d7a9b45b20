package gas

import (
	"math"

	"github.com/edgefvm/fvm/internal/execerr"
	"github.com/edgefvm/fvm/trace"
)

// maxLimit is the most gas that a message can have: the guest's gas counter is
// a signed 64-bit number of milligas.
const maxLimit Gas = math.MaxInt64

// Tracker is the gas of one message while it runs. It lives as long as the
// message and belongs to the goroutine that applies it.
type Tracker struct {
	limit, used Gas
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

// Charge takes gas for computing, under a name. Errors are those of Apply.
func (t *Tracker) Charge(name string, g Gas) error { return t.Apply(Charge{Name: name, Compute: g}) }

// Apply takes a charge. If less is left, it takes all of that and fails with
// execerr.ErrOutOfGas. The hook hears of the charge either way, in full.
func (t *Tracker) Apply(c Charge) error {
	used := t.used.Add(c.Total())
	enough := used <= t.limit
	t.used = min(used, t.limit)
	if t.hook != nil {
		t.hook(trace.GasCharge{Name: c.Name, Compute: uint64(c.Compute), Other: uint64(c.Other)})
	}
	if !enough {
		return execerr.ErrOutOfGas
	}
	return nil
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
func (t *Tracker) Available() Gas { return t.limit.Sub(t.used) }

// Used is what was taken under the innermost limit.
func (t *Tracker) Used() Gas { return t.used }

// Limit is the innermost limit.
func (t *Tracker) Limit() Gas { return t.limit }
