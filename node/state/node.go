package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/internal/collections"
)

// Node is a place in a state: a value, a part of one, or a map or array of them. What it is, its Shape says.
type Node struct {
	env  *env
	path string
	// block is the CID of the block whose root the node is; undefined for parts and for values in maps and arrays.
	block cid.Cid
	shape *Shape
	val   reflect.Value // of typed nodes: the value; CIDs in it stand as they are
	raw   any           // of nodes of no known type: what rawTree gives; of bytes, []byte
	to    *Shape        // of a CID, or a list of them: what it leads to, if that is known
}

// Path is where the node is, such as "/actors/f01000/state/Sectors/17".
func (n *Node) Path() string { return n.path }

// Shape says what the node is.
func (n *Node) Shape() *Shape { return n.shape }

// CID is the block whose root the node is; undefined for parts of blocks.
func (n *Node) CID() cid.Cid { return n.block }

// Collection tells whether the node is a map or array, whose entries Each walks.
func (n *Node) Collection() bool { return n.shape.isCollection() }

// Typed tells whether the node's type is known: it is no data of which only the form is.
func (n *Node) Typed() bool { return n.shape.kind != anything }

// Value is what go-state-types makes of a value of a known type, such as a miner.SectorOnChainInfo of the version of the actors
// that wrote it; of a block of bytes, such as a contract's code, []byte. Nil of other nodes. It must not be changed.
func (n *Node) Value() any {
	switch {
	case n.val.IsValid():
		return n.val.Interface()
	case n.shape.kind == octets:
		return n.raw
	}
	return nil
}

// open reads a block as a shape says.
func (e *env) open(ctx context.Context, path string, s *Shape, c cid.Cid) (*Node, error) {
	n := &Node{env: e, path: path, block: c, shape: s}
	if s.isCollection() {
		return n, nil
	}
	data, err := e.block(ctx, path, c)
	if err != nil {
		return nil, err
	}
	if s.kind == octets || s.kind == anything && c.Prefix().Codec == cid.Raw {
		n.shape, n.raw = bytesShape, data
		return n, nil
	}
	if err := n.read(data); err != nil {
		return nil, &FormError{path, s.String(), err}
	}
	return n, nil
}

// value reads a value that stands in a map or array.
func (e *env) value(ctx context.Context, path string, s *Shape, data []byte) (*Node, error) {
	if s.kind == link {
		r := cbor.NewReader(data)
		c := r.CID()
		if err := r.End(); err != nil {
			return nil, &FormError{path, "a link", err}
		}
		return e.open(ctx, path, s.elem, c)
	}
	n := &Node{env: e, path: path, shape: s}
	if err := n.read(data); err != nil {
		return nil, &FormError{path, s.String(), err}
	}
	return n, nil
}

// read decodes a typed node or one of no known type.
func (n *Node) read(data []byte) (err error) {
	if n.shape.kind == anything {
		n.raw, err = rawTree(data)
		return err
	}
	v := reflect.New(n.shape.typ)
	u, ok := v.Interface().(cbg.CBORUnmarshaler)
	if !ok {
		return fmt.Errorf("the type %s does not read CBOR", n.shape.typ)
	}
	r := bytes.NewReader(data)
	if err := u.UnmarshalCBOR(r); err != nil {
		return err
	}
	if r.Len() > 0 {
		return fmt.Errorf("%d bytes after its end", r.Len())
	}
	n.val = v.Elem()
	return nil
}

// FormError is a block or value that does not read as what should stand there.
type FormError struct {
	Path string
	What string // such as "SectorOnChainInfo"
	Err  error
}

func (e *FormError) Error() string {
	return fmt.Sprintf("%s: not read as %s: %v", e.Path, e.What, e.Err)
}

// Unwrap is why it does not read.
func (e *FormError) Unwrap() error { return e.Err }

// mapAt and arrayAt open a node's collection.
func (n *Node) mapAt(missing func(*MissingError) error) *collections.Map {
	m := &collections.Map{Source: n.env.source(n.path, missing), Root: n.block, Bits: n.shape.bits}
	if n.shape.kind == kindKAMT {
		m.Format = collections.KAMT
	}
	return m
}

func (n *Node) arrayAt(ctx context.Context, missing func(*MissingError) error) (*collections.Array, error) {
	a, err := collections.OpenArray(ctx, n.env.source(n.path, missing), n.block)
	if errors.Is(err, collections.ErrMalformed) {
		return nil, fmt.Errorf("%s: %w", n.path, err)
	}
	return a, err
}

// each calls fn for each entry of a collection, with its key's bytes and its value's CBOR.
func (n *Node) each(ctx context.Context, missing func(*MissingError) error, fn func(key, value []byte) error) error {
	return n.located(n.eachFrom(ctx, n.env.source(n.path, missing), fn))
}

// eachFrom is each, of nodes from a source.
func (n *Node) eachFrom(ctx context.Context, s collections.Source, fn func(key, value []byte) error) error {
	if n.shape.kind == kindAMT {
		a, err := collections.OpenArray(ctx, s, n.block)
		if err != nil {
			return err
		}
		return a.ForEach(ctx, func(i uint64, value []byte) error { return fn(rawIndex(i), value) })
	}
	m := n.mapAt(nil)
	m.Source = s
	return m.ForEach(ctx, fn)
}

// located adds the path to an error about a collection's nodes.
func (n *Node) located(err error) error { return located(n.path, err) }

func located(path string, err error) error {
	if errors.Is(err, collections.ErrMalformed) {
		return fmt.Errorf("%s: %w", path, err)
	}
	return err
}

// Each calls fn for each entry of a map or array: in the order of keys in an array and in a contract's storage, of hashes
// in another map. key is the text that a path has for it.
func (n *Node) Each(ctx context.Context, fn func(key string, value *Node) error) error {
	return n.each(ctx, nil, func(raw, data []byte) error {
		key, v, err := n.entry(ctx, raw, data)
		if err != nil {
			return err
		}
		return fn(key, v)
	})
}

// entry is an entry as a node.
func (n *Node) entry(ctx context.Context, raw, data []byte) (string, *Node, error) {
	key, err := n.shape.key.show(raw)
	if err != nil {
		return "", nil, fmt.Errorf("%s: the key %x is no %s: %w", n.path, raw, n.shape.key.name, err)
	}
	v, err := n.env.value(ctx, n.path+"/"+key, n.shape.elem, data)
	return key, v, err
}

// emptyMap is the root of each map without entries: [empty bitfield, no pointers].
var emptyMap = cbor.Blake2bCID(cbor.CodecDagCBOR, blake2b.Sum256([]byte("\x82\x40\x80")))

// Count is the number of entries of an array, as its root says. ok is false for maps, whose nodes do not tell, unless they
// are empty.
func (n *Node) Count(ctx context.Context) (count uint64, ok bool, err error) {
	if n.shape.kind != kindAMT {
		return 0, n.Collection() && n.block == emptyMap, nil
	}
	a, err := n.arrayAt(ctx, nil)
	if err != nil {
		return 0, false, err
	}
	return a.Count(), true, nil
}
