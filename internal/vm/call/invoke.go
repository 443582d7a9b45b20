package call

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/internal/vm/syscalls"
	"github.com/edgefvm/fvm/trace"

	"github.com/ipfs/go-cid"
)

// target is an actor to call, with its address resolved.
type target struct {
	invocation kernel.Invocation
	params     *kernel.Block
	implicit   bool // the constructor of an automatically created account
}

// callActor transfers the value and, but for method 0, invokes the actor.
func (c *Manager) callActor(ctx context.Context, t target) (kernel.Result, error) {
	inv := &t.invocation
	read := c.Described
	if c.tracesInvoke(t) {
		read = c.Actor // the trace tells the balance
	}
	st, err := read(ctx, inv.Self)
	if err != nil {
		return kernel.Result{}, err
	}
	if st == nil {
		return kernel.Result{}, execerr.Syscallf(execerr.NotFound, "there is no actor %d", inv.Self)
	}
	if c.tracesInvoke(t) {
		c.traceInvoke(t, st)
	}
	if err := c.transferTo(ctx, inv); err != nil {
		return kernel.Result{}, err
	}
	if inv.Method == 0 { // a mere send of funds
		return kernel.Result{}, nil
	}
	if err := c.payInvocation(t); err != nil {
		return kernel.Result{}, err
	}
	res, err := c.invoke(ctx, t, st.Code)
	if err == nil && res.Return != nil && !c.m.Profile.SendFirst {
		if charge, ok := c.m.Prices.OnMethodReturn(c.depth, len(res.Return.Data), len(res.Return.Links)); ok {
			if err := c.gas.Apply(charge); err != nil {
				return kernel.Result{}, err
			}
		}
	}
	return res, err
}

func (c *Manager) tracesInvoke(t target) bool {
	return c.hooks != nil && c.hooks.OnInvoke != nil && (!t.implicit || c.m.Profile.TraceFirst || c.m.Profile.TraceImplicit)
}

func (c *Manager) traceInvoke(t target, st *state.ActorState) {
	c.hooks.OnInvoke(&trace.Invoke{
		ID: t.invocation.Self, Code: st.Code, Head: st.Head, Nonce: st.Nonce, Balance: st.Balance, Delegated: st.Delegated, Extra: c.m.Profile.TraceFirst,
	})
}

// transferTo moves the value of a call, and charges for it or, until nv17, for the whole call.
func (c *Manager) transferTo(ctx context.Context, inv *kernel.Invocation) error {
	if c.m.Profile.SendFirst {
		if err := c.gas.Apply(c.m.Prices.OnSend(inv.Value, inv.Method)); err != nil {
			return err
		}
	}
	if inv.Value.IsZero() {
		return nil
	}
	if !c.m.Profile.SendFirst {
		if err := c.gas.Apply(c.m.Prices.OnValueTransfer()); err != nil {
			return err
		}
	}
	return c.Transfer(ctx, inv.Caller, inv.Self, inv.Value)
}

// payInvocation charges for calling a method, for which SendFirst has paid.
func (c *Manager) payInvocation(t target) error {
	if c.m.Profile.SendFirst {
		return nil
	}
	var size, links int
	if t.params != nil {
		size, links = len(t.params.Data), len(t.params.Links)
	}
	return c.gas.Apply(c.m.Prices.OnMethodInvocation(size, links))
}

// invoke runs the actor's code and turns the way it ended into a result.
func (c *Manager) invoke(ctx context.Context, t target, code cid.Cid) (kernel.Result, error) {
	k := kernel.New(c, t.invocation)
	var params kernel.BlockID
	if t.params != nil {
		id, err := k.Blocks.PutReachable(t.params)
		if err != nil {
			return kernel.Result{}, err
		}
		params = id
	}
	inv := &syscalls.Invocation{Kernel: k, Memory: &c.memory, SettleMarks: c.m.Profile.SettleMarks, Unlimited: c.m.Profile.NoMemoryLimits}
	ret, err := c.run(ctx, inv, params, code)
	if isNodeFailure(err) && !isAbort(err) {
		return kernel.Result{}, err
	}
	var block *kernel.Block
	if err == nil && ret != kernel.NoBlock {
		if block, err = k.Blocks.Get(ret); err != nil {
			err = &syscalls.Abort{Code: sysMissingReturn, Message: "the returned block does not exist"}
		}
	}
	if err == nil {
		return kernel.Result{ExitCode: exitcode.Ok, Return: block}, nil
	}
	return c.failed(t, inv, err)
}

