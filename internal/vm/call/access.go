package call

import (
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
)

// access is how far an actor's state was paid for in this message.
type access uint8

const (
	accessNone access = iota
	accessRead
	accessUpdated
)

// accessTracker remembers which actors and addresses a message has paid to look
// up (FIP-0057): only the first access of each kind is charged. What a reverted
// call paid for is forgotten with it and charged again.
type accessTracker struct {
	actors    map[abi.ActorID]access
	addresses map[address.Address]struct{}
	log       []accessChange
	marks     []int
}

type accessChange struct {
	id   abi.ActorID
	was  access
	addr address.Address // set: an address was added
}

func newAccessTracker(preloaded []abi.ActorID) accessTracker {
	t := accessTracker{actors: make(map[abi.ActorID]access, 8)}
	for _, id := range preloaded {
		t.actors[id] = accessUpdated
	}
	return t
}

func (t *accessTracker) begin() { t.marks = append(t.marks, len(t.log)) }

func (t *accessTracker) end(revert bool) {
	mark := t.marks[len(t.marks)-1]
	t.marks = t.marks[:len(t.marks)-1]
	if !revert {
		return
	}
	for i := len(t.log) - 1; i >= mark; i-- {
		c := t.log[i]
		switch {
		case c.addr != address.Undef:
			delete(t.addresses, c.addr)
		case c.was == accessNone:
			delete(t.actors, c.id)
		default:
			t.actors[c.id] = c.was
		}
	}
	t.log = t.log[:mark]
}

func (t *accessTracker) actor(id abi.ActorID) access { return t.actors[id] }

func (t *accessTracker) record(id abi.ActorID, a access) {
	if was := t.actors[id]; was < a {
		t.log = append(t.log, accessChange{id: id, was: was})
		t.actors[id] = a
	}
}

func (t *accessTracker) addressKnown(a address.Address) bool {
	if a.Protocol() == address.ID {
		return true
	}
	_, ok := t.addresses[a]
	return ok
}

func (t *accessTracker) recordAddress(a address.Address) {
	if t.addressKnown(a) {
		return
	}
	t.log = append(t.log, accessChange{addr: a})
	if t.addresses == nil {
		t.addresses = make(map[address.Address]struct{}, 8)
	}
	t.addresses[a] = struct{}{}
}
