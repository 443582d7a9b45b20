package instrument

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// weight is the stack cost of the only function of a module.
func weight(t *testing.T, wasm []byte, r Rules) uint32 {
	t.Helper()
	m, err := decode(wasm, &r)
	if err != nil {
		t.Fatal(err)
	}
	bodies, err := m.analyze(m.globals)
	if err != nil {
		t.Fatal(err)
	}
	return bodies[0].weight
}

// store pops two values, of which one is there.
var store = []byte{ops.I32Const, 0, 0x36, 0, 0}

func TestStackWeight(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		want uint32 // beyond the activation
	}{
		{"nothing", nil, 0},
		{"one value", []byte{ops.LocalGet, 0, ops.Drop}, 1},
		{"arithmetic", []byte{ops.LocalGet, 0, ops.LocalGet, 0, ops.I32Add, ops.LocalGet, 0, ops.I32Add, ops.Drop}, 2},
		{"tee", []byte{ops.LocalGet, 0, ops.LocalTee, 0, ops.Drop}, 1},
		{"call", join(three, []byte{ops.Drop, ops.Drop, ops.Call, 0}), 3},
		{"select", join(three, []byte{ops.Select, ops.LocalGet, 0, ops.Drop, ops.Drop}), 3},
		{"block", []byte{ops.LocalGet, 0, ops.Block, i32, ops.LocalGet, 0, ops.LocalGet, 0, ops.I32Add, ops.End, ops.Drop, ops.Drop}, 3},
		{"branch", join([]byte{ops.Block, i32}, three, []byte{ops.Drop, ops.BrIf, 0, ops.End, ops.Drop}), 3},
		{"if", join([]byte{ops.LocalGet, 0, ops.If, ops.BlockEmpty}, three, []byte{ops.Drop, ops.Drop, ops.Drop, ops.End}), 3},
		{"if and else", []byte{ops.LocalGet, 0, ops.If, ops.BlockEmpty, ops.Else, ops.LocalGet, 0, ops.Drop, ops.End}, 1},
		{"dead after return", join([]byte{ops.Return}, three, []byte{ops.Drop, ops.Drop, ops.Drop}), 0},
		{"dead after br", join([]byte{ops.Br, 0}, three, []byte{ops.Drop, ops.Drop, ops.Drop}), 0},
		{"dead after br_table", join([]byte{ops.LocalGet, 0, ops.BrTable, 0, 0}, three, []byte{ops.Drop, ops.Drop, ops.Drop}), 1},
		{"dead in a block", join([]byte{ops.Block, ops.BlockEmpty, ops.Unreachable, ops.End}, three, []byte{ops.Drop, ops.Drop, ops.Drop}), 3},
	} {
		if got := weight(t, oneFunc(c.code...).wasm(), RulesV040()); got != activation+c.want {
			t.Errorf("%s: %d, want %d", c.name, got, activation+c.want)
		}
	}
}

// Of locals, the groups count, even empty ones.
func TestQuirkLocalsCountByGroups(t *testing.T) {
	for _, c := range []struct {
		locals       []byte
		groups, each uint32
	}{{nil, 0, 0}, {[]byte{100, i32}, 1, 100}, {[]byte{1, i32, 1, i32, 2, i64}, 3, 4}, {[]byte{0, i32, 0, i64}, 2, 0}} {
		g := oneFunc()
		g.funcs[0].locals = c.locals
		r := RulesV040()
		groups := weight(t, g.wasm(), r)
		r.StackCountsGroups = false
		if all := weight(t, g.wasm(), r); groups != activation+c.groups || all != activation+c.each {
			t.Errorf("locals % x: %d by groups and %d each, want %d and %d more than %d", c.locals, groups, all, c.groups, c.each, activation)
		}
	}
}

