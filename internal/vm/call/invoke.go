package call

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/internal/vm/syscalls"
	"github.com/edgefvm/fvm/internal/wasm/ops"
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
	inv, outside := syscalls.NewInvocation(k, code, &c.account, c.m.Profile)
	ret, err := c.runActor(ctx, inv, outside, params)
	if execerr.KindOf(err) == execerr.KindNode {
		return kernel.Result{}, err
	}
	var block *kernel.Block
	if err == nil && ret != kernel.NoBlock {
		if block, err = k.Blocks.Get(ret); err != nil {
			err = &execerr.Abort{Code: exitcode.SysErrMissingReturn, Message: "the returned block does not exist"}
		}
	}
	if err == nil {
		return kernel.Result{ExitCode: exitcode.Ok, Return: block}, nil
	}
	return c.failed(t, inv, err)
}

// failed turns the error by which an invocation ended into a result, and adds it to the backtrace.
func (c *Manager) failed(t target, inv *syscalls.Invocation, err error) (kernel.Result, error) {
	var res kernel.Result
	code, message := exitcode.SysErrFatal, "fatal error"
	switch f := execerr.Classify(err); f.Kind {
	case execerr.KindAbort:
		a := f.Abort
		code, message, err = a.Code, a.Message, nil
		if a.Block != kernel.NoBlock {
			b, berr := inv.Kernel.Blocks.Get(a.Block)
			if berr != nil {
				code, message = exitcode.SysErrMissingReturn, "the exit data block does not exist"
				err = execerr.Guestf("exit with a block that does not exist: %v", berr)
			}
			res.Return = b
		}
		res.ExitCode = code
	case execerr.KindOutOfGas:
		code, message = exitcode.SysErrOutOfGas, "out of gas"
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

// runActor sets the module up and calls it. Its errors are aborts, out of gas, and fatal ones.
func (c *Manager) runActor(ctx context.Context, inv *syscalls.Invocation, outside syscalls.Outside, params kernel.BlockID) (kernel.BlockID, error) {
	code := inv.Code
	mod, used, err := c.module(ctx, inv)
	if err != nil {
		return 0, err
	}
	defer used.leave()
	in, outside, err := c.instantiate(ctx, inv, outside, mod)
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
		return 0, &execerr.Abort{Code: exitcode.SysErrInvalidReceiver, Message: fmt.Sprintf("the actor %s has no entry point", code)}
	case invokeResult:
		loose = c.m.Profile.LooseInvoke
		fallthrough
	case invokeMismatch:
		if !c.m.Profile.LooseInvoke {
			return 0, execerr.Guestf("invoke of the actor %s has another type than (i32) -> i32", code)
		}
	}
	inside := outside.Enter(in)
	var stack [2]uint64
	stack[0] = uint64(params)
	if mod.invoke == invokeMismatch {
		err = execerr.Guestf("invoke of the actor %s cannot be called with one i32", code)
	} else {
		err = inside.Call(ctx, "invoke", stack[:])
	}
	if execerr.KindOf(err) == execerr.KindNode {
		return 0, err
	}
	if _, serr := inside.Leave(); serr != nil {
		return 0, serr
	}
	if err != nil {
		return 0, err
	}
	if loose {
		return 0, execerr.Nodef("what the actor %s returned is not read: %w", code, execerr.ErrNoReference)
	}
	return kernel.BlockID(uint32(stack[0])), nil
}

// instantiate charges for the module's memory, makes an instance, runs its
// start function, and settles. With an error there may be an instance to close.
func (c *Manager) instantiate(ctx context.Context, inv *syscalls.Invocation, outside syscalls.Outside, mod *module) (engine.Instance, syscalls.Outside, error) {
	wasm := &c.m.Prices.Wasm
	switch {
	case !mod.hasMemory:
		return nil, outside, execerr.Guestf("the actor exports no memory")
	case c.m.Profile.FatalStart:
		in, err := c.instantiateFree(ctx, inv, mod)
		return in, outside, err
	}
	if mod.tableExported {
		if err := c.gas.Charge("wasm_table_init", wasm.OfTable(mod.tableInit)); err != nil {
			return nil, outside, err
		}
	}
	if err := c.gas.Charge("wasm_memory_init", wasm.OfMemory(uint64(mod.minPages)*engine.PageSize)); err != nil {
		return nil, outside, err
	}
	if mod.linkError != nil {
		return nil, outside, mod.linkError
	}
	inv.MemoryLimits, inv.TableLimits = mod.memoryLimits, mod.tableLimits
	making := outside.Instantiate()
	if !c.account.Grow(uint64(mod.minPages)*engine.PageSize) || !c.account.Grow(mod.elements*gas.TableElement) {
		return nil, outside, notInstantiated(making, errors.New("the call stack's memory is used up"))
	}
	in, err := c.guest(ctx, inv, mod)
	if err != nil {
		var trap *engine.Trap
		if errors.As(err, &trap) {
			return nil, outside, notInstantiated(making, err)
		}
		return nil, outside, execerr.Nodef("instantiating an actor: %w", err)
	}
	outside, err = start(ctx, making.Enter(in), mod.start)
	return in, outside, err
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
	case !c.account.Grow(uint64(mod.minPages)*engine.PageSize) || !c.account.Grow(mod.elements*gas.TableElement):
		return nil, execerr.Nodef("the actors of this message need more than %d bytes of memory: the reference FVM had no limit here, this node has", c.m.Profile.MessageMemory)
	}
	inv.MemoryLimits, inv.TableLimits, inv.AllPages = mod.memoryLimits, mod.tableLimits, mod.minPages == ops.MaxPages
	in, err := c.guest(ctx, inv, mod)
	if err == nil {
		return in, nil
	}
	var trap *engine.Trap
	if errors.As(err, &trap) {
		return nil, execerr.Guestf("instantiating an actor: %w", err)
	}
	return nil, execerr.Nodef("instantiating an actor: %w", err)
}

// start runs the start function that a new instance exports, if it has one, and settles.
func start(ctx context.Context, inside syscalls.Inside, export string) (syscalls.Outside, error) {
	if export == "" {
		return inside.Leave()
	}
	err := inside.Start(ctx, export)
	f := execerr.Classify(err)
	if f.Kind == execerr.KindNode {
		return syscalls.Outside{}, err
	}
	outside, serr := inside.Leave()
	switch {
	case serr != nil:
		return outside, serr
	case f.Kind == execerr.KindAbort:
		return outside, &execerr.Abort{Code: f.Abort.Code, Message: "the start function failed: " + f.Abort.Message}
	}
	return outside, err
}

// notInstantiated settles and aborts.
func notInstantiated(making syscalls.Instantiating, cause error) error {
	if err := making.Fail(); err != nil {
		return err
	}
	return &execerr.Abort{Code: exitcode.SysErrIllegalInstruction, Message: "the actor could not be instantiated: " + cause.Error()}
}
