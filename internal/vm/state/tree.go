// Package state is the state tree: all actors, and the addresses that the init actor gave them.
//
// Changes are made in memory, inside transactions that may be nested and reverted, and become HAMT nodes when the tree is
// flushed. machine loads and flushes the tree; call changes it; executor pays fees from it. It calls hamt and the buffered
// blockstore. What a change costs and who may make it does not belong here.
package state

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/ipld/hamt"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/execerr"
)

// Tree is the state of all actors, read as needed. It belongs to one goroutine at a time.
//
// Errors of its methods are *execerr.Fatal: of the node if the store fails or lacks a block, of the guest (all nodes have
// it alike) if a block is not what it should be.
type Tree struct {
	store   *blockstore.Buffered
	version *version
	info    cid.Cid
	hamt    *hamt.Map

	actors undoMap[abi.ActorID, *actorEntry]
	ids    undoMap[address.Address, abi.ActorID]
	layers []layer

	init initCache

	fork *fork // nil: the tree stands on its HAMT
}

// actorEntry is an actor that has been read or changed. Entries are replaced, not changed, but for dirty.
type actorEntry struct {
	state *ActorState // nil: there is no such actor
	dirty bool        // it is to be flushed
	// unseen is 1 + the place in the fork's list of what was read, as long as nobody has asked for the balance. The
	// state then is that below, without what the fork adds to the balance.
	unseen int
}

// layer is where the undo logs were when a transaction began.
type layer struct{ actors, ids int }

// version is what differs between versions of the state tree.
type version struct {
	number      uint64
	actorFields int
}

// delegatedField is how many fields an actor has if it has one for its delegated address.
const delegatedField = 5

var versions = [...]version{
	{number: 3, actorFields: 4},
	{number: 4, actorFields: 4}, // network versions 13 to 17
	{number: 5, actorFields: 5}, // network version 18 and later, FIP-0048
}

// Current is the version of the state tree of network version 18 and later.
const Current = 5

// Versions are all versions of the state tree that can be read.
func Versions() []uint64 {
	list := make([]uint64, len(versions))
	for i, v := range versions {
		list[i] = v.number
	}
	return list
}

func findVersion(number uint64) *version {
	for i := range versions {
		if versions[i].number == number {
			return &versions[i]
		}
	}
	return nil
}

// New makes an empty tree of the current version.
func New(store *blockstore.Buffered) *Tree {
	info := []byte{0x80} // an empty tuple
	c := cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(info))
	store.PutRaw(c, info)
	return newTree(store, findVersion(Current), c, hamt.New(store))
}

func newTree(store *blockstore.Buffered, v *version, info cid.Cid, m *hamt.Map) *Tree {
	return &Tree{
		store: store, version: v, info: info, hamt: m,
		actors: newUndoMap[abi.ActorID, *actorEntry](), ids: newUndoMap[address.Address, abi.ActorID](),
	}
}

// Load reads the tree's root. The tree's version must be one of allowed; none means Current.
func Load(ctx context.Context, store *blockstore.Buffered, root cid.Cid, allowed ...uint64) (*Tree, error) {
	data, err := store.GetRaw(ctx, root)
	if err != nil {
		return nil, execerr.Nodef("reading the state root %s: %w", root, err)
	}
	r := cbor.NewReader(data)
	r.Tuple(3)
	number, actors, info := r.Uint(), r.CID(), r.CID()
	if err := r.End(); err != nil {
		return nil, execerr.Guestf("the state root %s: %w", root, err)
	}
	if len(allowed) == 0 {
		allowed = []uint64{Current}
	}
	v := findVersion(number)
	if v == nil || !slices.Contains(allowed, number) {
		return nil, execerr.Guestf("the state root %s: its version is %d, not one of %d", root, number, allowed)
	}
	m, err := hamt.Load(ctx, store, actors)
	if err != nil {
		return nil, fatal(err, "loading the actors of the state root %s", root)
	}
	return newTree(store, v, info, m), nil
}

// fatal makes one of ours of an error of a HAMT.
func fatal(err error, format string, a ...any) error {
	what := fmt.Sprintf(format, a...)
	if errors.Is(err, hamt.ErrMalformed) || errors.Is(err, cbor.ErrMalformed) {
		return execerr.Guestf("%s: %w", what, err)
	}
	return execerr.Nodef("%s: %w", what, err)
}

// Version is the version of the tree.
func (t *Tree) Version() uint64 { return t.version.number }

// Actor returns an actor's state, which is the caller's; nil if there is no such actor.
func (t *Tree) Actor(ctx context.Context, id abi.ActorID) (*ActorState, error) {
	st, err := t.actor(ctx, id)
	if st == nil || err != nil {
		return nil, err
	}
	own := *st
	return &own, nil
}

// Described is Actor without the balance, which is not set: a fork that only reads so much holds whatever the balance is.
func (t *Tree) Described(ctx context.Context, id abi.ActorID) (*ActorState, error) {
	st, err := t.described(ctx, id)
	if st == nil || err != nil {
		return nil, err
	}
	return &ActorState{Code: st.Code, Head: st.Head, Nonce: st.Nonce, Delegated: st.Delegated}, nil
}

