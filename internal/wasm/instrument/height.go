package instrument

// activation is the cost of any call, in values.
const activation = 2

// heights follows the height of the stack as the reference's limiter does, which
// is not quite the real one. The numbers end up in every function's cost.
type heights struct {
	height uint32
	most   uint32
}

// see notes the height before an instruction.
func (c *checker) see() {
	if c.height > c.most && !c.ctl[len(c.ctl)-1].polymorphic {
		c.most = c.height
	}
}

// up pushes n values.
func (c *checker) up(n uint32) {
	if c.height+n < n {
		c.fail("stack height overflows")
		return
	}
	c.height += n
}

// down pops n values. Quirk: after code that never goes on, the height can fall
// below that of the block's start, and then it goes on falling.
func (c *checker) down(n uint32) {
	if n == 0 {
		return
	}
	if f := &c.ctl[len(c.ctl)-1]; c.height == f.height {
		if !f.polymorphic {
			c.fail("stack height falls below that of the block")
		}
		return
	}
	if c.height < n {
		c.fail("stack height underflows")
		return
	}
	c.height -= n
}
