package instrument

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// floats are bit patterns of f32 and f64 of both signs: numbers, infinities and NaNs,
// among them signalling ones and ones with a payload.
var floats32 = []uint64{0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f7fffff, 0x00000001, 0x7f800000, 0xff800000,
	0x7fc00000, 0xffc00000, 0x7fa00001, 0xffa00001, 0x7fc12345, 0xffffffff}
var floats64 = []uint64{0, 1 << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x7fefffffffffffff, 1, 0x7ff0000000000000,
	0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000000000, 0x7ff4000000000001, 0xfff4000000000001, 0x7ff8123456789abc,
	math.MaxUint64}

func floats(typ byte) []uint64 {
	if typ == f32 {
		return floats32
	}
	return floats64
}

// onBits is a guest whose function f does an instruction on floats given and returned as integers.
func onBits(op byte, o *ops.Ordinary) *guest {
	f := fn{name: "f"}
	for i := byte(0); i < o.N; i++ {
		f.code = append(f.code, ops.LocalGet, i)
		switch o.In[i] {
		case f32:
			f.params = append(f.params, i32)
			f.code = append(f.code, ops.F32ReinterpretI32)
		case f64:
			f.params = append(f.params, i64)
			f.code = append(f.code, ops.F64ReinterpretI64)
		}
	}
	f.code = append(f.code, op)
	if o.Out == f32 {
		f.results, f.code = []byte{i32}, append(f.code, ops.I32ReinterpretF32)
	} else {
		f.results, f.code = []byte{i64}, append(f.code, ops.I64ReinterpretF64)
	}
	return &guest{funcs: []fn{f}}
}

// isNaN reports whether bits are a NaN, and whether they are the one that every output gives.
func isNaN(typ byte, bits uint64) (nan, canonical bool) {
	if typ == f32 {
		return bits&0x7fffffff > 0x7f800000, bits == 0x7fc00000
	}
	return bits&^(1<<63) > 0x7ff0000000000000, bits == 0x7ff8000000000000
}

// All operands of an instruction on floats, before and after the pass.
func eachOperands(t *testing.T, config wazero.RuntimeConfig, op byte, check func(args []uint64, before, after uint64)) {
	t.Helper()
	o := &ordinaries[op]
	g := onBits(op, o)
	x := startOn(t, config, g, RulesV040())
	raw, err := x.instance(g.wasm())
	if err != nil {
		t.Fatal(err)
	}
	second := []uint64{0}
	if o.N == 2 {
		second = floats(o.In[1])
	}
	for _, a := range floats(o.In[0]) {
		for _, b := range second {
			args := []uint64{a, b}[:o.N]
			before, err := raw.ExportedFunction("f").Call(ctx, args...)
			if err != nil {
				t.Fatal(err)
			}
			after, err := x.call("f", args...)
			if err != nil {
				t.Fatal(err)
			}
			check(args, before[0], after)
		}
	}
}

func TestNaNsAreCanonical(t *testing.T) {
	instructions, nans := 0, 0
	for op := range ordinaries {
		o := &ordinaries[op]
		if o.N == 0 || o.In[0] != f32 && o.In[0] != f64 || o.Out != f32 && o.Out != f64 {
			continue
		}
		if keepsPayload := op >= 0x8b && op <= 0x8c || op >= 0x99 && op <= 0x9a || op == ops.F32Copysign || op == ops.F64Copysign; keepsPayload {
			continue
		}
		instructions++
		eachOperands(t, interpreter(), byte(op), func(args []uint64, before, after uint64) {
			nanBefore, _ := isNaN(o.Out, before)
			nan, canonical := isNaN(o.Out, after)
			if nan != canonical || nan != nanBefore || !nan && before != after {
				t.Errorf("instruction %#x of %#x: %#x, after the pass %#x", op, args, before, after)
			}
			if nan {
				nans++
			}
		})
	}
	if instructions != 24 || nans == 0 {
		t.Errorf("checked %d instructions with %d NaNs", instructions, nans)
	}
}

