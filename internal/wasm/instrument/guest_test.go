package instrument

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// fn is a function of a guest; a host function has only a type.
type fn struct {
	name            string // under which it is exported
	params, results []byte
	locals          []byte // pairs of number and type
	code            []byte // without the final end
}

// guest is a module of a test. The type of each function has the function's index.
type guest struct {
	hosts                                 []fn // imported from env as h0, h1, ...
	funcs                                 []fn
	table, memory, globals, element, data []byte // contents of sections
	exports                               []export
	start                                 int // 0: none
	dataCount                             byte
}

// oneFunc is a guest whose only function, f, takes one i32.
func oneFunc(code ...byte) *guest {
	return &guest{funcs: []fn{{name: "f", params: []byte{i32}, code: code}}, memory: []byte{1, 0, 1}}
}

func (g *guest) wasm() []byte {
	types, imports, funcs, exports, code := &ops.Writer{}, &ops.Writer{}, &ops.Writer{}, &ops.Writer{}, &ops.Writer{}
	types.Len(len(g.hosts) + len(g.funcs))
	imports.Len(len(g.hosts))
	funcs.Len(len(g.funcs))
	code.Len(len(g.funcs))
	n := len(g.exports)
	for i, f := range append(append([]fn(nil), g.hosts...), g.funcs...) {
		types.U8(0x60)
		types.String(string(f.params))
		types.String(string(f.results))
		if i < len(g.hosts) {
			imports.String("env")
			imports.String(fmt.Sprint("h", i))
			imports.Op(ops.KindFunc, uint32(i))
		} else {
			funcs.Len(i)
			body := &ops.Writer{}
			body.Len(len(f.locals) / 2)
			body.Append(f.locals)
			body.Append(f.code)
			body.U8(ops.End)
			code.String(string(body.B))
		}
		if f.name != "" {
			n++
			exports.String(f.name)
			exports.Op(ops.KindFunc, uint32(i))
		}
	}
	for _, e := range g.exports {
		exports.String(e.name)
		exports.Op(e.kind, e.index)
	}
	count := &ops.Writer{}
	count.Len(n)
	exports.B = append(count.B, exports.B...)
	w := &ops.Writer{B: []byte("\x00asm\x01\x00\x00\x00")}
	w.Section(ops.SecType, types.B)
	w.Section(ops.SecImport, imports.B)
	w.Section(ops.SecFunction, funcs.B)
	optional := func(id byte, body []byte) {
		if body != nil {
			w.Section(id, body)
		}
	}
	optional(ops.SecTable, g.table)
	optional(ops.SecMemory, g.memory)
	optional(ops.SecGlobal, g.globals)
	w.Section(ops.SecExport, exports.B)
	if g.start != 0 {
		w.Section(ops.SecStart, []byte{byte(g.start)})
	}
	optional(ops.SecElement, g.element)
	if g.dataCount != 0 {
		w.Section(ops.SecDataCount, []byte{g.dataCount})
	}
	w.Section(ops.SecCode, code.B)
	optional(ops.SecData, g.data)
	return w.B
}

var (
	ctx      = context.Background()
	features = api.CoreFeaturesV2 &^ api.CoreFeatureSIMD // as engine/wazero has them

	errOutOfGas = errors.New("out of gas")
	errNotGiven = errors.New("the engine did not give what was granted")
)

// fullCounter is what a counter is set to: enough for hundreds of thousands of instructions.
const fullCounter = 1 << 30

// maxTestPages bounds the memory of a test's instance.
const maxTestPages = 32

// host makes instances of modules and gives them the helpers and their imports.
type host struct {
	rt      wazero.Runtime
	refills int      // how often an exhausted counter is filled again
	pages   uint32   // that a memory may have
	log     []string // calls of imports
}

