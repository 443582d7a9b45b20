package duel

import (
	"bytes"
	"context"
	"fmt"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/vector"
)

// OfVector is the case of a variant of a vector: its messages on its state, with the actors' code that it names. What the vector expects
// plays no part.
func OfVector(ctx context.Context, v *vector.Vector, variant int, actors *vector.Actors) (*Case, error) {
	r, err := oracle.RequestOf(v, variant)
	if err != nil {
		return nil, err
	}
	state := blockstore.NewMemory()
	if _, err := blockstore.LoadCAR(ctx, bytes.NewReader(v.CAR()), state, blockstore.CAROptions{}); err != nil {
		return nil, fmt.Errorf("the vector's state: %w", err)
	}
	c := &Case{Request: r, Bases: []Base{{Name: "vector", Store: state}}}
	if v.Bundle() == vector.NoBundle {
		return c, nil
	}
	if c.Bundle, err = v.BundleFor(v.Variants()[variant]); err != nil {
		return nil, err
	}
	code, err := actors.Store(ctx, c.Bundle)
	if err != nil {
		return nil, err
	}
	c.Bases = []Base{{Name: c.Bundle, Store: code}, {Name: "vector", Store: state}}
	return c, nil
}

// Against runs a variant of a vector on an engine and on the reference's program, and compares the two, traces included: of a message whose
// receipts differ the first gas charge that does is named.
func Against(ctx context.Context, v *vector.Vector, variant int, o Sides) (*Verdict, error) {
	c, err := OfVector(ctx, v, variant, o.Actors)
	if err != nil {
		return nil, err
	}
	p := NewPeer(o.Program)
	defer p.Close()
	return Run(ctx, c, []*fvm.Engine{o.Engine}, p)
}

// Sides are who runs a vector.
type Sides struct {
	Engine  *fvm.Engine
	Actors  *vector.Actors
	Program string // of the reference
}
