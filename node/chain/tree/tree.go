// Package tree reads the state of a chain: actors, addresses, and the few fields of actors' own states that nodes need to
// execute a chain.
//
// Those fields are where they are in each version of the actors from 8 to 19, so no version is asked for; a test goes through
// the types of all of them. Packages chain and supply call it; it calls the machine's state tree.
package tree

import (
	"bytes"
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
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/state"
)

// ErrNotFound is wrapped where the state has no such actor or address.
var ErrNotFound = errors.New("not in the state")

// ErrMalformed is wrapped where the state is not what actors of the network write.
var ErrMalformed = errors.New("malformed state")

// IDs of the actors that nodes look at.
const (
	System  abi.ActorID = 0
	Init    abi.ActorID = 1
	Reward  abi.ActorID = 2
	Power   abi.ActorID = 4
	Market  abi.ActorID = 5
	Reserve abi.ActorID = 90
	Burnt   abi.ActorID = 99
)

// Tree is a state. It belongs to one goroutine at a time.
type Tree struct {
	store *blockstore.Buffered
	tree  *state.Tree
	names map[cid.Cid]string // of code, once it is asked for
}

// Actor is an actor's entry in the state tree.
type Actor = state.ActorState

// Load reads the state with a root. Errors of this and of the methods wrap ErrNotFound, ErrMalformed, or what the store said.
func Load(ctx context.Context, store blockstore.Blockstore, root cid.Cid) (*Tree, error) {
	buf := blockstore.NewBuffered(store)
	t, err := state.Load(ctx, buf, root, state.Versions()...)
	if err != nil {
		return nil, ours(err)
	}
	return &Tree{store: buf, tree: t}, nil
}

// ours tells a state that is wrong from a store that fails.
func ours(err error) error {
	if execerr.KindOf(err) == execerr.KindGuest {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return err
}

// IsAnswer reports that an error is one that every node has alike: the state itself is the reason.
func IsAnswer(err error) bool { return errors.Is(err, ErrNotFound) || errors.Is(err, ErrMalformed) }

// Version is the version of the tree: 4 until network version 17, 5 since.
func (t *Tree) Version() uint64 { return t.tree.Version() }

// Actor is the entry of an actor, which must be there.
func (t *Tree) Actor(ctx context.Context, id abi.ActorID) (*Actor, error) {
	a, err := t.tree.Actor(ctx, id)
	if err != nil {
		return nil, ours(err)
	}
	if a == nil {
		return nil, fmt.Errorf("%w: actor f0%d", ErrNotFound, id)
	}
	return a, nil
}

// ID is the actor that an address belongs to. An ID address belongs to its actor whether that exists or not.
func (t *Tree) ID(ctx context.Context, a address.Address) (abi.ActorID, error) {
	id, ok, err := t.tree.LookupID(ctx, a)
	if err != nil {
		return 0, ours(err)
	}
	if !ok {
		return 0, fmt.Errorf("%w: address %s", ErrNotFound, addr.String(a))
	}
	return id, nil
}

// Resolve is ID as an address.
func (t *Tree) Resolve(ctx context.Context, a address.Address) (address.Address, error) {
	id, err := t.ID(ctx, a)
	if err != nil {
		return address.Undef, err
	}
	return addr.NewID(uint64(id)), nil
}

// Codes are those of the builtin actors, in the order of their CIDs.
func (t *Tree) Codes(ctx context.Context) ([]cid.Cid, error) {
	if _, err := t.Name(ctx, cid.Undef); err != nil {
		return nil, err
	}
	codes := make([]cid.Cid, 0, len(t.names))
	for c := range t.names {
		codes = append(codes, c)
	}
	slices.SortFunc(codes, func(a, b cid.Cid) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
	return codes, nil
}

// Name is what the state's own list of builtin actors calls a code, such as "storageminer"; "" if it is not on it.
func (t *Tree) Name(ctx context.Context, code cid.Cid) (string, error) {
	if t.names == nil {
		list, err := t.Builtin(ctx)
		if err != nil {
			return "", err
		}
		data, err := t.Block(ctx, list)
		if err != nil {
			return "", err
		}
		names := map[cid.Cid]string{}
		r := cbor.NewReader(data)
		for n := r.Len(); n > 0 && !r.Failed(); n-- {
			r.Tuple(2)
			name := r.Text()
			names[r.CID()] = name
		}
		if err := r.End(); err != nil {
			return "", fmt.Errorf("%w: the list of builtin actors, %s: %w", ErrMalformed, list, err)
		}
		t.names = names
	}
	return t.names[code], nil
}

// Builtin is the CID of the list of builtin actors, which the system actor has.
func (t *Tree) Builtin(ctx context.Context) (cid.Cid, error) {
	f, err := t.Fields(ctx, System)
	if err != nil {
		return cid.Undef, err
	}
	return f.CID(0)
}

// Network is the network's name, which the init actor has.
func (t *Tree) Network(ctx context.Context) (string, error) {
	f, err := t.Fields(ctx, Init)
	if err != nil {
		return "", err
	}
	r := f.at(2)
	name := r.Text()
	return name, f.malformed(r.End())
}

// Worker is the address of a miner's worker, which signs its blocks.
func (t *Tree) Worker(ctx context.Context, miner abi.ActorID) (address.Address, error) {
	_, info, err := t.Miner(ctx, miner)
	if err != nil {
		return address.Undef, err
	}
	return info.Address(1)
}

// Miner is the state of a miner, which the actor must be, and what it calls its info.
func (t *Tree) Miner(ctx context.Context, miner abi.ActorID) (st, info *Fields, err error) {
	if err := t.must(ctx, miner, "storageminer"); err != nil {
		return nil, nil, err
	}
	if st, err = t.Fields(ctx, miner); err != nil {
		return nil, nil, err
	}
	c, err := st.CID(0)
	if err != nil {
		return nil, nil, err
	}
	info, err = t.fields(ctx, c, fmt.Sprintf("the miner's info of f0%d", miner))
	return st, info, err
}

// Key is the address that an actor's signatures verify by: of an account its key's, of an actor with a delegated address that.
func (t *Tree) Key(ctx context.Context, a address.Address) (address.Address, error) {
	switch a.Protocol() {
	case address.BLS, address.SECP256K1, address.Delegated:
		return a, nil
	}
	id, err := t.ID(ctx, a)
	if err != nil {
		return address.Undef, err
	}
	act, err := t.Actor(ctx, id)
	if err != nil {
		return address.Undef, err
	}
	if act.Delegated != nil {
		return *act.Delegated, nil
	}
	if err := t.must(ctx, id, "account"); err != nil {
		return address.Undef, err
	}
	f, err := t.Fields(ctx, id)
	if err != nil {
		return address.Undef, err
	}
	return f.Address(0)
}

func (t *Tree) must(ctx context.Context, id abi.ActorID, name string) error {
	act, err := t.Actor(ctx, id)
	if err != nil {
		return err
	}
	got, err := t.Name(ctx, act.Code)
	if err != nil {
		return err
	}
	if got != name {
		return fmt.Errorf("%w: actor f0%d is no %s", ErrNotFound, id, name)
	}
	return nil
}

// Block is the data of a block of the state.
func (t *Tree) Block(ctx context.Context, c cid.Cid) ([]byte, error) {
	data, err := t.store.GetRaw(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("block %s of the state: %w", c, err)
	}
	return data, nil
}
