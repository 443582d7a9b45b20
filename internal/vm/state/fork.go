package state

import (
	"context"
	"slices"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// Below is the state that a fork stands on, which stays as it is while the fork is in use.
type Below interface {
	// Actor is an actor's state, not to be changed; nil if there is none.
	Actor(ctx context.Context, id abi.ActorID) (*ActorState, error)
	// LookupID is as a Tree's.
	LookupID(ctx context.Context, a address.Address) (abi.ActorID, bool, error)
}

// fork is what a tree has that stands on another state. It records all that was asked of that state, whether or not the
// transaction that asked was reverted.
type fork struct {
	below   Below
	actors  []actorRead
	ids     []idRead
	credits []credit
	failed  bool // an answer was an error, which cannot be compared
}

type actorRead struct {
	id      abi.ActorID
	state   *ActorState
	balance bool // was asked for too
}

type idRead struct {
	address address.Address
	id      abi.ActorID
	found   bool
}

// credit is an addition to the balance of an actor whose balance the fork does not know.
type credit struct {
	id     abi.ActorID
	amount abi.TokenAmount // attoFIL
}

// Fork makes a tree whose changes stay apart from t, over the state below; store takes its blocks. A fork cannot be flushed:
// its changes come into a tree by Merge.
func (t *Tree) Fork(below Below, store *blockstore.Buffered) *Tree {
	f := newTree(store, t.version, t.info, nil)
	f.fork = &fork{below: below}
	return f
}

// Credit adds an amount, in attoFIL, to an actor's balance; false if there is no such actor. A fork that does not know the
// balance keeps the addition as such, so that it holds whatever the balance is. It must not be inside a transaction.
func (t *Tree) Credit(ctx context.Context, id abi.ActorID, amount abi.TokenAmount) (bool, error) {
	e, known := t.actors.get(id)
	if t.fork == nil || known && e.unseen == 0 {
		return t.creditKnown(ctx, id, amount)
	}
	if !known { // that it exists, Holds asks again
		st, err := t.fork.below.Actor(ctx, id)
		if err != nil {
			return false, err
		}
		e = &actorEntry{state: st}
	}
	if e.state == nil {
		return false, nil
	}
	t.fork.credit(id, amount)
	return true, nil
}

func (t *Tree) creditKnown(ctx context.Context, id abi.ActorID, amount abi.TokenAmount) (bool, error) {
	st, err := t.Actor(ctx, id)
	if st == nil || err != nil {
		return false, err
	}
	st.Balance = big.Add(st.Balance, amount)
	return true, t.SetActor(id, *st)
}

func (f *fork) credit(id abi.ActorID, amount abi.TokenAmount) {
	for i := range f.credits {
		if c := &f.credits[i]; c.id == id {
			c.amount = big.Add(c.amount, amount)
			return
		}
	}
	f.credits = append(f.credits, credit{id, amount})
}

// credited is an actor's state with what the fork adds to its balance.
func (f *fork) credited(id abi.ActorID, st *ActorState) *ActorState {
	for _, c := range f.credits {
		if c.id == id && st != nil {
			own := *st
			own.Balance = big.Add(own.Balance, c.amount)
			return &own
		}
	}
	return st
}

// readBelow asks the state below for an actor and records the answer, of which the balance is not seen yet.
func (t *Tree) readBelow(ctx context.Context, id abi.ActorID) (*actorEntry, error) {
	st, err := t.fork.below.Actor(ctx, id)
	if err != nil {
		t.fork.failed = true
		return nil, err
	}
	t.fork.actors = append(t.fork.actors, actorRead{id: id, state: st})
	e := &actorEntry{state: st, unseen: len(t.fork.actors)}
	t.actors.cache(id, e)
	return e, nil
}

// see records that the balance of an actor that was read is asked for. From here on it is known, with what the fork adds.
func (t *Tree) see(id abi.ActorID, e *actorEntry) *actorEntry {
	t.fork.actors[e.unseen-1].balance = true
	seen := &actorEntry{state: e.state}
	if own := t.fork.credited(id, e.state); own != e.state {
		seen.state, seen.dirty = own, true
		t.fork.credits = slices.DeleteFunc(t.fork.credits, func(c credit) bool { return c.id == id })
	}
	t.actors.cache(id, seen)
	return seen
}

// lookupBelow asks the state below for an address, unless the fork has an init actor of its own.
func (t *Tree) lookupBelow(ctx context.Context, a address.Address) (id abi.ActorID, found, asked bool, err error) {
	if t.ownInit() {
		return 0, false, false, nil
	}
	id, found, err = t.fork.below.LookupID(ctx, a)
	if err != nil {
		t.fork.failed = true
		return 0, false, true, err
	}
	t.fork.ids = append(t.fork.ids, idRead{a, id, found})
	if found {
		t.ids.cache(a, id)
	}
	return id, found, true, nil
}

// ownInit reports that the fork has changed the init actor, so that its addresses are not those below.
func (t *Tree) ownInit() bool {
	e, ok := t.actors.get(initActor)
	return ok && e.dirty
}

// Fork of a fork: what it left behind, for one that stands on it. Reading it records nothing.
type after struct{ t *Tree }

// After is the state that a fork leaves, for one other to stand on. The lower one is not to be changed any more.
func (t *Tree) After() Below { return after{t} }

func (f after) Actor(ctx context.Context, id abi.ActorID) (*ActorState, error) {
	if e, ok := f.t.actors.get(id); ok {
		if e.unseen > 0 {
			return f.t.fork.credited(id, e.state), nil
		}
		return e.state, nil
	}
	st, err := f.t.fork.below.Actor(ctx, id)
	if err != nil {
		return nil, err
	}
	return f.t.fork.credited(id, st), nil
}

func (f after) LookupID(ctx context.Context, a address.Address) (abi.ActorID, bool, error) {
	if id, ok := addr.ID(a); ok {
		return abi.ActorID(id), true, nil
	}
	if f.t.ownInit() {
		return f.t.LookupID(ctx, a)
	}
	if id, ok := f.t.ids.get(a); ok {
		return id, true, nil
	}
	return f.t.fork.below.LookupID(ctx, a)
}

// Holds reports that all a fork has read of the state below is so in t too, so that the fork's changes are those that the
// same message would make of t.
func (t *Tree) Holds(ctx context.Context, f *Tree) (bool, error) {
	if f.fork.failed {
		return false, nil
	}
	for _, r := range f.fork.actors {
		st, err := t.actor(ctx, r.id)
		if err != nil || !st.like(r.state) || r.balance && st != nil && !st.Balance.Equals(r.state.Balance) {
			return false, err
		}
	}
	for _, r := range f.fork.ids {
		id, found, err := t.LookupID(ctx, r.address)
		if err != nil || id != r.id || found != r.found {
			return false, err
		}
	}
	for _, c := range f.fork.credits {
		if st, err := t.actor(ctx, c.id); st == nil || err != nil {
			return false, err
		}
	}
	return true, nil
}

// like reports that two states, nil for none, are equal but for their balances.
func (a *ActorState) like(b *ActorState) bool {
	if a == nil || b == nil || a == b {
		return a == b
	}
	if (a.Delegated == nil) != (b.Delegated == nil) || a.Delegated != nil && *a.Delegated != *b.Delegated {
		return false
	}
	return a.Code == b.Code && a.Head == b.Head && a.Nonce == b.Nonce
}

// Merge makes a fork's changes in t. Holds must have been true of it, and no transaction be open in either.
func (t *Tree) Merge(ctx context.Context, f *Tree) error {
	for _, id := range f.dirty() {
		t.actors.set(id, &actorEntry{state: f.actors.values[id].state, dirty: true})
	}
	for _, c := range f.fork.credits {
		if _, err := t.Credit(ctx, c.id, c.amount); err != nil {
			return err
		}
	}
	t.actors.forget()
	t.ids.forget()
	t.store.Absorb(f.store)
	return nil
}
