package vector

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/trace"
)

// Session is a vector's variant, ready to run on a store of its own. It belongs to one goroutine.
type Session struct {
	Vector  *Vector
	Variant Variant
	// Machine is nil where PrepareOn made another one.
	Machine *fvm.Machine
	// Store has the vector's state, what Flush writes, and the actors' code.
	Store blockstore.Blockstore
	runs  Machine
}

// Machine is what runs a vector's messages: a machine of package fvm, or package shadow's.
type Machine interface {
	Apply(ctx context.Context, msg *fvm.Message, kind fvm.Kind, chainLength int) (*fvm.Result, error)
	Flush(ctx context.Context) (cid.Cid, error)
}

// Prepare unpacks a vector's state and makes a machine over it. Engine nil is the process's own; hooks may be nil.
func Prepare(ctx context.Context, v *Vector, variant int, actors *Actors, engine *fvm.Engine, hooks *trace.Hooks) (*Session, error) {
	s, cfg, err := prepare(ctx, v, variant, actors)
	if err != nil {
		return nil, err
	}
	cfg.Engine, cfg.Hooks = engine, hooks
	if s.Machine, err = fvm.New(ctx, cfg); err != nil {
		return nil, err
	}
	s.runs = s.Machine
	return s, nil
}

// PrepareOn is Prepare with another kind of machine, which open makes of the vector's setting.
func PrepareOn(ctx context.Context, v *Vector, variant int, actors *Actors, hooks *trace.Hooks, open func(context.Context, fvm.Config) (Machine, error)) (*Session, error) {
	s, cfg, err := prepare(ctx, v, variant, actors)
	if err != nil {
		return nil, err
	}
	cfg.Hooks = hooks
	s.runs, err = open(ctx, cfg)
	return s, err
}

func prepare(ctx context.Context, v *Vector, variant int, actors *Actors) (*Session, fvm.Config, error) {
	cfg, err := v.Config(variant)
	if err != nil {
		return nil, cfg, err
	}
	s := &Session{Vector: v, Variant: v.Variants()[variant]}
	code, err := actors.storeFor(ctx, v, s.Variant)
	if err != nil {
		return nil, fvm.Config{}, err
	}
	state := blockstore.NewMemory()
	if _, err := blockstore.LoadCAR(ctx, bytes.NewReader(v.file.CAR), state, blockstore.CAROptions{MaxTotal: maxCAR}); err != nil {
		return nil, fvm.Config{}, fmt.Errorf("the vector's state: %w", err)
	}
	s.Store = &blockstore.Overlay{Top: state, Base: code}
	cfg.Blockstore = s.Store
	return s, cfg, nil
}

// Config is the setting of a variant for a machine: all but the blockstore, the engine and the hooks.
func (v *Vector) Config(variant int) (fvm.Config, error) {
	if variant < 0 || variant >= len(v.Variants()) {
		return fvm.Config{}, fmt.Errorf("vector %s has no variant %d", v.Name, variant)
	}
	va := v.Variants()[variant]
	baseFee, err := v.BaseFee()
	if err != nil {
		return fvm.Config{}, err
	}
	supply, err := v.CircSupply()
	if err != nil {
		return fvm.Config{}, err
	}
	proofs, err := v.verifier()
	if err != nil {
		return fvm.Config{}, err
	}
	return fvm.Config{
		NetworkVersion: va.NV, Epoch: va.Epoch, Timestamp: va.Time(), ChainID: v.ChainID(),
		BaseFee: baseFee, CircSupply: supply, StateRoot: v.PreRoot(),
		Externs: v.file.Facts.Externs(), Proofs: proofs, Preview: true, ActorDebugging: v.Debugging(),
	}, nil
}

// Len is the number of messages.
func (s *Session) Len() int { return len(s.Vector.file.Messages) }

// Implicit tells whether message i is one of the system's own.
func (s *Session) Implicit(i int) bool { return s.Vector.file.Messages[i].Implicit }

// Message decodes message i.
func (s *Session) Message(i int) (*fvm.Message, error) {
	msg, _, _, err := s.Decode(i)
	return msg, err
}

// Decode reads message i with all that Execute needs. ErrNoReceipt is a message that cannot be read.
func (s *Session) Decode(i int) (msg *fvm.Message, kind fvm.Kind, chainLength int, err error) {
	if msg, kind, chainLength, err = s.Vector.decode(i); err != nil {
		err = fmt.Errorf("%w: %w", ErrNoReceipt, err)
	}
	return msg, kind, chainLength, err
}

// Execute executes a message that Decode read. ErrNoReceipt is a message that the network refuses.
func (s *Session) Execute(ctx context.Context, msg *fvm.Message, kind fvm.Kind, chainLength int) (*fvm.Result, error) {
	res, err := s.runs.Apply(ctx, msg, kind, chainLength)
	if errors.Is(err, fvm.ErrInvalidMessage) {
		err = fmt.Errorf("%w: %w", ErrNoReceipt, err)
	}
	return res, err
}

// Apply decodes and executes message i.
func (s *Session) Apply(ctx context.Context, i int) (*fvm.Result, error) {
	msg, kind, length, err := s.Decode(i)
	if err != nil {
		return nil, err
	}
	return s.Execute(ctx, msg, kind, length)
}

// ErrEnginesDiffer marks the error of a machine that runs on several engines, when they do not agree.
var ErrEnginesDiffer = errors.New("the engines differ")

// ErrNoReceipt is a message that can have no receipt; the session goes on.
var ErrNoReceipt = errors.New("no receipt")

// Flush writes the state so far and returns its root.
func (s *Session) Flush(ctx context.Context) (cid.Cid, error) { return s.runs.Flush(ctx) }
