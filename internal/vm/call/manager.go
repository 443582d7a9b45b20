// Package call runs the call stack of one message: frames, depth, gas limits,
// access charges, automatic creation of accounts, transfers, events, and the
// cache of compiled actors.
//
// executor makes a Manager for each message. It calls kernel (one for each
// invocation), syscalls, engine, state and gas, and is what a kernel calls back into to
// send. Fees and receipts do not belong here.
package call

import (
	"context"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/vm/event"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/trace"
)

// Message is what a Manager has to know of the message it runs.
type Message struct {
	GasLimit   uint64 // gas
	Origin     abi.ActorID
	From, To   address.Address // as written in the message
	Receiver   *abi.ActorID    // nil: does not exist yet
	Nonce      uint64
	GasPremium abi.TokenAmount // what the actors are told
}

// Manager runs one message. Not safe for concurrent use.
type Manager struct {
	m       *machine.Machine
	modules *Modules
	gas     *gas.Tracker
	hooks   *trace.Hooks
	msg     Message

	access    accessTracker
	account   memoryAccount
	events    []event.Stamped
	marks     []int // lengths of events at each open transaction
	depth     uint32
	created   uint64 // actors created so far
	Backtrace Backtrace
}

var _ kernel.CallManager = (*Manager)(nil)

// NewManager prepares a call stack for msg.
func NewManager(m *machine.Machine, modules *Modules, msg Message) *Manager {
	c := &Manager{
		m: m, modules: modules, hooks: m.Hooks, msg: msg,
		gas:     newTracker(m, gas.New(msg.GasLimit)),
		access:  newAccessTracker(m.Prices.PreloadedActors),
		account: memoryAccount{limit: m.Profile.MessageMemory},
	}
	// The sender was looked up and updated before execution; the receiver, if
	// it exists, was looked up. Neither is charged for again.
	c.access.record(msg.Origin, accessUpdated)
	c.access.recordAddress(msg.From)
	if msg.Receiver != nil {
		c.access.record(*msg.Receiver, accessRead)
	}
	c.access.recordAddress(msg.To)
	return c
}

func newTracker(m *machine.Machine, limit gas.Gas) *gas.Tracker {
	if m.Profile.SignedGas {
		return gas.NewSignedTracker(limit, m.Hooks)
	}
	return gas.NewTracker(limit, m.Hooks)
}

// Machine is the setting of the message.
func (c *Manager) Machine() *machine.Machine { return c.m }

// Gas is the message's tracker.
func (c *Manager) Gas() *gas.Tracker { return c.gas }

// Origin is the sender of the message.
func (c *Manager) Origin() abi.ActorID { return c.msg.Origin }

// Nonce is the message's.
func (c *Manager) Nonce() uint64 { return c.msg.Nonce }

// GasPremium is the effective premium of the message.
func (c *Manager) GasPremium() abi.TokenAmount { return c.msg.GasPremium }

// Events are those of calls that were not reverted, in order.
func (c *Manager) Events() []event.Stamped { return c.events }

// AppendEvent records an event of the running call.
func (c *Manager) AppendEvent(e event.Stamped) { c.events = append(c.events, e) }

// Log traces a line that an actor wrote.
func (c *Manager) Log(text string) {
	if c.hooks != nil && c.hooks.OnLog != nil && (c.m.Profile.TraceBlocks || c.m.Profile.TraceFirst) {
		c.hooks.OnLog(&trace.Log{Text: text})
	}
}

// TraceIPLD traces a block read or written.
func (c *Manager) TraceIPLD(put bool, k cid.Cid, size int) {
	if c.hooks != nil && c.hooks.OnIPLD != nil && c.m.Profile.TraceBlocks {
		c.hooks.OnIPLD(&trace.IPLD{Put: put, Cid: k, Size: size})
	}
}

// Send runs a call in a transaction of its own: unless it exits with 0, the
// state, events and access charges are as if it had not been.
func (c *Manager) Send(ctx context.Context, r kernel.SendRequest) (kernel.Result, error) {
	if ended := c.hear(r); ended != nil {
		defer ended()
	}
	c.m.Tree.Begin()
	c.access.begin()
	c.marks = append(c.marks, len(c.events))

	res, err := c.call(ctx, r)
	if err == nil && c.depth == 0 && c.m.Profile.SendFirst {
		res, err = c.payReturn(res)
	}

	revert := err != nil || !res.ExitCode.IsSuccess()
	mark := c.marks[len(c.marks)-1]
	c.marks = c.marks[:len(c.marks)-1]
	if revert {
		c.events = c.events[:mark]
	}
	c.access.end(revert)
	if terr := c.m.Tree.End(revert); terr != nil {
		return kernel.Result{}, execerr.Nodef("ending a transaction of the state tree: %w", terr)
	}
	return res, err
}