// In code that is never reached the height can fall below that of the block.
func TestQuirkHeightAfterUnreachable(t *testing.T) {
	const height = activation
	for _, c := range []struct {
		name string
		code []byte
		want uint32
	}{
		// 1 below the activation's height, the block's three count from there.
		{"a block after a fall", join([]byte{ops.Unreachable}, store, []byte{ops.Block, ops.BlockEmpty}, three, []byte{ops.Drop, ops.Drop, ops.Drop, ops.End}), height - 1 + 3},
		// Unreachable does not clear what is on the stack.
		{"a block on what was left", join([]byte{ops.LocalGet, 0, ops.LocalGet, 0, ops.Unreachable, ops.Block, ops.BlockEmpty}, three, []byte{ops.Drop, ops.Drop, ops.Drop, ops.End}), height + 2 + 3},
		// At the block's own height pops are free.
		{"the block's height is a floor", join([]byte{ops.Block, ops.BlockEmpty, ops.Unreachable, ops.Drop, ops.Drop, ops.Drop, ops.Block, ops.BlockEmpty}, three, []byte{ops.Drop, ops.Drop, ops.Drop, ops.End, ops.End}), height + 3},
		// Below it they are not: store falls to 1 below the block's height, drops to 3 below.
		{"a fall goes on", join([]byte{ops.LocalGet, 0, ops.LocalGet, 0, ops.Block, ops.BlockEmpty, ops.Unreachable}, store, []byte{ops.Drop, ops.Drop, ops.Block, ops.BlockEmpty}, three, three, repeat(6, ops.Drop), []byte{ops.End, ops.End, ops.Drop, ops.Drop}), height + 2 - 3 + 6},
		// A block's end sets the height right.
		{"the end", join([]byte{ops.Block, ops.BlockEmpty, ops.Unreachable}, store, []byte{ops.End}, three, []byte{ops.Drop, ops.Drop, ops.Drop}), height + 3},
	} {
		if got := weight(t, oneFunc(c.code...).wasm(), RulesV040()); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	// 2, then 1, then 0, where the floor of the function is, and all is well.
	weight(t, oneFunc(join([]byte{ops.Unreachable}, repeat(2, store...))...).wasm(), RulesV040())
	// From 1 above the floor a pop of two falls through it.
	refused(t, oneFunc(join([]byte{ops.Unreachable}, repeat(3, store...))...).wasm(), RulesV040(), "stack height underflows")
}

// else goes on with the height at the end of the first branch, and with its end unreachable.
func TestQuirkHeightAtElse(t *testing.T) {
	two := []byte{ops.LocalGet, 0, ops.LocalGet, 0, ops.I32Add}
	for _, c := range []struct {
		name        string
		then, other []byte
		want        uint32
	}{
		{"a value left", []byte{ops.LocalGet, 0}, two, 3},
		{"unreachable", []byte{ops.Unreachable}, two, 1}, // of the condition
		{"the other way round", two, []byte{ops.Unreachable}, 2},
	} {
		code := join([]byte{ops.LocalGet, 0, ops.If, i32}, c.then, []byte{ops.Else}, c.other, []byte{ops.End, ops.Drop})
		if got := weight(t, oneFunc(code...).wasm(), RulesV040()); got != activation+c.want {
			t.Errorf("%s: %d, want %d", c.name, got, activation+c.want)
		}
	}
}

// A function that calls itself without end runs as often as its weight fits the limit.
func TestStackLimit(t *testing.T) {
	for _, c := range []struct {
		groups int
		limit  uint32
	}{{0, 2048}, {1, 2048}, {252, 2048}, {509, 2048}, {510, 2048}, {2044, 2048}, {2045, 2048}, {0, 100}} {
		g := &guest{
			funcs: []fn{{name: "f", locals: repeat(c.groups, 1, i32), code: []byte{
				ops.GlobalGet, 0, ops.I32Const, 1, ops.I32Add, ops.GlobalSet, 0, ops.Call, 0,
			}}},
			globals: []byte{1, i32, 1, ops.I32Const, 0, ops.End},
			exports: []export{{"depth", ops.KindGlobal, 0}},
		}
		r := RulesV040()
		r.StackLimit = c.limit
		x := start(t, g, r)
		_, err := x.call("f")
		wantTrap(t, err, "unreachable")
		want := uint64(c.limit) / uint64(activation+2+c.groups)
		if got := x.mod.ExportedGlobal("depth").Get(); got != want {
			t.Errorf("%d groups, limit %d: depth %d, want %d", c.groups, c.limit, got, want)
		}
	}
}

// Calls that return give back what they weigh.
func TestStackIsGivenBack(t *testing.T) {
	g := oneFunc(ops.Loop, ops.BlockEmpty, ops.Call, 1, ops.LocalGet, 0, ops.I32Const, 1, ops.I32Sub, ops.LocalTee, 0, ops.BrIf, 0, ops.End)
	g.funcs = append(g.funcs, fn{locals: repeat(2000, 1, i32)})
	x := start(t, g, RulesV040())
	for range 3 {
		if _, err := x.call("f", 1000); err != nil {
			t.Fatal(err)
		}
	}
}

// leb is v in n bytes.
func leb(v uint64, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(v&0x7f) | 0x80
		v >>= 7
	}
	b[n-1] &= 0x7f
	return b
}

