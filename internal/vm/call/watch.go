package call

import (
	"context"

	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/syscalls"
	"github.com/edgefvm/fvm/internal/wasm/evmloop"
	"github.com/edgefvm/fvm/internal/wasm/instrument"
	"github.com/edgefvm/fvm/trace"

	"github.com/ipfs/go-cid"
)

// evmActor is the name that manifests have for the interpreter of Ethereum's virtual machine.
const evmActor = "evm"

// module is the compiled code of the actor that is invoked: if opcodes are traced, and it has any, the copy that tells them.
// Without an error the entry is in use until its leave is called.
func (c *Manager) module(ctx context.Context, inv *syscalls.Invocation) (mod *module, used *entry, err error) {
	mod, used, err = c.modules.load(ctx, c.m, inv.Code)
	if err != nil || c.hooks == nil || c.hooks.OnOpcode == nil || mod.linkError != nil {
		return mod, used, err
	}
	if name, _ := c.m.Manifest.Name(inv.Code); name != evmActor {
		return mod, used, nil
	}
	watched, err := c.modules.loadWatched(ctx, c.m, inv.Code)
	if err != nil {
		used.leave()
		return nil, nil, err
	}
	fail := func(err error) {
		if c.hooks.OnUnwatched != nil {
			c.hooks.OnUnwatched(&trace.Unwatched{ID: inv.Kernel.Self, Code: inv.Code, Err: err})
		}
	}
	if watched.unwatched != nil {
		fail(watched.unwatched)
		return mod, used, nil
	}
	inv.Watch = &syscalls.Watch{Loop: watched.loop, Tell: c.hooks.OnOpcode, Fail: fail}
	return watched, used, nil
}

// loadWatched is a copy of the EVM actor's module that tells its opcodes. If its code is not understood there is only the reason.
func (m *Modules) loadWatched(ctx context.Context, mc *machine.Machine, code cid.Cid) (*module, error) {
	e := m.entryOf(m.watched, code)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mod != nil {
		return e.mod, nil
	}
	wasm, err := reading(ctx, mc, code)()
	if err != nil {
		return nil, err
	}
	loop, err := evmloop.Find(wasm)
	var meta *instrument.Module
	if err == nil {
		meta, err = instrument.Watched(wasm, m.rules, &instrument.Watch{
			Func: loop.Func, At: loop.At, Locals: [3]uint32{loop.Machine, loop.Code, loop.PC}, Add: [3]uint32{loop.MachineAdd, 0, 0},
		})
	}
	if err != nil {
		e.mod = &module{unwatched: err}
		return e.mod, nil
	}
	mod, err := m.build(ctx, meta)
	if err != nil {
		return nil, execerr.Nodef("compiling the code %s to trace its opcodes: %w", code, err)
	}
	mod.loop = loop
	e.mod = mod
	return mod, nil
}
