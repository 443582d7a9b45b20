package instrument

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
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
var store = []byte{opI32Const, 0, 0x36, 0, 0}

func TestStackWeight(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		want uint32 // beyond the activation
	}{
		{"nothing", nil, 0},
		{"one value", []byte{opLocalGet, 0, opDrop}, 1},
		{"arithmetic", []byte{opLocalGet, 0, opLocalGet, 0, opI32Add, opLocalGet, 0, opI32Add, opDrop}, 2},
		{"tee", []byte{opLocalGet, 0, opLocalTee, 0, opDrop}, 1},
		{"call", join(three, []byte{opDrop, opDrop, opCall, 0}), 3},
		{"select", join(three, []byte{opSelect, opLocalGet, 0, opDrop, opDrop}), 3},
		{"block", []byte{opLocalGet, 0, opBlock, i32, opLocalGet, 0, opLocalGet, 0, opI32Add, opEnd, opDrop, opDrop}, 3},
		{"branch", join([]byte{opBlock, i32}, three, []byte{opDrop, opBrIf, 0, opEnd, opDrop}), 3},
		{"if", join([]byte{opLocalGet, 0, opIf, blockEmpty}, three, []byte{opDrop, opDrop, opDrop, opEnd}), 3},
		{"if and else", []byte{opLocalGet, 0, opIf, blockEmpty, opElse, opLocalGet, 0, opDrop, opEnd}, 1},
		{"dead after return", join([]byte{opReturn}, three, []byte{opDrop, opDrop, opDrop}), 0},
		{"dead after br", join([]byte{opBr, 0}, three, []byte{opDrop, opDrop, opDrop}), 0},
		{"dead after br_table", join([]byte{opLocalGet, 0, opBrTable, 0, 0}, three, []byte{opDrop, opDrop, opDrop}), 1},
		{"dead in a block", join([]byte{opBlock, blockEmpty, opUnreachable, opEnd}, three, []byte{opDrop, opDrop, opDrop}), 3},
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
		{"a block after a fall", join([]byte{opUnreachable}, store, []byte{opBlock, blockEmpty}, three, []byte{opDrop, opDrop, opDrop, opEnd}), height - 1 + 3},
		// Unreachable does not clear what is on the stack.
		{"a block on what was left", join([]byte{opLocalGet, 0, opLocalGet, 0, opUnreachable, opBlock, blockEmpty}, three, []byte{opDrop, opDrop, opDrop, opEnd}), height + 2 + 3},
		// At the block's own height pops are free.
		{"the block's height is a floor", join([]byte{opBlock, blockEmpty, opUnreachable, opDrop, opDrop, opDrop, opBlock, blockEmpty}, three, []byte{opDrop, opDrop, opDrop, opEnd, opEnd}), height + 3},
		// Below it they are not: store falls to 1 below the block's height, drops to 3 below.
		{"a fall goes on", join([]byte{opLocalGet, 0, opLocalGet, 0, opBlock, blockEmpty, opUnreachable}, store, []byte{opDrop, opDrop, opBlock, blockEmpty}, three, three, repeat(6, opDrop), []byte{opEnd, opEnd, opDrop, opDrop}), height + 2 - 3 + 6},
		// A block's end sets the height right.
		{"the end", join([]byte{opBlock, blockEmpty, opUnreachable}, store, []byte{opEnd}, three, []byte{opDrop, opDrop, opDrop}), height + 3},
	} {
		if got := weight(t, oneFunc(c.code...).wasm(), RulesV040()); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	// 2, then 1, then 0, where the floor of the function is, and all is well.
	weight(t, oneFunc(join([]byte{opUnreachable}, repeat(2, store...))...).wasm(), RulesV040())
	// From 1 above the floor a pop of two falls through it.
	refused(t, oneFunc(join([]byte{opUnreachable}, repeat(3, store...))...).wasm(), RulesV040(), "stack height underflows")
}