// Sections of small modules.
var (
	types1  = sec(ops.SecType, 1, 0x60, 0, 0)
	funcs0  = sec(ops.SecFunction, 0)
	funcs1  = sec(ops.SecFunction, 1, 0)
	table1  = sec(ops.SecTable, 1, funcref, 0, 1)
	memory1 = sec(ops.SecMemory, 1, 0, 1)
	code1   = sec(ops.SecCode, 1, 2, 0, ops.End)
)

func TestAccepted(t *testing.T) {
	rt := wazero.NewRuntimeWithConfig(ctx, interpreter().WithCoreFeatures(features))
	defer rt.Close(ctx)
	r := RulesV040()
	long := strings.Repeat("x", maxString)
	for name, wasm := range map[string][]byte{
		"least":                     module1(funcs0),
		"a function":                module1(types1, funcs1, code1),
		"gas without exports":       module1(types1, funcs1, sec(ops.SecCode, 1, 5, 0, ops.I32Const, 0, ops.Drop, ops.End)),
		"custom sections":           module1(sec(ops.SecCustom, 1, 'a', 0xff), types1, sec(ops.SecCustom, 0), funcs0, sec(ops.SecCustom, 0)),
		"padded size":               join(module1(), []byte{ops.SecFunction}, leb(1, 5), []byte{0}),
		"padded numbers":            module1(sec(ops.SecFunction, leb(0, 5)...)),
		"padded constant":           oneFunc(join([]byte{ops.I32Const}, []byte{0xff, 0xff, 0xff, 0xff, 0x7f}, []byte{ops.Drop})...).wasm(),
		"greatest name":             module1(types1, sec(ops.SecImport, join([]byte{1}, leb(maxString, 3), []byte(long), []byte{1, 'x', ops.KindFunc, 0})...), funcs0),
		"empty data offset":         module1(funcs0, memory1, sec(ops.SecData, 1, 2, 0, ops.I32Const, 0, ops.End, 0)),
		"no elements as exprs":      module1(funcs0, table1, sec(ops.SecElement, 1, 4, ops.I32Const, 0, ops.End, 0)),
		"passive elements":          module1(funcs0, sec(ops.SecElement, 1, 1, 0, 0)),
		"greatest table":            module1(funcs0, sec(ops.SecTable, join([]byte{1, funcref, 0}, leb(20000, 3))...)),
		"greatest memory":           module1(funcs0, sec(ops.SecMemory, join([]byte{1, 0}, leb(8192, 3))...)),
		"greatest maximum":          module1(funcs0, sec(ops.SecMemory, join([]byte{1, 1, 0}, leb(65536, 3))...)),
		"greatest number of locals": oneLocals(join([]byte{1}, leb(maxLocals-1, 3), []byte{i64})...),
		"locals far from the first": farLocal(ops.F64Const, 0, 0, 0, 0, 0, 0, 0, 0),
		"global":                    module1(funcs0, sec(ops.SecGlobal, 1, i64, 0, ops.I64Const, 0, ops.End)),
		"typed dead code":           oneFunc(ops.Unreachable, ops.I32Add, ops.Drop).wasm(),
		"select of anything":        oneFunc(ops.Unreachable, ops.Select, ops.Drop).wasm(),
		"exports":                   manyExports(997),
		"locals":                    manyLocals(maxLocals - 2),
		"instance":                  manyGlobals(65520),
		"types of br_table":         oneFunc(ops.Block, i64, ops.Block, i32, ops.Unreachable, ops.BrTable, 1, 0, 1, ops.End, ops.Drop, ops.I64Const, 0, ops.End, ops.Drop).wasm(),
	} {
		t.Run(name, func(t *testing.T) {
			if !checkAny(t, rt, wasm) {
				_, err := Instrument(wasm, &r)
				t.Error(err)
			}
		})
	}
}

// oneLocals is a guest of one function of one parameter with the locals given.
func oneLocals(locals ...byte) []byte {
	body := append(locals, ops.End)
	return module1(sec(ops.SecType, 1, 0x60, 1, i32, 0), funcs1, sec(ops.SecCode, join([]byte{1}, leb(uint64(len(body)), 5), body)...))
}

// manyGlobals is a guest of n globals: each takes 16 bytes of the 1 MiB of an
// instance, of which 240 and the gas counter's 16 are taken.
func manyGlobals(n int) []byte {
	return module1(funcs0, sec(ops.SecGlobal, join(leb(uint64(n), 3), repeat(n, i32, 0, ops.I32Const, 0, ops.End))...))
}

