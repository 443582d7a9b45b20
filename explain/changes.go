package explain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	gobig "math/big"
	"slices"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/state"
)

// Change is what a message did to an actor's entry in the state tree.
type Change struct {
	ID     abi.ActorID     `json:"id"`
	Actor  string          `json:"actor"`         // its kind, such as "storageminer"; the one after, if that changed
	Before *Actor          `json:"before"`        // nil: it was not there
	After  *Actor          `json:"after"`         // nil: it is gone
	Delta  abi.TokenAmount `json:"balance_delta"` // attoFIL, after less before
}

// Actor is an actor's entry in the state tree.
type Actor struct {
	Code    cid.Cid         `json:"code"`
	Head    cid.Cid         `json:"head"` // of its own state
	Nonce   uint64          `json:"nonce"`
	Balance abi.TokenAmount `json:"balance"`           // attoFIL
	Address string          `json:"address,omitempty"` // the f4 address, "" if it has none
}

func viewOf(a *state.ActorState) *Actor {
	if a == nil {
		return nil
	}
	v := &Actor{Code: a.Code, Head: a.Head, Nonce: a.Nonce, Balance: a.Balance}
	if a.Delegated != nil {
		v.Address = addr.String(*a.Delegated)
	}
	return v
}

// Changes lists the actors whose entries differ between two state roots, by ID. Only the parts of the trees that differ are
// read, so a trimmed state is enough. actorName names their code, as fvm.Machine.ActorName does; nil: no names. An error is a
// block that is missing, or that is no part of a state tree.
func Changes(ctx context.Context, store blockstore.Blockstore, before, after cid.Cid, actorName func(cid.Cid) (string, bool)) ([]Change, error) {
	o := Options{ActorName: actorName}
	ids, err := changedIDs(ctx, store, before, after)
	if err != nil {
		return nil, err
	}
	buffer := blockstore.NewBuffered(store)
	old, err := state.Load(ctx, buffer, before, state.Versions()...)
	if err != nil {
		return nil, err
	}
	now, err := state.Load(ctx, buffer, after, state.Versions()...)
	if err != nil {
		return nil, err
	}
	list := make([]Change, 0, len(ids))
	for _, id := range ids {
		a, err := old.Actor(ctx, id)
		if err != nil {
			return nil, err
		}
		b, err := now.Actor(ctx, id)
		if err != nil {
			return nil, err
		}
		c := Change{ID: id, Before: viewOf(a), After: viewOf(b), Delta: big.Zero()}
		if a != nil {
			c.Delta, c.Actor = big.Sub(c.Delta, a.Balance), o.actorName(a.Code)
		}
		if b != nil {
			c.Delta, c.Actor = big.Add(c.Delta, b.Balance), o.actorName(b.Code)
		}
		list = append(list, c)
	}
	return list, nil
}

// changedIDs are the actors whose entries differ, in order.
func changedIDs(ctx context.Context, store blockstore.Blockstore, before, after cid.Cid) ([]abi.ActorID, error) {
	d := treeDiff{ctx: ctx, store: store, old: map[string][]byte{}, now: map[string][]byte{}}
	a, err := d.actors(before)
	if err != nil {
		return nil, err
	}
	b, err := d.actors(after)
	if err != nil {
		return nil, err
	}
	if err := d.nodes(a, b, 0); err != nil {
		return nil, err
	}
	var ids []abi.ActorID
	add := func(from, other map[string][]byte, both bool) error {
		for k, v := range from {
			o, ok := other[k]
			if ok && (both || bytes.Equal(o, v)) {
				continue
			}
			key, err := address.NewFromBytes([]byte(k))
			if err != nil {
				return fmt.Errorf("a key of the state tree: %w", err)
			}
			id, err := address.IDFromAddress(key)
			if err != nil {
				return fmt.Errorf("a key of the state tree: %w", err)
			}
			ids = append(ids, abi.ActorID(id))
		}
		return nil
	}
	if err := errors.Join(add(d.old, d.now, false), add(d.now, d.old, true)); err != nil {
		return nil, err
	}
	slices.Sort(ids)
	return ids, nil
}

// treeDiff collects the entries of two HAMTs below the places where they differ.
type treeDiff struct {
	ctx      context.Context
	store    blockstore.Blockstore
	old, now map[string][]byte
}

// maxHAMTDepth is the most levels that a HAMT with 5 bits a level can have.
const maxHAMTDepth = 52

// actors is the root of the HAMT of a state root.
func (d *treeDiff) actors(root cid.Cid) (cid.Cid, error) {
	b, err := d.store.Get(d.ctx, root)
	if err != nil {
		return cid.Undef, fmt.Errorf("the state root %s: %w", root, err)
	}
	r := cbor.NewReader(b.RawData())
	r.Tuple(3)
	r.Uint()
	c := r.CID()
	return c, r.Err()
}

// pointers are a node's pointers by their place.
func (d *treeDiff) pointers(node cid.Cid) (map[int][]byte, error) {
	b, err := d.store.Get(d.ctx, node)
	if err != nil {
		return nil, fmt.Errorf("a node of the state tree: %w", err)
	}
	r := cbor.NewReader(b.RawData())
	r.Tuple(2)
	field := new(gobig.Int).SetBytes(r.Bytes())
	n := r.Len()
	at := map[int][]byte{}
	for bit := 0; bit < field.BitLen() && len(at) < n; bit++ {
		if field.Bit(bit) == 1 {
			at[bit] = r.Raw()
		}
	}
	return at, r.End()
}

func (d *treeDiff) nodes(a, b cid.Cid, depth int) error {
	if a == b {
		return nil
	}
	if depth > maxHAMTDepth {
		return errors.New("the state tree is deeper than it can be")
	}
	pa, err := d.pointers(a)
	if err != nil {
		return err
	}
	pb, err := d.pointers(b)
	if err != nil {
		return err
	}
	for bit := range 32 {
		x, y := pa[bit], pb[bit]
		switch {
		case bytes.Equal(x, y):
		case isLink(x) && isLink(y):
			err = d.nodes(linkOf(x), linkOf(y), depth+1)
		default:
			err = errors.Join(d.flatten(x, d.old, depth), d.flatten(y, d.now, depth))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func isLink(raw []byte) bool { return len(raw) > 0 && raw[0]>>5 == cbor.Tag }

func linkOf(raw []byte) cid.Cid {
	r := cbor.NewReader(raw)
	return r.CID()
}

// flatten puts every entry below a pointer into a map.
func (d *treeDiff) flatten(raw []byte, into map[string][]byte, depth int) error {
	if len(raw) == 0 {
		return nil
	}
	if isLink(raw) {
		if depth > maxHAMTDepth {
			return errors.New("the state tree is deeper than it can be")
		}
		below, err := d.pointers(linkOf(raw))
		for bit := 0; bit < 32 && err == nil; bit++ {
			err = d.flatten(below[bit], into, depth+1)
		}
		return err
	}
	r := cbor.NewReader(raw)
	for range r.Len() {
		r.Tuple(2)
		k := string(r.Bytes())
		into[k] = r.Raw()
	}
	return r.End()
}
