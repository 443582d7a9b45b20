package state

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/internal/collections"
)

// Op is what became of a part of a state.
type Op string

// What may become of it.
const (
	Added   Op = "added"
	Removed Op = "removed"
	Changed Op = "changed"
)

// Change is a part of a state that differs between two.
type Change struct {
	ID   abi.ActorID // the actor that it belongs to
	Kind string      // of the actor, such as "storageminer"; "" if it is not known
	Op   Op
	// Path is where it is, such as "/actors/f01000/state/Sectors/17": of an actor that came or went, the actor.
	Path string
	// Type is what stands there, such as "SectorOnChainInfo"; "" of an actor's own fields and of data of no known type.
	Type string
	// Before and After are views of it, see Node.View; nil where it was not, or is no more.
	Before, After any
	// Fields are the names of the fields that differ, of a changed value that has fields.
	Fields []string
	// More and Less are the members that a changed bitfield got and lost, such as "3-5,9".
	More, Less string
}

// DiffOptions say what Diff does. The zero value tells all that differs.
type DiffOptions struct {
	// Only has the actors to look at. Default: all.
	Only []abi.ActorID
	// Shallow tells of the actors' own fields, and that the state of one differs, but not how.
	Shallow bool
	// Missing hears of blocks that are not there; nil goes on, and what lies below is not compared. Default: they are errors.
	Missing func(*MissingError) error
	// Progress hears how many actors that differ were found, and how many of them compared. Default: nobody.
	Progress func(found, compared int)
}

// Diff calls fn for each change from one state to another: actors in the order of ids, what an actor has in the order in
// which it stands there, entries of maps in the order of their nodes. Blocks that both states share are not read, so that
// the time is that of what differs; memory is that of a few nodes and values. Versions of the actors may differ: fields
// are compared by name.
func Diff(ctx context.Context, a, b *Tree, o DiffOptions, fn func(*Change) error) error {
	d := &differ{ctx: ctx, a: a, b: b, o: o, fn: fn}
	s := &sorter{}
	defer s.close()
	found, compared := 0, 0
	tell := func() {
		if o.Progress != nil {
			o.Progress(found, compared)
		}
	}
	add := func(key, before, after []byte) error {
		where, err := addr.ParseAddress(key)
		id, ok := addr.ID(where)
		if err != nil || !ok {
			return fmt.Errorf("/actors: the key %x is not an id", key)
		}
		found++
		tell()
		return s.add(id, append(append(binary.AppendUvarint(nil, uint64(len(before))), before...), after...))
	}
	if err := d.changedActors(add); err != nil {
		return err
	}
	return s.each(ctx, func(id uint64, data []byte) error {
		n, used := binary.Uvarint(data)
		before, after := data[used:used+int(n)], data[used+int(n):]
		compared++
		tell()
		return d.actor(addr.NewID(id).Bytes(), before, after)
	})
}

// differ compares two states.
type differ struct {
	ctx  context.Context
	a, b *Tree
	o    DiffOptions
	fn   func(*Change) error
	id   abi.ActorID // of the actor at hand
	kind string
}

// changedActors finds the actors whose entries differ.
func (d *differ) changedActors(add func(key, before, after []byte) error) error {
	if d.o.Only == nil {
		a, b := *d.a.actors, *d.b.actors
		a.Source, b.Source = d.a.source("/actors", d.o.Missing), d.b.source("/actors", d.o.Missing)
		return located("/actors", collections.DiffMaps(d.ctx, &a, &b, add))
	}
	for _, id := range d.o.Only {
		key := addr.NewID(uint64(id)).Bytes()
		before, _, err := d.a.actors.Get(d.ctx, key)
		if err != nil {
			return located("/actors", err)
		}
		after, _, err := d.b.actors.Get(d.ctx, key)
		if err != nil {
			return located("/actors", err)
		}
		if string(before) != string(after) {
			if err := add(key, before, after); err != nil {
				return err
			}
		}
	}
	return nil
}

// tell gives a change to the caller.
func (d *differ) tell(c Change) error {
	c.ID, c.Kind = d.id, d.kind
	return d.fn(&c)
}