// manyLocals is a guest whose function has a parameter, n locals, and need of one more.
func manyLocals(n int) []byte {
	g := oneFunc(ops.LocalGet, 0, ops.MemoryGrow, 0, ops.Drop)
	g.funcs[0].locals = repeat(n/100, 100, i64)
	if n%100 != 0 {
		g.funcs[0].locals = append(g.funcs[0].locals, byte(n%100), i64)
	}
	return g.wasm()
}

// farLocal is a guest whose function sets a local of type f64, one of two after many.
func farLocal(value ...byte) []byte {
	g := oneFunc(append(value, join([]byte{ops.LocalSet}, leb(1+200+2, 2))...)...)
	g.funcs[0].locals = join([]byte{100, i64, 0, f32, 100, i32}, []byte{2, f32, 2, f64, 5, i64})
	return g.wasm()
}

// manyExports is a guest whose exports are of 999,000 types and n more.
func manyExports(n int) []byte {
	g := &guest{funcs: []fn{{params: repeat(999, i32)}}, memory: []byte{1, 0, 1}}
	for i := range 999 {
		g.exports = append(g.exports, export{fmt.Sprint(i), ops.KindFunc, 0})
	}
	for i := range n {
		g.exports = append(g.exports, export{fmt.Sprint("memory", i), ops.KindMemory, 0})
	}
	return g.wasm()
}

