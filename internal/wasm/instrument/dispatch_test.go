package instrument

import (
	"bytes"
	"math"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

const i32WrapI64 = 0xa7

// numbers are n functions of type i64 -> i32 that give their own place and the parameter.
func numbers(n int) (list []fn) {
	for i := range n {
		list = append(list, fn{params: []byte{i64}, results: []byte{i32},
			code: join([]byte{ops.LocalGet, 0, i32WrapI64}, i32Const(int32(i<<8)), []byte{ops.I32Add})})
	}
	return list
}

// indirect is a guest with a table of size elements. Its function "call" calls what is at an index of the table as i64 -> i32,
// "other" as () -> i32. Behind the given functions it has one of each type.
func indirect(list []fn, size uint32, segments ...[]byte) *guest {
	n := byte(len(list))
	own := []fn{
		{name: "call", params: []byte{i32}, results: []byte{i32}, code: []byte{ops.I64Const, 7, ops.LocalGet, 0, ops.CallIndirect, 0, 0}},
		{name: "other", params: []byte{i32}, results: []byte{i32}, code: []byte{ops.LocalGet, 0, ops.CallIndirect, n + 2, 0}},
		{results: []byte{i32}, code: []byte{ops.I32Const, 5}},
	}
	w := &ops.Writer{}
	w.Raw(1, funcref, 0)
	w.U32(size)
	return &guest{funcs: append(list, own...), table: w.B, element: join(append([][]byte{{byte(len(segments))}}, segments...)...)}
}

// segment is an active element segment.
func segment(at int32, funcs ...byte) []byte {
	return join([]byte{0}, i32Const(at), []byte{ops.End, byte(len(funcs))}, funcs)
}

// lastingToo has one more function, never called, because of which there is no dispatcher.
func (g *guest) lastingToo() *guest {
	h := *g
	h.funcs = append(append([]fn(nil), g.funcs...), fn{code: []byte{ops.Prefix, ops.ElemDrop, 0}})
	return &h
}

// planned is the plan for a guest.
func planned(t *testing.T, g *guest, r Rules) *plan {
	t.Helper()
	m, err := decode(g.wasm(), &r)
	if err != nil {
		t.Fatal(err)
	}
	bodies, err := m.analyze(m.globals)
	if err != nil {
		t.Fatal(err)
	}
	return newPlan(m, bodies)
}

// A call through the table does the same, and takes the same gas, with a dispatcher, without one and before the pass.
func TestDispatch(t *testing.T) {
	const n = 5 // of type i64 -> i32; n+2 is () -> i32
	for name, g := range map[string]*guest{
		"all":            indirect(numbers(n), 6, segment(0, 0, 1, 2, 3, 4, n+2)),
		"holes":          indirect(numbers(n), 20, segment(3, 0), segment(7, n+2, 1), segment(15, 4)),
		"twice the same": indirect(numbers(n), 8, segment(1, 2, 3, 2, 2, n+2, 3)),
		"overlapping":    indirect(numbers(n), 8, segment(1, 0, 1, 2, 3), segment(3, n+2, 4), segment(0, 3, 3)),
		"one":            indirect(numbers(n), 8, segment(7, 4), segment(0, n+2)),
		"high":           indirect(numbers(n), 20000, segment(19995, 0, 1, n+2, 2)),
	} {
		t.Run(name, func(t *testing.T) {
			if p := planned(t, g, RulesV040()); len(p.dispatchers) != 2 {
				t.Fatalf("%d dispatchers", len(p.dispatchers))
			}
			if p := planned(t, g.lastingToo(), RulesV040()); len(p.dispatchers) != 0 {
				t.Fatalf("%d dispatchers where the table may change", len(p.dispatchers))
			}
			for _, config := range []wazero.RuntimeConfig{interpreter(), wazero.NewRuntimeConfig()} {
				with, without := startOn(t, config, g, RulesV040()), startOn(t, config, g.lastingToo(), RulesV040())
				raw, err := with.instance(g.wasm())
				if err != nil {
					t.Fatal(err)
				}
				returned, traps := 0, map[string]int{}
				indices := []uint64{1 << 31, math.MaxInt32, math.MaxUint32, math.MaxUint32 - 1, 20000, 19999, 19998, 19997, 19996, 19995, 19994}
				for i := range uint64(40) {
					indices = append(indices, i)
				}
				for _, f := range []string{"call", "other"} {
					for _, i := range indices {
						var want uint64
						results, errRaw := raw.ExportedFunction(f).Call(ctx, i)
						if errRaw == nil {
							want = results[0]
							returned++
						}
						traps[trap(errRaw)]++
						before := counter(with.mod)
						v, err := with.call(f, i)
						gas := before - counter(with.mod)
						before = counter(without.mod)
						u, errWithout := without.call(f, i)
						gasWithout := before - counter(without.mod)
						if v != want || u != want || trap(err) != trap(errRaw) || trap(errWithout) != trap(errRaw) {
							t.Errorf("%s %d: %d, %v; without a dispatcher %d, %v; before the pass %d, %v", f, i, v, err, u, errWithout, want, errRaw)
						}
						if gas != gasWithout || gas <= 0 {
							t.Errorf("%s %d: gas %d, without a dispatcher %d", f, i, gas, gasWithout)
						}
					}
				}
				if returned < 2 || traps["invalid table access"] == 0 || traps["indirect call type mismatch"] == 0 {
					t.Errorf("%d calls returned, traps %v", returned, traps)
				}
			}
		})
	}
}

// The stack's height is bounded through dispatchers too, at the same depth.
func TestDispatchBoundsTheStack(t *testing.T) {
	g := indirect(nil, 1, segment(0, 2))
	g.funcs[0], g.funcs[1] = fn{}, fn{} // places only
	g.funcs[2] = fn{name: "f", params: []byte{i32}, code: []byte{
		ops.LocalGet, 0, ops.If, ops.BlockEmpty, ops.LocalGet, 0, ops.I32Const, 1, ops.I32Sub, ops.I32Const, 0, ops.CallIndirect, 2, 0, ops.End}}
	if len(planned(t, g, RulesV040()).dispatchers) != 1 {
		t.Fatal("no dispatcher")
	}
	with, without := start(t, g, RulesV040()), start(t, g.lastingToo(), RulesV040())
	deepest := func(x *instance) (n uint64) {
		for ; n < 5000; n++ {
			if _, err := x.call("f", n); err != nil {
				wantTrap(t, err, "unreachable")
				return n
			}
		}
		return n
	}
	if a, b := deepest(with), deepest(without); a != b || a < 100 || a > 1024 {
		t.Errorf("a call %d deep fails, without a dispatcher %d", a, b)
	}
}

// Where a table may change, or is not known, there is no dispatcher.
func TestNoDispatcher(t *testing.T) {
	plain := func() *guest { return indirect(numbers(2), 4, segment(0, 0, 1, 4)) }
	if n := len(planned(t, plain(), RulesV040()).dispatchers); n != 2 {
		t.Fatalf("%d dispatchers in a plain guest", n)
	}
	zero, ref := []byte{ops.I32Const, 0}, []byte{ops.I32Const, 0, ops.TableGet, 0}
	three := bytes.Repeat(zero, 3)
	for name, code := range map[string][]byte{
		"table.set":  join(zero, ref, []byte{ops.TableSet, 0}),
		"table.init": join(three, []byte{ops.Prefix, ops.TableInit, 0, 0}),
		"table.copy": join(three, []byte{ops.Prefix, ops.TableCopy, 0, 0}),
		"table.grow": join(ref, zero, []byte{ops.Prefix, ops.TableGrow, 0, ops.Drop}),
		"table.fill": join(zero, ref, zero, []byte{ops.Prefix, ops.TableFill, 0}),
	} {
		g := plain()
		g.funcs = append(g.funcs, fn{code: code})
		if n := len(planned(t, g, RulesV040()).dispatchers); n != 0 {
			t.Errorf("%d dispatchers beside %s", n, name)
		}
	}
	for name, g := range map[string]*guest{
		"no element of the type": indirect(numbers(2), 4),
		"a misplaced segment":    indirect(numbers(2), 4, segment(0, 0, 1, 4), segment(4, 0)),
		"a passive segment":      indirect(numbers(2), 4, []byte{1, 0, 3, 0, 1, 4}),
		"a declared segment":     indirect(numbers(2), 4, []byte{3, 0, 3, 0, 1, 4}),
	} {
		if n := len(planned(t, g, RulesV040()).dispatchers); n != 0 {
			t.Errorf("%d dispatchers with %s", n, name)
		}
	}
	two := plain()
	two.table = []byte{2, funcref, 0, 4, funcref, 0, 4}
	if n := len(planned(t, two, RulesV020()).dispatchers); n != 0 {
		t.Errorf("%d dispatchers with two tables", n)
	}
	long := plain()
	for i := range 2 {
		long.funcs[i].params = bytes.Repeat([]byte{i64}, maxDispatchParams+i)
	}
	long.funcs[2].code = join(bytes.Repeat([]byte{ops.I64Const, 7}, maxDispatchParams), []byte{ops.LocalGet, 0, ops.CallIndirect, 0, 0})
	if n := len(planned(t, long, RulesV040()).dispatchers); n != 2 {
		t.Errorf("%d dispatchers with %d parameters", n, maxDispatchParams)
	}
	long.funcs[2].code = join([]byte{ops.I64Const, 7}, long.funcs[2].code)
	long.funcs[2].code[len(long.funcs[2].code)-2] = 1
	if n := len(planned(t, long, RulesV040()).dispatchers); n != 1 {
		t.Errorf("%d dispatchers with %d parameters", n, maxDispatchParams+1)
	}
}

// What is beyond a bound is left to call_indirect.
func TestDispatchBounds(t *testing.T) {
	const n = maxTargets + 50
	g := &guest{funcs: []fn{{name: "call", params: []byte{i32}, results: []byte{i32},
		code: []byte{ops.I64Const, 7, ops.LocalGet, 0, ops.CallIndirect, 1, 0}}}}
	g.funcs = append(g.funcs, numbers(n)...)
	table, element := &ops.Writer{}, &ops.Writer{}
	table.Raw(1, funcref, 0)
	table.U32(n)
	element.Raw(1, 0, ops.I32Const, 0, ops.End)
	element.U32(n)
	for i := range uint32(n) {
		element.U32(i + 1)
	}
	g.table, g.element = table.B, element.B
	p := planned(t, g, RulesV040())
	if len(p.dispatchers) != 1 || len(p.dispatchers[0].targets) != maxTargets {
		t.Fatalf("%d dispatchers", len(p.dispatchers))
	}
	x := startOn(t, wazero.NewRuntimeConfig(), g, RulesV040())
	for i := range uint64(n) {
		if v, err := x.call("call", i); err != nil || v != i<<8+7 {
			t.Fatalf("call of %d: %d, %v", i, v, err)
		}
	}

	// A table may have more elements on the first networks.
	far := indirect(numbers(2), maxDispatchCases+1, segment(maxDispatchCases-3, 0, 1, 4))
	if n := len(planned(t, far, RulesV020()).dispatchers); n != 2 {
		t.Errorf("%d dispatchers up to the last index", n)
	}
	far = indirect(numbers(2), maxDispatchCases+1, segment(0, 0), segment(maxDispatchCases-2, 0, 1, 4))
	if n := len(planned(t, far, RulesV020()).dispatchers); n != 0 {
		t.Errorf("%d dispatchers beyond the last index", n)
	}
	// The first dispatcher takes all but one of the cases; the second needs more.
	wide := indirect(numbers(2), maxDispatchCases, segment(0, 0, 4), segment(maxDispatchCases-3, 4, 1))
	if p := planned(t, wide, RulesV020()); len(p.dispatchers) != 1 || p.dispatchers[0].typ != 0 || len(p.dispatchers[0].cases) != maxDispatchCases-1 {
		t.Errorf("%d dispatchers where there are cases for one", len(p.dispatchers))
	}
	// Each function of this one calls what has its own type, and no two have the same.
	many := &guest{}
	element = &ops.Writer{}
	element.Raw(1, 0, ops.I32Const, 0, ops.End)
	element.U32(maxDispatchers + 9)
	for i := range uint32(maxDispatchers + 9) {
		f := fn{}
		for bit := range 9 {
			f.params = append(f.params, []byte{i32, i64}[i>>bit&1])
			f.code = append(f.code, ops.LocalGet, byte(bit))
		}
		w := &ops.Writer{B: append(f.code, ops.I32Const, 0)}
		w.Op(ops.CallIndirect, i)
		w.U8(0)
		f.code = w.B
		many.funcs = append(many.funcs, f)
		element.U32(i)
	}
	table = &ops.Writer{}
	table.Raw(1, funcref, 0)
	table.U32(maxDispatchers + 9)
	many.table, many.element = table.B, element.B
	if n := len(planned(t, many, RulesV040()).dispatchers); n != maxDispatchers {
		t.Errorf("%d dispatchers, want %d", n, maxDispatchers)
	}
	if x := start(t, many, RulesV040()); x.out.Code == nil {
		t.Error("no output")
	}
}
