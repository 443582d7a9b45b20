package shadow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/vm/machine"
)

// Policy says what a machine does when its engines differ.
type Policy uint8

const (
	// Halt ends the machine: the call returns a *Difference, later ones fvm.ErrPoisoned. Nothing of the state since the
	// last flush is written.
	Halt Policy = iota
	// Continue returns the primary's result and reports the difference. The engine that differs sits out until the next
	// Flush and then begins anew from the primary's root. If the primary is the one without a result, the machine halts.
	Continue
)

// Options say on which engines messages run, and what becomes of a difference.
type Options struct {
	// Engines are two or three. The first is the primary. Required.
	Engines []*fvm.Engine
	// OnDifference is the policy. Default: Halt.
	OnDifference Policy
	// RootEachMessage compares state roots after each message, not only at Flush, which costs a flush into memory of
	// each engine for each message. A difference that shows only in the root is then found at its message; else it is
	// looked for by running the messages since the last Flush again.
	RootEachMessage bool
	// Parallel runs the engines at the same time: the primary on the caller's goroutine, each other on its own. What
	// comes out does not depend on it. Default: one after the other.
	Parallel bool
	// Dir is the folder for bundles; it is made when the first is written. Default: none are written.
	Dir string
	// Logger hears of differences, at level error. Default: slog.Default.
	Logger *slog.Logger
	// Report hears of each difference, after its bundle is written. Default: nobody.
	Report func(Difference)
}

// Machine is an fvm.Machine on several engines. It belongs to one goroutine at a time.
type Machine struct {
	cfg    fvm.Config // as it was given
	opts   Options
	lanes  []*lane // the primary first
	shared *shared
	known  *answers

	base cid.Cid   // the root that all engines had last
	log  []applied // messages since then
	seen int       // messages so far

	busy   atomic.Bool
	poison error
}

// applied is a message that ran, and what the primary made of it.
type applied struct {
	msg    *fvm.Message
	kind   fvm.Kind
	length int
	number int         // since New
	res    *fvm.Result // nil: no receipt
}

