package wasmgen

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
		body func(w *writer, first bool)
	}{{"numbers", numbers}, {"memory", memories}, {"tables", tables}, {"control", control}} {
		w := &writer{}
		c.body(w, first)
		list = append(list, Chapter{c.name, actorOf(w.b, first)})
	}
	return append(list, Chapter{"unreachable", actorOf([]byte{opUnreachable}, first)})
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
	w := &writer{b: []byte("\x00asm\x01\x00\x00\x00")}
	w.section(secType, []byte{2, 0x60, 1, i32, 1, i32, 0x60, 0, 0})
	w.section(secFunction, []byte{3, 0, 1, 0})
	w.section(secTable, []byte{1, funcref, 1, 8, 20})
	w.section(secMemory, []byte{1, 1, 2, 8})
	w.section(secGlobal, []byte{1, i32, 1, opI32Const, 5, opEnd})
	e := &writer{}
	e.len(3)
	for i, name := range []string{"invoke", "table", "memory"} {
		e.string(name)
		e.op([]byte{kindFunc, kindTable, kindMemory}[i], 0)
	}
	w.section(secExport, e.b)
	elements := []byte{1, 0, opI32Const, 1, opEnd, 2, funcNothing, funcTwice}
	data := append([]byte{1, 0, opI32Const, 0, opEnd, 8}, "some dat"...)
	if !first {
		elements[0], data[0] = 2, 2
		elements, data = append(elements, 1, 0, 1, funcTwice), append(data, 1, 4, 'm', 'o', 'r', 'e')
	}
	w.section(secElement, elements)
	w.section(secDataCount, data[:1])
	code := &writer{}
	code.len(3)
	for _, f := range [][]byte{
		append(append([]byte{3, 1, i64, 1, f32, 1, f64}, body...), opI32Const, 0, opEnd),
		{0, opEnd},
		{0, opLocalGet, 0, opI32Const, 2, opI32Mul, opEnd},
	} {
		code.len(len(f))
		code.append(f)
	}
	w.section(secCode, code.b)
	w.section(secData, data)
	return w.b
}

// seven is 7 of a type, which every conversion takes.
func seven(w *writer, t byte) {
	switch t {
	case i32:
		w.raw(opI32Const, 7)
	case i64:
		w.raw(opI64Const, 7)
	case f32:
		w.raw(opF32Const, 0, 0, 0xe0, 0x40)
	case f64:
		w.raw(opF64Const, 0, 0, 0, 0, 0, 0, 0x1c, 0x40)
	}
}

func each(w *writer, first, memory bool) {
	for op, o := range ordinaries {
		if !o.Known() || first && o.Extend || memory != (o.Align >= 0) {
			continue
		}
		for _, t := range o.In[:o.N] {
			seven(w, t)
		}
		w.u8(byte(op))
		if memory {
			w.raw(byte(o.Align), 16)
		}
		if o.Out != 0 {
			w.u8(opDrop)
		}
	}
}

func numbers(w *writer, first bool) {
	each(w, first, false)
	if first {
		return
	}
	for i, t := range saturating {
		seven(w, t[0])
		w.raw(opPrefix, byte(i), opDrop)
	}
}

// three puts operands of an instruction with a prefix, and that.
func three(w *writer, a, b, c byte, op ...byte) {
	w.raw(opI32Const, a, opI32Const, b, opI32Const, c, opPrefix)
	w.append(op)
}

func memories(w *writer, first bool) {
	each(w, first, true)
	w.raw(opMemorySize, 0, opDrop, opI32Const, 1, opMemoryGrow, 0, opDrop)
	three(w, 32, 0, 8, subMemoryCopy, 0, 0)
	three(w, 32, 1, 8, subMemoryFill, 0)
	if first { // of an active segment nothing is left
		three(w, 32, 0, 0, subMemoryInit, 0, 0)
		w.raw(opPrefix, subDataDrop, 0)
	} else {
		three(w, 32, 0, 4, subMemoryInit, 1, 0)
		w.raw(opPrefix, subDataDrop, 1)
	}
}

func tables(w *writer, first bool) {
	three(w, 4, 1, 2, subTableCopy, 0, 0)
	if first {
		three(w, 4, 0, 0, subTableInit, 0, 0)
		w.raw(opPrefix, subElemDrop, 0)
		return
	}
	three(w, 6, 0, 1, subTableInit, 1, 0)
	w.raw(opPrefix, subElemDrop, 1)
	w.raw(opI32Const, 2, opTableGet, 0, opI32Const, 2, opPrefix, subTableGrow, 0, opDrop)
	w.raw(opPrefix, subTableSize, 0, opDrop)
	w.raw(opI32Const, 0, opI32Const, 2, opTableGet, 0, opI32Const, 2, opPrefix, subTableFill, 0)
	w.raw(opI32Const, 7, opI32Const, 1, opTableGet, 0, opTableSet, 0)
}

func control(w *writer, _ bool) {
	w.raw(opNop, opBlock, blockEmpty, opBr, 0, opEnd)
	w.raw(opLoop, blockEmpty, opI32Const, 0, opBrIf, 0, opEnd)
	w.raw(opBlock, blockEmpty, opI32Const, 1, opBrIf, 0, opEnd)
	w.raw(opBlock, blockEmpty, opBlock, blockEmpty, opI32Const, 1, opBrTable, 1, 0, 1, opEnd, opEnd)
	w.raw(opI32Const, 1, opIf, blockEmpty, opNop, opElse, opNop, opEnd)
	w.raw(opI32Const, 0, opIf, i32, opI32Const, 1, opElse, opI32Const, 2, opEnd, opDrop)
	for l, t := range []byte{i32, i64, f32, f64} {
		local := byte(l)
		seven(w, t)
		w.raw(opLocalSet, local)
		seven(w, t)
		w.raw(opLocalTee, local, opLocalGet, local, opLocalGet, 0, opSelect, opDrop)
	}
	w.raw(opGlobalGet, 0, opGlobalSet, 0, opCall, funcNothing)
	w.raw(opI32Const, 3, opCall, funcTwice, opI32Const, 2, opCallIndirect, 0, 0, opDrop)
	w.raw(opI32Const, 0, opReturn)
}
