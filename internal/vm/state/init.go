package state

import (
	"context"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/ipld/hamt"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/execerr"
)

const initActor abi.ActorID = 1

// initState is the init actor's state.
type initState struct {
	addresses cid.Cid // a map of address bytes to actor IDs
	nextID    uint64
	network   string
}

// initCache is the init actor's state as last read or written.
type initCache struct {
	head  cid.Cid // the state's block
	state initState
	root  cid.Cid // the address map's root
	ids   *hamt.Map
}

func (s *initState) encode() []byte {
	dst := cbor.AppendCID(cbor.AppendArray(nil, 3), s.addresses)
	return cbor.AppendText(cbor.AppendUint(dst, s.nextID), s.network)
}

// loadInit reads the init actor, its state and the root of its address map into the cache.
func (t *Tree) loadInit(ctx context.Context) (*ActorState, error) {
	actor, err := t.actor(ctx, initActor)
	if err != nil {
		return nil, err
	}
	if actor == nil {
		return nil, execerr.Guestf("there is no init actor")
	}
	if t.init.head != actor.Head {
		data, err := t.store.GetRaw(ctx, actor.Head)
		if err != nil {
			return nil, execerr.Nodef("reading the init actor's state %s: %w", actor.Head, err)
		}
		r := cbor.NewReader(data)
		r.Tuple(3)
		s := initState{addresses: r.CID(), nextID: r.Uint(), network: r.Text()}
		if err := r.End(); err != nil {
			return nil, execerr.Guestf("the init actor's state %s: %w", actor.Head, err)
		}
		t.init.head, t.init.state = actor.Head, s
	}
	if c := t.init.state.addresses; t.init.root != c {
		m, err := hamt.Load(ctx, t.store, c)
		if err != nil {
			return nil, fatal(err, "loading the init actor's address map")
		}
		t.init.root, t.init.ids = c, m
	}
	return actor, nil
}

// LookupID finds the actor that an address belongs to; ok is false if none has it. An ID address belongs to its actor
// whether that exists or not.
func (t *Tree) LookupID(ctx context.Context, a address.Address) (id abi.ActorID, ok bool, err error) {
	if id, ok := addr.ID(a); ok {
		return abi.ActorID(id), true, nil
	}
	if id, ok := t.ids.get(a); ok {
		return id, true, nil
	}
	if t.fork != nil {
		if id, ok, asked, err := t.lookupBelow(ctx, a); asked {
			return id, ok, err
		}
	}
	if _, err := t.loadInit(ctx); err != nil {
		return 0, false, err
	}
	value, ok, err := t.init.ids.Get(ctx, a.Bytes())
	if err != nil {
		return 0, false, fatal(err, "looking up the address %s", addr.String(a))
	}
	if !ok {
		return 0, false, nil
	}
	r := cbor.NewReader(value)
	id = abi.ActorID(r.Uint())
	if err := r.End(); err != nil {
		return 0, false, execerr.Guestf("the address %s in the init actor's map: %w", addr.String(a), err)
	}
	t.ids.set(a, id)
	return id, true, nil
}

// RegisterNewAddress gives an address the next free actor ID, in the init actor's state. It does not look whether
// the address has one.
func (t *Tree) RegisterNewAddress(ctx context.Context, a address.Address) (abi.ActorID, error) {
	actor, err := t.loadInit(ctx)
	if err != nil {
		return 0, err
	}
	s := t.init.state
	id := abi.ActorID(s.nextID)
	s.nextID++
	if err := t.init.ids.Set(ctx, a.Bytes(), cbor.AppendUint(nil, uint64(id))); err != nil {
		return 0, fatal(err, "adding the address %s to the init actor's map", addr.String(a))
	}
	if s.addresses, err = t.init.ids.Flush(ctx); err != nil {
		return 0, fatal(err, "writing the init actor's map")
	}
	data := s.encode()
	head := cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(data))
	t.store.PutRaw(head, data)
	t.init.head, t.init.state, t.init.root = head, s, s.addresses
	changed := *actor
	changed.Head = head
	t.actors.set(initActor, &actorEntry{state: &changed, dirty: true})
	t.ids.set(a, id)
	return id, nil
}
