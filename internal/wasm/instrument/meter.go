package instrument

import (
	"math/bits"
	"sort"
)

// block is the metering part of a control frame.
type block struct {
	// lowest is the index of the outermost frame that is branched to, forward, from
	// within this one; at most the frame's own.
	lowest int
	// start and cost are the metered block that is being gathered.
	start int
	cost  uint64
	loop  bool
}

// meter divides a body into metered blocks: runs of instructions that are
// executed all or none. A block's gas is charged where it starts.
//
// Instructions are named by the offset of their first byte.
type meter struct {
	charges []patch
	// last is the operand of the preceding i32.const, if the preceding instruction was one.
	last    int32
	isConst bool
}

// spend adds to the current block.
func (c *checker) spend(cost uint64) {
	b := &c.ctl[len(c.ctl)-1].block
	sum, carry := bits.Add64(b.cost, cost, 0)
	if carry != 0 {
		c.fail("cost of a block overflows")
	}
	b.cost = sum
}

// open starts the metering of the frame just pushed.
func (c *checker) open(start int, loop bool) {
	n := len(c.ctl) - 1
	c.ctl[n].block = block{lowest: n, start: start, loop: loop}
}

// cut ends the current block; the next one starts at the current offset.
func (c *checker) cut() {
	n := len(c.ctl) - 1
	b := &c.ctl[n].block
	done := *b
	b.start, b.cost = c.pos, 0
	if n > 0 {
		// What comes before the first branch in a `block` belongs to the block around it.
		if outer := &c.ctl[n-1].block; outer.start == done.start {
			outer.cost += done.cost // Quirk: this sum wraps around in the reference, that of spend does not
			return
		}
	}
	if done.cost > 0 {
		c.charges = append(c.charges, patch{pos: done.start, end: done.start, kind: patchCharge, arg: done.cost})
	}
}

// close ends the metering of the current frame, which is about to be popped.
func (c *checker) close() {
	c.cut()
	n := len(c.ctl) - 1
	lowest := c.ctl[n].lowest
	c.ctl = c.ctl[:n]
	if n == 0 {
		return
	}
	outer := &c.ctl[n-1].block
	outer.lowest = min(outer.lowest, lowest)
	if lowest < n {
		c.cut()
	}
}

// branch notes a jump to a label of the current frame; the block was cut before.
func (c *checker) branch(label uint32) {
	n := len(c.ctl) - 1
	i := n - int(label)
	if c.ctl[i].loop {
		return
	}
	b := &c.ctl[n].block
	b.lowest = min(b.lowest, i)
}

// linear is the cost of an instruction whose price depends on its topmost
// operand. If that is not a constant, the variable part is charged at run time.
func (c *checker) linear(at int, price Linear) uint64 {
	if price.Unit == 0 {
		return price.Base
	}
	if !c.isConst {
		c.patch(at, at, patchLinear, uint64(price.Unit))
		c.out.temps |= tempI32
		c.out.linear = true
		return price.Base
	}
	if c.last < 0 {
		// Quirk: the reference refuses the whole module.
		c.fail("negative constant operand of an instruction priced by it")
		return 0
	}
	return price.Base + uint64(c.last)*uint64(price.Unit)
}

// finish gives the charges in the order of their places.
func (m *meter) finish() ([]patch, error) {
	sort.Slice(m.charges, func(i, j int) bool { return m.charges[i].pos < m.charges[j].pos })
	for i := 1; i < len(m.charges); i++ {
		if m.charges[i].pos == m.charges[i-1].pos {
			return nil, refusef("two metered blocks start at one place")
		}
	}
	return m.charges, nil
}
