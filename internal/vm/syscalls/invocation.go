// Package syscalls binds a kernel's operations to Wasm imports: the table of
// names and signatures of each era, the reading and writing of guest memory,
// and the settling of gas between the guest's counter and the tracker.
//
// call makes an Invocation for each instance and runs the guest; the engine
// calls the host functions made here. They call kernel. What an operation means does not belong here.
package syscalls

import (
	"context"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// Cause is the last syscall error that an actor got; a failing actor's
// backtrace begins with it.
type Cause struct {
	Module, Name string
	Err          *execerr.Syscall
}

// MemoryAccount is the guest memory that the whole call stack shares, in bytes.
type MemoryAccount interface {
	Used() uint64
	// Grow takes delta bytes more if the limits allow it.
	Grow(delta uint64) bool
}

// Invocation is the data behind one instance's host functions.
type Invocation struct {
	Kernel  *kernel.Kernel
	Code    cid.Cid // of the actor
	Account MemoryAccount
	// MemoryLimits and TableLimits bound the growth of the guest, in pages and elements.
	MemoryLimits, TableLimits GrowthLimits
	// Last is the last error a syscall returned, nil after one that succeeded.
	Last *Cause
	// Watch hears of each opcode of the EVM actor, if the instance is one that tells. Nil: nobody listens.
	Watch *Watch
	// AllPages is true once the guest has as many pages as Wasm allows.
	AllPages bool

	settleMarks bool // see machine.Profile
	unlimited   bool // no limit of the network on the guest's memory and table: what this node does not give is its failure
	starting    bool // a start function runs
	tape        tape // what listens to the guest's calls of host functions, or answers them; nil: nothing

	call         sys // the syscall that runs; a guest makes one at a time
	markedGas    gas.Gas
	markedMemory uint64
	lookedGas    gas.Gas // markedGas at the last look at the context
	unlooked     int     // so many syscalls may go by until the next
	reserve      int64   // milligas kept back from the guest's counter
}

// NewInvocation begins an invocation: no guest runs yet.
func NewInvocation(k *kernel.Kernel, code cid.Cid, a MemoryAccount, p *machine.Profile) (*Invocation, Outside) {
	inv := &Invocation{Kernel: k, Code: code, Account: a, settleMarks: p.SettleMarks, unlimited: p.NoMemoryLimits}
	return inv, Outside{inv}
}

// GrowthLimits are how far a memory or table may grow: what the module itself
// declares, and what the network gives an instance.
type GrowthLimits struct{ Declared, Instance uint32 }

// grow decides whether a guest's memory may grow by stack[0] pages from stack[1].
func grow(ctx context.Context, in engine.Instance, stack []uint64) error {
	inv := in.Data().(*Invocation)
	if inv.tape != nil {
		return inv.tape.host(ctx, in, hostCall{inv: inv, grows: growsMemory, stack: stack})
	}
	return inv.grow(stack)
}

func (inv *Invocation) grow(stack []uint64) error {
	const minusOne = 1<<32 - 1
	if uint32(stack[0]) == minusOne && uint32(stack[1]) == minusOne {
		return execerr.Nodef("the engine did not give a guest the memory that it was granted")
	}
	pages := uint64(uint32(stack[0])) + uint64(uint32(stack[1]))
	err := inv.grant(stack, inv.MemoryLimits, engine.PageSize)
	if err == nil && stack[0] == 1 {
		inv.AllPages = pages == ops.MaxPages
	}
	return err
}

// growTable decides whether a guest's table may grow by stack[0] elements from stack[1].
func growTable(ctx context.Context, in engine.Instance, stack []uint64) error {
	inv := in.Data().(*Invocation)
	if inv.tape != nil {
		return inv.tape.host(ctx, in, hostCall{inv: inv, grows: growsTable, stack: stack})
	}
	return inv.growTable(stack)
}

func (inv *Invocation) growTable(stack []uint64) error {
	return inv.grant(stack, inv.TableLimits, gas.TableElement)
}

// grant makes stack[0] 1 if something of unit bytes may grow by stack[0] from stack[1], else 0.
func (inv *Invocation) grant(stack []uint64, l GrowthLimits, unit uint64) error {
	delta, current := uint64(uint32(stack[0])), uint64(uint32(stack[1]))
	stack[0] = 0
	if current+delta > uint64(l.Declared) && delta != 0 {
		return nil
	}
	// Quirk: what is beyond the limit of an instance is refused only after the
	// message's account has granted it, and stays on the account.
	switch {
	case delta == 0 || inv.Account.Grow(delta*unit) && current+delta <= uint64(l.Instance):
		stack[0] = 1
	case inv.unlimited:
		return execerr.Nodef("a guest of %d bytes asks for %d more: the reference FVM had no limit here, this node has", current*unit, delta*unit)
	}
	return nil
}

// helpers are the imports that the instrumentation pass itself uses.
var helpers = []engine.HostFunc{
	{Module: "edgefvm", Name: "exhausted", Fn: exhausted},
	{Module: "edgefvm", Name: "grow", Params: []engine.ValueType{engine.I32, engine.I32}, Results: []engine.ValueType{engine.I32}, Fn: grow},
	{Module: "edgefvm", Name: "grow_table", Params: []engine.ValueType{engine.I32, engine.I32}, Results: []engine.ValueType{engine.I32}, Fn: growTable},
	{Module: "edgefvm", Name: "opcode", Params: []engine.ValueType{engine.I32, engine.I32, engine.I32}, Fn: opcode},
}
