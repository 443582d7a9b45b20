package explain

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/trace"
)

// MaxDepth is how deep the calls of a trace may be nested. The network's own limit is 1024 calls (FIP-0030).
const MaxDepth = 4096

var (
	// ErrMalformed is a trace that no message can have left: an event that belongs to a call where none is open, or
	// one of an unknown kind. A trace that ends early is not malformed.
	ErrMalformed = errors.New("malformed trace")
	// ErrTooDeep is a trace with calls nested deeper than MaxDepth.
	ErrTooDeep = errors.New("the calls are nested too deep")
	// ErrNoTrace is that there is nothing to explain: no trace, no result and no error.
	ErrNoTrace = errors.New("there is no trace: record one by trace.Recorder, whose Hooks are for fvm.Config")
)

// Call is a call between actors, with those that it made. The root of a tree stands for the message itself: its own gas
// is what is charged outside of any call, for inclusion and the return value on the chain, and its other fields are empty.
type Call struct {
	From        abi.ActorID        `json:"from"`
	To          string             `json:"to"`              // the address as it was called, as text of mainnet
	ID          *abi.ActorID       `json:"id,omitempty"`    // nil: the receiver was not found, or never invoked
	Actor       string             `json:"actor,omitempty"` // the receiver's kind, such as "storageminer"; "" with no ID
	Method      abi.MethodNum      `json:"method"`
	Name        string             `json:"name"`      // of the method, see MethodName
	Value       Amount             `json:"value"`     // that goes to the receiver
	GasLimit    uint64             `json:"gas_limit"` // in gas, as the trace has it; 0 until network version 17
	ReadOnly    bool               `json:"read_only,omitempty"`
	ParamsBytes int                `json:"params_bytes"`
	ReturnBytes int                `json:"return_bytes"`
	Exit        *exitcode.ExitCode `json:"exit_code,omitempty"`         // nil: none came, see Failed
	Errno       uint32             `json:"errno,omitempty"`             // the call failed before the receiver ran (FIP-0030); 0: it did not
	Meaning     string             `json:"meaning,omitempty"`           // of Exit or Errno, in words
	Creates     bool               `json:"creates,omitempty"`           // an account was made for the receiver
	Self        int64              `json:"gas_self_milli"`              // milligas without the calls below; less than none: gas was given back
	Total       int64              `json:"gas_total_milli"`             // milligas with the calls below
	Kinds       map[string]int64   `json:"gas_by_kind_milli,omitempty"` // Self by kind, see Kinds
	Calls       []*Call            `json:"calls,omitempty"`             // in the order in which they were made

	// ParamsValue and ReturnValue are what Decoders made of the data; nil: nothing.
	ParamsValue any `json:"params_value,omitempty"`
	ReturnValue any `json:"return_value,omitempty"`

	// Charges is Self by the charge's own name, such as "OnBlockCreate", in milligas.
	Charges map[string]int64 `json:"-"`
	// Code is the receiver's; undefined with no ID.
	Code cid.Cid `json:"-"`
	// Params and Return are the data themselves; nil: none.
	Params *trace.Block `json:"-"`
	Return *trace.Block `json:"-"`
}

// callTree makes the tree of a message from its trace, in one pass.
func callTree(events trace.Events, o *Options) (*Call, error) {
	root := newCall()
	open := []*Call{root} // the innermost last
	for i, e := range events {
		c := open[len(open)-1]
		switch e.(type) {
		case *trace.Invoke, *trace.Return, *trace.Error:
			if c == root {
				return nil, fmt.Errorf("event %d: %w: %T outside of any call", i, ErrMalformed, e)
			}
		}
		switch e := e.(type) {
		case *trace.GasCharge:
			c.charge(e)
		case *trace.Call:
			if len(open) > MaxDepth {
				return nil, fmt.Errorf("event %d: %w", i, ErrTooDeep)
			}
			below := begin(e)
			c.Calls = append(c.Calls, below)
			open = append(open, below)
		case *trace.Invoke:
			id := e.ID
			c.Creates = c.Creates || c.ID != nil // the account's constructor ran first
			c.ID, c.Code, c.Actor = &id, e.Code, o.actorName(e.Code)
		case *trace.Return:
			code := e.ExitCode
			c.Exit = &code
			if e.Data != nil {
				c.Return, c.ReturnBytes = e.Data, len(e.Data.Data)
			}
			open = open[:len(open)-1]
		case *trace.Error:
			c.Errno = e.Errno
			open = open[:len(open)-1]
		case *trace.Log, *trace.IPLD:
		default:
			return nil, fmt.Errorf("event %d: %w: %T is no event", i, ErrMalformed, e)
		}
	}
	root.finish(o)
	return root, nil
}

func newCall() *Call { return &Call{Kinds: map[string]int64{}, Charges: map[string]int64{}} }

func begin(e *trace.Call) *Call {
	c := newCall()
	c.From, c.To, c.Method, c.GasLimit, c.ReadOnly = e.From, addr.String(e.To), e.Method, e.GasLimit, e.ReadOnly
	c.Value = Amount{e.Value}
	if e.Params != nil {
		c.Params, c.ParamsBytes = e.Params, len(e.Params.Data)
	}
	return c
}

func (c *Call) charge(e *trace.GasCharge) {
	sum := int64(e.Compute + e.Other) // signed, as in traces
	c.Self += sum
	if sum != 0 {
		c.Kinds[KindOf(e.Name)] += sum
		c.Charges[e.Name] += sum
	}
}

// finish names, decodes and sums from the leaves up. MaxDepth bounds how deep it goes.
func (c *Call) finish(o *Options) {
	c.Total = c.Self
	for _, below := range c.Calls {
		below.finish(o)
		c.Total += below.Total
	}
	c.Name = MethodName(c.Actor, c.Method)
	switch {
	case c.Exit != nil:
		c.Meaning = ExitMeaning(*c.Exit, c.Actor)
	case c.Errno != 0:
		c.Meaning = ErrnoMeaning(c.Errno)
	}
	o.decode(c)
}

// Failed tells whether the call came to no good end: it has an exit code other than 0, failed before the receiver ran,
// or has no end at all, because the message or its trace was cut short.
func (c *Call) Failed() bool { return c.Errno != 0 || c.Exit == nil || *c.Exit != 0 }

// Why says in words how a call failed, "" if it did not.
func (c *Call) Why() string {
	switch {
	case !c.Failed():
		return ""
	case c.Exit != nil:
		return fmt.Sprintf("exit code %d, %s", *c.Exit, c.Meaning)
	case c.Errno != 0:
		return "not run: " + c.Meaning
	}
	return "no exit code"
}

// Who names the receiver: "storageminer f01005", or the address that was called if nobody was found there.
func (c *Call) Who() string {
	if c.ID == nil {
		return c.To
	}
	return strings.TrimSpace(c.Actor + " f0" + strconv.FormatUint(uint64(*c.ID), 10))
}

// Share is the part of a whole that the call's gas is, with the calls below it: 1 is all. 0 if there is no whole.
func (c *Call) Share(of int64) float64 {
	if of <= 0 {
		return 0
	}
	return float64(c.Total) / float64(of)
}

// Walk visits the call and all below it, a call before those that it made.
func (c *Call) Walk(visit func(*Call)) {
	visit(c)
	for _, below := range c.Calls {
		below.Walk(visit)
	}
}

// Count is the number of calls below.
func (c *Call) Count() int {
	n := -1
	c.Walk(func(*Call) { n++ })
	return n
}
