// Package kernel is the machine as one running actor sees it: its blocks, its
// own state, and every question it may ask. A Kernel lives for one invocation
// and belongs to one goroutine.
//
// syscalls calls it. It calls gas, links, crypto, externs, and hands calls of
// other actors to the CallManager, which the call package implements; that is
// the only way back up. Guest memory and syscall numbers do not belong here.
//
// Every operation keeps one order: charge, check, act.
package kernel

import (
	"context"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/vm/event"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/state"
)

// CallManager is what a kernel needs of the call stack above it. It is declared
// here, where it is used, so that kernel need not import call.
type CallManager interface {
	Machine() *machine.Machine
	Gas() *gas.Tracker
	Send(ctx context.Context, r SendRequest) (Result, error)

	// Every access below charges for itself when it is the first of its kind.
	ResolveAddress(ctx context.Context, a address.Address) (abi.ActorID, bool, error)
	Actor(ctx context.Context, id abi.ActorID) (*state.ActorState, error)     // nil: none
	Described(ctx context.Context, id abi.ActorID) (*state.ActorState, error) // Actor without the balance
	SetActor(ctx context.Context, id abi.ActorID, s *state.ActorState) error
	DeleteActor(ctx context.Context, id abi.ActorID) error
	CreateActor(ctx context.Context, code cid.Cid, id abi.ActorID, delegated *address.Address) error
	Transfer(ctx context.Context, from, to abi.ActorID, v abi.TokenAmount) error

	From() address.Address // of the message's sender, as written in the message
	NextActorAddress() (address.Address, error)
	TakeActorAddress(key address.Address) (address.Address, error)
	Origin() abi.ActorID
	Nonce() uint64
	GasPremium() abi.TokenAmount
	AppendEvent(event.Stamped)
	TraceIPLD(put bool, c cid.Cid, size int)
	Log(text string)
}

// SendRequest is a call of another actor.
type SendRequest struct {
	From     abi.ActorID
	To       address.Address
	Method   abi.MethodNum
	Params   *Block // nil: none
	Value    abi.TokenAmount
	GasLimit *gas.Gas // nil: all that is left
	ReadOnly bool
}

// Result is how a call ended.
type Result struct {
	ExitCode exitcode.ExitCode
	Return   *Block // nil: none
}

// Invocation is what is known of an invocation when it begins.
type Invocation struct {
	Caller, Self abi.ActorID
	Method       abi.MethodNum
	Value        abi.TokenAmount
	ReadOnly     bool
}

// Kernel implements every group of operations for one invocation.
type Kernel struct {
	Invocation
	Blocks BlockRegistry

	calls  CallManager
	m      *machine.Machine
	prices *gas.PriceList
	gas    *gas.Tracker
}

// New makes the kernel of an invocation.
func New(calls CallManager, inv Invocation) *Kernel {
	m := calls.Machine()
	return &Kernel{Invocation: inv, calls: calls, m: m, prices: m.Prices, gas: calls.Gas()}
}

// Gas is the tracker that the invocation pays from.
func (k *Kernel) Gas() *gas.Tracker { return k.gas }

// Prices is the network's price list.
func (k *Kernel) Prices() *gas.PriceList { return k.prices }

// ChargeGas charges what the actor asks for itself, in gas.
func (k *Kernel) ChargeGas(name string, compute uint64) error {
	return k.gas.Charge(name, gas.New(compute))
}

// ChargeSignedGas charges what the actor asks for itself, in gas, or gives it back (until nv17).
func (k *Kernel) ChargeSignedGas(name string, compute int64) error {
	return k.gas.Charge(name, gas.NewSigned(compute))
}

// GasAvailable is the gas left, rounded down.
func (k *Kernel) GasAvailable() uint64 { return k.gas.Available().RoundDown() }

// SendParams are the arguments of the send syscall.
type SendParams struct {
	To       address.Address
	Method   abi.MethodNum
	Params   BlockID
	Value    abi.TokenAmount
	GasLimit *gas.Gas
	ReadOnly bool
}

// SendResult is what the send syscall returns.
type SendResult struct {
	ExitCode exitcode.ExitCode
	Return   BlockID
	Stat     BlockStat
}

// Send calls another actor.
func (k *Kernel) Send(ctx context.Context, p SendParams) (SendResult, error) {
	readOnly := k.ReadOnly || p.ReadOnly
	if readOnly && !p.Value.IsZero() {
		return SendResult{}, execerr.Syscallf(execerr.ReadOnly, "value cannot be transferred in a read-only call")
	}
	var params *Block
	if p.Params != NoBlock {
		b, err := k.Blocks.Get(p.Params)
		if err != nil {
			return SendResult{}, err
		}
		params = b
	}
	if k.Blocks.Full() {
		return SendResult{}, execerr.Syscallf(execerr.LimitExceeded, "no room for the returned block")
	}
	res, err := k.calls.Send(ctx, SendRequest{
		From: k.Self, To: p.To, Method: p.Method, Params: params, Value: p.Value, GasLimit: p.GasLimit, ReadOnly: readOnly,
	})
	if err != nil {
		return SendResult{}, err
	}
	out := SendResult{ExitCode: res.ExitCode}
	if res.Return != nil {
		id, err := k.Blocks.PutReachable(res.Return)
		if err != nil {
			return SendResult{}, execerr.Guestf("storing a returned block: %v", err)
		}
		out.Return, out.Stat = id, res.Return.Stat()
	}
	return out, nil
}

// MessageContext is what vm::message_context tells an actor.
type MessageContext struct {
	Origin, Caller, Receiver abi.ActorID
	Nonce                    uint64
	Method                   abi.MethodNum
	Value, GasPremium        abi.TokenAmount
	ReadOnly                 bool
}

// MessageContext describes the message being executed.
func (k *Kernel) MessageContext() (MessageContext, error) {
	if err := k.gas.Apply(k.prices.OnMessageContext()); err != nil {
		return MessageContext{}, err
	}
	return MessageContext{
		Origin: k.calls.Origin(), Caller: k.Caller, Receiver: k.Self, Nonce: k.calls.Nonce(), Method: k.Method,
		Value: k.Value, GasPremium: k.calls.GasPremium(), ReadOnly: k.ReadOnly,
	}, nil
}

// self is the running actor's state; nil once it is deleted.
func (k *Kernel) self(ctx context.Context) (*state.ActorState, error) {
	return k.calls.Actor(ctx, k.Self)
}

func zero() abi.TokenAmount { return big.Zero() }