// abs, neg and copysign work on the sign alone.
func TestSignsKeepPayloads(t *testing.T) {
	for _, config := range []wazero.RuntimeConfig{interpreter(), wazero.NewRuntimeConfig()} {
		for _, op := range []byte{0x8b, 0x8c, ops.F32Copysign, 0x99, 0x9a, ops.F64Copysign} {
			sign := uint64(1) << 31
			if ordinaries[op].Out == f64 {
				sign = 1 << 63
			}
			eachOperands(t, config, op, func(args []uint64, _, after uint64) {
				want := args[0] &^ sign
				switch op {
				case 0x8c, 0x9a:
					want = args[0] ^ sign
				case ops.F32Copysign, ops.F64Copysign:
					want |= args[1] & sign
				}
				if after != want {
					t.Errorf("instruction %#x of %#x: %#x, want %#x", op, args, after, want)
				}
			})
		}
	}
}

// wazero on amd64 gives the wrong sign in large functions.
func TestCopysignIsRewritten(t *testing.T) {
	r := RulesV040()
	for _, op := range []byte{ops.F32Copysign, ops.F64Copysign} {
		g := onBits(op, &ordinaries[op])
		out, err := Instrument(g.wasm(), &r)
		if err != nil {
			t.Fatal(err)
		}
		m, err := decode(out.Code, &r)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(m.bodies[0], op) >= 0 {
			t.Errorf("instruction %#x is in the output % x", op, m.bodies[0])
		}
	}
}

// three pushes the operands of a bulk operation: place 0, source 0 and the parameter.
var three = []byte{ops.I32Const, 0, ops.I32Const, 0, ops.LocalGet, 0}

// Instantiation drops active and declared segments. wazero does not.
func TestDroppedSegmentsAreEmpty(t *testing.T) {
	f := func(name string, sub, segment byte) fn {
		return fn{name: name, params: []byte{i32}, code: append(three[:6:6], ops.Prefix, sub, segment, 0)}
	}
	drop := fn{name: "drop", code: []byte{ops.Prefix, ops.DataDrop, 0, ops.Prefix, ops.ElemDrop, 0, ops.Prefix, ops.ElemDrop, 1}}
	x := start(t, &guest{
		funcs: []fn{
			f("active data", ops.MemoryInit, 0), f("passive data", ops.MemoryInit, 1),
			f("active elements", ops.TableInit, 0), f("declared elements", ops.TableInit, 1),
			f("passive elements", ops.TableInit, 2), drop,
		},
		memory: []byte{1, 0, 1}, table: []byte{1, funcref, 0, 4},
		dataCount: 2,
		data:      []byte{2, 0, ops.I32Const, 1, ops.End, 2, 'a', 'b', 1, 2, 'c', 'd'},
		element:   []byte{3, 0, ops.I32Const, 0, ops.End, 2, 0, 1, 3, 0, 2, 0, 1, 1, 0, 2, 0, 1},
	}, RulesV040())
	// Engines differ in what they drop: the output asks for the empty segment behind the guest's.
	if n := bytes.Count(x.out.Code, []byte{ops.Prefix, ops.TableInit, 3, 0}); n != 2 {
		t.Errorf("%d of 2 dropped element segments are replaced", n)
	}
	if b, _ := x.mod.Memory().Read(0, 4); string(b) != "\x00ab\x00" {
		t.Errorf("memory %q after instantiation", b)
	}
	for range 2 {
		for _, name := range []string{"active data", "active elements", "declared elements", "passive data", "passive elements"} {
			size := uint64(0)
			if name[0] == 'p' {
				size = 2
			}
			if _, err := x.call(name, size); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := x.call(name, size+1); err == nil {
				t.Errorf("%s: more than %d are there", name, size)
			}
		}
		if _, err := x.call("drop"); err != nil {
			t.Error(err)
		}
	}
	if b, _ := x.mod.Memory().Read(0, 4); string(b) != "cdb\x00" {
		t.Errorf("memory %q", b)
	}
}

