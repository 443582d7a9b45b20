package wazero

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"

	wz "github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/edgefvm/fvm/engine"
)

// Compile validates and compiles wasm. Imports that the environment does not
// offer, a start function and a missing counter are errors here, so that they
// cannot become one per invocation.
func (v *env) Compile(ctx context.Context, wasm []byte) (_ engine.Module, err error) {
	// What goes wrong in the compiler is an error of the code that it was given. So it
	// works on this goroutine alone; callers who want several processors compile
	// several modules at once.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("wazero: compiler failed: %v", r)
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rt := v.rt
	c, err := v.eng.compile(rt, wasm)
	if lost := new(fs.PathError); errors.As(err, &lost) {
		// wazero cannot read its folder and gives up. The code is not to blame.
		if rt, err = v.withoutDisk(ctx, lost); err == nil {
			c, err = rt.CompileModule(context.Background(), wasm)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("wazero: compile: %w", err)
	}
	facts, err := scan(wasm, v.counter, v.reset)
	if err == nil {
		err = v.checkImports(c)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("wazero: compile: %w", err), c.Close(ctx))
	}
	_, exported := c.ExportedMemories()["memory"]
	return &module{env: v, rt: rt, code: c, facts: facts, memory: exported}, nil
}

// compile goes through the cache on disk if there is one.
func (e *wazeroEngine) compile(rt wz.Runtime, wasm []byte) (wz.CompiledModule, error) {
	if e.disk != nil {
		return e.disk.compile(rt, wasm)
	}
	return rt.CompileModule(context.Background(), wasm)
}

func (v *env) checkImports(c wz.CompiledModule) error {
	for _, f := range c.ImportedFunctions() {
		mod, name, _ := f.Import()
		sig, ok := v.host[hostKey{mod, name}]
		if !ok {
			return fmt.Errorf("import %s.%s is not offered", mod, name)
		}
		if sig.params != string(f.ParamTypes()) || sig.results != string(f.ResultTypes()) {
			return fmt.Errorf("import %s.%s has another type", mod, name)
		}
	}
	return nil
}

// module is compiled code in one environment.
type module struct {
	env    *env
	rt     wz.Runtime // where code was compiled
	code   wz.CompiledModule
	facts  facts
	memory bool // a memory is exported as "memory"
	closed atomic.Bool

	once sync.Once
	new  *snapshot // of the first guest, nil if guests cannot be reset
	kept []*guest  // the shelf's, whose lock guards it
}

// Close drops this use of the code and the guests kept of it. wazero counts the uses of equal code, so it
// must be done once.
func (m *module) Close(ctx context.Context) error {
	if m.closed.Swap(true) {
		return nil
	}
	m.env.eng.shelf.clear(func(of *module) bool { return of == m })
	return m.code.Close(ctx)
}

// Instantiate makes an instance of a kept guest, or of a new one, whose memory comes from the pool, all zero.
func (m *module) Instantiate(ctx context.Context, data any) (engine.Instance, error) {
	if m.closed.Load() {
		return nil, errClosed
	}
	if m.facts.misfit != 0 {
		return nil, &engine.Trap{Kind: m.facts.misfit}
	}
	g := m.env.eng.shelf.take(m)
	if g != nil {
		if err := m.reset(ctx, g); err != nil {
			return nil, errors.Join(err, g.close(ctx))
		}
	} else {
		var err error
		if g, err = m.fresh(); err != nil {
			return nil, err
		}
		m.once.Do(func() { m.new = m.snapshot(g) })
	}
	in := &instance{guest: g, m: m, data: data}
	in.run.in = in
	return in, nil
}

// fresh makes a guest.
func (m *module) fresh() (_ *guest, err error) {
	g := &guest{}
	g.mem.pool = m.env.eng.pool
	g.mem.mapped = m.env.eng.pages != nil && m.mayBeKept()
	// No guest code runs here, so wazero needs nothing of the caller's context.
	ctx := experimental.WithMemoryAllocator(context.Background(), &g.mem)
	defer func() {
		r := recover()
		if r == nil && err == nil {
			return
		}
		if r != nil { // wazero's way to say that there is no memory
			err = fmt.Errorf("wazero: instantiate: %v", r)
		}
		g.mem.Free()
	}()
	g.mod, err = m.rt.InstantiateModule(ctx, m.code, m.env.modcfg)
	if err != nil {
		return nil, fmt.Errorf("wazero: instantiate: %w", err)
	}
	if m.env.counter != "" {
		g.counter = g.mod.ExportedGlobal(m.env.counter).(api.MutableGlobal)
	}
	for _, x := range m.facts.mutable {
		g.mutable = append(g.mutable, g.mod.ExportedGlobal(x).(api.MutableGlobal))
	}
	return g, nil
}
