package ethtrace

import (
	"bytes"
	"slices"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/trace"
)

// touches are the actors and slots that a message had to do with, also in calls that failed.
type touches struct {
	slots  bool // watch opcodes
	actors map[abi.ActorID]map[eth.Hash]bool
	others map[eth.Address]bool // whom contracts only asked about
	open   []abi.ActorID        // the calls that have not ended
	// failed are contracts whose opcodes could not be watched.
	failed []*trace.Unwatched
}

// maxTouched is how many slots of a message are kept: more than a block's gas can touch.
const maxTouched = 1 << 20

func newTouches(slots bool) *touches {
	t := &touches{slots: slots}
	t.take()
	return t
}

// take hands over what was heard, and begins anew.
func (t *touches) take() *touches {
	heard := *t
	t.actors, t.others, t.open, t.failed = map[abi.ActorID]map[eth.Hash]bool{}, map[eth.Address]bool{}, nil, nil
	return &heard
}

// hooks are those of next, and its own.
func (t *touches) hooks(next *trace.Hooks) *trace.Hooks {
	h := *next
	h.OnCall = both(func(*trace.Call) { t.open = append(t.open, 0) }, h.OnCall)
	h.OnInvoke = both(t.invoke, h.OnInvoke)
	h.OnReturn = both(func(*trace.Return) { t.end() }, h.OnReturn)
	h.OnError = both(func(*trace.Error) { t.end() }, h.OnError)
	if t.slots {
		h.OnOpcode = both(t.opcode, h.OnOpcode)
		h.OnUnwatched = both(func(u *trace.Unwatched) { t.failed = append(t.failed, u) }, h.OnUnwatched)
	}
	return &h
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

func (t *touches) invoke(i *trace.Invoke) {
	if n := len(t.open); n > 0 {
		t.open[n-1] = i.ID
	}
	if t.actors[i.ID] == nil {
		t.actors[i.ID] = map[eth.Hash]bool{}
	}
}

func (t *touches) end() {
	if n := len(t.open); n > 0 {
		t.open = t.open[:n-1]
	}
}

func (t *touches) opcode(o *trace.Opcode) {
	n := len(t.open)
	if n == 0 {
		return
	}
	switch o.Op {
	case 0x54, 0x55: // SLOAD, SSTORE
		if slots := t.actors[t.open[n-1]]; slots != nil && len(slots) < maxTouched {
			if w, ok := word(o, 0); ok {
				slots[w] = true
			}
		}
	case 0x31, 0x3b, 0x3c, 0x3f, 0xff: // BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH, SELFDESTRUCT
		t.other(o, 0)
	case 0xf1, 0xf4, 0xfa: // CALL, DELEGATECALL, STATICCALL
		t.other(o, 1)
	}
}

func (t *touches) other(o *trace.Opcode, n int) {
	if w, ok := word(o, n); ok && len(t.others) < maxTouched {
		t.others[eth.Address(w[12:])] = true
	}
}

// word is that of the stack which is n below the topmost.
func word(o *trace.Opcode, n int) (w eth.Hash, ok bool) {
	at := len(o.Stack) - 32*(n+1)
	if at < 0 {
		return w, false
	}
	copy(w[:], o.Stack[at:])
	slices.Reverse(w[:])
	return w, true
}

// addresses are the others, in order.
func (t *touches) addresses() []address.Address {
	list := make([]eth.Address, 0, len(t.others))
	for a := range t.others {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b eth.Address) int { return bytes.Compare(a[:], b[:]) })
	out := make([]address.Address, len(list))
	for i, a := range list {
		out[i] = a.Filecoin()
	}
	return out
}
