package fvm

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/vm/call"
	"github.com/edgefvm/fvm/internal/vm/event"
	"github.com/edgefvm/fvm/internal/vm/executor"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/nv"
	"github.com/edgefvm/fvm/internal/vm/parallel"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/trace"
)

// The words of the front door, from the rooms where they live.
type (
	// Message is an unsigned message of the chain.
	Message = executor.Message
	// Result is what applying a message gives: receipt, fees, events, failure.
	Result = executor.Result
	// Kind says who sent a message.
	Kind = executor.Kind
	// Event is an event with the actor that emitted it.
	Event = event.Stamped
	// EventEntry is one key and value of an event.
	EventEntry = event.Entry
	// ActorState is an actor's entry in the state tree.
	ActorState = state.ActorState
)

const (
	// Explicit messages are on the chain: they pay for inclusion and gas.
	Explicit = executor.Explicit
	// Implicit messages are the system's own: no fees, no nonce.
	Implicit = executor.Implicit
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

// Config says in what setting messages run. All of it is fixed for a machine's life.
type Config struct {
	// NetworkVersion is 16 to 29.
	NetworkVersion network.Version
	// Preview admits the network version after the newest one, whose rules may still change. Default: no.
	Preview bool
	// Epoch of the tipset whose messages run.
	Epoch abi.ChainEpoch
	// Timestamp of that tipset, in seconds since 1970. It and ChainID count for nothing before network version 18.
	Timestamp uint64
	// ChainID as EIP-155 has it: 314 for mainnet.
	ChainID uint64
	// BaseFee in attoFIL a unit of gas. Default: 0.
	BaseFee abi.TokenAmount
	// CircSupply is the circulating supply in attoFIL. Default: 0.
	CircSupply abi.TokenAmount
	// StateRoot to begin from. Required.
	StateRoot cid.Cid
	// Blockstore with the state and the actors' code. Flush writes to it. Required.
	Blockstore blockstore.Blockstore
	// Externs answer what only a chain can. Default: every question is a failure of the node.
	Externs externs.Externs
	// Proofs judges proofs. Default: a message that needs one is a failure of the node.
	Proofs externs.ProofVerifier
	// Engine that runs the actors. Default: one wazero engine shared by the process.
	Engine *Engine
	// Hooks watch messages run. Default: none.
	Hooks *trace.Hooks
	// FlushAll makes Flush write every block made, not only what the new root reaches. Default: no.
	FlushAll bool
	// ActorDebugging lets actors log, which changes their gas: never on a live network. Default: no.
	ActorDebugging bool
}

// NetworkVersions are the first and the last network version that machines run, and the one that they run
// with Config.Preview.
func NetworkVersions() (first, last, preview network.Version) {
	return nv.Oldest, nv.Newest, nv.Preview
}

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
func New(ctx context.Context, cfg Config) (*Machine, error) {
	if cfg.Blockstore == nil {
		return nil, errors.New("fvm.New: no blockstore given")
	}
	if cfg.Engine == nil {
		e, err := sharedEngine()
		if err != nil {
			return nil, err
		}
		cfg.Engine = e
	}
	if cfg.Externs == nil {
		cfg.Externs = noExterns{}
	}
	m, err := machine.New(ctx, machine.Context{
		NetworkVersion: cfg.NetworkVersion, Epoch: cfg.Epoch, Timestamp: cfg.Timestamp, ChainID: cfg.ChainID,
		BaseFee: orZero(cfg.BaseFee), CircSupply: orZero(cfg.CircSupply), ActorDebugging: cfg.ActorDebugging,
	}, machine.Setup{
		Root: cfg.StateRoot, Base: cfg.Blockstore, Externs: cfg.Externs, Proofs: cfg.Proofs, Hooks: cfg.Hooks, Preview: cfg.Preview,
	})
	if err != nil {
		return nil, fmt.Errorf("fvm.New: %w", err)
	}
	modules, err := cfg.Engine.forEra(ctx, m.Profile)
	if err != nil {
		return nil, fmt.Errorf("fvm.New: %w", err)
	}
	return &Machine{m: m, modules: modules, habits: &cfg.Engine.habits, flushAll: cfg.FlushAll}, nil
}

func orZero(v abi.TokenAmount) abi.TokenAmount {
	if v.Int == nil {
		return big.Zero()
	}
	return v
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

// Apply executes a message. chainLength is its length on the chain in bytes,
// with the signature where the chain stores one (f1 and f4 senders), for which
// explicit messages pay.
//
// The state changes only in memory until Flush. An error means that there is no
// receipt, see the package comment.
func (m *Machine) Apply(ctx context.Context, msg *Message, kind Kind, chainLength int) (res *Result, err error) {
	if err := m.enter(); err != nil {
		return nil, err
	}
	defer m.leave()
	defer func() {
		if p := recover(); p != nil {
			// A bug of ours must not take the node down, nor become a receipt.
			res, err = nil, fmt.Errorf("the machine panicked, which is a bug: %v\n%s", p, debug.Stack())
			m.poison = err
		}
	}()
	if err := complete(msg); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidMessage, err)
	}
	if chainLength < 0 {
		return nil, fmt.Errorf("%w: its length on the chain is %d", ErrInvalidMessage, chainLength)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	res, err = executor.Execute(ctx, m.m, m.modules, msg, kind, chainLength)
	var invalid *executor.InvalidMessage
	switch {
	case err == nil:
		return res, nil
	case errors.As(err, &invalid):
		return nil, fmt.Errorf("%w: %w", ErrInvalidMessage, invalid.Err)
	}
	m.poison = err
	return nil, err
}

// ApplyImplicit executes a message of the system itself, such as cron or a block reward.
func (m *Machine) ApplyImplicit(ctx context.Context, msg *Message) (*Result, error) {
	return m.Apply(ctx, msg, Implicit, 0)
}

// complete refuses a message with parts that are not there.
func complete(msg *Message) error {
	switch {
	case msg == nil:
		return errors.New("it is nil")
	case msg.Value.Int == nil || msg.GasFeeCap.Int == nil || msg.GasPremium.Int == nil:
		return errors.New("its value, gas fee cap or gas premium is not set")
	}
	return nil
}

// Flush writes the state to the blockstore, only blocks that the new root
// reaches, and returns the root. The machine stays usable.
func (m *Machine) Flush(ctx context.Context) (cid.Cid, error) {
	if err := m.enter(); err != nil {
		return cid.Undef, err
	}
	defer m.leave()
	root, err := m.m.Flush(ctx, m.flushAll)
	if err != nil {
		m.poison = err
	}
	return root, err
}

// Actor is an actor's entry in the state as the messages so far have left it;
// nil if there is none. For tools.
func (m *Machine) Actor(ctx context.Context, a address.Address) (abi.ActorID, *ActorState, error) {
	if err := m.enter(); err != nil {
		return 0, nil, err
	}
	defer m.leave()
	id, ok, err := m.m.Tree.LookupID(ctx, a)
	if err != nil || !ok {
		return 0, nil, err
	}
	st, err := m.m.Tree.Actor(ctx, id)
	return id, st, err
}

// ActorName is the name of a builtin actor's code in the machine's manifest, such as "storageminer".
func (m *Machine) ActorName(code cid.Cid) (string, bool) { return m.m.Manifest.Name(code) }

// DecodeMessage reads a message from its CBOR form on the chain.
func DecodeMessage(data []byte) (*Message, error) { return executor.DecodeMessage(data) }

var errNoExterns = fmt.Errorf("%w: the machine was given no externs: set Config.Externs", externs.ErrNodeFailure)

// noExterns fails on every question.
type noExterns struct{}

func (noExterns) ChainRandomness(context.Context, abi.ChainEpoch) ([32]byte, error) {
	return [32]byte{}, errNoExterns
}

func (noExterns) BeaconRandomness(context.Context, abi.ChainEpoch) ([32]byte, error) {
	return [32]byte{}, errNoExterns
}

func (noExterns) VerifyConsensusFault(context.Context, []byte, []byte, []byte) (*externs.ConsensusFault, error) {
	return nil, errNoExterns
}

func (noExterns) TipsetCID(context.Context, abi.ChainEpoch) (cid.Cid, error) {
	return cid.Undef, errNoExterns
}
