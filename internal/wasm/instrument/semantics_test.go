package instrument

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/edgefvm/fvm/internal/wasm/ops"
	"github.com/edgefvm/fvm/lab/wasmgen"
)

// Random modules do the same before and after the pass.
func TestSameSemantics(t *testing.T) {
	seeds, atLeast := int64(1500), tally{modules: 900, calls: 2000, traps: 1000, dispatching: 80}
	if testing.Short() {
		seeds, atLeast = 300, tally{modules: 150, calls: 350, traps: 150, dispatching: 15}
	}
	var done tally
	for seed := int64(0); seed < seeds && !t.Failed(); seed++ {
		compare(t, seed, &done)
	}
	t.Logf("%+v", done)
	if done.modules < atLeast.modules || done.calls < atLeast.calls || done.traps < atLeast.traps || done.dispatching < atLeast.dispatching {
		t.Errorf("compared only %+v, want at least %+v", done, atLeast)
	}
}

// tally counts what was compared to the end.
type tally struct{ modules, calls, traps, endless, dispatching int }

// compare runs all exports of a module and of the pass's output for it.
func compare(t *testing.T, seed int64, done *tally) {
	t.Helper()
	compareWith(t, seed, wasmgen.Module(seed, wasmgen.Options{Tame: true}), RulesV040(), done)
}

// The modules that run every instruction are accepted, run to their ends, and do the same before and after the pass.
func TestChapters(t *testing.T) {
	for _, first := range []bool{false, true} {
		rules := RulesV040()
		if first {
			rules = RulesV020()
		}
		for i, c := range wasmgen.Chapters(first) {
			if out, err := Instrument(c.Wasm, &rules); err != nil || out.TableExported == nil {
				t.Errorf("%s, first %v: %+v, %v", c.Name, first, out, err)
				continue
			}
			var done tally
			compareWith(t, int64(i), c.Wasm, rules, &done)
			if done.modules != 1 || done.calls+done.traps == 0 || (done.traps > 0) != (c.Name == "unreachable") {
				t.Errorf("%s, first %v: %+v", c.Name, first, done)
			}
		}
	}
}

// Every price of an instruction is in the code of some chapter: where it is more, the pass makes other code.
func TestChaptersPayEveryPrice(t *testing.T) {
	for _, rules := range []Rules{RulesV040(), RulesV020()} {
		chapters := wasmgen.Chapters(rules.FirstParser)
		code := func() (all [][]byte) {
			for _, c := range chapters {
				out, err := Instrument(c.Wasm, &rules)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, out.Code)
			}
			return all
		}
		was := code()
		check := func(name string, add, take func()) {
			add()
			if reflect.DeepEqual(code(), was) {
				t.Errorf("first %v: nobody pays %s", rules.FirstParser, name)
			}
			take()
		}
		costs := reflect.ValueOf(&rules.Costs).Elem()
		for i := range costs.NumField() {
			name := costs.Type().Field(i).Name
			switch p := costs.Field(i).Addr().Interface().(type) {
			case *uint64:
				check(name, func() { *p += 1000 }, func() { *p -= 1000 })
			case *Linear:
				// The first parser does not know table.fill.
				if !rules.FirstParser || name != "TableFill" {
					check(name, func() { p.Base += 1000 }, func() { p.Base -= 1000 })
				}
				if p.Unit > 0 {
					check(name+" for a unit", func() { p.Unit++ }, func() { p.Unit-- })
				}
			default:
				t.Errorf("%s is of type %T", name, p)
			}
		}
		if !reflect.DeepEqual(code(), was) {
			t.Error("the prices are not what they were")
		}
	}
}