// payReturn charges for the message's return value after its call has ended (until nv17).
func (c *Manager) payReturn(res kernel.Result) (kernel.Result, error) {
	if !res.ExitCode.IsSuccess() {
		return res, nil
	}
	size := 0
	if res.Return != nil {
		size = len(res.Return.Data)
	}
	charge, _ := c.m.Prices.OnMethodReturn(1, size, 0)
	return res, c.gas.Apply(charge)
}

// call gives the callee its gas limit and reports the call to the trace.
func (c *Manager) call(ctx context.Context, r kernel.SendRequest) (kernel.Result, error) {
	c.traceCall(r)
	if r.GasLimit != nil {
		c.gas.PushLimit(*r.GasLimit)
	}
	res, err := c.frame(ctx, r)
	kind := execerr.KindOf(err)
	if kind == execerr.KindNode {
		return kernel.Result{}, err
	}
	tooDeep := c.depth >= c.m.Profile.CallDepth && err != nil
	if r.GasLimit != nil && !(tooDeep && c.m.Profile.DepthKeepsLimit) {
		// Quirk: see DepthKeepsLimit.
		if perr := c.gas.PopLimit(); perr != nil {
			return kernel.Result{}, perr
		}
	}
	// The callee ran out of the gas it was given, but the caller has more.
	if kind == execerr.KindOutOfGas && c.gas.Available() != 0 {
		res, err = kernel.Result{ExitCode: exitcode.SysErrOutOfGas}, nil
	}
	c.traceReturn(res, err)
	return res, err
}

// frame is one level of the call stack.
func (c *Manager) frame(ctx context.Context, r kernel.SendRequest) (kernel.Result, error) {
	if most := c.m.Profile.CallDepth; c.depth >= most {
		return kernel.Result{}, execerr.Syscallf(execerr.LimitExceeded, "the message is more than %d calls deep", most)
	}
	c.depth++
	used := c.account.used
	res, err := c.resolveAndInvoke(ctx, r)
	c.account.used = used
	c.depth--
	return res, err
}

func (c *Manager) resolveAndInvoke(ctx context.Context, r kernel.SendRequest) (kernel.Result, error) {
	id, ok, err := c.ResolveAddress(ctx, r.To)
	if err != nil {
		return kernel.Result{}, err
	}
	if !ok {
		if id, err = c.autoCreate(ctx, r); err != nil {
			return kernel.Result{}, err
		}
	}
	return c.callActor(ctx, target{
		invocation: kernel.Invocation{Caller: r.From, Self: id, Method: r.Method, Value: r.Value, ReadOnly: r.ReadOnly},
		params:     r.Params,
	})
}

// memoryAccount is the memory of all instances of the call stack, in bytes.
type memoryAccount struct{ used, limit uint64 }

func (a *memoryAccount) Used() uint64 { return a.used }

func (a *memoryAccount) Grow(delta uint64) bool {
	if delta > a.limit || a.used+delta > a.limit {
		return false
	}
	a.used += delta
	return true
}

func (c *Manager) traceCall(r kernel.SendRequest) {
	if c.hooks == nil || c.hooks.OnCall == nil {
		return
	}
	e := &trace.Call{From: r.From, To: r.To, Method: r.Method, Value: r.Value, Params: c.traceBlock(r.Params)}
	if c.m.Profile.TraceFirst {
		e.NoLimits = true
	} else {
		e.ReadOnly, e.GasLimit = r.ReadOnly, c.gas.Available().RoundUp()
		if r.GasLimit != nil {
			e.GasLimit = min(e.GasLimit, r.GasLimit.RoundUp())
		}
	}
	c.hooks.OnCall(e)
}

func (c *Manager) traceBlock(b *kernel.Block) *trace.Block {
	first := c.m.Profile.TraceFirst
	switch {
	case b == nil || first && len(b.Data) == 0:
		return nil
	case first:
		return &trace.Block{Data: b.Data}
	}
	return &trace.Block{Codec: b.Codec, Data: b.Data}
}

func (c *Manager) traceReturn(res kernel.Result, err error) {
	if c.hooks == nil {
		return
	}
	var e *trace.Error
	switch f := execerr.Classify(err); f.Kind {
	case execerr.KindNone:
	case execerr.KindOutOfGas:
		res = kernel.Result{ExitCode: exitcode.SysErrOutOfGas}
		if c.m.Profile.TraceFirst {
			e = &trace.Error{Errno: uint32(execerr.Forbidden), Text: "out of gas"}
		}
	case execerr.KindSyscall:
		e = &trace.Error{Errno: uint32(f.Syscall.Number), Text: f.Syscall.Reason}
	default:
		e = &trace.Error{Errno: uint32(execerr.Forbidden), Text: "fatal"}
	}
	if e != nil {
		if c.hooks.OnError != nil {
			c.hooks.OnError(e)
		}
	} else if c.hooks.OnReturn != nil {
		c.hooks.OnReturn(&trace.Return{ExitCode: res.ExitCode, Data: c.traceBlock(res.Return)})
	}
}