func (t *Tree) described(ctx context.Context, id abi.ActorID) (*ActorState, error) {
	if t.fork == nil {
		return t.actor(ctx, id)
	}
	if e, ok := t.actors.get(id); ok {
		return e.state, nil
	}
	e, err := t.readBelow(ctx, id)
	if err != nil {
		return nil, err
	}
	return e.state, nil
}

// actor is Actor without the copy.
func (t *Tree) actor(ctx context.Context, id abi.ActorID) (*ActorState, error) {
	if e, ok := t.actors.get(id); ok {
		if e.unseen > 0 {
			e = t.see(id, e)
		}
		return e.state, nil
	}
	if t.fork != nil {
		e, err := t.readBelow(ctx, id)
		if err != nil {
			return nil, err
		}
		return t.see(id, e).state, nil
	}
	data, ok, err := t.hamt.Get(ctx, actorKey(id))
	if err != nil {
		return nil, fatal(err, "looking up the actor %d", id)
	}
	var st *ActorState
	if ok {
		if st, err = decodeActor(data, t.version); err != nil {
			return nil, execerr.Guestf("the actor %d in the state tree: %w", id, err)
		}
	}
	t.actors.cache(id, &actorEntry{state: st})
	return st, nil
}

func actorKey(id abi.ActorID) []byte { return addr.NewID(uint64(id)).Bytes() }

// SetActor gives an actor a state, whether it exists or not. It keeps a copy. The error is always nil.
func (t *Tree) SetActor(id abi.ActorID, st ActorState) error {
	t.actors.set(id, newEntry(&st))
	return nil
}

// newEntry is the entry of an actor that changed; st is copied.
func newEntry(st *ActorState) *actorEntry {
	both := &struct { // one piece of memory
		entry actorEntry
		state ActorState
	}{entry: actorEntry{dirty: true}, state: *st}
	both.entry.state = &both.state
	return &both.entry
}

// DeleteActor removes an actor, whether it exists or not. The error is always nil.
func (t *Tree) DeleteActor(id abi.ActorID) error {
	t.actors.set(id, &actorEntry{dirty: true})
	return nil
}

// Begin begins a transaction. Transactions nest.
func (t *Tree) Begin() { t.layers = append(t.layers, layer{len(t.actors.log), len(t.ids.log)}) }

// End ends the innermost transaction. If revert is true the tree is as it was at its begin.
func (t *Tree) End(revert bool) error {
	if len(t.layers) == 0 {
		return execerr.Nodef("a transaction of the state tree ended that never began")
	}
	last := len(t.layers) - 1
	l := t.layers[last]
	t.layers = t.layers[:last]
	if revert {
		t.actors.rollback(l.actors)
		t.ids.rollback(l.ids)
	}
	if last == 0 {
		t.actors.forget()
		t.ids.forget()
	}
	return nil
}

// Flush writes the changed actors as HAMT nodes into the buffered store and returns the tree's root. The tree
// stays usable. There must be no open transaction.
func (t *Tree) Flush(ctx context.Context) (cid.Cid, error) {
	if len(t.layers) > 0 {
		return cid.Undef, execerr.Nodef("the state tree cannot be flushed inside a transaction")
	}
	if t.fork != nil {
		return cid.Undef, execerr.Nodef("a fork of the state tree cannot be flushed")
	}
	for _, id := range t.dirty() {
		if err := execerr.Interrupted(ctx); err != nil {
			return cid.Undef, err
		}
		e := t.actors.values[id]
		if err := t.flushActor(ctx, id, e.state); err != nil {
			return cid.Undef, fatal(err, "writing the actor %d", id)
		}
		e.dirty = false
	}
	t.actors.forget() // changes made outside of transactions
	t.ids.forget()
	actors, err := t.hamt.Flush(ctx)
	if err != nil {
		return cid.Undef, fatal(err, "writing the actors")
	}
	dst := cbor.AppendUint(cbor.AppendArray(nil, 3), t.version.number)
	dst = cbor.AppendCID(cbor.AppendCID(dst, actors), t.info)
	root := cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(dst))
	t.store.PutRaw(root, dst)
	return root, nil
}

// dirty are the actors that changed since the last flush, in the order of their IDs.
func (t *Tree) dirty() []abi.ActorID {
	var ids []abi.ActorID
	for id, e := range t.actors.values {
		if e.dirty {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (t *Tree) flushActor(ctx context.Context, id abi.ActorID, st *ActorState) error {
	if st == nil {
		_, err := t.hamt.Delete(ctx, actorKey(id))
		return err
	}
	data, err := st.encode(t.version)
	if err != nil {
		return err
	}
	return t.hamt.Set(ctx, actorKey(id), data)
}

// ForEach calls fn with every actor as of the last flush, in the order of the tree. It reads the whole tree. An error of fn
// ends it and is returned.
func (t *Tree) ForEach(ctx context.Context, fn func(abi.ActorID, *ActorState) error) error {
	return t.hamt.ForEach(ctx, func(key, value []byte) error {
		a, err := addr.ParseAddress(key)
		if err != nil {
			return execerr.Guestf("a key of the state tree, %x: %w", key, err)
		}
		id, ok := addr.ID(a)
		if !ok {
			return execerr.Guestf("a key of the state tree, %x, is no actor ID", key)
		}
		st, err := decodeActor(value, t.version)
		if err != nil {
			return execerr.Guestf("the actor %d in the state tree: %w", id, err)
		}
		return fn(abi.ActorID(id), st)
	})
}
