package state

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/internal/collections"
)

// Part says what a block is part of.
type Part struct {
	Actor string // the kind of actor to whose state it belongs, such as "storageminer"; "" above actors' states
	Field string // the field of the actor's state below which it lies, such as "Sectors"; "" for the state's own block
	What  What
}

// What is the kind of a block.
type What string

// The kinds of blocks.
const (
	RootBlock  What = "state root"
	StateBlock What = "state" // a value of an actor's state, or data of no known type
	HAMTNode   What = "HAMT node"
	AMTNode    What = "AMT node"
	KAMTNode   What = "KAMT node"
	CodeBlock  What = "code" // of actors, and of contracts
)

// walker visits all blocks below others, each once.
type walker struct {
	env  *env
	seen blockSet
	// block hears of each block; path tells where the first way to it went.
	block func(path func() string, c cid.Cid, data []byte, p Part) error
	// missing hears of blocks that are not there; if it is nil, or returns an error, that ends the walk.
	missing func(*MissingError) error
	// value, if it is not nil, sees each typed value with the CBOR that it was read from. For tests.
	value func(path string, s *Shape, data []byte, v reflect.Value)
	depth int
}

// maxDepth bounds how deep blocks may lie below each other, maps and arrays counted as one.
const maxDepth = 2000

// blockSet are blocks by a part of their hash: 16 bytes of a hash are enough that none is taken for another.
type blockSet map[[16]byte]struct{}

// add puts a block in, and tells whether it was not in yet.
func (s blockSet) add(c cid.Cid) bool {
	k := blockKey(c)
	if _, ok := s[k]; ok {
		return false
	}
	s[k] = struct{}{}
	return true
}

func (s blockSet) has(c cid.Cid) bool {
	_, ok := s[blockKey(c)]
	return ok
}

func blockKey(c cid.Cid) (k [16]byte) {
	h := c.Hash()
	copy(k[:], h[max(0, len(h)-len(k)):])
	return k
}

// load gives a block, once: ok is false if it was visited or is missing and the walk is to go on.
func (w *walker) load(ctx context.Context, path func() string, c cid.Cid, p Part) (data []byte, ok bool, err error) {
	if w.seen.has(c) {
		return nil, false, nil
	}
	data, err = w.env.block(ctx, "", c)
	var m *MissingError
	if errors.As(err, &m) {
		m.Path = path()
		if w.missing == nil {
			return nil, false, m
		}
		w.seen.add(c) // one is enough
		return nil, false, w.missing(m)
	}
	if err != nil {
		return nil, false, err
	}
	w.seen.add(c)
	return data, true, w.block(path, c, data, p)
}

// walk visits a block and all below it.
func (w *walker) walk(ctx context.Context, path func() string, s *Shape, c cid.Cid, p Part) error {
	if w.depth++; w.depth > maxDepth {
		return fmt.Errorf("%.200s…: blocks lie deeper than %d below each other", path(), maxDepth)
	}
	defer func() { w.depth-- }()
	if s.isCollection() {
		return w.collection(ctx, path, s, c, p)
	}
	p.What = StateBlock
	if s.kind == octets {
		p.What = CodeBlock
	}
	data, ok, err := w.load(ctx, path, c, p)
	if err != nil || !ok {
		return err
	}
	switch {
	case s.kind == typed:
		return w.typed(ctx, path, s, data, p)
	case s.kind == anything && c.Prefix().Codec == cid.DagCBOR:
		return w.links(ctx, path, data, p)
	}
	return nil
}

// typed visits what a value leads to.
func (w *walker) typed(ctx context.Context, path func() string, s *Shape, data []byte, p Part) error {
	n := &Node{env: w.env, shape: s}
	if err := n.read(data); err != nil {
		if w.value != nil {
			return &FormError{path(), s.String(), err}
		}
		return w.links(ctx, path, data, p) // what it leads to, belongs to the state whatever it is
	}
	if w.value != nil {
		w.value(path(), s, data, n.val)
	}
	return w.parts(ctx, path, n, p)
}