func TestRefused(t *testing.T) {
	imports := func(what ...byte) section { return sec(ops.SecImport, append([]byte{1, 1, 'a', 1, 'b'}, what...)...) }
	for _, c := range []struct {
		name string
		wasm []byte
		want string
	}{
		// The binary format.
		{"no bytes", nil, "version 1"},
		{"short", []byte("\x00asm\x01\x00\x00"), "version 1"},
		{"magic", []byte("\x00asn\x01\x00\x00\x00"), "version 1"},
		{"version", []byte("\x00asm\x02\x00\x00\x00"), "version 1"},
		{"a component", []byte("\x00asm\x0d\x00\x01\x00"), "version 1"},
		{"section twice", module1(funcs0, funcs0), "out of order"},
		{"section order", module1(funcs0, types1), "out of order"},
		{"data count after code", module1(funcs0, sec(ops.SecCode, 0), sec(ops.SecDataCount, 0)), "out of order"},
		{"unknown section", module1(funcs0, sec(13)), "unknown section"},
		{"section too long", append(module1(), ops.SecType, 5, 0), "unexpected end"},
		{"section without size", append(module1(), ops.SecType), "unexpected end"},
		{"bytes left in a section", module1(sec(ops.SecFunction, 0, 0)), "bytes left"},
		{"bytes left after the sections", append(module1(funcs0), 1), "unexpected end"},
		{"custom section without a name", module1(sec(ops.SecCustom)), "unexpected end"},
		{"custom section with a wrong name", module1(sec(ops.SecCustom, 1, 0xff)), "UTF-8"},
		{"number too long", module1(sec(ops.SecFunction, leb(0, 6)...)), "too long"},
		{"number too large", module1(sec(ops.SecFunction, leb(1<<32, 5)...)), "too large"},
		{"constant too long", oneFunc(join([]byte{ops.I32Const}, leb(0, 6), []byte{ops.Drop})...).wasm(), "too long"},
		{"constant too large", oneFunc(ops.I32Const, 0x80, 0x80, 0x80, 0x80, 0x10, ops.Drop).wasm(), "too large"},
		{"constant of 64 bits too long", oneFunc(join([]byte{ops.I64Const}, leb(0, 11), []byte{ops.Drop})...).wasm(), "too long"},
		{"constant of 64 bits too large", oneFunc(join([]byte{ops.I64Const}, repeat(9, 0x80), []byte{1, ops.Drop})...).wasm(), "too large"},
		{"name not UTF-8", module1(types1, sec(ops.SecImport, 1, 1, 0xff, 0, ops.KindFunc, 0), funcs0), "UTF-8"},
		{"name too long", module1(types1, sec(ops.SecImport, join([]byte{1}, leb(maxString+1, 3), make([]byte, maxString+1))...), funcs0), "string too long"},

		// Types and imports.
		{"not a function type", module1(sec(ops.SecType, 1, 0x5f, 0, 0)), "not a function type"},
		{"more than one result", module1(sec(ops.SecType, 1, 0x60, 0, 2, i32, i32)), "more than one result"},
		{"v128", module1(sec(ops.SecType, 1, 0x60, 1, 0x7b, 0)), "not accepted"},
		{"externref", module1(sec(ops.SecType, 1, 0x60, 1, 0x6f, 0)), "not accepted"},
		{"too many parameters", module1(sec(ops.SecType, join([]byte{1, 0x60}, leb(maxParams+1, 2), repeat(maxParams+1, i32), []byte{0})...)), "too many values"},
		{"too many types", module1(sec(ops.SecType, leb(maxItems+1, 3)...)), "too many items"},
		{"unknown type of an import", module1(imports(ops.KindFunc, 0)), "unknown type"},
		{"import of a tag", module1(imports(4, 0, 0)), "import of kind"},
		{"unknown type of a function", module1(types1, sec(ops.SecFunction, 1, 1)), "unknown type"},

		// Tables, memories, globals.
		{"table of externref", module1(funcs0, sec(ops.SecTable, 1, 0x6f, 0, 1)), "element type"},
		{"more than one table", module1(funcs0, sec(ops.SecTable, 2, funcref, 0, 1, funcref, 0, 1)), "more than one table"},
		{"table too large", module1(funcs0, sec(ops.SecTable, join([]byte{1, funcref, 0}, leb(20001, 3))...)), "table too large"},
		{"more than one memory", module1(funcs0, sec(ops.SecMemory, 2, 0, 1, 0, 1)), "too many items"},
		{"more than one memory by import", module1(imports(ops.KindMemory, 0, 1), funcs0, memory1), "too many items"},
		{"memory too large", module1(funcs0, sec(ops.SecMemory, join([]byte{1, 0}, leb(8193, 3))...)), "memory too large"},
		{"memory of more than 4 GiB", module1(funcs0, sec(ops.SecMemory, join([]byte{1, 1, 1}, leb(65537, 3))...)), "limits too large"},
		{"minimum above maximum", module1(funcs0, sec(ops.SecMemory, 1, 1, 2, 1)), "minimum above maximum"},
		{"shared memory", module1(funcs0, sec(ops.SecMemory, 1, 3, 1, 1)), "invalid limits"},
		{"memory of 64 bits", module1(funcs0, sec(ops.SecMemory, 1, 4, 1)), "invalid limits"},
		{"mutability", module1(funcs0, sec(ops.SecGlobal, 1, i32, 2, ops.I32Const, 0, ops.End)), "mutability"},
		{"global of a wrong type", module1(funcs0, sec(ops.SecGlobal, 1, i32, 0, ops.I64Const, 0, ops.End)), "wrong form or type"},
		{"global of two instructions", module1(funcs0, sec(ops.SecGlobal, 1, i32, 0, ops.I32Const, 0, ops.I32Const, 0, ops.I32Add, ops.End)), "wrong form or type"},
		{"global that is not constant", module1(funcs0, sec(ops.SecGlobal, 1, i32, 0, ops.Nop, ops.End)), "is not constant"},
		{"global of a defined global", module1(funcs0, sec(ops.SecGlobal, 2, i32, 0, ops.I32Const, 0, ops.End, i32, 0, ops.GlobalGet, 0, ops.End)), "immutable imported"},
		{"global of an unknown function", module1(funcs0, sec(ops.SecGlobal, 1, funcref, 0, ops.RefFunc, 0, ops.End)), "unknown function"},
		{"global of another reference", module1(funcs0, sec(ops.SecGlobal, 1, funcref, 0, ops.RefNull, 0x6f, ops.End)), "reference type"},

		// Exports, start, segments.
		{"duplicate export", module1(funcs0, memory1, sec(ops.SecExport, 2, 1, 'a', ops.KindMemory, 0, 1, 'a', ops.KindMemory, 0)), "duplicate export"},
		{"unknown export", module1(funcs0, sec(ops.SecExport, 1, 1, 'a', ops.KindFunc, 0)), "unknown"},
		{"export of a tag", module1(funcs0, sec(ops.SecExport, 1, 1, 'a', 4, 0)), "unknown"},
		{"unknown start", module1(funcs0, sec(ops.SecStart, 0)), "unknown start"},
		{"start with a parameter", module1(sec(ops.SecType, 1, 0x60, 1, i32, 0), funcs1, sec(ops.SecStart, 0), code1), "wrong type"},
		{"element flags", module1(funcs0, table1, sec(ops.SecElement, 1, 8)), "invalid element"},
		{"elements without a table", module1(funcs0, sec(ops.SecElement, 1, 0, ops.I32Const, 0, ops.End, 0)), "unknown table"},
		{"unknown element", module1(funcs0, table1, sec(ops.SecElement, 1, 0, ops.I32Const, 0, ops.End, 1, 0)), "unknown function"},
		{"elements of another kind", module1(funcs0, sec(ops.SecElement, 1, 1, 1, 0)), "element type"},
		{"elements of another type", module1(funcs0, sec(ops.SecElement, 1, 5, 0x6f, 0)), "element type"},
		{"too many elements", module1(funcs0, sec(ops.SecElement, join([]byte{1, 1, 0}, leb(maxElems+1, 4))...)), "too many elements"},
		{"data without a memory", module1(funcs0, sec(ops.SecData, 1, 0, ops.I32Const, 0, ops.End, 0)), "unknown memory"},
		{"data flags", module1(funcs0, memory1, sec(ops.SecData, 1, 3)), "invalid data"},
		{"data offset of a wrong type", module1(funcs0, memory1, sec(ops.SecData, 1, 0, ops.I64Const, 0, ops.End, 0)), "wrong form or type"},
		{"data count differs", module1(funcs0, sec(ops.SecDataCount, 1), sec(ops.SecData, 0)), "wrong number of data"},
		{"data are missing", module1(funcs0, sec(ops.SecDataCount, 1)), "data segments are missing"},
		{"too many data", module1(funcs0, sec(ops.SecDataCount, leb(maxSegments+1, 3)...)), "too many data"},
		{"data too long", module1(funcs0, sec(ops.SecData, 1, 1, 5, 0)), "unexpected end"},

		// Bodies.
		{"body missing", module1(types1, funcs1), "without bodies"},
		{"bodies of no function", module1(types1, funcs0, code1), "differ in number"},
		{"no end", module1(types1, funcs1, sec(ops.SecCode, 1, 1, 0)), "without end"},
		{"empty body", module1(types1, funcs1, sec(ops.SecCode, 1, 0)), "unexpected end"},
		{"instructions after the end", module1(types1, funcs1, sec(ops.SecCode, 1, 3, 0, ops.End, ops.End)), "after the end"},
		{"too many locals", oneLocals(join([]byte{1}, leb(maxLocals, 3), []byte{i32})...), "too many locals"},
		{"too many locals in all", oneLocals(join([]byte{2}, leb(maxLocals-1, 3), []byte{i32, 1, i64})...), "too many locals"},
		{"type of a local far from the first", farLocal(ops.I64Const, 0), "is wanted"},
		{"type of a local", oneLocals(1, 1, 0x6f), "not accepted"},
		{"value missing", oneFunc(ops.Drop).wasm(), "value missing"},
		{"value of the block outside", oneFunc(ops.LocalGet, 0, ops.Block, ops.BlockEmpty, ops.Drop, ops.End).wasm(), "value missing"},
		{"value left", oneFunc(ops.LocalGet, 0).wasm(), "values left"},
		{"wrong type", oneFunc(ops.I64Const, 0, 0x45, ops.Drop).wasm(), "is wanted"},
		{"unknown local", oneFunc(ops.LocalGet, 1, ops.Drop).wasm(), "unknown local"},
		{"unknown global", oneFunc(ops.GlobalGet, 0, ops.Drop).wasm(), "unknown global"},
		{"unknown label", oneFunc(ops.Br, 1).wasm(), "unknown label"},
		{"unknown label of br_table", oneFunc(ops.LocalGet, 0, ops.BrTable, 1, 1, 0).wasm(), "unknown label"},
		{"unknown callee", oneFunc(ops.Call, 1).wasm(), "unknown function"},
		{"call_indirect without a table", oneFunc(ops.LocalGet, 0, ops.LocalGet, 0, ops.CallIndirect, 0, 0).wasm(), "unknown table"},
		{"br_table too large", oneFunc(join([]byte{ops.LocalGet, 0, ops.BrTable}, leb(maxBrTable+1, 3))...).wasm(), "br_table too large"},
		{"targets of br_table", oneFunc(ops.Block, i32, ops.LocalGet, 0, ops.LocalGet, 0, ops.BrTable, 1, 0, 1, ops.End, ops.Drop).wasm(), "br_table differ"},
		{"else without if", oneFunc(ops.Block, ops.BlockEmpty, ops.Else, ops.End).wasm(), "else without if"},
		{"if without else", oneFunc(ops.LocalGet, 0, ops.If, i32, ops.LocalGet, 0, ops.End, ops.Drop).wasm(), "without else"},
		{"block of a type index", oneFunc(ops.Block, 0, ops.End).wasm(), "block type"},
		{"alignment", oneFunc(ops.LocalGet, 0, 0x28, 3, 0, ops.Drop).wasm(), "alignment"},
		{"select of two types", oneFunc(ops.LocalGet, 0, ops.I64Const, 0, ops.LocalGet, 0, ops.Select, ops.Drop).wasm(), "select of different"},
		{"memory byte", oneFunc(ops.MemorySize, 1, ops.Drop).wasm(), "zero byte"},
		{"memory byte padded", oneFunc(ops.MemorySize, 0x80, 0, ops.Drop).wasm(), "zero byte"},
		{"memory index", oneFunc(join(three, []byte{ops.Prefix, ops.MemoryFill, 1})...).wasm(), "unknown memory"},
		{"data segment without a count", oneFunc(ops.Prefix, ops.DataDrop, 0).wasm(), "unknown data segment"},
		{"element segment", oneFunc(ops.Prefix, ops.ElemDrop, 0).wasm(), "unknown element segment"},
		{"table index", oneFunc(ops.Prefix, ops.TableSize, 0, ops.Drop).wasm(), "unknown table"},
		{"unknown instruction", oneFunc(0x27).wasm(), "0x27 is not accepted"},
		{"tail call", oneFunc(0x12, 0).wasm(), "0x12 is not accepted"},
		{"exceptions", oneFunc(0x08, 0).wasm(), "0x8 is not accepted"},
		{"typed select", oneFunc(ops.LocalGet, 0, ops.LocalGet, 0, ops.LocalGet, 0, 0x1c, 1, i32, ops.Drop).wasm(), "0x1c is not accepted"},
		{"ref.null", oneFunc(ops.RefNull, funcref, ops.Drop).wasm(), "0xd0 is not accepted"},
		{"ref.is_null", oneFunc(ops.Unreachable, 0xd1, ops.Drop).wasm(), "0xd1 is not accepted"},
		{"ref.func", oneFunc(ops.RefFunc, 0, ops.Drop).wasm(), "0xd2 is not accepted"},
		{"SIMD", oneFunc(0xfd, 0x0c).wasm(), "0xfd is not accepted"},
		{"atomics", oneFunc(0xfe, 3, 0).wasm(), "0xfe is not accepted"},
		{"unknown prefixed", oneFunc(ops.Prefix, 18).wasm(), "18 is not accepted"},

		// The reference's limits on its own output.
		{"types of exports", manyExports(998), "types of imports and exports"},
		{"types of exports alone", manyExports(1000), "types of imports and exports"},
		{"locals", manyLocals(maxLocals - 1), "too many locals after instrumentation"},
		{"a large instance", manyGlobals(65521), "an instance takes"},
		{"globals", manyGlobals(maxItems - 1), "too many items after instrumentation"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, c.wasm, RulesV040(), c.want) })
	}
}