func isAbort(err error) bool {
	var a *syscalls.Abort
	return errors.As(err, &a)
}

// failed classifies the end of an invocation and adds it to the backtrace.
func (c *Manager) failed(t target, inv *syscalls.Invocation, err error) (kernel.Result, error) {
	var res kernel.Result
	var a *syscalls.Abort
	code, message := sysAssertionFailed, "fatal error"
	switch {
	case errors.As(err, &a):
		code, message, err = a.Code, a.Message, nil
		if a.Block != kernel.NoBlock {
			b, berr := inv.Kernel.Blocks.Get(a.Block)
			if berr != nil {
				code, message = sysMissingReturn, "the exit data block does not exist"
				err = execerr.Guestf("exit with a block that does not exist: %v", berr)
			}
			res.Return = b
		}
		res.ExitCode = code
	case errors.Is(err, execerr.ErrOutOfGas):
		code, message = sysOutOfGas, "out of gas"
	}
	if !code.IsSuccess() && !t.implicit {
		if inv.Last != nil {
			c.Backtrace.begin(inv.Last)
		}
		c.Backtrace.Frames = append(c.Backtrace.Frames, Frame{
			Actor: t.invocation.Self, Method: t.invocation.Method, Code: code, Message: message,
		})
	}
	if err != nil {
		return kernel.Result{}, err
	}
	return res, nil
}

// run sets the module up and calls it. Its errors are aborts, out of gas, and fatal ones.
func (c *Manager) run(ctx context.Context, inv *syscalls.Invocation, params kernel.BlockID, code cid.Cid) (kernel.BlockID, error) {
	mod, err := c.modules.load(ctx, c.m, code)
	if err != nil {
		return 0, err
	}
	in, err := c.instantiate(ctx, inv, mod)
	if in != nil {
		defer in.Close(ctx) //nolint:errcheck // its memory goes back to a pool, whatever it says
	}
	if err != nil {
		return 0, err
	}
	loose := false
	switch mod.invoke {
	case invokeMissing:
		if !c.m.Profile.MissingInvokeExits {
			return 0, execerr.Guestf("the actor %s exports no function invoke", code)
		}
		return 0, &syscalls.Abort{Code: sysInvalidReceiver, Message: fmt.Sprintf("the actor %s has no entry point", code)}
	case invokeResult:
		loose = c.m.Profile.LooseInvoke
		fallthrough
	case invokeMismatch:
		if !c.m.Profile.LooseInvoke {
			return 0, execerr.Guestf("invoke of the actor %s has another type than (i32) -> i32", code)
		}
	}
	inv.GiveGas(in)
	var stack [2]uint64
	stack[0] = uint64(params)
	if mod.invoke == invokeMismatch {
		err = execerr.Guestf("invoke of the actor %s cannot be called with one i32", code)
	} else {
		err = in.Call(ctx, "invoke", stack[:])
	}
	if isNodeTrap(err) {
		return 0, err
	}
	if trap := (*engine.Trap)(nil); inv.AllPages && errors.As(err, &trap) && trap.Kind == engine.TrapMemoryOutOfBounds {
		// Not every engine can reach the last byte of 4 GiB, so none is asked.
		return 0, execerr.Nodef("the actor %s, with a memory of 4 GiB, read or wrote at its end", code)
	}
	if serr := inv.Settle(in); serr != nil {
		return 0, serr
	}
	if err != nil {
		return 0, abortOf(err)
	}
	if loose {
		return 0, execerr.Nodef("what the actor %s returned is not read: %w", code, execerr.ErrNoReference)
	}
	return kernel.BlockID(uint32(stack[0])), nil
}

