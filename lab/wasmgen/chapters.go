package wasmgen

import "github.com/edgefvm/fvm/internal/wasm/ops"

// Chapter is a module that runs every instruction of a kind, once, with operands that do not trap.
type Chapter struct {
	Name string
	Wasm []byte
}

// Chapters are modules that run every instruction that the pass accepts, each once, as the code of actors: invoke, memory and the
// table are exported. First ones have nothing that the parser of before nv18 does not read.
func Chapters(first bool) []Chapter {
	var list []Chapter
	for _, c := range []struct {
		name string
		body func(w *ops.Writer, first bool)
	}{{"numbers", numbers}, {"memory", memories}, {"tables", tables}, {"control", control}} {
		w := &ops.Writer{}
		c.body(w, first)
		list = append(list, Chapter{c.name, actorOf(w.B, first)})
	}
	return append(list, Chapter{"unreachable", actorOf([]byte{ops.Unreachable}, first)})
}

// Functions of a chapter's module.
const (
	funcInvoke = iota
	funcNothing
	funcTwice
)

// actorOf is a module whose invoke has a local of each type, the first its parameter, runs a body and returns 0. Unless it is a
// first one, segment 1 of each kind is passive.
func actorOf(body []byte, first bool) []byte {
	w := &ops.Writer{B: []byte(ops.Header)}
	w.Section(ops.SecType, []byte{2, ops.FuncType, 1, i32, 1, i32, ops.FuncType, 0, 0})
	w.Section(ops.SecFunction, []byte{3, 0, 1, 0})
	w.Section(ops.SecTable, []byte{1, funcref, 1, 8, 20})
	w.Section(ops.SecMemory, []byte{1, 1, 2, 8})
	w.Section(ops.SecGlobal, []byte{1, i32, 1, ops.I32Const, 5, ops.End})
	e := &ops.Writer{}
	e.Len(3)
	for i, name := range []string{"invoke", "table", "memory"} {
		e.String(name)
		e.Op([]byte{ops.KindFunc, ops.KindTable, ops.KindMemory}[i], 0)
	}
	w.Section(ops.SecExport, e.B)
	elements := []byte{1, 0, ops.I32Const, 1, ops.End, 2, funcNothing, funcTwice}
	data := append([]byte{1, 0, ops.I32Const, 0, ops.End, 8}, "some dat"...)
	if !first {
		elements[0], data[0] = 2, 2
		elements, data = append(elements, 1, 0, 1, funcTwice), append(data, 1, 4, 'm', 'o', 'r', 'e')
	}
	w.Section(ops.SecElement, elements)
	w.Section(ops.SecDataCount, data[:1])
	code := &ops.Writer{}
	code.Len(3)
	for _, f := range [][]byte{
		append(append([]byte{3, 1, i64, 1, f32, 1, f64}, body...), ops.I32Const, 0, ops.End),
		{0, ops.End},
		{0, ops.LocalGet, 0, ops.I32Const, 2, ops.I32Mul, ops.End},
	} {
		code.Len(len(f))
		code.Append(f)
	}
	w.Section(ops.SecCode, code.B)
	w.Section(ops.SecData, data)
	return w.B
}

// seven is 7 of a type, which every conversion takes.
func seven(w *ops.Writer, t byte) {
	switch t {
	case i32:
		w.Raw(ops.I32Const, 7)
	case i64:
		w.Raw(ops.I64Const, 7)
	case f32:
		w.Raw(ops.F32Const, 0, 0, 0xe0, 0x40)
	case f64:
		w.Raw(ops.F64Const, 0, 0, 0, 0, 0, 0, 0x1c, 0x40)
	}
}

func each(w *ops.Writer, first, memory bool) {
	for op, o := range ordinaries {
		if !o.Known() || first && o.Extend || memory != (o.Align >= 0) {
			continue
		}
		for _, t := range o.In[:o.N] {
			seven(w, t)
		}
		w.U8(byte(op))
		if memory {
			w.Raw(byte(o.Align), 16)
		}
		if o.Out != 0 {
			w.U8(ops.Drop)
		}
	}
}