// parts visits what the links in a value lead to.
func (w *walker) parts(ctx context.Context, path func() string, n *Node, p Part) error {
	v := n.val
	if c, ok := cidOf(v); ok {
		if n.to == nil {
			return nil
		}
		return w.walk(ctx, path, n.to, c, p)
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		if !n.shape.layout.leads(v.Type()) {
			return nil
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				below := p
				if below.Field == "" {
					below.Field = f.Name
				}
				if err := w.parts(ctx, join(path, f.Name), n.field(v, i), below); err != nil {
					return err
				}
			}
		}
	case reflect.Slice, reflect.Array:
		if n.to == nil {
			return nil
		}
		for i := range v.Len() {
			if err := w.parts(ctx, join(path, fmt.Sprint(i)), n.part("", v.Index(i), n.to), p); err != nil {
				return err
			}
		}
	}
	return nil
}

func join(path func() string, name string) func() string {
	return func() string { return path() + "/" + name }
}

// leads tells whether a type has links that lead to more of the state.
func (l *layout) leads(t reflect.Type) bool {
	if l == nil {
		return false
	}
	if known, ok := l.leading.Load(t); ok {
		return known.(bool)
	}
	is := l.findLeads(t)
	l.leading.Store(t, is)
	return is
}

func (l *layout) findLeads(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return false
	}
	if len(l.links[t]) > 0 {
		return true
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && l.leads(f.Type) {
			return true
		}
	}
	return false
}

// links visits what data of no known type lead to.
func (w *walker) links(ctx context.Context, path func() string, data []byte, p Part) error {
	return cbor.Links(data, &cbor.LinkRules{}, func(raw []byte) error {
		to, _, err := cbor.ParseCID(raw)
		if err != nil {
			return &FormError{path(), "DAG-CBOR", err}
		}
		if codec := to.Prefix().Codec; codec != cid.DagCBOR && codec != cid.Raw {
			return nil // the commitment of a piece or sector is no block
		}
		return w.walk(ctx, join(path, "…"), unknown, to, p)
	})
}

// collection visits the nodes of a map or array, and what its values lead to.
func (w *walker) collection(ctx context.Context, path func() string, s *Shape, c cid.Cid, p Part) error {
	if w.seen.has(c) {
		return nil
	}
	p.What = map[shapeKind]What{kindHAMT: HAMTNode, kindAMT: AMTNode, kindKAMT: KAMTNode}[s.kind]
	n := &Node{env: w.env, shape: s, block: c}
	err := n.eachFrom(ctx, w.source(path, p), func(raw, value []byte) error {
		return w.entry(ctx, path, s, raw, value, p)
	})
	if errors.Is(err, collections.ErrMalformed) {
		return fmt.Errorf("%s: %w", path(), err)
	}
	return ignore(err, errPassed) // of the root
}

// errPassed is a node that is missing while the walk goes on.
var errPassed = errors.New("passed over")

func ignore(err, which error) error {
	if errors.Is(err, which) {
		return nil
	}
	return err
}

// entry visits what an entry leads to.
func (w *walker) entry(ctx context.Context, path func() string, s *Shape, raw, value []byte, p Part) error {
	at := func() string {
		key, err := s.key.show(raw)
		if err != nil {
			key = fmt.Sprintf("%x", raw)
		}
		return path() + "/" + key
	}
	switch {
	case s.elem.kind == link:
		r := cbor.NewReader(value)
		c := r.CID()
		if err := r.End(); err != nil {
			return &FormError{at(), "a link", err}
		}
		return w.walk(ctx, at, s.elem.elem, c, p)
	case s.elem.kind == typed && (w.value != nil || s.elem.layout.leads(s.elem.typ)):
		return w.typed(ctx, at, s.elem, value, p)
	}
	return nil
}
