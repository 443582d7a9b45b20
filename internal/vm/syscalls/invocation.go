// Package syscalls binds a kernel's operations to Wasm imports: the table of
// names and signatures of each era, the reading and writing of guest memory,
// and the settling of gas between the guest's counter and the tracker.
//
// call makes an Invocation for each instance and runs the guest; the engine
// calls the host functions made here. They call kernel. What an operation means does not belong here.
package syscalls

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/kernel"
)

// Abort ends the invocation with an exit code of the actor's choice.
type Abort struct {
	Code    exitcode.ExitCode
	Message string
	Block   kernel.BlockID // data to return with it, NoBlock for none
}

func (a *Abort) Error() string { return fmt.Sprintf("exit with code %d: %s", a.Code, a.Message) }

// Cause is the last syscall error that an actor got; a failing actor's
// backtrace begins with it.
type Cause struct {
	Module, Name string
	Err          *execerr.Syscall
}

// Memory is the account of guest memory that the whole call stack shares, in bytes.
type Memory interface {
	Used() uint64
	// Grow takes delta bytes more if the limits allow it.
	Grow(delta uint64) bool
}

// Invocation is the data behind one instance's host functions.
type Invocation struct {
	Kernel *kernel.Kernel
	Memory Memory
	// MemoryLimits and TableLimits bound the growth of the guest, in pages and elements.
	MemoryLimits, TableLimits GrowthLimits
	// Last is the last error a syscall returned, nil after one that succeeded.
	Last *Cause
	// SettleMarks begins the next settlement where the guest's counter stood at the last one (until nv17).
	SettleMarks bool
	// Unlimited has no limit of the network on the guest's memory and table: what this node does not give is its failure
	// (until nv17).
	Unlimited bool
	// AllPages is true once the guest has as many pages as Wasm allows.
	AllPages bool
	// Starting is true while the instance is made: it is not served yet.
	Starting bool

	call       sys // the syscall that runs; a guest makes one at a time
	lastGas    gas.Gas
	lastMemory uint64
	reserve    int64 // milligas kept back from the guest's counter
}

// GrowthLimits are how far a memory or table may grow: what the module itself
// declares, and what the network gives an instance.
type GrowthLimits struct{ Declared, Instance uint32 }

// slice is the gas handed to the guest at a time, in milligas: about 50 ms of
// execution. Between slices the context is looked at, so that a cancelled call ends
// soon however much gas it has. Slicing changes no charge.
const slice = 500_000_000_000

// errExhausted unwinds a guest whose counter fell below zero; the tracker then runs out of gas.
var errExhausted = errors.New("the guest ran out of gas")

// Begin prepares the account before the module is set up.
func (inv *Invocation) Begin() { inv.lastGas, inv.lastMemory = 0, inv.Memory.Used() }

// GiveGas sets the guest's counter to the gas available and begins a settlement.
func (inv *Invocation) GiveGas(in engine.Instance) {
	inv.Mark()
	inv.Resume(in)
}

// Resume sets the guest's counter to the gas available at the last Mark.
func (inv *Invocation) Resume(in engine.Instance) { inv.give(in, int64(inv.lastGas)) }

// Mark notes the gas and memory from which the next settlement counts.
func (inv *Invocation) Mark() {
	inv.lastGas = inv.Kernel.Gas().Available()
	inv.lastMemory = inv.Memory.Used()
}

func (inv *Invocation) give(in engine.Instance, total int64) {
	n := min(total, slice)
	inv.reserve = total - n
	in.SetCounter(n)
}

// Settle charges for what the guest executed since the last GiveGas. Quirk: as
// in the reference it does not reset the counter, so settling twice charges twice.
func (inv *Invocation) Settle(in engine.Instance) error {
	return inv.SettleCounter(in.Counter() + inv.reserve)
}

// SettleCounter is Settle for a counter's value, for an instance that could not be made.
func (inv *Invocation) SettleCounter(counter int64) error {
	tracker := inv.Kernel.Gas()
	exec := tracker.Spent(inv.lastGas, counter)
	if inv.SettleMarks {
		inv.lastGas = gas.Gas(counter)
	}
	var delta uint64
	if used := inv.Memory.Used(); used > inv.lastMemory {
		delta = used - inv.lastMemory
	}
	// Memory's share is split off for the trace only, and never exceeds the sum.
	memory := inv.Kernel.Prices().Wasm.GrowMemory(delta)
	if memory <= exec {
		exec = exec.Sub(memory)
	} else {
		memory, exec = exec, 0
	}
	if err := tracker.Charge("wasm_exec", exec); err != nil {
		return err
	}
	if memory != 0 {
		return tracker.Charge("wasm_memory_grow", memory)
	}
	return nil
}

// exhausted runs when the guest's counter fell below zero: it gets its next
// slice, or is out of gas.
func exhausted(ctx context.Context, in engine.Instance, _ []uint64) error {
	inv := in.Data().(*Invocation)
	total := in.Counter() + inv.reserve
	if total < 0 || inv.reserve == 0 {
		inv.reserve = 0
		in.SetCounter(total)
		return errExhausted
	}
	if err := ctx.Err(); err != nil {
		return execerr.Nodef("the message was interrupted: %w", err)
	}
	inv.give(in, total)
	return nil
}

// grow decides whether a guest's memory may grow by stack[0] pages from stack[1].
func grow(_ context.Context, in engine.Instance, stack []uint64) error {
	inv := in.Data().(*Invocation)
	const minusOne = 1<<32 - 1
	if uint32(stack[0]) == minusOne && uint32(stack[1]) == minusOne {
		return execerr.Nodef("the engine did not give a guest the memory that it was granted")
	}
	pages := uint64(uint32(stack[0])) + uint64(uint32(stack[1]))
	err := inv.grant(stack, inv.MemoryLimits, engine.PageSize)
	if err == nil && stack[0] == 1 {
		inv.AllPages = pages == allPages
	}
	return err
}

const allPages = 65536 // of 4 GiB

// growTable decides whether a guest's table may grow by stack[0] elements from stack[1].
func growTable(_ context.Context, in engine.Instance, stack []uint64) error {
	inv := in.Data().(*Invocation)
	return inv.grant(stack, inv.TableLimits, tableElement)
}

const tableElement = 8 // bytes that a table's element counts for

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
	case delta == 0 || inv.Memory.Grow(delta*unit) && current+delta <= uint64(l.Instance):
		stack[0] = 1
	case inv.Unlimited:
		return execerr.Nodef("a guest of %d bytes asks for %d more: the reference FVM had no limit here, this node has", current*unit, delta*unit)
	}
	return nil
}

// helpers are the imports that the instrumentation pass itself uses.
var helpers = []engine.HostFunc{
	{Module: "edgefvm", Name: "exhausted", Fn: exhausted},
	{Module: "edgefvm", Name: "grow", Params: []engine.ValueType{engine.I32, engine.I32}, Results: []engine.ValueType{engine.I32}, Fn: grow},
	{Module: "edgefvm", Name: "grow_table", Params: []engine.ValueType{engine.I32, engine.I32}, Results: []engine.ValueType{engine.I32}, Fn: growTable},
}

// Exhausted reports that err is the end of a guest that ran out of gas.
func Exhausted(err error) bool { return errors.Is(err, errExhausted) }
