package instrument

import "github.com/edgefvm/fvm/internal/wasm/ops"

// tableIndex reads the index of a table.
func (c *checker) tableIndex() uint32 {
	i := c.shortIndex()
	if c.err == nil && uint64(i) >= uint64(len(c.m.tables)) {
		c.fail("unknown table")
	}
	return i
}

func (c *checker) table(op byte) {
	if !c.m.rules.ReferenceTypes {
		c.fail("table access is not accepted")
	}
	c.tableIndex()
	if op == ops.TableGet {
		c.take(i32)
		c.give(funcref)
		c.spend(c.m.rules.Costs.Load)
		return
	}
	c.out.lasting = true
	c.take(i32, funcref)
	c.spend(c.m.rules.Costs.Store)
}

// take pops operands of the given types, given left to right.
func (c *checker) take(types ...byte) {
	for i := len(types) - 1; i >= 0; i-- {
		c.pop(types[i])
	}
	c.down(uint32(len(types)))
}

func (c *checker) give(t byte) {
	c.push(t)
	c.up(1)
}

func (c *checker) memorySize(op byte, at int) {
	c.memory()
	c.zero()
	if op == ops.MemorySize {
		if c.m.rules.CountPages {
			c.patch(at, c.pos, patchPages, 0)
		}
		c.give(i32)
		c.spend(c.m.rules.Costs.Default)
		return
	}
	c.spend(c.linear(at, c.m.rules.Costs.MemoryGrow))
	c.patch(at, c.pos, patchGrow, 0)
	c.out.temps |= tempI32
	c.take(i32)
	c.give(i32)
}

// zero reads a memory's index, which must be a zero byte.
func (c *checker) zero() {
	if c.u8() != 0 {
		c.fail("zero byte expected")
	}
}

// shortIndex reads an index, which the first parser wants as one zero byte.
func (c *checker) shortIndex() uint32 {
	at := c.pos
	i := c.u32()
	if c.m.rules.FirstParser && (i != 0 || c.pos != at+1) {
		c.fail("an index other than a zero byte is not accepted")
	}
	return i
}

// unread marks what the first parser takes for unreachable: see Rules.
func (c *checker) unread() {
	if c.m.rules.FirstParser {
		c.ctl[len(c.ctl)-1].polymorphic = true
	}
}

// elem takes the index of an element segment and reports that instantiation drops it.
func (c *checker) elem(i uint32) (dropped bool) {
	if uint64(i) >= uint64(len(c.m.elements)) {
		c.fail("unknown element segment")
		return false
	}
	return c.m.elements[i].mode != segmentPassive
}

// data takes the index of a data segment.
func (c *checker) data(i uint32) uint32 {
	if !c.m.hasData || i >= c.m.nData {
		c.fail("unknown data segment")
	}
	return i
}

// memoryIndex reads a memory's index, which must be 0 but may be padded.
func (c *checker) memoryIndex() {
	if c.shortIndex() != 0 {
		c.fail("unknown memory")
	}
}

// rewrite notes a bulk operation on memories that is written anew: one that is not
// in its shortest form, which not every engine takes, and memory.init, whose segment
// is judged later, when the data section was read.
func (c *checker) rewrite(at int, sub, segment uint32) {
	if sub == ops.MemoryInit || c.pos-at > len("\xfc\x0a\x00\x00") || sub == ops.MemoryFill && c.pos-at > len("\xfc\x0b\x00") {
		c.patch(at, c.pos, patchBulk, uint64(sub)|uint64(segment)<<8)
	}
}

// saturating are the types of the saturating conversions.
var saturating = ops.Saturating()

// prefixed reads an instruction of two bytes.
func (c *checker) prefixed(at int, costs *Costs) {
	sub := c.u32()
	switch sub {
	case ops.DataDrop, ops.TableInit, ops.ElemDrop, ops.TableCopy, ops.TableGrow, ops.TableFill:
		c.out.lasting = true
	}
	switch sub {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		if !c.m.rules.SatFloatToInt {
			c.fail("saturating conversion is not accepted")
		}
		c.take(saturating[sub][0])
		c.give(saturating[sub][1])
		c.spend(costs.Math)
	case ops.MemoryInit:
		i := c.data(c.shortIndex())
		c.memoryIndex()
		c.bulk(at, costs.MemoryCopy, i32)
		c.rewrite(at, sub, i)
	case ops.DataDrop:
		c.data(c.u32())
		c.spend(costs.Default)
	case ops.MemoryCopy:
		c.memoryIndex()
		c.memoryIndex()
		c.bulk(at, costs.MemoryCopy, i32)
		c.unread()
		c.rewrite(at, sub, 0)
	case ops.MemoryFill:
		c.memoryIndex()
		c.bulk(at, costs.MemoryFill, i32)
		c.rewrite(at, sub, 0)
	case ops.TableInit:
		dropped := c.elem(c.shortIndex())
		c.tableIndex()
		c.bulk(at, costs.TableCopy, 0)
		if dropped {
			c.patch(at, c.pos, patchInit, 0)
		}
	case ops.ElemDrop:
		c.elem(c.u32())
		c.spend(costs.Default)
	case ops.TableCopy:
		c.tableIndex()
		c.tableIndex()
		c.bulk(at, costs.TableCopy, 0)
		c.unread()
	case ops.TableGrow:
		c.tableGrow(at, costs)
	case ops.TableSize:
		c.references()
		c.tableIndex()
		c.give(i32)
		c.spend(costs.Default)
	case ops.TableFill:
		c.references()
		c.tableIndex()
		c.spend(c.linear(at, costs.TableFill))
		c.take(i32, funcref, i32)
	default:
		c.fail("instruction %#x %d is not accepted", ops.Prefix, sub)
	}
}

func (c *checker) references() {
	if !c.m.rules.ReferenceTypes {
		c.fail("reference types are not accepted")
	}
}

// bulk checks a bulk operation; mem is 0 for one on tables.
func (c *checker) bulk(at int, price Linear, mem byte) {
	if mem != 0 {
		c.memory()
	}
	c.spend(c.linear(at, price))
	c.take(i32, i32, i32)
}

func (c *checker) tableGrow(at int, costs *Costs) {
	c.references()
	table := c.tableIndex()
	c.spend(c.linear(at, costs.TableFill))
	c.patch(at, c.pos, patchTableGrow, uint64(table))
	c.out.temps |= tempI32 | tempRef
	c.take(funcref, i32)
	c.give(i32)
}
