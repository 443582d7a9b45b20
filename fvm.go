package fvm

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/vm/call"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/parallel"
)

var (
	// ErrInvalidMessage is a message for which the network has no receipt, such
	// as one without a gas limit.
	ErrInvalidMessage = errors.New("the message can have no receipt")
	// ErrPoisoned is a machine that failed before. Make a new one from the last flushed root.
	ErrPoisoned = errors.New("the machine failed before and refuses further use")
	// ErrConcurrentUse is a machine used by two goroutines at once.
	ErrConcurrentUse = errors.New("the machine is in use by another goroutine")
)

// Machine executes messages one after the other. It belongs to one goroutine at a time.
type Machine struct {
	m        *machine.Machine
	modules  *call.Modules
	habits   *parallel.Habits
	flushAll bool
	busy     atomic.Bool
	poison   error
}

// New makes a machine over cfg.StateRoot. Nothing is compiled yet. It writes one block to
// the blockstore: that of the empty array, which new actors point at.
//
// An error is a mistake in cfg, which it names, or a failure of what cfg plugs in.
func New(ctx context.Context, cfg Config) (m *Machine, err error) {
	defer caught("fvm.New", &err)
	if m, err = newMachine(ctx, cfg); err != nil {
		return nil, fmt.Errorf("fvm.New: %w", err)
	}
	return m, nil
}

func newMachine(ctx context.Context, cfg Config) (*Machine, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	m, err := machine.New(ctx, machine.Context{
		NetworkVersion: cfg.NetworkVersion, Epoch: cfg.Epoch, Timestamp: cfg.Timestamp, ChainID: cfg.ChainID,
		BaseFee: cfg.BaseFee, CircSupply: cfg.CircSupply, ActorDebugging: cfg.ActorDebugging,
	}, machine.Setup{
		Root: cfg.StateRoot, Base: cfg.Blockstore, Externs: cfg.Externs, Proofs: cfg.Proofs, Hooks: cfg.Hooks, Preview: cfg.Preview,
	})
	if err != nil {
		return nil, err
	}
	modules, err := cfg.Engine.forEra(ctx, m.Profile)
	if err != nil {
		return nil, err
	}
	return &Machine{m: m, modules: modules, habits: &cfg.Engine.habits, flushAll: cfg.FlushAll}, nil
}

// enter claims the machine for the calling goroutine.
func (m *Machine) enter() error {
	if !m.busy.CompareAndSwap(false, true) {
		return ErrConcurrentUse
	}
	if m.poison != nil {
		err := fmt.Errorf("%w: %w", ErrPoisoned, m.poison)
		m.busy.Store(false)
		return err
	}
	return nil
}

func (m *Machine) leave() { m.busy.Store(false) }

// caught makes an error of a panic, deferred: a bug of ours, or of what a program plugs in, must not take the node down,
// nor become a receipt.
func caught(what string, err *error) {
	if p := recover(); p != nil {
		*err = panicked(what, p)
	}
}

func panicked(what string, p any) error {
	return fmt.Errorf("%s panicked, which is a bug: %v\n%s", what, p, debug.Stack())
}

// caught is the same for a machine, whose state nobody knows afterwards.
func (m *Machine) caught(err *error) {
	if p := recover(); p != nil {
		*err = panicked("the machine", p)
		m.poison = *err
	}
}

// Apply executes a message. chainLength is its length on the chain in bytes,
// with the signature where the chain stores one (f1 and f4 senders), for which
// explicit messages pay.
//
// The state changes only in memory until Flush. An error means that there is no
// receipt, see the package comment. Once ctx is done a message ends soon, with an error that wraps ctx's, whatever its actors do; the
// machine then refuses further use. If ctx is done before it begins, nothing has happened.
func (m *Machine) Apply(ctx context.Context, msg *Message, kind Kind, chainLength int) (res *Result, err error) {
	if err := m.enter(); err != nil {
		return nil, err
	}
	defer m.leave()
	defer m.caught(&err)
	if err := checkMessage(msg, kind, chainLength); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidMessage, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, err := executor.Execute(ctx, m.m, m.modules, (*executor.Message)(msg), executor.Kind(kind), chainLength)
	if err != nil {
		return nil, m.failed(err)
	}
	return newResult(r), nil
}

// failed is the error of a message that has no receipt: the message's own, or one that poisons the machine.
func (m *Machine) failed(err error) error {
	var invalid *execerr.InvalidMessage
	if errors.As(err, &invalid) {
		return fmt.Errorf("%w: %w", ErrInvalidMessage, invalid.Err)
	}
	m.poison = err
	return err
}

// ApplyImplicit executes a message of the system itself, such as cron or a block reward.
func (m *Machine) ApplyImplicit(ctx context.Context, msg *Message) (*Result, error) {
	return m.Apply(ctx, msg, Implicit, 0)
}

// checkMessage refuses what is no message, whatever the state.
func checkMessage(msg *Message, kind Kind, chainLength int) error {
	switch {
	case msg == nil:
		return errors.New("it is nil")
	case msg.Value.Int == nil || msg.GasFeeCap.Int == nil || msg.GasPremium.Int == nil:
		return errors.New("its value, gas fee cap or gas premium is not set")
	case kind != Explicit && kind != Implicit:
		return fmt.Errorf("its kind %d is neither explicit nor implicit", kind)
	case chainLength < 0:
		return fmt.Errorf("its length on the chain is %d", chainLength)
	}
	return nil
}

// Flush writes the state to the blockstore, only blocks that the new root
// reaches, and returns the root. The machine stays usable, also if ctx is done before it begins.
func (m *Machine) Flush(ctx context.Context) (root cid.Cid, err error) {
	if err := m.enter(); err != nil {
		return cid.Undef, err
	}
	defer m.leave()
	defer m.caught(&err)
	if err := ctx.Err(); err != nil {
		return cid.Undef, err
	}
	if root, err = m.m.Flush(ctx, m.flushAll); err != nil {
		m.poison = err
	}
	return root, err
}

// Actor is an actor's entry in the state as the messages so far have left it;
// nil if there is none. For tools.
func (m *Machine) Actor(ctx context.Context, a address.Address) (id abi.ActorID, st *ActorState, err error) {
	if err := m.enter(); err != nil {
		return 0, nil, err
	}
	defer m.leave()
	defer m.caught(&err)
	id, ok, err := m.m.Tree.LookupID(ctx, a)
	if err != nil || !ok {
		return 0, nil, err
	}
	entry, err := m.m.Tree.Actor(ctx, id)
	return id, (*ActorState)(entry), err
}

// ActorName is the name of a builtin actor's code in the machine's manifest, such as "storageminer".
func (m *Machine) ActorName(code cid.Cid) (string, bool) { return m.m.Manifest.Name(code) }
