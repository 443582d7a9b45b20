package state

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// Kind says which of the builtin actors a code is.
type Kind struct {
	Name    string // in the manifest, such as "storageminer"; "" if the code is not a known one
	Bundle  string // the bundle with that code, such as "v16/mainnet"; "" if it is not known
	Version int    // of the actors; 0 if it is not known
}

// String is the kind in a word.
func (k Kind) String() string {
	if k.Name == "" {
		return "unknown"
	}
	return k.Name
}

// state is what an actor's state is. It is unknown for kinds and versions of which go-state-types has no types.
func (k Kind) state() *Shape {
	if l := layoutOf(k.Version); l != nil && l.states[k.Name] != nil {
		return l.states[k.Name]
	}
	return unknown
}

// Known tells whether there are types for the state of such an actor.
func (k Kind) Known() bool { return k.state() != unknown }

// Stateless tells whether such actors keep nothing: their head is the empty list.
func (k Kind) Stateless() bool { return slices.Contains(stateless, k.Name) }

var stateless = []string{"eam", "ethaccount", "placeholder"}

// Names are the actors of a version whose states have types, in the order of the alphabet; none of versions that are not known.
func Names(version int) (names []string) {
	l := layoutOf(version)
	if l == nil {
		return nil
	}
	for name, s := range l.states {
		if s != unknown {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// ownManifest is what a state says of its actors' code.
type ownManifest struct {
	kinds   map[cid.Cid]string // names by code
	bundle  string
	version int
	err     error // why it is not known
}

// Kind tells what actor has the code. The state's own manifest, which its system actor names, decides; code that is not in
// it, of a version before, is looked up among all bundles that package bundle knows.
func (t *Tree) Kind(ctx context.Context, code cid.Cid) Kind {
	m := t.manifest(ctx)
	known, ok := bundle.CodeOf(code)
	name, own := m.kinds[code]
	switch {
	case own && m.version > 0:
		return Kind{name, m.bundle, m.version}
	case ok:
		return Kind{known.Actor, known.Bundle(), known.Version}
	}
	return Kind{Name: name}
}

// Manifest is the bundle that the state's system actor names, such as "v16/mainnet", and its version; "" and 0 if it is not
// known. The error says why nothing is known of the state's own code; the state can be read even so.
func (t *Tree) Manifest(ctx context.Context) (name string, version int, err error) {
	m := t.manifest(ctx)
	return m.bundle, m.version, m.err
}

func (t *Tree) manifest(ctx context.Context) *ownManifest {
	t.once.Do(func() {
		// A caller's end is not to be remembered as the state's fault; the two blocks are read in any case.
		t.own = t.readManifest(context.WithoutCancel(ctx))
	})
	return &t.own
}

func (t *Tree) readManifest(ctx context.Context) (m ownManifest) {
	m.version = t.o.ActorsVersion
	system, err := t.ActorByID(ctx, systemID)
	if err != nil {
		m.err = err
		return m
	}
	data, err := t.block(ctx, system.Path()+"/state", system.Head)
	if err != nil {
		m.err = err
		return m
	}
	r := cbor.NewReader(data)
	r.Len()
	list := r.CID()
	if err := r.End(); err != nil {
		m.err = fmt.Errorf("%s/state: %w", system.Path(), err)
		return m
	}
	m.bundle = bundle.NameOf(list)
	if m.bundle == "" && t.o.Bundle != nil {
		if m.bundle, m.err = t.o.Bundle(list); m.err != nil {
			return m
		}
	}
	if m.version == 0 && m.bundle != "" {
		m.version, _, m.err = bundle.ParseName(m.bundle)
	}
	m.kinds, err = t.readKinds(ctx, system.Path()+"/state/BuiltinActors", list)
	m.err = errors.Join(m.err, err)
	return m
}

// readKinds reads the list of actors: [[name, code], ...].
func (t *Tree) readKinds(ctx context.Context, path string, list cid.Cid) (map[cid.Cid]string, error) {
	data, err := t.block(ctx, path, list)
	if err != nil {
		return nil, err
	}
	kinds := map[cid.Cid]string{}
	r := cbor.NewReader(data)
	for range r.Len() {
		r.Tuple(2)
		name, code := r.Text(), r.CID()
		if r.Failed() {
			break
		}
		kinds[code] = name
	}
	if err := r.End(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return kinds, nil
}
