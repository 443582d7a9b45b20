package ffi

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/trace"
)

// A call's trace in the form that nodes decode (types.ExecutionTrace in Lotus): what was called, what it gave, what
// ran, the gas that it took itself, and the calls that it made.
type call struct {
	*trace.Call
	invoked *trace.Invoke // nil: nothing ran
	exit    exitcode.ExitCode
	data    *trace.Block // what it returned
	charges []*trace.GasCharge
	calls   []*call
	logs    []*trace.Log
	blocks  []*trace.IPLD
}

// Errors of a call that no actor came to run for, as the reference numbers them.
const (
	errnoNotFound          = 6
	errnoInsufficientFunds = 5
)

// completed adds to the trace of network versions 16 and 17 what that machine did not trace, as the original does: the
// message's gas limit stands for each call's, all data is DAG-CBOR, amounts below zero are zero, and logs and invocations are left out.
func completed(events trace.Events, gasLimit int64) trace.Events {
	out := make(trace.Events, 0, len(events))
	for _, e := range events {
		switch e := e.(type) {
		case *trace.Log, *trace.Invoke:
			continue
		case *trace.GasCharge:
			out = append(out, &trace.GasCharge{Name: e.Name, Compute: notNegative(e.Compute), Other: notNegative(e.Other)})
		case *trace.Call:
			c := *e
			c.GasLimit, c.ReadOnly, c.Params = uint64(gasLimit), false, dagCBOR(e.Params)
			out = append(out, &c)
		case *trace.Return:
			out = append(out, &trace.Return{ExitCode: e.ExitCode, Data: dagCBOR(e.Data)})
		default:
			out = append(out, e)
		}
	}
	return out
}

func notNegative(milligas uint64) uint64 { return uint64(max(int64(milligas), 0)) }

func dagCBOR(b *trace.Block) *trace.Block {
	if b == nil || len(b.Data) == 0 {
		return nil
	}
	return &trace.Block{Codec: cid.DagCBOR, Data: b.Data}
}

// fold makes the call's tree of a message's events. Charges before the first call are its own; what comes after its
// end is nobody's. It is nil if there is no call, or no end of it.
func fold(events trace.Events) *call {
	for i, e := range events {
		first, ok := e.(*trace.Call)
		if !ok {
			continue
		}
		root := &call{Call: first}
		for _, e := range events[:i] {
			if g, ok := e.(*trace.GasCharge); ok {
				root.charges = append(root.charges, g)
			}
		}
		if root.fill(events[i+1:]) {
			return root
		}
		return nil
	}
	return nil
}

// fill adds the events after the call's begin. It reports whether they hold the call's end.
func (root *call) fill(events trace.Events) bool {
	open := []*call{root} // the innermost last
	for _, e := range events {
		c := open[len(open)-1]
		switch e := e.(type) {
		case *trace.Call:
			inner := &call{Call: e}
			c.calls = append(c.calls, inner)
			open = append(open, inner)
			continue
		case *trace.Invoke:
			c.invoked = e
			continue
		case *trace.GasCharge:
			c.charges = append(c.charges, e)
			continue
		case *trace.Log:
			c.logs = append(c.logs, e)
			continue
		case *trace.IPLD:
			c.blocks = append(c.blocks, e)
			continue
		case *trace.Return:
			c.exit, c.data = e.ExitCode, e.Data
		case *trace.Error:
			c.exit = exitOf(e.Errno)
		default:
			continue
		}
		if open = open[:len(open)-1]; len(open) == 0 {
			return true
		}
	}
	return false
}

// exitOf is the exit code that stands for an error in a trace.
func exitOf(errno uint32) exitcode.ExitCode {
	switch errno {
	case errnoInsufficientFunds:
		return exitcode.SysErrInsufficientFunds
	case errnoNotFound:
		return exitcode.SysErrInvalidReceiver
	}
	return exitcode.SysErrFatal
}

// encoder appends CBOR.
type encoder struct{ buf []byte }

