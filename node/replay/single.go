package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/trace"
)

// Single executes tipsets that its caller picks, one at a time and in any order, and compares each with its child, as Run does. It
// belongs to one goroutine; several may share stores that are safe for concurrent use, engines and bundles.
type Single struct{ r *run }

// NewSingle makes one. Of the options, Archive, Network with the genesis' time, and Engines are required, and Store takes the states of
// tipsets that are kept; Roots, From, To, OnTipset and Progress' epochs are of no use here. headers is where tipsets are read; it may be
// shared. pledge is that of chain.Rules.
func NewSingle(o Options, headers *chain.Store, pledge abi.TokenAmount) (*Single, error) {
	switch {
	case o.Archive == nil || o.Store == nil:
		return nil, errors.New("an archive and a store are needed")
	case o.Network == nil || o.Network.GenesisTime == 0:
		return nil, errors.New("a network with the time of its genesis is needed")
	case len(o.Engines) == 0:
		return nil, errors.New("an engine is needed")
	}
	r := &run{Options: o, report: &Report{Workers: max(o.Workers, 1), Engines: []string{}}, store: headers}
	r.state = newLayers(o.Store, o.Archive)
	r.rules.Network, r.rules.GenesisPledge = o.Network, pledge
	r.prepare()
	r.state.code = nil // one tipset may be of other actors than the next
	return &Single{r}, r.engines(context.Background())
}

// Execute executes a tipset of a line and compares it with its child. What it makes is forgotten when the next one is executed, unless
// Keep is called.
func (s *Single) Execute(ctx context.Context, line *chain.Line, t, child *chain.Tipset) (*Tipset, error) {
	if t.Height() == 0 {
		return nil, errors.New("the genesis is not executed: it comes with its state")
	}
	r := s.r
	r.state.drop()
	r.line, r.reached, r.report.First = line, t.Height(), t.Height()
	if err := r.canRun(t.Height()); err != nil {
		return nil, err
	}
	out, err := r.one(ctx, t, child)
	if err != nil {
		return nil, fmt.Errorf("the tipset at epoch %d: %w", t.Height(), err)
	}
	r.done++
	return out, nil
}

// Traces applies the first messages of a tipset that Execute gave last once more, and tells what each did. The messages of the system
// between them are applied too.
func (s *Single) Traces(ctx context.Context, t *Tipset, count int) ([]*fvm.Result, []trace.Events, error) {
	if n := len(t.Applied()); count < 0 || count > n {
		return nil, nil, fmt.Errorf("%d messages of a tipset of %d", count, n)
	}
	var rec trace.Recorder
	cfg := s.r.own(t, &blockstore.Overlay{Top: blockstore.NewMemory(), Base: s.r.state})
	cfg.Proofs, cfg.Hooks = s.r.Proofs, rec.Hooks()
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	var results []*fvm.Result
	var traces []trace.Events
	err = again(t.Plan, func(msg *fvm.Message, kind fvm.Kind, length int) (*fvm.Result, error) {
		if len(results) == count {
			return nil, errThere
		}
		res, err := m.Apply(ctx, msg, kind, length)
		events := rec.Take()
		if err == nil && kind == fvm.Explicit {
			results, traces = append(results, res), append(traces, events)
		}
		return res, err
	})
	if err != nil && !errors.Is(err, errThere) {
		return nil, nil, err
	}
	return results, traces, nil
}

// Keep writes what the last tipset made into the store, by one PutMany.
func (s *Single) Keep(ctx context.Context) error { return s.r.state.commit(ctx) }