// else goes on with the height at the end of the first branch, and with its end unreachable.
func TestQuirkHeightAtElse(t *testing.T) {
	two := []byte{opLocalGet, 0, opLocalGet, 0, opI32Add}
	for _, c := range []struct {
		name        string
		then, other []byte
		want        uint32
	}{
		{"a value left", []byte{opLocalGet, 0}, two, 3},
		{"unreachable", []byte{opUnreachable}, two, 1}, // of the condition
		{"the other way round", two, []byte{opUnreachable}, 2},
	} {
		code := join([]byte{opLocalGet, 0, opIf, i32}, c.then, []byte{opElse}, c.other, []byte{opEnd, opDrop})
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
				opGlobalGet, 0, opI32Const, 1, opI32Add, opGlobalSet, 0, opCall, 0,
			}}},
			globals: []byte{1, i32, 1, opI32Const, 0, opEnd},
			exports: []export{{"depth", kindGlobal, 0}},
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
	g := oneFunc(opLoop, blockEmpty, opCall, 1, opLocalGet, 0, opI32Const, 1, opI32Sub, opLocalTee, 0, opBrIf, 0, opEnd)
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
	types1  = sec(secType, 1, 0x60, 0, 0)
	funcs0  = sec(secFunction, 0)
	funcs1  = sec(secFunction, 1, 0)
	table1  = sec(secTable, 1, funcref, 0, 1)
	memory1 = sec(secMemory, 1, 0, 1)
	code1   = sec(secCode, 1, 2, 0, opEnd)
)