func compareWith(t *testing.T, seed int64, wasm []byte, r Rules, done *tally) {
	t.Helper()
	r.StackLimit = 1 << 30 // the guest alone has none
	out, err := Instrument(wasm, &r)
	if err != nil || out.Code == nil {
		return
	}
	m, err := decode(wasm, &r)
	if err != nil || m.misplaced {
		return // wazero does not mind misplaced elements, see TestMisplacedSegments
	}
	if bodies, err := m.analyze(m.globals); err == nil && len(newPlan(m, bodies).dispatchers) > 0 {
		done.dispatching++
	}
	h := newHost(t, interpreter(), out.Imports)
	if out.Memory != nil && out.Memory.HasMax {
		h.pages = min(h.pages, out.Memory.Max) // as the call manager has it
	}
	defer h.rt.Close(ctx)

	// The output goes first: if it comes to no end, the guest does not either.
	var logs [2][]string
	after, err := h.instance(out.Code)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	setCounter(after, fullCounter)
	h.refills = 5
	if out.StartExport != "" {
		_, err = after.ExportedFunction(out.StartExport).Call(ctx)
	}
	if endless(err) {
		done.endless++
		return
	}
	logs[1], h.log = h.log, nil
	before, errBefore := h.instance(wasm)
	logs[0], h.log = h.log, nil
	if trap(err) != trap(errBefore) {
		t.Errorf("seed %d: start: %v, after the pass %v", seed, errBefore, err)
		return
	}
	done.modules++
	if err != nil {
		done.traps++
		return
	}
	// Compare what the start function did, too.
	for i, name := range append([]string{""}, out.ExportOrder...) {
		e := out.Exports[name]
		if name != "" && (!e.IsFunc() || after.ExportedFunction(name) == nil || isImport(before, name)) {
			continue
		}
		var results [2]string
		if name != "" {
			args := make([]uint64, len(e.Params))
			for j, p := range e.Params {
				if p != funcref {
					args[j] = seen(p, uint64(seed+int64(i*j))*0x12345678)
				}
			}
			h.refills = 5
			results[1], err = call(after, name, e, args)
			if endless(err) {
				done.endless++
				return
			}
			logs[1], h.log = h.log, nil
			var errBefore error
			results[0], errBefore = call(before, name, e, args)
			logs[0], h.log = h.log, nil
			if trap(err) != trap(errBefore) {
				t.Errorf("seed %d: %s: %v, after the pass %v", seed, name, errBefore, err)
				return
			}
			done.calls++
			if err != nil {
				done.traps++
			}
		}
		if results[0] != results[1] || fmt.Sprint(logs[0]) != fmt.Sprint(logs[1]) {
			t.Errorf("seed %d: %s: results %s, calls of the host %v; after the pass %s, %v",
				seed, name, results[0], logs[0], results[1], logs[1])
			return
		}
		if a, b := state(before, out), state(after, out); !bytes.Equal(a, b) {
			t.Errorf("seed %d: %s: memory or globals differ after the pass", seed, name)
			return
		}
	}
}

func call(m api.Module, name string, e Export, args []uint64) (string, error) {
	results, err := m.ExportedFunction(name).Call(ctx, args...)
	for i, r := range e.Results {
		if i < len(results) {
			results[i] = seen(r, results[i])
		}
	}
	return fmt.Sprint(results), err
}

// isImport reports whether an export is an import, which wazero does not call itself.
func isImport(m api.Module, name string) bool {
	_, _, yes := m.ExportedFunction(name).Definition().Import()
	return yes
}

// state is all that can be seen of an instance.
func state(m api.Module, out *Module) []byte {
	var all []byte
	if out.MemoryExported {
		b, _ := m.Memory().Read(0, m.Memory().Size())
		all = append(all, b...)
	}
	for _, name := range out.ExportOrder {
		if out.Exports[name].Kind == ops.KindGlobal {
			all = fmt.Append(all, m.ExportedGlobal(name).Get())
		}
	}
	return all
}

// endless reports whether a call was ended by something that depends on the engine.
func endless(err error) bool {
	return errors.Is(err, errOutOfGas) || err != nil && strings.Contains(err.Error(), "stack overflow")
}

// trap is the kind of a trap.
func trap(err error) string {
	if err == nil {
		return "none"
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	_, kind, _ := strings.Cut(first, "wasm error: ")
	return kind
}