func numbers(w *ops.Writer, first bool) {
	each(w, first, false)
	if first {
		return
	}
	for i, t := range saturating {
		seven(w, t[0])
		w.Raw(ops.Prefix, byte(i), ops.Drop)
	}
}

// three puts operands of an instruction with a prefix, and that.
func three(w *ops.Writer, a, b, c byte, op ...byte) {
	w.Raw(ops.I32Const, a, ops.I32Const, b, ops.I32Const, c, ops.Prefix)
	w.Append(op)
}

func memories(w *ops.Writer, first bool) {
	each(w, first, true)
	w.Raw(ops.MemorySize, 0, ops.Drop, ops.I32Const, 1, ops.MemoryGrow, 0, ops.Drop)
	three(w, 32, 0, 8, ops.MemoryCopy, 0, 0)
	three(w, 32, 1, 8, ops.MemoryFill, 0)
	if first { // of an active segment nothing is left
		three(w, 32, 0, 0, ops.MemoryInit, 0, 0)
		w.Raw(ops.Prefix, ops.DataDrop, 0)
	} else {
		three(w, 32, 0, 4, ops.MemoryInit, 1, 0)
		w.Raw(ops.Prefix, ops.DataDrop, 1)
	}
}

func tables(w *ops.Writer, first bool) {
	three(w, 4, 1, 2, ops.TableCopy, 0, 0)
	if first {
		three(w, 4, 0, 0, ops.TableInit, 0, 0)
		w.Raw(ops.Prefix, ops.ElemDrop, 0)
		return
	}
	three(w, 6, 0, 1, ops.TableInit, 1, 0)
	w.Raw(ops.Prefix, ops.ElemDrop, 1)
	w.Raw(ops.I32Const, 2, ops.TableGet, 0, ops.I32Const, 2, ops.Prefix, ops.TableGrow, 0, ops.Drop)
	w.Raw(ops.Prefix, ops.TableSize, 0, ops.Drop)
	w.Raw(ops.I32Const, 0, ops.I32Const, 2, ops.TableGet, 0, ops.I32Const, 2, ops.Prefix, ops.TableFill, 0)
	w.Raw(ops.I32Const, 7, ops.I32Const, 1, ops.TableGet, 0, ops.TableSet, 0)
}

func control(w *ops.Writer, _ bool) {
	w.Raw(ops.Nop, ops.Block, ops.BlockEmpty, ops.Br, 0, ops.End)
	w.Raw(ops.Loop, ops.BlockEmpty, ops.I32Const, 0, ops.BrIf, 0, ops.End)
	w.Raw(ops.Block, ops.BlockEmpty, ops.I32Const, 1, ops.BrIf, 0, ops.End)
	w.Raw(ops.Block, ops.BlockEmpty, ops.Block, ops.BlockEmpty, ops.I32Const, 1, ops.BrTable, 1, 0, 1, ops.End, ops.End)
	w.Raw(ops.I32Const, 1, ops.If, ops.BlockEmpty, ops.Nop, ops.Else, ops.Nop, ops.End)
	w.Raw(ops.I32Const, 0, ops.If, i32, ops.I32Const, 1, ops.Else, ops.I32Const, 2, ops.End, ops.Drop)
	for l, t := range []byte{i32, i64, f32, f64} {
		local := byte(l)
		seven(w, t)
		w.Raw(ops.LocalSet, local)
		seven(w, t)
		w.Raw(ops.LocalTee, local, ops.LocalGet, local, ops.LocalGet, 0, ops.Select, ops.Drop)
	}
	w.Raw(ops.GlobalGet, 0, ops.GlobalSet, 0, ops.Call, funcNothing)
	w.Raw(ops.I32Const, 3, ops.Call, funcTwice, ops.I32Const, 2, ops.CallIndirect, 0, 0, ops.Drop)
	w.Raw(ops.I32Const, 0, ops.Return)
}
