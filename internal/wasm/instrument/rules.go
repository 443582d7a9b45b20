package instrument

// Rules are the data of one variant of the pass. Costs are in milligas.
type Rules struct {
	// StackLimit is the greatest height of the stack, in values.
	StackLimit uint32
	// StackCountsGroups: a function's locals weigh by the number of their groups
	// (0.4.0), not by their number (0.2.0), which is a quirk.
	StackCountsGroups bool
	// BranchTableSkipsDefault: the default target of br_table does not end
	// metered blocks (0.4.0).
	BranchTableSkipsDefault bool
	// SignExtension, SatFloatToInt and ReferenceTypes are the features beyond
	// the first version of Wasm and bulk memory.
	SignExtension, SatFloatToInt, ReferenceTypes bool
	// FirstParser: modules are read as 0.2.0's parser does, which knows bulk memory as an early draft had it: indices of
	// bulk operations are a zero byte, and element segments are active and of table 0. 0.2.0 also does without a function
	// section, has offsets of segments that are constants only, and finds the globals of modules that import some.
	// Quirk: it takes the second index of memory.copy and table.copy for an instruction, unreachable. That is written back as
	// the byte it was, so nothing traps.
	FirstParser bool
	// CountPages: the guest counts its own pages in a global, and tells the host if the engine does not give what was
	// granted. Not a rule of the reference: without a limit a memory can have 65536 pages, whose bytes some engines
	// count in 32 bits.
	CountPages bool
	Costs      Costs
	Limits     Limits
}

// Costs are the prices of instructions in milligas (FIP-0032, FIP-0057). Blocks, drop, nop,
// unreachable and return are free.
type Costs struct {
	// Default: constants, locals, globals, select, casts, sizes, drops of segments.
	Default uint64
	// Math: arithmetic, comparison, conversion.
	Math uint64
	// Jump: br. Branch: br_if and if. BranchTable: br_table.
	Jump, Branch, BranchTable uint64
	Call, CallIndirect        uint64
	// Load also prices table.get, Store table.set.
	Load, Store uint64
	// Linear prices depend on the topmost operand.
	TableCopy, TableFill, MemoryGrow, MemoryFill, MemoryCopy Linear
}

// Linear is a price in milligas: Base, and Unit for each unit of the topmost operand.
type Linear struct {
	Base uint64
	Unit uint32
}

// Limits are what the network's nodes allocate for one actor.
type Limits struct {
	MemoryPages   uint32
	TableElements uint32 // of a table
	Tables        int
	// InstanceBytes bounds the reference's record of an instance, see recordSize.
	InstanceBytes uint64
}

const milli = 1000 // milligas in a gas

// RulesV020 are the rules of network versions 16 and 17: no price depends on an operand. The reference had no limits of its
// own, only those of Wasm and of its engine.
func RulesV020() Rules {
	const instr = 4 * milli // FIP-0032
	r := RulesV040()
	r.StackCountsGroups, r.BranchTableSkipsDefault = false, false
	r.SignExtension, r.SatFloatToInt, r.ReferenceTypes = false, false, false
	r.FirstParser, r.CountPages = true, true
	for _, price := range []*Linear{&r.Costs.TableCopy, &r.Costs.TableFill, &r.Costs.MemoryGrow, &r.Costs.MemoryFill, &r.Costs.MemoryCopy} {
		*price = Linear{Base: instr}
	}
	r.Limits = Limits{MemoryPages: maxPages, TableElements: maxElems, Tables: maxTables, InstanceBytes: 1 << 62}
	return r
}

// RulesV040 are the rules of network versions 18 to 29.
func RulesV040() Rules {
	const instr = 4 * milli // FIP-0032
	// FIP-0057: 0.4 gas for each byte copied or filled; a table's element counts 8 bytes.
	const perByte = 400
	return Rules{
		StackLimit: 2048, StackCountsGroups: true, BranchTableSkipsDefault: true,
		SignExtension: true, SatFloatToInt: true, ReferenceTypes: true,
		Costs: Costs{
			Default: instr, Math: instr, Jump: instr, Branch: instr, BranchTable: instr,
			Call: instr, CallIndirect: instr, Load: instr, Store: instr,
			TableCopy:  Linear{instr, 8 * perByte},
			TableFill:  Linear{instr, 8 * perByte},
			MemoryGrow: Linear{instr, 65536 * perByte},
			MemoryFill: Linear{instr, perByte},
			MemoryCopy: Linear{instr, perByte},
		},
		Limits: Limits{MemoryPages: 8192, TableElements: 20000, Tables: 1, InstanceBytes: 1 << 20},
	}
}

// The reference's limits on modules.
const (
	maxString   = 100_000
	maxItems    = 1_000_000 // types, functions, imports, exports, globals
	maxSegments = 100_000
	maxLocals   = 50_000
	maxParams   = 1000
	maxTables   = 100
	maxElems    = 10_000_000
	maxBrTable  = 128 * 1024
	maxTypeSize = 1_000_000
	maxPages    = 65536
)