// instantiate charges for the module's memory, makes an instance, runs its
// start function, and settles.
func (c *Manager) instantiate(ctx context.Context, inv *syscalls.Invocation, mod *module) (engine.Instance, error) {
	inv.Begin()
	wasm := &c.m.Prices.Wasm
	switch {
	case !mod.hasMemory:
		return nil, execerr.Guestf("the actor exports no memory")
	case c.m.Profile.FatalStart:
		return c.instantiateFree(ctx, inv, mod)
	}
	if mod.tableExported {
		if err := c.gas.Charge("wasm_table_init", wasm.InitTable(mod.tableInit)); err != nil {
			return nil, err
		}
	}
	if err := c.gas.Charge("wasm_memory_init", wasm.InitMemory(uint64(mod.minPages)*engine.PageSize)); err != nil {
		return nil, err
	}
	if mod.linkError != nil {
		return nil, mod.linkError
	}
	inv.MemoryLimits, inv.TableLimits = mod.memory, mod.table
	inv.Mark()
	if !c.memory.Grow(uint64(mod.minPages)*engine.PageSize) || !c.memory.Grow(mod.elements*8) {
		return nil, c.notInstantiated(inv, errors.New("the call stack's memory is used up"))
	}
	in, err := mod.wasm.Instantiate(ctx, inv)
	if err != nil {
		var trap *engine.Trap
		if errors.As(err, &trap) {
			return nil, c.notInstantiated(inv, err)
		}
		return nil, execerr.Nodef("instantiating an actor: %w", err)
	}
	inv.Resume(in) // not GiveGas: the memory just taken is part of what is settled next
	if mod.start != "" {
		if err := c.start(ctx, inv, in, mod.start); err != nil {
			return in, err
		}
		return in, nil
	}
	return in, inv.Settle(in)
}

// instantiateFree makes an instance for nothing (until nv17).
func (c *Manager) instantiateFree(ctx context.Context, inv *syscalls.Invocation, mod *module) (engine.Instance, error) {
	switch {
	case mod.linkError != nil:
		return nil, mod.linkError
	case mod.start != "":
		// Quirk: the guest has no gas yet, so that a start function ends at its first instruction, if its segments
		// fit at all.
		return nil, execerr.Guestf("an instance of the actor cannot be made: its start function has no gas, or a segment does not fit")
	case !c.memory.Grow(uint64(mod.minPages)*engine.PageSize) || !c.memory.Grow(mod.elements*8):
		return nil, execerr.Nodef("the actors of this message need more than %d bytes of memory: the reference FVM had no limit here, this node has", c.m.Profile.Memory)
	}
	inv.MemoryLimits, inv.TableLimits, inv.AllPages = mod.memory, mod.table, mod.minPages == wasmMaxPages
	in, err := mod.wasm.Instantiate(ctx, inv)
	if err == nil {
		return in, nil
	}
	var trap *engine.Trap
	if errors.As(err, &trap) {
		return nil, execerr.Guestf("instantiating an actor: %w", err)
	}
	return nil, execerr.Nodef("instantiating an actor: %w", err)
}

func (c *Manager) start(ctx context.Context, inv *syscalls.Invocation, in engine.Instance, export string) error {
	inv.Starting = true
	var stack [1]uint64
	err := in.Call(ctx, export, stack[:])
	inv.Starting = false
	if isNodeTrap(err) {
		return err
	}
	if serr := inv.Settle(in); serr != nil {
		return serr
	}
	if err != nil {
		return &syscalls.Abort{Code: sysIllegalInstruction, Message: "the start function failed: " + err.Error()}
	}
	return nil
}

// notInstantiated settles as if an instance had run nothing, and aborts.
func (c *Manager) notInstantiated(inv *syscalls.Invocation, cause error) error {
	if err := inv.SettleCounter(int64(c.gas.Available())); err != nil {
		return err
	}
	return &syscalls.Abort{Code: sysIllegalInstruction, Message: "the actor could not be instantiated: " + cause.Error()}
}

// isNodeTrap reports an error of a guest's call that must stop the machine.
func isNodeTrap(err error) bool {
	var trap *engine.Trap
	if errors.As(err, &trap) {
		return trap.Kind == engine.TrapStackOverflow
	}
	return isNodeFailure(err) && !isAbort(err) && !syscalls.Exhausted(err)
}

// abortOf classifies the error of a guest's call; gas is settled already.
func abortOf(err error) error {
	var trap *engine.Trap
	if errors.As(err, &trap) {
		return &syscalls.Abort{Code: sysIllegalInstruction, Message: trap.Error()}
	}
	if syscalls.Exhausted(err) {
		return execerr.ErrOutOfGas
	}
	return err
}