// Each proposal is one switch: without it its instructions are refused.
func TestProposals(t *testing.T) {
	for name, c := range map[string]struct {
		off  func(*Rules)
		code [][]byte
	}{
		"sign extension":         {func(r *Rules) { r.SignExtension = false }, [][]byte{{ops.LocalGet, 0, 0xc0, ops.Drop}, {ops.I64Const, 0, 0xc4, ops.Drop}}},
		"saturating conversions": {func(r *Rules) { r.SatFloatToInt = false }, [][]byte{{ops.F32Const, 0, 0, 0, 0, ops.Prefix, 0, ops.Drop}}},
		"reference types": {func(r *Rules) { r.ReferenceTypes = false }, [][]byte{
			{ops.LocalGet, 0, ops.TableGet, 0, ops.Drop},
			{ops.Prefix, ops.TableSize, 0, ops.Drop},
		}},
	} {
		for _, code := range c.code {
			g := oneFunc(code...)
			g.table = []byte{1, funcref, 0, 1}
			r := RulesV040()
			if _, err := Instrument(g.wasm(), &r); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			c.off(&r)
			refused(t, g.wasm(), r, "not accepted")
		}
	}
}

func TestQuirkFunctionSection(t *testing.T) {
	refused(t, module1(), RulesV040(), "no function section")
	refused(t, module1(types1, memory1, sec(ops.SecCode, 0)), RulesV040(), "no function section")
}

