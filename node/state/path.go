package state

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/ipfs/go-cid"
)

// Node is the root of the state as a node: Version, Actors and Info.
func (t *Tree) Node() *Node {
	top := &stateRoot{Version: uint64(t.version), Actors: t.actors.Root, Info: t.info}
	return &Node{env: &t.env, path: "", block: t.root, shape: rootShape, val: reflect.ValueOf(top).Elem()}
}

// Get walks a path from the root, such as "actors/f01000/state/Sectors/17". Parts are the names of fields, the keys of
// maps and arrays, indexes of lists. A field may be named by its place in the list that stands on chain, and in any case
// of letters; an actor by any address. Links are followed. Where no type is known, parts are indexes and keys of the data
// as they are. A PathError tells which part leads nowhere, and what would go on.
func (t *Tree) Get(ctx context.Context, path string) (*Node, error) { return t.Node().Get(ctx, path) }

// Get walks a path from a node; see Tree.Get.
func (n *Node) Get(ctx context.Context, path string) (*Node, error) {
	for name := range strings.SplitSeq(path, "/") {
		if name == "" {
			continue
		}
		var err error
		if n, err = n.step(ctx, name); err != nil {
			return nil, err
		}
	}
	return n.settle(ctx)
}

// OpenData reads a block that need not belong to a state, as data of no known type, or, if kind is not empty, as the state
// of such an actor.
func OpenData(ctx context.Context, store Store, c cid.Cid, kind Kind) (*Node, error) {
	e := &env{store: store}
	s := unknown
	if kind != (Kind{}) {
		if s = kind.state(); s == unknown {
			return nil, fmt.Errorf("there are no types for the state of %s of version %d", kind, kind.Version)
		}
	}
	return e.open(ctx, c.String(), s, c)
}

// rootShape and actorShape are what stands on top of actors' states.
var (
	rootShape  = &Shape{kind: typed, name: "state root", typ: reflect.TypeFor[stateRoot](), layout: treeLayout}
	actorShape = &Shape{kind: typed, name: "actor", typ: reflect.TypeFor[actorEntry](), layout: treeLayout}
	actorsMap  = &Shape{kind: kindHAMT, key: keyActorAddress, bits: 5, elem: actorShape}
	treeLayout = &layout{links: map[reflect.Type]map[string]*Shape{}}
)

func init() {
	treeLayout.links[reflect.TypeFor[stateRoot]()] = map[string]*Shape{"Actors": actorsMap, "Info": unknown}
}

// settle follows a CID to what it is known to lead to.
func (n *Node) settle(ctx context.Context) (*Node, error) {
	if n.to == nil || n.shape.kind != typed {
		return n, nil
	}
	c, ok := cidOf(n.val)
	if !ok {
		return n, nil
	}
	return n.env.open(ctx, n.path, n.to, c)
}

// cidOf is the CID that a value is.
func cidOf(v reflect.Value) (cid.Cid, bool) {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.Type() != reflect.TypeFor[cid.Cid]() {
		return cid.Undef, false
	}
	c := v.Interface().(cid.Cid)
	return c, c.Defined()
}

// step goes one part further.
func (n *Node) step(ctx context.Context, name string) (*Node, error) {
	n, err := n.settle(ctx)
	if err != nil {
		return nil, err
	}
	switch n.shape.kind {
	case typed:
		return n.stepTyped(ctx, name)
	case kindHAMT, kindAMT, kindKAMT:
		return n.stepKey(ctx, name)
	case octets:
		return nil, &PathError{Path: n.where(), Name: name, Why: "a block of bytes has no parts", Err: ErrNotFound}
	}
	return n.stepRaw(ctx, name)
}

// where is the node's path, "/" at the root.
func (n *Node) where() string {
	if n.path == "" {
		return "/"
	}
	return n.path
}