func (e *encoder) head(major byte, n uint64) {
	e.buf = append(e.buf, cbg.CborEncodeMajorType(major, n)...)
}

func (e *encoder) array(n int)   { e.head(cbg.MajArray, uint64(n)) }
func (e *encoder) uint(n uint64) { e.head(cbg.MajUnsignedInt, n) }
func (e *encoder) bytes(b []byte) {
	e.head(cbg.MajByteString, uint64(len(b)))
	e.buf = append(e.buf, b...)
}
func (e *encoder) text(s string) {
	e.head(cbg.MajTextString, uint64(len(s)))
	e.buf = append(e.buf, s...)
}

func (e *encoder) bool(b bool) {
	if b {
		e.buf = append(e.buf, cbg.CborBoolTrue...)
	} else {
		e.buf = append(e.buf, cbg.CborBoolFalse...)
	}
}

func (e *encoder) cid(c cid.Cid) {
	e.head(cbg.MajTag, 42)
	e.bytes(append([]byte{0}, c.Bytes()...))
}

// amount is empty for zero, else a byte for the sign and the magnitude.
func (e *encoder) amount(v abi.TokenAmount) {
	if v.Int == nil {
		v = big.Zero()
	}
	b, _ := v.Bytes() // never fails
	e.bytes(b)
}

// block is data and codec; without a block no data and codec 0.
func (e *encoder) block(b *trace.Block) {
	if b == nil {
		b = &trace.Block{}
	}
	e.bytes(b.Data)
	e.uint(b.Codec)
}

// encode is the call's CBOR.
func (c *call) encode() []byte {
	e := &encoder{}
	e.call(c)
	return e.buf
}

func (e *encoder) call(c *call) {
	e.array(7)
	e.message(c.Call)
	e.array(3)
	e.uint(uint64(uint32(c.exit)))
	e.block(c.data)
	e.actor(c.invoked)
	e.array(len(c.charges))
	for _, g := range c.charges {
		e.charge(g)
	}
	e.array(len(c.calls))
	for _, inner := range c.calls {
		e.call(inner)
	}
	e.array(len(c.logs))
	for _, l := range c.logs {
		e.text(l.Text)
	}
	e.array(len(c.blocks))
	for _, b := range c.blocks {
		e.array(3)
		e.uint(direction(b.Put))
		e.cid(b.Cid)
		e.uint(uint64(b.Size))
	}
}

func direction(put bool) uint64 {
	if put {
		return 1
	}
	return 0
}

func (e *encoder) message(c *trace.Call) {
	e.array(8)
	e.bytes(binary.AppendUvarint([]byte{address.ID}, uint64(c.From)))
	e.bytes(c.To.Bytes())
	e.amount(c.Value)
	e.uint(uint64(c.Method))
	e.block(c.Params)
	e.uint(c.GasLimit)
	e.bool(c.ReadOnly)
}

func (e *encoder) actor(i *trace.Invoke) {
	if i == nil {
		e.buf = append(e.buf, cbg.CborNull...)
		return
	}
	e.array(2)
	e.uint(uint64(i.ID))
	e.array(5)
	e.cid(i.Code)
	e.cid(i.Head)
	e.uint(i.Nonce)
	e.amount(i.Balance)
	if i.Delegated == nil {
		e.buf = append(e.buf, cbg.CborNull...)
	} else {
		e.bytes(i.Delegated.Bytes())
	}
}

// charge is in gas, each amount rounded up for itself. How long it took is not measured, so that is 0.
func (e *encoder) charge(g *trace.GasCharge) {
	total, carry := bits.Add64(g.Compute, g.Other, 0)
	if carry != 0 {
		total = math.MaxUint64
	}
	e.array(5)
	e.text(g.Name)
	e.uint(gas(total))
	e.uint(gas(g.Compute))
	e.uint(gas(g.Other))
	e.uint(0)
}

// gas is milligas as gas, rounded up.
func gas(milligas uint64) uint64 {
	n := milligas / 1000
	if milligas%1000 != 0 {
		n++
	}
	return n
}