// missing gives a block that is not there to the caller; other errors end the walk.
func (d *differ) missing(err error) error {
	var m *MissingError
	if d.o.Missing != nil && errors.As(err, &m) {
		return d.o.Missing(m)
	}
	return err
}

// actor compares an actor's entries in the map of actors.
func (d *differ) actor(key, before, after []byte) error {
	x, err := d.entryNode(d.a, key, before)
	if err != nil {
		return err
	}
	y, err := d.entryNode(d.b, key, after)
	if err != nil {
		return err
	}
	switch {
	case x == nil:
		return d.oneActor(d.b, y, Added)
	case y == nil:
		return d.oneActor(d.a, x, Removed)
	}
	ax, ay := x.val.Interface().(actorEntry), y.val.Interface().(actorEntry)
	d.kind = d.b.Kind(d.ctx, ay.Code).Name
	vx, err := x.plain(x.val)
	if err != nil {
		return err
	}
	vy, err := y.plain(y.val)
	if err != nil {
		return err
	}
	ox, oy := vx.(jsonview.Object), vy.(jsonview.Object)
	for i := range ox {
		if name := ox[i].Name; ox[i].Value != oy[i].Value && (name != "head" || d.o.Shallow) {
			if err := d.tell(Change{Op: Changed, Path: x.path + "/" + name, Before: ox[i].Value, After: oy[i].Value}); err != nil {
				return err
			}
		}
	}
	if d.o.Shallow || ax.Head == ay.Head {
		return nil
	}
	sx, err := d.state(x, ax)
	if err != nil {
		return d.missing(err)
	}
	sy, err := d.state(y, ay)
	if err != nil {
		return d.missing(err)
	}
	return d.nodes(sx, sy)
}

// state is an actor's state: as data, if it does not read as what it should be.
func (d *differ) state(n *Node, e actorEntry) (*Node, error) {
	s, err := n.state(d.ctx, e, "state")
	var form *FormError
	if errors.As(err, &form) {
		return n.env.open(d.ctx, n.path+"/state", unknown, e.Head)
	}
	return s, err
}

// entryNode is an actor's entry as a node, nil if there is none.
func (d *differ) entryNode(t *Tree, key, data []byte) (*Node, error) {
	where, err := addr.ParseAddress(key)
	if err != nil {
		return nil, err
	}
	id, _ := addr.ID(where)
	d.id = abi.ActorID(id)
	if len(data) == 0 {
		return nil, nil
	}
	return t.value(d.ctx, "/actors/"+addr.String(where), actorShape, data)
}

// oneActor tells of an actor that only one of the states has, and of all entries of its maps and arrays.
func (d *differ) oneActor(t *Tree, n *Node, op Op) error {
	e := n.val.Interface().(actorEntry)
	d.kind = t.Kind(d.ctx, e.Code).Name
	view, err := n.plain(n.val)
	if err != nil {
		return err
	}
	if d.o.Shallow {
		return d.tellOne(n, view, op)
	}
	state, err := d.state(n, e)
	if err != nil {
		if err := d.missing(err); err != nil {
			return err
		}
		return d.tellOne(n, view, op)
	}
	inner, err := state.inner(d.ctx, ViewOptions{})
	if err != nil {
		return err
	}
	if err := d.tellOne(n, append(view.(jsonview.Object), jsonview.Field{Name: "state", Value: inner}), op); err != nil {
		return err
	}
	return d.below(state, op)
}

func (d *differ) tellOne(n *Node, view any, op Op) error {
	c := Change{Op: op, Path: n.path, After: view}
	if n.shape.kind == typed && n.shape != actorShape {
		c.Type = n.shape.String()
	}
	if op == Removed {
		c.Before, c.After = view, nil
	}
	return d.tell(c)
}

// open follows a link; the node is nil if the block is missing and the walk is to go on.
func (d *differ) open(e *env, path string, s *Shape, c cid.Cid) (*Node, error) {
	n, err := e.open(d.ctx, path, s, c)
	if err != nil {
		return nil, d.missing(err)
	}
	return n, nil
}
