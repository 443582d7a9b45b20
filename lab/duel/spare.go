package duel

import (
	"errors"
	"math/big"
	"slices"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/lab/oracle"
)

// ErrNotKept is a case that is not written to a file: what other people's software gives way over is reported to its authors.
var ErrNotKept = errors.New("not kept, since the reference gives way over it: report it to its authors in private")

// spared says why the reference is not asked for a case, "" if it is. Ours ran it, and knows of the kinds of input for which there is
// no result to compare: they would only do the reference harm. Any other failure of ours is compared, since it may be our fault.
func spared(c *Case, o *Ours) string {
	switch {
	case negativeFees(c.Request):
		return "a negative fee"
	case !o.Broken:
		return ""
	case errors.Is(o.Err, execerr.ErrNoReference):
		return execerr.ErrNoReference.Error()
	case errors.Is(o.Err, blockstore.ErrFlush):
		return blockstore.ErrFlush.Error()
	case o.outOfStack():
		return (&engine.Trap{Kind: engine.TrapStackOverflow}).Error()
	}
	return ""
}

// outOfStack tells whether ours ended where the engine's own stack does.
func (o *Ours) outOfStack() bool {
	var trap *engine.Trap
	return errors.As(o.Err, &trap) && trap.Kind == engine.TrapStackOverflow
}

// negativeFees tells of messages that no node lets in.
func negativeFees(r *oracle.Request) bool {
	for _, m := range r.Messages {
		if msg, _, _, err := m.Decode(); err == nil && negative(msg.GasFeeCap.Int, msg.GasPremium.Int) {
			return true
		}
	}
	return false
}

func negative(fees ...*big.Int) bool {
	return slices.ContainsFunc(fees, func(fee *big.Int) bool { return fee.Sign() < 0 })
}

// GaveWay tells whether the reference's own code gave way over a case. Such a case is not made smaller, which would do it again and
// again, and not kept.
func (v *Verdict) GaveWay() bool { return v.Theirs != nil && v.Theirs.gaveWay() }

func (t *Theirs) gaveWay() bool {
	if t.Err != nil {
		return t.Err.Panicked()
	}
	for i := range t.Answer.Results {
		if e := (&oracle.Error{Text: t.Answer.Results[i].Error}); e.Panicked() {
			return true
		}
	}
	return false
}
