package enginetest

import (
	"context"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// Bad code is an error of Compile. It is never a panic.
func testBadModules(x *fixture) {
	ctx := context.Background()
	for name, wasm := range badModules() {
		if m, err := x.env.Compile(ctx, wasm); err == nil {
			x.t.Errorf("%s was compiled: %v", name, m)
		}
	}
	// Every cut of a good module, and every byte of it changed: no panic.
	good := kernel()
	for i := range good {
		if m, err := x.env.Compile(ctx, good[:i]); err == nil {
			x.t.Errorf("the first %d bytes of a module were compiled: %v", i, m)
		}
		bad := append([]byte(nil), good...)
		bad[i] ^= 0xff
		if m, err := x.env.Compile(ctx, bad); err == nil {
			if err := m.Close(ctx); err != nil {
				x.t.Error(err)
			}
		}
	}
	in := x.kitchen() // the environment has not suffered
	x.want32(in, 2, "invoke", 1)
}

func badModules() map[string][]byte {
	bad := map[string][]byte{
		"nothing":     nil,
		"text":        []byte("(module)"),
		"a header":    []byte("\x00asm\x02\x00\x00\x00"),
		"huge counts": []byte("\x00asm\x01\x00\x00\x00\x01\x05\xff\xff\xff\xff\x0f"),
	}
	add := func(name string, build func(*wasmModule)) {
		m := &wasmModule{}
		build(m)
		bad[name] = m.bytes()
	}
	add("a module without the counter", func(m *wasmModule) { m.fn("f", none, none, 0) })
	add("a module with an i32 counter", func(m *wasmModule) { m.export(counterName, 3, m.global(i32, i32c(0))) })
	add("a module with a constant counter", func(m *wasmModule) {
		m.globals = append(m.globals, cat(op(i64, 0), i64c(0), op(ops.End)))
		m.export(counterName, 3, 0)
	})
	add("a module with a function for counter", func(m *wasmModule) { m.fn(counterName, none, none, 0) })
	withCounter := func(build func(*wasmModule)) func(*wasmModule) {
		return func(m *wasmModule) { m.counter(); build(m) }
	}
	add("an unknown import", withCounter(func(m *wasmModule) { m.imp("host", "absent", none, none) }))
	add("an unknown module", withCounter(func(m *wasmModule) { m.imp("absent", "f", one32, one32) }))
	add("an import of another type", withCounter(func(m *wasmModule) { m.imp("host", "f", one64, one32) }))
	add("an import with another result", withCounter(func(m *wasmModule) { m.imp("host", "f", one32, none) }))
	add("an imported memory", withCounter(func(m *wasmModule) {
		m.imports = append(m.imports, cat(vec([]byte("host")), vec([]byte("memory")), op(2, 0, 1)))
	}))
	add("an imported global", withCounter(func(m *wasmModule) {
		m.imports = append(m.imports, cat(vec([]byte("host")), vec([]byte("g")), op(3, i64, 0)))
	}))
	add("a start function", withCounter(func(m *wasmModule) { m.start = uleb(m.fn("", none, none, 0)) }))
	add("a body that underflows", withCounter(func(m *wasmModule) { m.fn("f", none, one32, 0, op(ops.I32Add)) }))
	add("a call of nothing", withCounter(func(m *wasmModule) { m.fn("f", none, none, 0, call(99)) }))
	add("a memory too large", withCounter(func(m *wasmModule) { m.memory(limits{min: 65537}) }))
	return bad
}

func testBadEnvironments(x *fixture) {
	ctx := context.Background()
	fn := func(context.Context, engine.Instance, []uint64) error { return nil }
	for name, host := range map[string][]engine.HostFunc{
		"twice":       {{Module: "a", Name: "b", Fn: fn}, {Module: "a", Name: "b", Fn: fn}},
		"no body":     {{Module: "a", Name: "b"}},
		"a float":     {{Module: "a", Name: "b", Params: []engine.ValueType{0x7d}, Fn: fn}},
		"two results": {{Module: "a", Name: "b", Results: []engine.ValueType{engine.I32, engine.I32}, Fn: fn}},
	} {
		if v, err := x.eng.Env(ctx, engine.EnvConfig{Host: host}); err == nil {
			x.t.Errorf("environment with a host function %s was made: %v", name, v)
		}
	}
}

// Environments of one engine do not see each other's host functions.
func testTwoEnvironments(x *fixture) {
	ctx := context.Background()
	first := x.compile(kitchen(1))
	fn := func(_ context.Context, _ engine.Instance, stack []uint64) error { stack[0] = 1000; return nil }
	host := hostFuncs(echo, &x.args)
	host[0].Fn = fn
	other, err := x.eng.Env(ctx, engine.EnvConfig{Host: host, Counter: counterName})
	if err != nil {
		x.t.Fatal(err)
	}
	second, err := other.Compile(ctx, kitchen(1))
	if err != nil {
		x.t.Fatal(err)
	}
	a, b := x.instantiate(first, nil), x.instantiate(second, nil)
	x.want32(a, 2, "invoke", 1)
	x.want32(b, 1000, "invoke", 1)
	x.close(b)
	for _, c := range []interface{ Close(context.Context) error }{second, other} {
		if err := c.Close(ctx); err != nil {
			x.t.Error(err)
		}
	}
	// The first one does not depend on the second, nor its code.
	x.want32(a, 2, "invoke", 1)
	x.want32(x.instantiate(first, nil), 2, "invoke", 1)
	for range 3 { // closing a module again takes nothing from another of the same code
		if err := second.Close(ctx); err != nil {
			x.t.Error(err)
		}
	}
	x.want32(x.instantiate(first, nil), 2, "invoke", 1)
}

func testClosing(x *fixture) {
	ctx := context.Background()
	m := x.compile(kitchen(1))
	in := x.instantiate(m, nil)
	x.f = func(ctx context.Context, caller engine.Instance, n uint32) (uint32, error) {
		if caller.Close(ctx) == nil {
			x.t.Error("a running instance was closed")
		}
		return n, nil
	}
	x.want32(in, 1, "invoke", 1)
	for range 2 {
		x.close(in)
	}
	if _, err := invoke(in, "echo32", 1); err == nil {
		x.t.Error("a closed instance runs")
	}
	if in.Memory() != nil {
		x.t.Error("a closed instance has a memory")
	}
	for range 2 {
		if err := m.Close(ctx); err != nil {
			x.t.Error(err)
		}
	}
	for range 2 {
		if err := x.env.Close(ctx); err != nil {
			x.t.Error(err)
		}
	}
	if _, err := x.env.Compile(ctx, kernel()); err == nil {
		x.t.Error("a closed environment compiles")
	}
	if err := x.eng.Close(ctx); err != nil {
		x.t.Error(err)
	}
	if _, err := x.eng.Env(ctx, engine.EnvConfig{}); err == nil {
		x.t.Error("a closed engine makes environments")
	}
	if _, err := m.Instantiate(ctx, nil); err == nil {
		x.t.Error("a closed engine instantiates")
	}
}