func TestQuirkDataOffset(t *testing.T) {
	offset := func(b ...byte) []byte {
		return module1(sec(ops.SecImport, 1, 1, 'a', 1, 'b', ops.KindGlobal, i32, 0), funcs0, memory1, sec(ops.SecData, join([]byte{1, 0}, b, []byte{ops.End, 0})...))
	}
	refused(t, offset(ops.GlobalGet, 0), RulesV040(), "the offset of a data segment")
	r := RulesV040()
	if _, err := Instrument(offset(ops.I32Const, 0), &r); err != nil {
		t.Error(err)
	}
}

func TestQuirkElementExpressions(t *testing.T) {
	for _, segment := range [][]byte{
		{4, ops.I32Const, 0, ops.End, 1, ops.RefFunc, 0, ops.End},
		{5, funcref, 1, ops.RefNull, funcref, ops.End},
		{6, 0, ops.I32Const, 0, ops.End, funcref, 1, ops.RefFunc, 0, ops.End},
		{7, funcref, 1, ops.RefFunc, 0, ops.End},
	} {
		refused(t, module1(types1, funcs1, table1, sec(ops.SecElement, append([]byte{1}, segment...)...), code1), RulesV040(), "given by expressions")
	}
}

// With imported globals the reference mistakes others for the height of the stack and
// for the guest's own; what is then no valid module is refused.
func TestQuirkImportedGlobals(t *testing.T) {
	// guest imports globals and defines others; its function 0 has the code.
	guest := func(imported, defined []byte, code ...byte) []byte {
		im, def := &ops.Writer{}, &ops.Writer{}
		im.Len(len(imported) / 2)
		for i := 0; i < len(imported); i += 2 {
			im.Raw(1, 'g', 1, 'g', ops.KindGlobal, imported[i], imported[i+1])
		}
		def.Len(len(defined))
		for _, typ := range defined {
			def.Raw(typ, 1)
			def.Raw(map[byte][]byte{i32: {ops.I32Const, 0}, i64: {ops.I64Const, 0}}[typ]...)
			def.U8(ops.End)
		}
		body := join([]byte{0}, code, []byte{ops.End})
		return module1(types1, sec(ops.SecImport, im.B...), funcs1, sec(ops.SecGlobal, def.B...),
			sec(ops.SecCode, join([]byte{1, byte(len(body))}, body)...))
	}
	const immutable, mutable = 0, 1
	for _, c := range []struct {
		name string
		wasm []byte
		want string // "": accepted, though it cannot be linked
	}{
		{"untouched", guest([]byte{i32, mutable}, nil), ""},
		// The guest's globals 0, 1, ... are seen as the ones behind them, of which the
		// gas counter is the first after the imports.
		{"the counter for an import", guest([]byte{i32, mutable}, nil, ops.GlobalGet, 0, ops.Drop), ""},
		{"the counter of another type", guest([]byte{i32, mutable}, nil, ops.I32Const, 0, ops.GlobalSet, 0), "is wanted"},
		{"the counter of the same type", guest([]byte{i64, mutable}, nil, ops.I64Const, 0, ops.GlobalSet, 0), ""},
		{"the next import of another type", guest([]byte{i32, mutable, i64, mutable}, nil, ops.GlobalGet, 0, 0x45, ops.Drop), "is wanted"},
		{"the next import is immutable", guest([]byte{i32, mutable, i32, immutable}, nil, ops.I32Const, 0, ops.GlobalSet, 0), "immutable"},
		{"a defined global is itself", guest([]byte{i32, mutable}, []byte{i32}, ops.I32Const, 0, ops.GlobalSet, 1), ""},
		// Only with a call is the height used: it is taken to be the global 1 + the number of defined ones.
		{"the height is the counter", guest([]byte{i32, mutable}, nil, ops.Call, 0), "displace the stack height"},
		{"the height is an immutable import", guest([]byte{i32, mutable, i32, immutable}, nil, ops.Call, 0), "displace the stack height"},
		{"the height is a mutable import", guest([]byte{i32, mutable, i32, mutable}, nil, ops.Call, 0), ""},
		{"the height is a defined global", guest([]byte{i32, mutable}, []byte{i32, i32}, ops.Call, 0), ""},
		{"the import of the counter", module1(sec(ops.SecImport, join([]byte{1, 3}, []byte("gas"), []byte{11}, []byte(CounterExport), []byte{ops.KindGlobal, i64, 1})...), funcs0), "import of the gas counter"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want != "" {
				refused(t, c.wasm, RulesV040(), c.want)
				return
			}
			r := RulesV040()
			if out, err := Instrument(c.wasm, &r); err != nil || out.Code != nil {
				t.Errorf("%v, code %v", err, out)
			}
		})
	}
}
