package syscalls

import (
	"context"
	"errors"

	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/gas"
)

// Outside is the state of an invocation whose guest does not run: the tracker has all its gas.
//
// Outside, Instantiating and Inside have only the steps that may come next, and each step gives the state that it leads to, so that
// an order that does not settle does not compile. A state is good for one step.
type Outside struct{ inv *Invocation }

// Instantiating is Outside while an instance is made: the memory that it takes is part of the next settlement.
type Instantiating struct{ inv *Invocation }

// Inside is the state of an invocation whose guest has its gas in its own counter, and runs or can run.
type Inside struct {
	inv *Invocation
	in  engine.Instance
}

// Instantiate begins a settlement before there is an instance.
func (o Outside) Instantiate() Instantiating {
	o.inv.mark()
	return Instantiating(o)
}

// Enter gives the new instance the gas that there was when Instantiating began.
func (i Instantiating) Enter(in engine.Instance) Inside {
	i.inv.give(in, int64(i.inv.markedGas))
	return Inside{i.inv, in}
}

// Fail settles as if an instance had run nothing.
func (i Instantiating) Fail() error { return i.inv.settle(int64(i.inv.Kernel.Gas().Available())) }

// Enter gives the guest the gas that is available, and begins a settlement.
func (o Outside) Enter(in engine.Instance) Inside {
	o.inv.mark()
	o.inv.give(in, int64(o.inv.markedGas))
	return Inside{o.inv, in}
}

// Reenter goes back to the guest with its counter as it was. Quirk: the settlement does not begin anew, so the next one charges
// what the last one did again (not with SettleMarks).
func (o Outside) Reenter(in engine.Instance) Inside { return Inside{o.inv, in} }

// Call runs an export of the guest. After a failure of this node there is nothing to settle.
func (i Inside) Call(ctx context.Context, export string, stack []uint64) error {
	err := i.in.Call(ctx, export, stack)
	if err == nil {
		return nil
	}
	return i.inv.ended(err)
}

// Start is Call of a start function, during which syscalls are a failure.
func (i Inside) Start(ctx context.Context, export string) error {
	var stack [1]uint64
	i.inv.starting = true
	err := i.Call(ctx, export, stack[:])
	i.inv.starting = false
	return err
}

// Leave charges for what the guest executed since the settlement began. There is no way on from an error but to end the
// invocation.
func (i Inside) Leave() (Outside, error) {
	return Outside{i.inv}, i.inv.settle(i.in.Counter() + i.inv.reserve)
}

// mark notes the gas and memory from which the next settlement counts.
func (inv *Invocation) mark() {
	inv.markedGas = inv.Kernel.Gas().Available()
	inv.markedMemory = inv.Account.Used()
}

// slice is the gas handed to the guest at a time, in milligas: about 2 ms of execution at the network's price of time, and some tens of
// that by an interpreter or where each step waits for memory. Between slices the context is looked at, so that a cancelled
// call ends soon however much gas it has. A guest gets a new slice after each syscall; see lookDue. Slicing changes no charge.
const slice = 20_000_000_000

func (inv *Invocation) give(in engine.Instance, total int64) {
	n := min(total, slice)
	inv.reserve = total - n
	in.SetCounter(n)
}

// unlooked is how many syscalls may go by without a look at the context: one costs ten nanoseconds, a short syscall a hundred.
const unlooked = 15

// lookDue reports that a syscall is to look at the context: the first one of an invocation, each 16th, and the next one after about
// a slice of gas.
func (inv *Invocation) lookDue() bool {
	inv.unlooked--
	return inv.unlooked < 0 || int64(inv.lookedGas-inv.markedGas) > slice
}

func (inv *Invocation) look(ctx context.Context) error {
	inv.lookedGas, inv.unlooked = inv.markedGas, unlooked
	return execerr.Interrupted(ctx)
}

// settle charges for what a guest executed since the mark whose counter stands at counter.
func (inv *Invocation) settle(counter int64) error {
	tracker := inv.Kernel.Gas()
	exec := tracker.Spent(inv.markedGas, counter)
	if inv.settleMarks {
		inv.markedGas = gas.Gas(counter)
	}
	var grown uint64
	if used := inv.Account.Used(); used > inv.markedMemory {
		grown = used - inv.markedMemory
	}
	// Memory's share is split off for the trace only, and never exceeds the sum.
	growth := inv.Kernel.Prices().Wasm.OfMemory(grown)
	if growth <= exec {
		exec = exec.Sub(growth)
	} else {
		growth, exec = exec, 0
	}
	if err := tracker.Charge("wasm_exec", exec); err != nil {
		return err
	}
	if growth != 0 {
		return tracker.Charge("wasm_memory_grow", growth)
	}
	return nil
}

// errExhausted unwinds a guest whose counter fell below zero; the tracker then runs out of gas.
var errExhausted = errors.New("the guest ran out of gas")

// ended makes one of ours of the error by which a guest's call ended.
func (inv *Invocation) ended(err error) error {
	if f := execerr.Classify(err); f.Kind != execerr.KindNode || f.Fatal != nil {
		return err // of a host function, or of an actor that it called: one of ours already
	}
	trap := (*engine.Trap)(nil)
	switch {
	case errors.Is(err, errExhausted):
		return execerr.ErrOutOfGas
	case !errors.As(err, &trap) || trap.Kind == engine.TrapStackOverflow:
		return err // the engine's own failure
	case inv.AllPages && trap.Kind == engine.TrapMemoryOutOfBounds:
		// Not every engine can reach the last byte of 4 GiB, so none is asked.
		return execerr.Nodef("the actor %s, with a memory of 4 GiB, read or wrote at its end", inv.Code)
	}
	return &execerr.Abort{Code: exitcode.SysErrIllegalInstruction, Message: trap.Error()}
}

// exhausted runs when the guest's counter fell below zero: it gets its next
// slice, or is out of gas.
func exhausted(ctx context.Context, in engine.Instance, _ []uint64) error {
	inv := in.Data().(*Invocation)
	if inv.tape != nil && inv.tape.repeats() {
		in.SetCounter(slice) // it is paid already
		return execerr.Interrupted(ctx)
	}
	total := in.Counter() + inv.reserve
	if total < 0 || inv.reserve == 0 {
		inv.reserve = 0
		in.SetCounter(total)
		return errExhausted
	}
	if err := execerr.Interrupted(ctx); err != nil {
		return err
	}
	inv.give(in, total)
	return nil
}
