package instrument

import "github.com/edgefvm/fvm/internal/wasm/ops"

// PassVersion changes whenever the output for some input changes; it is a part
// of the key of compiled code kept on disk.
const PassVersion = 5

// CounterExport is the name under which every output exports its gas counter, a
// mutable i64 global in milligas. A guest's own export of that name is left out
// of the output: nothing can observe it.
const CounterExport = "gas_counter"

// ResetSection is the name of a custom section that an output has if nothing in its code changes more of an instance than
// memory, its size and mutable globals: no instruction changes a table or drops a segment. It is a vector of names, each
// the export of a mutable global; all mutable globals are there, and all hold numbers. An engine can make an instance new
// with it. A guest's own custom sections are not in the output.
const ResetSection = "edgefvm.reset"

// HelperModule is the module of the imports that the output itself uses:
//
//	exhausted () -> ()                 the counter fell below zero; returns to go on
//	grow (delta, current i32) -> i32   may the memory grow by delta pages? 1 or 0; -1, -1: the engine did not give them
//	grow_table (delta, current i32) -> i32   may the table grow by delta elements?
//	opcode (i32, i32, i32) -> ()       the guest is at a place that is watched, see Watch
//
// An output declares only those that it uses. From nv18 on, grow is also called with a delta of 0 after each growth that
// leaves a memory of more than LargeMemory pages.
const HelperModule = "edgefvm"

// LargeMemory is how many pages a memory can have before it counts as large: what engine wasmedge calls LARGE, in guest.c.
const LargeMemory = 8 << 20 >> 16

// Import is what a guest imports.
type Import struct {
	Module, Name string
	// Kind is 0 for a function, 1 for a table, 2 for a memory, 3 for a global.
	Kind byte
	// Params and Results are a function's value types in the binary format. For
	// other kinds Params is no type that a function can have.
	Params, Results []byte
}

// Export is what a guest exports.
type Export struct {
	Kind            byte // as in Import
	Params, Results []byte
}

// IsFunc reports whether e is a function.
func (e Export) IsFunc() bool { return e.Kind == ops.KindFunc }

// Extent is the size of a memory in pages, or of a table in elements.
type Extent struct {
	Min, Max uint32
	HasMax   bool
}

// Module is the output of the pass.
type Module struct {
	// Code is the module to run. Nil if the guest imports something that is not
	// a function, or a function of HelperModule or of a module without a name: the
	// network offers none, so it cannot be linked.
	Code []byte
	// Imports and Exports are the guest's own, in its order and by name.
	Imports []Import
	Exports map[string]Export
	// ExportOrder are the names of Exports in the guest's order.
	ExportOrder []string
	// Memory and Table are nil if the guest has none.
	Memory, Table *Extent
	// Elements is the initial size of all tables together.
	Elements uint64
	// MemoryExported: the memory is exported as "memory".
	MemoryExported bool
	// TableExported is Table if a table is exported as "table".
	TableExported *Extent
	// StartExport is the export that the host calls once after instantiation in
	// place of a start function; empty if there is none. If a segment does not fit its
	// memory or table, Code has only empty segments and StartExport traps, as making an
	// instance would.
	StartExport string
}

// Instrument checks a guest's module and makes it ready to run. Every error
// matches ErrRefused. The Module's slices may share memory with wasm. Pure: safe from
// any goroutine.
func Instrument(wasm []byte, r *Rules) (*Module, error) { return Watched(wasm, r, nil) }

// Watched is Instrument with a place in the code at which the host is told of the guest; nil: none, the same to the byte.
func Watched(wasm []byte, r *Rules, watch *Watch) (*Module, error) {
	m, err := decode(wasm, r)
	if err != nil {
		return nil, err
	}
	bodies, err := m.analyze(m.globals)
	if err != nil {
		return nil, err
	}
	if watch != nil {
		if err := watch.into(m, bodies); err != nil {
			return nil, err
		}
	}
	p := newPlan(m, bodies)
	p.watched = watch
	if err := p.checkReference(); err != nil {
		return nil, err
	}
	out := describe(m)
	if !linkable(m) {
		return out, nil
	}
	if m.start >= 0 || m.misplaced {
		out.StartExport = unusedName(out.Exports)
	}
	out.Code = p.emit(out.StartExport)
	return out, nil
}

func describe(m *module) *Module {
	out := &Module{Imports: m.imports, Exports: make(map[string]Export, len(m.exports))}
	if len(m.memories) > 0 {
		out.Memory = &m.memories[0]
	}
	if len(m.tables) > 0 {
		out.Table = &m.tables[0]
	}
	for _, t := range m.tables {
		out.Elements += uint64(t.Min)
	}
	for _, e := range m.exports {
		x := Export{Kind: e.kind}
		switch e.kind {
		case ops.KindFunc:
			t := m.types[m.funcs[e.index]]
			x.Params, x.Results = t.params, t.results
		case ops.KindMemory:
			out.MemoryExported = out.MemoryExported || e.name == "memory"
		case ops.KindTable:
			if e.name == "table" {
				out.TableExported = &m.tables[e.index]
			}
		}
		out.Exports[e.name] = x
		out.ExportOrder = append(out.ExportOrder, e.name)
	}
	return out
}

func linkable(m *module) bool {
	for _, im := range m.imports {
		if im.Kind != ops.KindFunc || im.Module == HelperModule || im.Module == "" {
			return false
		}
	}
	return true
}

func unusedName(used map[string]Export) string {
	name := "edgefvm.start"
	for {
		if _, ok := used[name]; !ok {
			return name
		}
		name += "_"
	}
}