// New makes a machine for each engine over cfg.StateRoot. cfg.Engine must be nil.
func New(ctx context.Context, cfg fvm.Config, opts Options) (*Machine, error) {
	switch {
	case cfg.Engine != nil:
		return nil, errors.New("shadow.New: the engines belong in Options, not in Config.Engine")
	case cfg.Blockstore == nil:
		return nil, errors.New("shadow.New: no blockstore given")
	case len(opts.Engines) < 2 || len(opts.Engines) > 3:
		return nil, fmt.Errorf("shadow.New: %d engines given, want two or three", len(opts.Engines))
	}
	for _, e := range opts.Engines {
		if e == nil {
			return nil, errors.New("shadow.New: an engine is nil")
		}
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	profile, err := machine.ProfileFor(cfg.NetworkVersion, cfg.Preview)
	if err != nil {
		return nil, fmt.Errorf("shadow.New: %w", err)
	}
	m := &Machine{cfg: cfg, opts: opts, base: cfg.StateRoot, shared: newShared(cfg.Blockstore), known: newAnswers(cfg)}
	for i, e := range opts.Engines {
		l := &lane{label: e.Name(), engine: e, view: newView(m.shared, profile.FlushRules())}
		for _, other := range m.lanes {
			if other.engine.Name() == e.Name() {
				l.label = fmt.Sprintf("%s#%d", e.Name(), i+1)
			}
		}
		m.lanes = append(m.lanes, l)
		if err := m.begin(ctx, l, cfg.StateRoot); err != nil {
			return nil, err
		}
	}
	// As fvm.New does: the block of the empty array.
	if err := m.lanes[0].view.commit(ctx, cid.Undef); err != nil {
		return nil, err
	}
	m.shared.forget()
	return m, nil
}

// begin gives an engine a machine over a root.
func (m *Machine) begin(ctx context.Context, l *lane, root cid.Cid) (err error) {
	cfg := m.known.config(m.cfg)
	cfg.StateRoot, cfg.Blockstore, cfg.Engine = root, l.view, l.engine
	l.rec.Take()
	if l == m.lanes[0] {
		cfg.Hooks = both(l.rec.Hooks(), m.cfg.Hooks)
	} else {
		cfg.Hooks = l.rec.Hooks()
	}
	l.m, err = fvm.New(ctx, cfg)
	return err
}

// enter claims the machine for the calling goroutine.
func (m *Machine) enter() error {
	if !m.busy.CompareAndSwap(false, true) {
		return fvm.ErrConcurrentUse
	}
	if m.poison != nil {
		err := fmt.Errorf("%w: %w", fvm.ErrPoisoned, m.poison)
		m.busy.Store(false)
		return err
	}
	return nil
}

func (m *Machine) leave() { m.busy.Store(false) }

// each runs f for every engine that takes part.
func (m *Machine) each(f func(*lane)) {
	var others sync.WaitGroup
	for _, l := range m.lanes[1:] {
		if l.m != nil && m.opts.Parallel {
			others.Go(func() { f(l) })
		}
	}
	f(m.lanes[0])
	others.Wait()
	for _, l := range m.lanes[1:] {
		if l.m != nil && !m.opts.Parallel {
			f(l)
		}
	}
}

// Apply executes a message on every engine, see [fvm.Machine.Apply]. The result is the primary's. When the engines
// differ it does what Options.OnDifference says.
func (m *Machine) Apply(ctx context.Context, msg *fvm.Message, kind fvm.Kind, chainLength int) (*fvm.Result, error) {
	if err := m.enter(); err != nil {
		return nil, err
	}
	defer m.leave()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if msg == nil {
		return nil, fmt.Errorf("%w: it is nil", fvm.ErrInvalidMessage)
	}
	defer m.shared.forget()
	m.known.next()
	m.each(func(l *lane) {
		copied := *msg
		l.apply(ctx, &copied, kind, chainLength, m.opts.RootEachMessage)
	})
	kept := *msg
	kept.Params = bytes.Clone(msg.Params)
	m.log = append(m.log, applied{msg: &kept, kind: kind, length: chainLength, number: m.seen, res: m.lanes[0].out.res})
	m.seen++
	if err := m.judge(ctx, false); err != nil {
		return nil, err
	}
	p := &m.lanes[0].out
	if p.err != nil { // all agree that there is no receipt, and nothing has changed
		m.log = m.log[:len(m.log)-1]
		return nil, p.err
	}
	if m.opts.RootEachMessage {
		m.base, m.log = p.root, nil
	}
	return p.res, nil
}

// ApplyImplicit executes a message of the system itself, such as cron or a block reward.
func (m *Machine) ApplyImplicit(ctx context.Context, msg *fvm.Message) (*fvm.Result, error) {
	return m.Apply(ctx, msg, fvm.Implicit, 0)
}

// Flush compares the engines' state roots, writes the primary's state to the blockstore, and returns its root. If the
// engines differ and the policy is Halt, nothing is written.
func (m *Machine) Flush(ctx context.Context) (cid.Cid, error) {
	if err := m.enter(); err != nil {
		return cid.Undef, err
	}
	defer m.leave()
	if err := ctx.Err(); err != nil {
		return cid.Undef, err
	}
	defer m.shared.forget()
	m.known.next()
	m.each(func(l *lane) { l.flush(ctx) })
	if err := m.judge(ctx, true); err != nil {
		return cid.Undef, err
	}
	p := m.lanes[0]
	root := p.out.root
	all := root
	if m.cfg.FlushAll {
		all = cid.Undef
	}
	if err := p.view.commit(ctx, all); err != nil {
		m.poison = err
		return cid.Undef, err
	}
	m.base, m.log = root, nil
	m.shared.forget()
	for _, l := range m.lanes {
		l.view.clear() // the blockstore has it all now
		if l.m != nil {
			continue
		}
		if err := m.begin(ctx, l, root); err != nil {
			l.m = nil
			m.opts.Logger.Error("an engine that differed could not begin anew", "engine", l.label, "err", err)
		}
	}
	return root, nil
}

// Actor is an actor's entry in the primary's state, see [fvm.Machine.Actor].
func (m *Machine) Actor(ctx context.Context, a address.Address) (abi.ActorID, *fvm.ActorState, error) {
	if err := m.enter(); err != nil {
		return 0, nil, err
	}
	defer m.leave()
	return m.lanes[0].m.Actor(ctx, a)
}

// ActorName is the name of a builtin actor's code, see [fvm.Machine.ActorName].
func (m *Machine) ActorName(code cid.Cid) (string, bool) { return m.lanes[0].m.ActorName(code) }
