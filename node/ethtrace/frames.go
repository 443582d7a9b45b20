package ethtrace

import (
	"errors"

	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/trace"
)

// ErrMalformed is of a trace whose calls do not nest.
var ErrMalformed = errors.New("malformed trace")

// maxDepth is more than the network's limit of nested calls (FIP-0030: 1024).
const maxDepth = 4096

// Frames are the calls of a message.
type Frames struct {
	root *call // its only call is the message's own
}

// call is a call between actors.
type call struct {
	msg      trace.Call
	invoked  *trace.Invoke // nil: the receiver was not found, or never ran
	evm      bool
	exit     exitcode.ExitCode
	ended    bool // exit is known
	errno    uint32
	returned *trace.Block
	own      int64 // milligas without the calls below
	total    int64 // milligas with them
	calls    []*call
	emits    []emitted
}

// Read reads a trace. name names actors' code, as fvm.Machine.ActorName does. A trace that ends early is read as far as
// it goes.
func Read(events trace.Events, name func(cid.Cid) (string, bool)) (*Frames, error) {
	root := &call{}
	open := []*call{root}
	evm := map[cid.Cid]bool{}
	for _, e := range events {
		c := open[len(open)-1]
		switch e := e.(type) {
		case *trace.GasCharge:
			c.own += int64(e.Compute + e.Other)
			if emits(e.Name) {
				c.emits = append(c.emits, emitted{after: len(c.calls)})
			}
		case *trace.Call:
			if len(open) > maxDepth {
				return nil, ErrMalformed
			}
			below := &call{msg: *e}
			c.calls = append(c.calls, below)
			open = append(open, below)
		case *trace.Invoke:
			c.invoked = e
			is, known := evm[e.Code]
			if !known {
				kind, _ := name(e.Code)
				is = kind == "evm"
				evm[e.Code] = is
			}
			c.evm = is
		case *trace.Return:
			c.exit, c.ended, c.returned = e.ExitCode, true, e.Data
		case *trace.Error:
			c.errno = e.Errno
		}
		switch e.(type) {
		case *trace.Return, *trace.Error:
			if c == root {
				return nil, ErrMalformed
			}
			open = open[:len(open)-1]
		}
	}
	root.sum()
	return &Frames{root}, nil
}

func (c *call) sum() {
	c.total = c.own
	for _, below := range c.calls {
		below.sum()
		c.total += below.total
	}
}

// gasUsed is in units of gas. Strict is Lotus's, which leaves out the calls below.
func (c *call) gasUsed(m eth.Manner) eth.Quantity {
	const milli = 1000
	milligas := c.total
	if m == eth.Strict {
		milligas = c.own
	}
	return eth.Quantity(max(milligas, 0) / milli)
}

// receiver is how Ethereum knows who was invoked.
func (c *call) receiver() eth.Address {
	if d := c.invoked.Delegated; d != nil {
		if b, ok := addr.EthereumBytes(*d); ok {
			return b
		}
	}
	return eth.MaskedID(uint64(c.invoked.ID))
}

// target is whom the call names, also if nobody was invoked.
func (c *call) target() eth.Address {
	if c.invoked != nil {
		return c.receiver()
	}
	if b, ok := addr.EthereumBytes(c.msg.To); ok {
		return b
	}
	return eth.NoAddress
}

func (c *call) params() (codec uint64, data []byte) { return blockOf(c.msg.Params) }

func (c *call) returns() (codec uint64, data []byte) { return blockOf(c.returned) }

func blockOf(b *trace.Block) (codec uint64, data []byte) {
	if b == nil {
		return 0, nil
	}
	return b.Codec, b.Data
}

// toActor tells whether the call is to a builtin actor of this id.
func (c *call) toActor(id uint64) bool {
	got, ok := addr.ID(c.msg.To)
	return ok && got == id
}