func newHost(t testing.TB, config wazero.RuntimeConfig, imports []Import) *host {
	t.Helper()
	h := &host{pages: maxTestPages, rt: wazero.NewRuntimeWithConfig(ctx, config.WithCoreFeatures(features).WithMemoryLimitPages(maxTestPages))}
	t.Cleanup(func() { h.rt.Close(ctx) })
	b := h.rt.NewHostModuleBuilder(HelperModule)
	b.NewFunctionBuilder().WithFunc(func(_ context.Context, m api.Module) {
		if h.refills--; h.refills < 0 {
			panic(errOutOfGas)
		}
		setCounter(m, fullCounter)
	}).Export("exhausted")
	b.NewFunctionBuilder().WithFunc(func(delta, current uint32) uint32 {
		if delta == math.MaxUint32 && current == math.MaxUint32 {
			panic(errNotGiven)
		}
		if uint64(delta)+uint64(current) > uint64(h.pages) {
			return 0
		}
		return 1
	}).Export("grow")
	b.NewFunctionBuilder().WithFunc(func(delta, current uint32) uint32 { return 1 }).Export("grow_table")
	if _, err := b.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	if len(imports) == 0 {
		return h
	}
	b = h.rt.NewHostModuleBuilder("env")
	for _, im := range imports {
		h.export(b, im)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	return h
}

// export offers an import whose results depend on what was called before.
func (h *host) export(b wazero.HostModuleBuilder, im Import) {
	b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(_ context.Context, m api.Module, stack []uint64) {
		for i, p := range im.Params {
			stack[i] = seen(p, stack[i])
		}
		h.log = append(h.log, fmt.Sprint(im.Name, stack[:len(im.Params)]))
		for i, r := range im.Results {
			v := uint64(len(h.log)) * 0x1002003004005
			switch r {
			case i32, f32:
				v &= math.MaxUint32
			case funcref:
				v = 0
			}
			stack[i] = v
		}
	}), im.Params, im.Results).Export(im.Name)
}

// seen is what can be compared of a value: of a reference, whether it is null.
func seen(typ byte, v uint64) uint64 {
	switch {
	case typ == i32, typ == f32:
		return v & math.MaxUint32
	case typ == funcref && v != 0:
		return 1
	}
	return v
}

func (h *host) instance(code []byte) (api.Module, error) {
	return h.rt.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
}

func counter(m api.Module) int64 { return int64(m.ExportedGlobal(CounterExport).Get()) }

func setCounter(m api.Module, v int64) {
	m.ExportedGlobal(CounterExport).(api.MutableGlobal).Set(uint64(v))
}

// instance is the output for a guest, made and started.
type instance struct {
	*host
	mod api.Module
	out *Module
}

func interpreter() wazero.RuntimeConfig { return wazero.NewRuntimeConfigInterpreter() }

func start(t testing.TB, g *guest, r Rules) *instance {
	t.Helper()
	return startOn(t, interpreter(), g, r)
}

func startOn(t testing.TB, config wazero.RuntimeConfig, g *guest, r Rules) *instance {
	t.Helper()
	out, err := Instrument(g.wasm(), &r)
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, config, out.Imports)
	mod, err := h.instance(out.Code)
	if err != nil {
		t.Fatal(err)
	}
	setCounter(mod, math.MaxInt64)
	return &instance{h, mod, out}
}

// call gives the result, if there is one.
func (x *instance) call(name string, args ...uint64) (uint64, error) {
	results, err := x.mod.ExportedFunction(name).Call(ctx, args...)
	if len(results) == 0 {
		return 0, err
	}
	return results[0], err
}

// gas is what a call takes off the counter.
func (x *instance) gas(name string, args ...uint64) (uint64, error) {
	before := counter(x.mod)
	_, err := x.call(name, args...)
	return uint64(before - counter(x.mod)), err
}

// wantTrap fails the test unless err is the given trap.
func wantTrap(t *testing.T, err error, trap string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "wasm error: "+trap) {
		t.Errorf("error %v, want the trap %q", err, trap)
	}
}

// refused gives the error for a module.
func refused(t *testing.T, wasm []byte, r Rules, want string) {
	t.Helper()
	_, err := Instrument(wasm, &r)
	if err == nil || !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want a refusal because of %q", err, want)
	}
}

func join(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func repeat(n int, b ...byte) []byte { return []byte(strings.Repeat(string(b), n)) }

// i32Const is the instruction that pushes v.
func i32Const(v int32) []byte {
	w := &ops.Writer{}
	w.U8(ops.I32Const)
	w.Signed(int64(v))
	return w.B
}

// section is one section of a module that no guest can be.
type section struct {
	id   byte
	body []byte
}

func sec(id byte, body ...byte) section { return section{id, body} }

// module1 is a module of version 1.
func module1(sections ...section) []byte {
	w := &ops.Writer{B: []byte("\x00asm\x01\x00\x00\x00")}
	for _, s := range sections {
		w.Section(s.id, s.body)
	}
	return w.B
}
