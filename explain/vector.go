package explain

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// Explanation is messages that were applied one after the other, explained: those of a vector, or those that a program puts
// in itself. It is what the packages below print and draw.
type Explanation struct {
	Vector   string          `json:"vector"` // its name; of others any title
	Comment  string          `json:"comment,omitempty"`
	Variant  string          `json:"variant"`
	NV       network.Version `json:"nv"`
	Epoch    abi.ChainEpoch  `json:"epoch"`
	Bundle   string          `json:"bundle,omitempty"` // the actors' code, such as "v18/mainnet"
	Messages []Message       `json:"messages"`
	// Engines is the difference between engines that the vector is a bundle of; nil: of none.
	Engines *vector.EngineDifference `json:"engines_differed,omitempty"`
	// Verdict is nil, and left out of JSON, if nobody judged.
	*Verdict
	Root string `json:"root"` // of the state after the messages

	// Engine is the name of the one that ran them.
	Engine string `json:"-"`
}

// Verdict says whether a vector came to what it expects.
type Verdict struct {
	Matches bool     `json:"matches"`
	Differs []string `json:"differences,omitempty"` // in words
	// Traced tells that every gas charge was compared too, not only receipts, gas and the state root.
	Traced bool `json:"-"`
}

// VectorOptions say how to run a vector. The zero value is ready.
type VectorOptions struct {
	// Variant of the vector, counted from 0.
	Variant int
	// Actors give the actors' code that the vector lacks. Default: vector.NewActors of the zero bundle.Options.
	Actors *vector.Actors
	// Engine that runs the actors. Default: the process's own.
	Engine *fvm.Engine
	// Decoders of parameters and return values. Default: they are only counted.
	Decoders Decoders
	// Judge says whether the vector passes, by other rules, such as those of a list of exceptions. Default: receipts, state
	// root and the trace, if the vector has one, must be as the vector says.
	Judge func(ctx context.Context, v *vector.Vector, variant int) Verdict
	// State hears of each state: the one that the messages begin with, and the one after each message, with the store that has them,
	// which goes on to work. Default: nobody.
	State func(store blockstore.Blockstore, root cid.Cid)
}

// Vector runs a vector to its end and explains each of its messages: Messages[i] is message i. An error is a vector that
// cannot run, or a failure of this node, such as a block that the vector's state lacks; a message that the network refuses is
// explained like any other, with no exit code.
func Vector(ctx context.Context, v *vector.Vector, o VectorOptions) (*Explanation, error) {
	if o.Actors == nil {
		o.Actors = vector.NewActors(bundle.Options{})
	}
	var rec trace.Recorder
	s, err := vector.Prepare(ctx, v, o.Variant, o.Actors, o.Engine, rec.Hooks())
	if err != nil {
		return nil, err
	}
	x := &Explanation{
		Vector: v.Name, Comment: v.Comment(), Variant: s.Variant.ID, NV: s.Variant.NV, Epoch: s.Variant.Epoch,
		Bundle: v.Bundle(), Engines: v.EngineDifference(),
	}
	if o.Engine != nil {
		x.Engine = o.Engine.Name()
	}
	r := &run{session: s, rec: &rec, options: Options{ActorName: s.Machine.ActorName, EthAddress: EthAddresses(ctx, s.Machine), NetworkVersion: s.Variant.NV, Decoders: o.Decoders}, root: v.PreRoot()}
	if o.Judge == nil {
		if r.want, err = v.Traces(o.Variant, ""); err != nil {
			return nil, err
		}
	}
	hear := func() {
		if o.State != nil {
			o.State(s.Store, r.root)
		}
	}
	hear()
	for i := range s.Len() {
		m, err := r.message(ctx, i)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i+1, err)
		}
		hear()
		x.Messages = append(x.Messages, *m)
	}
	x.Root = r.root.String()
	if o.Judge != nil {
		verdict := o.Judge(ctx, v, o.Variant)
		x.Verdict = &verdict
	} else {
		x.Verdict = r.verdict()
	}
	return x, nil
}

// run is a vector on its way.
type run struct {
	session *vector.Session
	rec     *trace.Recorder
	options Options
	root    cid.Cid             // after the messages so far
	want    []trace.Events      // one a message; nil: there is no trace to compare with
	differs []vector.Difference // so far
}

func (r *run) message(ctx context.Context, i int) (*Message, error) {
	s := r.session
	r.rec.Take()
	a := Applied{}
	if s.Implicit(i) {
		a.Kind = fvm.Implicit
	}
	a.Message, _ = s.Message(i) // Apply gives the same error
	a.Result, a.Err = s.Apply(ctx, i)
	if a.Err != nil && !errors.Is(a.Err, vector.ErrNoReceipt) {
		return nil, a.Err
	}
	a.Trace = r.rec.Take()
	r.compare(i, &a)
	m, err := Trace(a, r.options)
	if err != nil {
		return nil, err
	}
	next, err := s.Flush(ctx)
	if err != nil {
		return nil, fmt.Errorf("flush: %w", err)
	}
	if m.Changes, err = Changes(ctx, s.Store, r.root, next, r.options.ActorName); err != nil {
		return nil, fmt.Errorf("comparing states: %w", err)
	}
	r.root = next
	return m, nil
}

// compare notes how a message differs from what the vector expects.
func (r *run) compare(i int, a *Applied) {
	want := &r.session.Vector.Receipts()[i]
	switch {
	case a.Result != nil:
		r.differs = append(r.differs, vector.Compare(i, want, a.Result)...)
	case !want.Error:
		r.differs = append(r.differs, vector.Difference{Message: i, Field: "receipt", Want: "one", Got: "none: " + a.Err.Error()})
	}
	if i < len(r.want) {
		if d := trace.Diff(r.want[i], a.Trace); d != "" {
			r.differs = append(r.differs, vector.Difference{Message: i, Field: "trace", Got: d})
		}
	}
}

func (r *run) verdict() *Verdict {
	if post := r.session.Vector.PostRoot(); r.root != post {
		r.differs = append(r.differs, vector.Difference{Message: -1, Field: "state_root", Want: post.String(), Got: r.root.String()})
	}
	v := &Verdict{Matches: len(r.differs) == 0, Traced: r.want != nil}
	for _, d := range r.differs {
		v.Differs = append(v.Differs, d.String())
	}
	return v
}