// Where making an instance fails, the output's start traps, and the guest's does not run.
func TestMisplacedSegments(t *testing.T) {
	for _, c := range []struct {
		name          string
		element, data []byte
		misplaced     bool
	}{
		{"data fit", nil, join([]byte{1, 0}, i32Const(65534), []byte{ops.End, 2, 1, 2}), false},
		{"data beyond", nil, join([]byte{1, 0}, i32Const(65535), []byte{ops.End, 2, 1, 2}), true},
		{"empty data at the end", nil, join([]byte{1, 0}, i32Const(65536), []byte{ops.End, 0}), false},
		{"empty data beyond", nil, join([]byte{1, 0}, i32Const(65537), []byte{ops.End, 0}), true},
		{"data at a negative offset", nil, []byte{1, 0, ops.I32Const, 0x7f, ops.End, 1, 1}, true},
		{"elements fit", []byte{1, 0, ops.I32Const, 1, ops.End, 1, 0}, nil, false},
		{"elements beyond", []byte{1, 0, ops.I32Const, 2, ops.End, 1, 0}, nil, true},
		{"elements at a negative offset", []byte{1, 0, ops.I32Const, 0x7f, ops.End, 1, 0}, nil, true},
		{"elements beyond, data fit", []byte{1, 0, ops.I32Const, 2, ops.End, 1, 0}, []byte{1, 0, ops.I32Const, 0, ops.End, 1, 1}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := &guest{hosts: []fn{{}}, funcs: []fn{{code: []byte{ops.Call, 0}}}, start: 1, element: c.element, data: c.data,
				memory: []byte{1, 0, 1}, table: []byte{1, funcref, 0, 2}}
			x := start(t, g, RulesV040())
			_, err := x.call(x.out.StartExport)
			if !c.misplaced {
				if err != nil || len(x.log) != 1 {
					t.Errorf("start: %v, %d calls", err, len(x.log))
				}
				return
			}
			wantTrap(t, err, "unreachable")
			if len(x.log) != 0 {
				t.Error("the guest's start ran")
			}
		})
	}
}

func TestModuleDescription(t *testing.T) {
	g := &guest{
		hosts:  []fn{{params: []byte{i64}, results: []byte{i32}, name: "import"}},
		funcs:  []fn{{name: "edgefvm.start"}},
		start:  1,
		memory: []byte{1, 1, 1, 2}, table: []byte{1, funcref, 0, 3},
		globals: []byte{1, i32, 1, ops.I32Const, 5, ops.End},
		exports: []export{{"memory", ops.KindMemory, 0}, {"table", ops.KindTable, 0}, {CounterExport, ops.KindGlobal, 0}, {"mine", ops.KindGlobal, 0}},
	}
	x := start(t, g, RulesV040())
	out := x.out
	if out.StartExport != "edgefvm.start_" {
		t.Errorf("start export %q", out.StartExport)
	}
	if fmt.Sprint(out.ExportOrder) != "[import edgefvm.start memory table gas_counter mine]" || len(out.Exports) != 6 {
		t.Errorf("exports %v, %v", out.ExportOrder, out.Exports)
	}
	if e := out.Exports["import"]; !e.IsFunc() || string(e.Params) != string([]byte{i64}) || string(e.Results) != string([]byte{i32}) {
		t.Errorf("export %+v", e)
	}
	if *out.Memory != (Extent{1, 2, true}) || !out.MemoryExported || *out.Table != (Extent{Min: 3}) || out.TableExported != out.Table {
		t.Errorf("memory %v, table %v, exported %v, %v", out.Memory, out.Table, out.MemoryExported, out.TableExported)
	}
	if im := out.Imports; len(im) != 1 || im[0].Module != "env" || im[0].Name != "h0" || im[0].Kind != ops.KindFunc {
		t.Errorf("imports %+v", im)
	}
	if counter(x.mod) != math.MaxInt64 || x.mod.ExportedGlobal("mine").Get() != 5 {
		t.Error("the guest's global stands for the counter")
	}
	// An exported import has a thunk: the host's function is called by the guest's code.
	if v, err := x.call("import", 7); err != nil || v != 0x3004005 || fmt.Sprint(x.log) != "[h0[7]]" {
		t.Errorf("call of an import: %#x, %v, %v", v, err, x.log)
	}
}

// What the network cannot link gets no code, and yet is judged.
func TestNotLinkable(t *testing.T) {
	for name, im := range map[string][]byte{
		"global": {1, 'g', 1, 'g', ops.KindGlobal, i32, 0}, "memory": {1, 'g', 1, 'g', ops.KindMemory, 0, 1},
		"function of no module": {0, 1, 'g', ops.KindFunc, 0},
		"table":                 {1, 'g', 1, 'g', ops.KindTable, funcref, 0, 1}, "helper": append([]byte("\x07edgefvm\x09exhausted"), ops.KindFunc, 0),
	} {
		r := RulesV040()
		wasm := module1(sec(ops.SecType, 1, 0x60, 0, 0), sec(ops.SecImport, append([]byte{1}, im...)...), sec(ops.SecFunction, 0))
		out, err := Instrument(wasm, &r)
		if err != nil || out.Code != nil || len(out.Imports) != 1 {
			t.Errorf("import of a %s: %+v, %v", name, out, err)
		}
	}
}