func TestAccepted(t *testing.T) {
	rt := wazero.NewRuntimeWithConfig(ctx, interpreter().WithCoreFeatures(features))
	defer rt.Close(ctx)
	r := RulesV040()
	long := strings.Repeat("x", maxString)
	for name, wasm := range map[string][]byte{
		"least":                     module1(funcs0),
		"a function":                module1(types1, funcs1, code1),
		"gas without exports":       module1(types1, funcs1, sec(secCode, 1, 5, 0, opI32Const, 0, opDrop, opEnd)),
		"custom sections":           module1(sec(secCustom, 1, 'a', 0xff), types1, sec(secCustom, 0), funcs0, sec(secCustom, 0)),
		"padded size":               join(module1(), []byte{secFunction}, leb(1, 5), []byte{0}),
		"padded numbers":            module1(sec(secFunction, leb(0, 5)...)),
		"padded constant":           oneFunc(join([]byte{opI32Const}, []byte{0xff, 0xff, 0xff, 0xff, 0x7f}, []byte{opDrop})...).wasm(),
		"greatest name":             module1(types1, sec(secImport, join([]byte{1}, leb(maxString, 3), []byte(long), []byte{1, 'x', kindFunc, 0})...), funcs0),
		"empty data offset":         module1(funcs0, memory1, sec(secData, 1, 2, 0, opI32Const, 0, opEnd, 0)),
		"no elements as exprs":      module1(funcs0, table1, sec(secElement, 1, 4, opI32Const, 0, opEnd, 0)),
		"passive elements":          module1(funcs0, sec(secElement, 1, 1, 0, 0)),
		"greatest table":            module1(funcs0, sec(secTable, join([]byte{1, funcref, 0}, leb(20000, 3))...)),
		"greatest memory":           module1(funcs0, sec(secMemory, join([]byte{1, 0}, leb(8192, 3))...)),
		"greatest maximum":          module1(funcs0, sec(secMemory, join([]byte{1, 1, 0}, leb(65536, 3))...)),
		"greatest number of locals": oneLocals(join([]byte{1}, leb(maxLocals-1, 3), []byte{i64})...),
		"locals far from the first": farLocal(opF64Const, 0, 0, 0, 0, 0, 0, 0, 0),
		"global":                    module1(funcs0, sec(secGlobal, 1, i64, 0, opI64Const, 0, opEnd)),
		"typed dead code":           oneFunc(opUnreachable, opI32Add, opDrop).wasm(),
		"select of anything":        oneFunc(opUnreachable, opSelect, opDrop).wasm(),
		"exports":                   manyExports(997),
		"locals":                    manyLocals(maxLocals - 2),
		"instance":                  manyGlobals(65520),
		"types of br_table":         oneFunc(opBlock, i64, opBlock, i32, opUnreachable, opBrTable, 1, 0, 1, opEnd, opDrop, opI64Const, 0, opEnd, opDrop).wasm(),
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
	body := append(locals, opEnd)
	return module1(sec(secType, 1, 0x60, 1, i32, 0), funcs1, sec(secCode, join([]byte{1}, leb(uint64(len(body)), 5), body)...))
}

// manyGlobals is a guest of n globals: each takes 16 bytes of the 1 MiB of an
// instance, of which 240 and the gas counter's 16 are taken.
func manyGlobals(n int) []byte {
	return module1(funcs0, sec(secGlobal, join(leb(uint64(n), 3), repeat(n, i32, 0, opI32Const, 0, opEnd))...))
}

// manyLocals is a guest whose function has a parameter, n locals, and need of one more.
func manyLocals(n int) []byte {
	g := oneFunc(opLocalGet, 0, opMemoryGrow, 0, opDrop)
	g.funcs[0].locals = repeat(n/100, 100, i64)
	if n%100 != 0 {
		g.funcs[0].locals = append(g.funcs[0].locals, byte(n%100), i64)
	}
	return g.wasm()
}

// farLocal is a guest whose function sets a local of type f64, one of two after many.
func farLocal(value ...byte) []byte {
	g := oneFunc(append(value, join([]byte{opLocalSet}, leb(1+200+2, 2))...)...)
	g.funcs[0].locals = join([]byte{100, i64, 0, f32, 100, i32}, []byte{2, f32, 2, f64, 5, i64})
	return g.wasm()
}

// manyExports is a guest whose exports are of 999,000 types and n more.
func manyExports(n int) []byte {
	g := &guest{funcs: []fn{{params: repeat(999, i32)}}, memory: []byte{1, 0, 1}}
	for i := range 999 {
		g.exports = append(g.exports, export{fmt.Sprint(i), kindFunc, 0})
	}
	for i := range n {
		g.exports = append(g.exports, export{fmt.Sprint("memory", i), kindMemory, 0})
	}
	return g.wasm()
}

func TestRefused(t *testing.T) {
	imports := func(what ...byte) section { return sec(secImport, append([]byte{1, 1, 'a', 1, 'b'}, what...)...) }
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
		{"data count after code", module1(funcs0, sec(secCode, 0), sec(secDataCount, 0)), "out of order"},
		{"unknown section", module1(funcs0, sec(13)), "unknown section"},
		{"section too long", append(module1(), secType, 5, 0), "unexpected end"},
		{"section without size", append(module1(), secType), "unexpected end"},
		{"bytes left in a section", module1(sec(secFunction, 0, 0)), "bytes left"},
		{"bytes left after the sections", append(module1(funcs0), 1), "unexpected end"},
		{"custom section without a name", module1(sec(secCustom)), "unexpected end"},
		{"custom section with a wrong name", module1(sec(secCustom, 1, 0xff)), "UTF-8"},
		{"number too long", module1(sec(secFunction, leb(0, 6)...)), "too long"},
		{"number too large", module1(sec(secFunction, leb(1<<32, 5)...)), "too large"},
		{"constant too long", oneFunc(join([]byte{opI32Const}, leb(0, 6), []byte{opDrop})...).wasm(), "too long"},
		{"constant too large", oneFunc(opI32Const, 0x80, 0x80, 0x80, 0x80, 0x10, opDrop).wasm(), "too large"},
		{"constant of 64 bits too long", oneFunc(join([]byte{opI64Const}, leb(0, 11), []byte{opDrop})...).wasm(), "too long"},
		{"constant of 64 bits too large", oneFunc(join([]byte{opI64Const}, repeat(9, 0x80), []byte{1, opDrop})...).wasm(), "too large"},
		{"name not UTF-8", module1(types1, sec(secImport, 1, 1, 0xff, 0, kindFunc, 0), funcs0), "UTF-8"},
		{"name too long", module1(types1, sec(secImport, join([]byte{1}, leb(maxString+1, 3), make([]byte, maxString+1))...), funcs0), "string too long"},

		// Types and imports.
		{"not a function type", module1(sec(secType, 1, 0x5f, 0, 0)), "not a function type"},
		{"more than one result", module1(sec(secType, 1, 0x60, 0, 2, i32, i32)), "more than one result"},
		{"v128", module1(sec(secType, 1, 0x60, 1, 0x7b, 0)), "not accepted"},
		{"externref", module1(sec(secType, 1, 0x60, 1, 0x6f, 0)), "not accepted"},
		{"too many parameters", module1(sec(secType, join([]byte{1, 0x60}, leb(maxParams+1, 2), repeat(maxParams+1, i32), []byte{0})...)), "too many values"},
		{"too many types", module1(sec(secType, leb(maxItems+1, 3)...)), "too many items"},
		{"unknown type of an import", module1(imports(kindFunc, 0)), "unknown type"},
		{"import of a tag", module1(imports(4, 0, 0)), "import of kind"},
		{"unknown type of a function", module1(types1, sec(secFunction, 1, 1)), "unknown type"},

		// Tables, memories, globals.
		{"table of externref", module1(funcs0, sec(secTable, 1, 0x6f, 0, 1)), "element type"},
		{"more than one table", module1(funcs0, sec(secTable, 2, funcref, 0, 1, funcref, 0, 1)), "more than one table"},
		{"table too large", module1(funcs0, sec(secTable, join([]byte{1, funcref, 0}, leb(20001, 3))...)), "table too large"},
		{"more than one memory", module1(funcs0, sec(secMemory, 2, 0, 1, 0, 1)), "too many items"},
		{"more than one memory by import", module1(imports(kindMemory, 0, 1), funcs0, memory1), "too many items"},
		{"memory too large", module1(funcs0, sec(secMemory, join([]byte{1, 0}, leb(8193, 3))...)), "memory too large"},
		{"memory of more than 4 GiB", module1(funcs0, sec(secMemory, join([]byte{1, 1, 1}, leb(65537, 3))...)), "limits too large"},
		{"minimum above maximum", module1(funcs0, sec(secMemory, 1, 1, 2, 1)), "minimum above maximum"},
		{"shared memory", module1(funcs0, sec(secMemory, 1, 3, 1, 1)), "invalid limits"},
		{"memory of 64 bits", module1(funcs0, sec(secMemory, 1, 4, 1)), "invalid limits"},
		{"mutability", module1(funcs0, sec(secGlobal, 1, i32, 2, opI32Const, 0, opEnd)), "mutability"},
		{"global of a wrong type", module1(funcs0, sec(secGlobal, 1, i32, 0, opI64Const, 0, opEnd)), "wrong form or type"},
		{"global of two instructions", module1(funcs0, sec(secGlobal, 1, i32, 0, opI32Const, 0, opI32Const, 0, opI32Add, opEnd)), "wrong form or type"},
		{"global that is not constant", module1(funcs0, sec(secGlobal, 1, i32, 0, opNop, opEnd)), "is not constant"},
		{"global of a defined global", module1(funcs0, sec(secGlobal, 2, i32, 0, opI32Const, 0, opEnd, i32, 0, opGlobalGet, 0, opEnd)), "immutable imported"},
		{"global of an unknown function", module1(funcs0, sec(secGlobal, 1, funcref, 0, opRefFunc, 0, opEnd)), "unknown function"},
		{"global of another reference", module1(funcs0, sec(secGlobal, 1, funcref, 0, opRefNull, 0x6f, opEnd)), "reference type"},

		// Exports, start, segments.
		{"duplicate export", module1(funcs0, memory1, sec(secExport, 2, 1, 'a', kindMemory, 0, 1, 'a', kindMemory, 0)), "duplicate export"},
		{"unknown export", module1(funcs0, sec(secExport, 1, 1, 'a', kindFunc, 0)), "unknown"},
		{"export of a tag", module1(funcs0, sec(secExport, 1, 1, 'a', 4, 0)), "unknown"},
		{"unknown start", module1(funcs0, sec(secStart, 0)), "unknown start"},
		{"start with a parameter", module1(sec(secType, 1, 0x60, 1, i32, 0), funcs1, sec(secStart, 0), code1), "wrong type"},
		{"element flags", module1(funcs0, table1, sec(secElement, 1, 8)), "invalid element"},
		{"elements without a table", module1(funcs0, sec(secElement, 1, 0, opI32Const, 0, opEnd, 0)), "unknown table"},
		{"unknown element", module1(funcs0, table1, sec(secElement, 1, 0, opI32Const, 0, opEnd, 1, 0)), "unknown function"},
		{"elements of another kind", module1(funcs0, sec(secElement, 1, 1, 1, 0)), "element type"},
		{"elements of another type", module1(funcs0, sec(secElement, 1, 5, 0x6f, 0)), "element type"},
		{"too many elements", module1(funcs0, sec(secElement, join([]byte{1, 1, 0}, leb(maxElems+1, 4))...)), "too many elements"},
		{"data without a memory", module1(funcs0, sec(secData, 1, 0, opI32Const, 0, opEnd, 0)), "unknown memory"},
		{"data flags", module1(funcs0, memory1, sec(secData, 1, 3)), "invalid data"},
		{"data offset of a wrong type", module1(funcs0, memory1, sec(secData, 1, 0, opI64Const, 0, opEnd, 0)), "wrong form or type"},
		{"data count differs", module1(funcs0, sec(secDataCount, 1), sec(secData, 0)), "wrong number of data"},
		{"data are missing", module1(funcs0, sec(secDataCount, 1)), "data segments are missing"},
		{"too many data", module1(funcs0, sec(secDataCount, leb(maxSegments+1, 3)...)), "too many data"},
		{"data too long", module1(funcs0, sec(secData, 1, 1, 5, 0)), "unexpected end"},

		// Bodies.
		{"body missing", module1(types1, funcs1), "without bodies"},
		{"bodies of no function", module1(types1, funcs0, code1), "differ in number"},
		{"no end", module1(types1, funcs1, sec(secCode, 1, 1, 0)), "without end"},
		{"empty body", module1(types1, funcs1, sec(secCode, 1, 0)), "unexpected end"},
		{"instructions after the end", module1(types1, funcs1, sec(secCode, 1, 3, 0, opEnd, opEnd)), "after the end"},
		{"too many locals", oneLocals(join([]byte{1}, leb(maxLocals, 3), []byte{i32})...), "too many locals"},
		{"too many locals in all", oneLocals(join([]byte{2}, leb(maxLocals-1, 3), []byte{i32, 1, i64})...), "too many locals"},
		{"type of a local far from the first", farLocal(opI64Const, 0), "is wanted"},
		{"type of a local", oneLocals(1, 1, 0x6f), "not accepted"},
		{"value missing", oneFunc(opDrop).wasm(), "value missing"},
		{"value of the block outside", oneFunc(opLocalGet, 0, opBlock, blockEmpty, opDrop, opEnd).wasm(), "value missing"},
		{"value left", oneFunc(opLocalGet, 0).wasm(), "values left"},
		{"wrong type", oneFunc(opI64Const, 0, 0x45, opDrop).wasm(), "is wanted"},
		{"unknown local", oneFunc(opLocalGet, 1, opDrop).wasm(), "unknown local"},
		{"unknown global", oneFunc(opGlobalGet, 0, opDrop).wasm(), "unknown global"},
		{"unknown label", oneFunc(opBr, 1).wasm(), "unknown label"},
		{"unknown label of br_table", oneFunc(opLocalGet, 0, opBrTable, 1, 1, 0).wasm(), "unknown label"},
		{"unknown callee", oneFunc(opCall, 1).wasm(), "unknown function"},
		{"call_indirect without a table", oneFunc(opLocalGet, 0, opLocalGet, 0, opCallIndirect, 0, 0).wasm(), "unknown table"},
		{"br_table too large", oneFunc(join([]byte{opLocalGet, 0, opBrTable}, leb(maxBrTable+1, 3))...).wasm(), "br_table too large"},
		{"targets of br_table", oneFunc(opBlock, i32, opLocalGet, 0, opLocalGet, 0, opBrTable, 1, 0, 1, opEnd, opDrop).wasm(), "br_table differ"},
		{"else without if", oneFunc(opBlock, blockEmpty, opElse, opEnd).wasm(), "else without if"},
		{"if without else", oneFunc(opLocalGet, 0, opIf, i32, opLocalGet, 0, opEnd, opDrop).wasm(), "without else"},
		{"block of a type index", oneFunc(opBlock, 0, opEnd).wasm(), "block type"},
		{"alignment", oneFunc(opLocalGet, 0, 0x28, 3, 0, opDrop).wasm(), "alignment"},
		{"select of two types", oneFunc(opLocalGet, 0, opI64Const, 0, opLocalGet, 0, opSelect, opDrop).wasm(), "select of different"},
		{"memory byte", oneFunc(opMemorySize, 1, opDrop).wasm(), "zero byte"},
		{"memory byte padded", oneFunc(opMemorySize, 0x80, 0, opDrop).wasm(), "zero byte"},
		{"memory index", oneFunc(join(three, []byte{opPrefix, subMemoryFill, 1})...).wasm(), "unknown memory"},
		{"data segment without a count", oneFunc(opPrefix, subDataDrop, 0).wasm(), "unknown data segment"},
		{"element segment", oneFunc(opPrefix, subElemDrop, 0).wasm(), "unknown element segment"},
		{"table index", oneFunc(opPrefix, subTableSize, 0, opDrop).wasm(), "unknown table"},
		{"unknown instruction", oneFunc(0x27).wasm(), "0x27 is not accepted"},
		{"tail call", oneFunc(0x12, 0).wasm(), "0x12 is not accepted"},
		{"exceptions", oneFunc(0x08, 0).wasm(), "0x8 is not accepted"},
		{"typed select", oneFunc(opLocalGet, 0, opLocalGet, 0, opLocalGet, 0, 0x1c, 1, i32, opDrop).wasm(), "0x1c is not accepted"},
		{"ref.null", oneFunc(opRefNull, funcref, opDrop).wasm(), "0xd0 is not accepted"},
		{"ref.is_null", oneFunc(opUnreachable, 0xd1, opDrop).wasm(), "0xd1 is not accepted"},
		{"ref.func", oneFunc(opRefFunc, 0, opDrop).wasm(), "0xd2 is not accepted"},
		{"SIMD", oneFunc(0xfd, 0x0c).wasm(), "0xfd is not accepted"},
		{"atomics", oneFunc(0xfe, 3, 0).wasm(), "0xfe is not accepted"},
		{"unknown prefixed", oneFunc(opPrefix, 18).wasm(), "18 is not accepted"},

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
		"sign extension":         {func(r *Rules) { r.SignExtension = false }, [][]byte{{opLocalGet, 0, 0xc0, opDrop}, {opI64Const, 0, 0xc4, opDrop}}},
		"saturating conversions": {func(r *Rules) { r.SatFloatToInt = false }, [][]byte{{opF32Const, 0, 0, 0, 0, opPrefix, 0, opDrop}}},
		"reference types": {func(r *Rules) { r.ReferenceTypes = false }, [][]byte{
			{opLocalGet, 0, opTableGet, 0, opDrop},
			{opPrefix, subTableSize, 0, opDrop},
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
	refused(t, module1(types1, memory1, sec(secCode, 0)), RulesV040(), "no function section")
}

func TestQuirkDataOffset(t *testing.T) {
	offset := func(b ...byte) []byte {
		return module1(sec(secImport, 1, 1, 'a', 1, 'b', kindGlobal, i32, 0), funcs0, memory1, sec(secData, join([]byte{1, 0}, b, []byte{opEnd, 0})...))
	}
	refused(t, offset(opGlobalGet, 0), RulesV040(), "the offset of a data segment")
	r := RulesV040()
	if _, err := Instrument(offset(opI32Const, 0), &r); err != nil {
		t.Error(err)
	}
}

func TestQuirkElementExpressions(t *testing.T) {
	for _, segment := range [][]byte{
		{4, opI32Const, 0, opEnd, 1, opRefFunc, 0, opEnd},
		{5, funcref, 1, opRefNull, funcref, opEnd},
		{6, 0, opI32Const, 0, opEnd, funcref, 1, opRefFunc, 0, opEnd},
		{7, funcref, 1, opRefFunc, 0, opEnd},
	} {
		refused(t, module1(types1, funcs1, table1, sec(secElement, append([]byte{1}, segment...)...), code1), RulesV040(), "given by expressions")
	}
}

// With imported globals the reference mistakes others for the height of the stack and
// for the guest's own; what is then no valid module is refused.
func TestQuirkImportedGlobals(t *testing.T) {
	// guest imports globals and defines others; its function 0 has the code.
	guest := func(imported, defined []byte, code ...byte) []byte {
		im, def := &writer{}, &writer{}
		im.len(len(imported) / 2)
		for i := 0; i < len(imported); i += 2 {
			im.raw(1, 'g', 1, 'g', kindGlobal, imported[i], imported[i+1])
		}
		def.len(len(defined))
		for _, typ := range defined {
			def.raw(typ, 1)
			def.raw(map[byte][]byte{i32: {opI32Const, 0}, i64: {opI64Const, 0}}[typ]...)
			def.u8(opEnd)
		}
		body := join([]byte{0}, code, []byte{opEnd})
		return module1(types1, sec(secImport, im.b...), funcs1, sec(secGlobal, def.b...),
			sec(secCode, join([]byte{1, byte(len(body))}, body)...))
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
		{"the counter for an import", guest([]byte{i32, mutable}, nil, opGlobalGet, 0, opDrop), ""},
		{"the counter of another type", guest([]byte{i32, mutable}, nil, opI32Const, 0, opGlobalSet, 0), "is wanted"},
		{"the counter of the same type", guest([]byte{i64, mutable}, nil, opI64Const, 0, opGlobalSet, 0), ""},
		{"the next import of another type", guest([]byte{i32, mutable, i64, mutable}, nil, opGlobalGet, 0, 0x45, opDrop), "is wanted"},
		{"the next import is immutable", guest([]byte{i32, mutable, i32, immutable}, nil, opI32Const, 0, opGlobalSet, 0), "immutable"},
		{"a defined global is itself", guest([]byte{i32, mutable}, []byte{i32}, opI32Const, 0, opGlobalSet, 1), ""},
		// Only with a call is the height used: it is taken to be the global 1 + the number of defined ones.
		{"the height is the counter", guest([]byte{i32, mutable}, nil, opCall, 0), "displace the stack height"},
		{"the height is an immutable import", guest([]byte{i32, mutable, i32, immutable}, nil, opCall, 0), "displace the stack height"},
		{"the height is a mutable import", guest([]byte{i32, mutable, i32, mutable}, nil, opCall, 0), ""},
		{"the height is a defined global", guest([]byte{i32, mutable}, []byte{i32, i32}, opCall, 0), ""},
		{"the import of the counter", module1(sec(secImport, join([]byte{1, 3}, []byte("gas"), []byte{11}, []byte(CounterExport), []byte{kindGlobal, i64, 1})...), funcs0), "import of the gas counter"},
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
