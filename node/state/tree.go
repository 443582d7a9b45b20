package state

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/internal/collections"
)

// Store is where blocks come from. A block that is not there makes Get return an error for which go-ipld-format's
// IsNotFound is true. Any number of goroutines may ask at once.
type Store interface {
	Get(ctx context.Context, c cid.Cid) (blocks.Block, error)
}

// Options say how a state is read. The zero value reads what the networks have.
type Options struct {
	// ActorsVersion is the version of the state's actors. Default: the one whose list of actors the state's system actor
	// names, among those that package bundle knows.
	ActorsVersion int
	// Bundle names the bundle with a list of actors, such as "v19/mainnet", or is "". It is asked where package bundle does
	// not know the list. Default: nobody is asked.
	Bundle func(list cid.Cid) (string, error)
}

// Tree is a state: all actors of a chain at some epoch. Any number of goroutines may use one.
type Tree struct {
	env
	root    cid.Cid
	version int // of the tree's format; 0 for the bare map of actors
	info    cid.Cid
	actors  *collections.Map
	o       Options

	once sync.Once // for what is read of the system actor
	own  ownManifest
}

// env is what reading needs: blocks, and the state for addresses.
type env struct {
	store Store
	tree  *Tree // nil where data are read that belong to no state
}

// Open reads the root of a state: [version, actors, info], or, of chains from before it, the map of actors itself.
func Open(ctx context.Context, store Store, root cid.Cid, o Options) (*Tree, error) {
	t := &Tree{env: env{store: store}, root: root, o: o}
	t.env.tree = t
	data, err := t.block(ctx, "/", root)
	if err != nil {
		return nil, err
	}
	top, err := readRoot(root, data)
	if err != nil {
		return nil, fmt.Errorf("%s is not a state root: %w", root, err)
	}
	t.version, t.info = int(top.Version), top.Info
	t.actors = &collections.Map{Source: t.source("/actors", nil), Root: top.Actors, Bits: 5}
	return t, nil
}

// maxTreeVersion is the newest format of trees. Since version 5 an actor has a delegated address.
const maxTreeVersion = 5

// readRoot takes a state root apart. A map's root node is [bitfield, pointers]: it has two items, a state root three.
func readRoot(c cid.Cid, data []byte) (*stateRoot, error) {
	r := cbor.NewReader(data)
	switch n := r.Len(); {
	case r.Failed():
		return nil, errors.New("it is no list")
	case n == 2 && r.Peek() == cbor.Bytes:
		return &stateRoot{Actors: c}, nil
	case n == blockHeaderFields:
		return nil, errors.New("it looks like a block header; the state is the one that its field ParentStateRoot names")
	case n != 3:
		return nil, fmt.Errorf("it is a list of %d, not [version, actors, info]", n)
	}
	s := &stateRoot{Version: r.Uint(), Actors: r.CID(), Info: r.CID()}
	if err := r.End(); err != nil {
		return nil, err
	}
	if s.Version > maxTreeVersion {
		return nil, fmt.Errorf("its version is %d, and versions up to %d are known", s.Version, maxTreeVersion)
	}
	return s, nil
}

const blockHeaderFields = 16

// stateRoot is the root of a state.
type stateRoot struct {
	Version uint64
	Actors  cid.Cid
	Info    cid.Cid
}

// Root is the state root.
func (t *Tree) Root() cid.Cid { return t.root }

// Version is the version of the tree's format: 5 since network version 18, 4 before; 0 for a bare map of actors.
func (t *Tree) Version() int { return t.version }

// block gives a block's data. The path tells where it is missing.
func (e *env) block(ctx context.Context, path string, c cid.Cid) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, err := e.store.Get(ctx, c)
	switch {
	case err == nil:
		return b.RawData(), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case format.IsNotFound(err):
		return nil, &MissingError{path, c, err}
	}
	return nil, fmt.Errorf("%s: reading the block %s: %w", path, c, err)
}