// The host may refuse a memory or a table that grows.
func TestGrowth(t *testing.T) {
	g := oneFunc(ops.LocalGet, 0, ops.MemoryGrow, 0)
	g.funcs[0].results = []byte{i32}
	g.table = []byte{1, funcref, 1, 1, 3}
	g.funcs = append(g.funcs, fn{name: "table", params: []byte{i32}, results: []byte{i32},
		code: []byte{ops.I32Const, 0, ops.TableGet, 0, ops.LocalGet, 0, ops.Prefix, ops.TableGrow, 0}})
	x := start(t, g, RulesV040())
	const no = math.MaxUint32
	for _, c := range []struct {
		name      string
		arg, want uint64
	}{
		{"f", 2, 1}, {"f", maxTestPages - 2, no}, {"f", maxTestPages - 3, 3}, {"f", 1, no}, {"f", 0, maxTestPages},
		{"table", 1, 1}, {"table", 2, no}, {"table", 1, 2}, {"table", 0, 3},
	} {
		if v, err := x.call(c.name, c.arg); err != nil || v != c.want {
			t.Errorf("%s grows by %d: %d, %v, want %d", c.name, c.arg, v, err, c.want)
		}
	}
}

// The host is told of a large memory before the guest writes to it, by a question about nothing.
func TestLargeMemoryIsTold(t *testing.T) {
	for _, r := range []Rules{RulesV040(), RulesV020()} {
		g := oneFunc(ops.LocalGet, 0, ops.MemoryGrow, 0)
		g.funcs[0].results = []byte{i32}
		out, err := Instrument(g.wasm(), &r)
		if err != nil {
			t.Fatal(err)
		}
		rt := wazero.NewRuntimeWithConfig(ctx, interpreter().WithCoreFeatures(features))
		defer rt.Close(ctx)
		var asked []string
		b := rt.NewHostModuleBuilder(HelperModule)
		b.NewFunctionBuilder().WithFunc(func() {}).Export("exhausted")
		b.NewFunctionBuilder().WithFunc(func(delta, current uint32) uint32 {
			asked = append(asked, fmt.Sprint(delta, "+", current))
			if delta == 7 {
				return 0
			}
			return 1
		}).Export("grow")
		if _, err := b.Instantiate(ctx); err != nil {
			t.Fatal(err)
		}
		m, err := rt.Instantiate(ctx, out.Code)
		if err != nil {
			t.Fatal(err)
		}
		setCounter(m, math.MaxInt64)
		var got []uint64
		for _, delta := range []uint64{LargeMemory - 1, 7, 1, 0, 7} {
			results, err := m.ExportedFunction("f").Call(ctx, delta)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, results[0])
		}
		want := "[127+1 7+128 1+128 0+129 0+129 0+129 7+129]"
		if r.CountPages {
			want = "[127+1 7+128 1+128 0+129 7+129]"
		}
		if fmt.Sprint(asked) != want || fmt.Sprint(got) != fmt.Sprint([]uint64{1, math.MaxUint32, 128, 129, math.MaxUint32}) {
			t.Errorf("the guest asked %v, want %s, and was answered %d", asked, want, got)
		}
	}
}

// A global's reference to an import is to its thunk: only the guest's own code calls it.
func TestGlobalReferenceToImport(t *testing.T) {
	r := RulesV040()
	g := &guest{hosts: []fn{{}}, funcs: []fn{{}}, globals: []byte{2, funcref, 0, ops.RefFunc, 0, ops.End, funcref, 0, ops.RefFunc, 1, ops.End}}
	out, err := Instrument(g.wasm(), &r)
	if err != nil {
		t.Fatal(err)
	}
	m, err := decode(out.Code, &r)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if f, ok := m.globals[i].function(); !ok || f < m.nImpFunc {
			t.Errorf("global %d refers to function %d, an import", i, f)
		}
	}
}
