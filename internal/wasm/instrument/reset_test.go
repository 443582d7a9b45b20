package instrument

import (
	"bytes"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// resetNames are the names in the section of an output, nil without one.
func resetNames(t *testing.T, code []byte) []string {
	t.Helper()
	head := append([]byte{byte(len(ResetSection))}, ResetSection...)
	switch bytes.Count(code, head) {
	case 0:
		return nil
	case 1:
	default:
		t.Fatal("more than one section")
	}
	r := &reader{b: code[bytes.Index(code, head)+len(head):]}
	names := []string{}
	for n := r.u32(); n > 0; n-- {
		names = append(names, r.name())
	}
	if r.err != nil || r.more() {
		t.Fatalf("the section: %v, %v", names, r.err)
	}
	return names
}

func resetOf(t *testing.T, wasm []byte, r Rules) []string {
	t.Helper()
	out, err := Instrument(wasm, &r)
	if err != nil {
		t.Fatal(err)
	}
	return resetNames(t, out.Code)
}

// Each instruction that changes more than memory and globals takes the section away.
func TestLasting(t *testing.T) {
	zero := []byte{ops.I32Const, 0}
	three := bytes.Repeat(zero, 3)
	ref := []byte{ops.I32Const, 0, ops.TableGet, 0}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, tt := range map[string]struct {
		code []byte
		ok   bool
	}{
		"nothing":      {nil, true},
		"memory.grow":  {append(bytes.Clone(zero), ops.MemoryGrow, 0, ops.Drop), true},
		"memory.fill":  {append(bytes.Clone(three), ops.Prefix, ops.MemoryFill, 0), true},
		"memory.copy":  {append(bytes.Clone(three), ops.Prefix, ops.MemoryCopy, 0, 0), true},
		"memory.init":  {append(bytes.Clone(three), ops.Prefix, ops.MemoryInit, 0, 0), true},
		"data.drop":    {[]byte{ops.Prefix, ops.DataDrop, 0}, false},
		"table.get":    {append(bytes.Clone(zero), ops.TableGet, 0, ops.Drop), true},
		"table.size":   {[]byte{ops.Prefix, ops.TableSize, 0, ops.Drop}, true},
		"table.set":    {join(zero, ref, []byte{ops.TableSet, 0}), false},
		"table.init":   {append(bytes.Clone(three), ops.Prefix, ops.TableInit, 0, 0), false},
		"table.copy":   {append(bytes.Clone(three), ops.Prefix, ops.TableCopy, 0, 0), false},
		"table.grow":   {join(ref, zero, []byte{ops.Prefix, ops.TableGrow, 0, ops.Drop}), false},
		"table.fill":   {join(zero, ref, zero, []byte{ops.Prefix, ops.TableFill, 0}), false},
		"elem.drop":    {[]byte{ops.Prefix, ops.ElemDrop, 0}, false},
		"in dead code": {[]byte{ops.Unreachable, ops.Prefix, ops.ElemDrop, 0}, false},
	} {
		g := oneFunc(tt.code...)
		g.table = []byte{1, funcref, 0, 3}
		g.element = []byte{1, 1, 0, 1, 0}
		g.data, g.dataCount = []byte{1, 1, 1, 'x'}, 1
		if names := resetOf(t, g.wasm(), RulesV040()); (names != nil) != tt.ok {
			t.Errorf("%s: %v", name, names)
		}
	}
}

// All mutable globals are there, under names that the guest does not have. A
// section of the guest's own says nothing.
func TestResetNames(t *testing.T) {
	g := oneFunc()
	g.globals = []byte{3, i32, 1, ops.I32Const, 5, ops.End, i32, 0, ops.I32Const, 5, ops.End, i64, 1, ops.I64Const, 5, ops.End}
	g.exports = []export{{"edgefvm.global.0", ops.KindMemory, 0}, {"edgefvm.global__.2", ops.KindMemory, 0}}
	r := RulesV040()
	for _, counted := range []bool{false, true} {
		r.CountPages = counted
		want := "gas_counter edgefvm.global___.height"
		if counted {
			want += " edgefvm.global___.pages"
		}
		want += " edgefvm.global___.0 edgefvm.global___.2"
		if got := strings.Join(resetOf(t, g.wasm(), r), " "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	lying := oneFunc(ops.Prefix, ops.ElemDrop, 0)
	lying.element = []byte{1, 1, 0, 1, 0}
	own := &ops.Writer{B: lying.wasm()}
	own.Section(ops.SecCustom, append([]byte{byte(len(ResetSection))}, ResetSection+"\x00"...))
	if names := resetOf(t, own.B, r); names != nil {
		t.Errorf("the guest's own section is in the output: %v", names)
	}
	for name, change := range map[string]func(g *guest){
		"a mutable reference": func(g *guest) { g.globals = []byte{1, funcref, 1, ops.RefNull, funcref, ops.End} },
		"too many globals": func(g *guest) {
			g.globals = append([]byte{maxMutables}, bytes.Repeat([]byte{i32, 1, ops.I32Const, 5, ops.End}, maxMutables)...)
		},
		"a name too long": func(g *guest) {
			g.exports = []export{{"edgefvm.global" + strings.Repeat("_", maxUnused), ops.KindMemory, 0}}
		},
	} {
		g := oneFunc()
		change(g)
		if names := resetOf(t, g.wasm(), r); names != nil {
			t.Errorf("%s: %d names", name, len(names))
		}
	}
}