// source gives the nodes of a collection at a path. missing hears of those that are not there, and says whether to go on;
// if it is nil, they are errors.
func (e *env) source(path string, missing func(*MissingError) error) collections.Source {
	s := collections.Source{Load: func(ctx context.Context, c cid.Cid) ([]byte, error) { return e.block(ctx, path, c) }}
	if missing != nil {
		s.Failed = func(_ cid.Cid, err error) error {
			var m *MissingError
			if errors.As(err, &m) {
				return missing(m)
			}
			return err
		}
	}
	return s
}

// Actor is an actor of a state.
type Actor struct {
	ID   abi.ActorID
	Code cid.Cid
	Head cid.Cid // its state
	// Nonce is the sequence number of the next message; other actors than accounts and contracts have 0.
	Nonce   uint64
	Balance abi.TokenAmount // in attoFIL
	// DelegatedAddress is the f4 address, nil where there is none; trees before version 5 do not have it.
	DelegatedAddress *address.Address
}

// Address is the actor's id address.
func (a *Actor) Address() address.Address { return addr.NewID(uint64(a.ID)) }

// Path is where the actor stands in its state, such as "/actors/f01000".
func (a *Actor) Path() string { return "/actors/" + addr.String(a.Address()) }

// actor reads an entry of the map of actors.
func (t *Tree) actor(key, value []byte) (*Actor, error) {
	where, err := addr.ParseAddress(key)
	if err != nil {
		return nil, fmt.Errorf("/actors: the key %x: %w", key, err)
	}
	id, ok := addr.ID(where)
	if !ok {
		return nil, fmt.Errorf("/actors: %s is not an id", addr.String(where))
	}
	a := &Actor{ID: abi.ActorID(id)}
	if err := a.read(value); err != nil {
		return nil, fmt.Errorf("%s: %w", a.Path(), err)
	}
	return a, nil
}

// Actor is the actor with an address, of which ErrNotFound tells if there is none.
func (t *Tree) Actor(ctx context.Context, a address.Address) (*Actor, error) {
	id, err := t.Resolve(ctx, a)
	if err != nil {
		return nil, err
	}
	return t.ActorByID(ctx, id)
}

// noActor is ErrNotFound in words.
type noActor abi.ActorID

func (n noActor) Error() string {
	return "the state has no actor " + addr.String(addr.NewID(uint64(n)))
}
func (n noActor) Is(target error) bool { return target == ErrNotFound }

// ActorByID is the actor with an id, of which ErrNotFound tells if there is none.
func (t *Tree) ActorByID(ctx context.Context, id abi.ActorID) (*Actor, error) {
	key := addr.NewID(uint64(id)).Bytes()
	value, ok, err := t.actors.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, noActor(id)
	}
	return t.actor(key, value)
}

// Resolve is the id that an address stands for, by the init actor's map. ErrNotFound tells if it has none. An id is
// itself, whether an actor has it or not.
func (t *Tree) Resolve(ctx context.Context, a address.Address) (abi.ActorID, error) {
	if id, ok := addr.ID(a); ok {
		return abi.ActorID(id), nil
	}
	m, err := t.addressMap(ctx)
	if err != nil {
		return 0, fmt.Errorf("looking %s up: %w", addr.String(a), err)
	}
	value, ok, err := m.Get(ctx, a.Bytes())
	if err != nil {
		return 0, fmt.Errorf("looking %s up: %w", addr.String(a), err)
	}
	if !ok {
		return 0, fmt.Errorf("the state knows no actor with the address %s: %w", addr.String(a), ErrNotFound)
	}
	r := cbor.NewReader(value)
	id := r.Uint()
	return abi.ActorID(id), r.End()
}

const (
	systemID = 0
	initID   = 1
)

// addressMap is the init actor's map of addresses, which its state names first in every version.
func (t *Tree) addressMap(ctx context.Context) (*collections.Map, error) {
	a, err := t.ActorByID(ctx, initID)
	if err != nil {
		return nil, err
	}
	path := a.Path() + "/state"
	data, err := t.block(ctx, path, a.Head)
	if err != nil {
		return nil, err
	}
	r := cbor.NewReader(data)
	r.Len()
	root := r.CID()
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &collections.Map{Source: t.source(path+"/AddressMap", nil), Root: root, Bits: 5}, nil
}

func (a *Actor) statePath() string { return a.Path() + "/state" }
