package cli

import (
	"slices"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/trace"
)

// frame is a call in the tree. The root stands for the message itself: what is charged outside of any call.
type frame struct {
	From     abi.ActorID        `json:"from"`
	To       string             `json:"to"`
	ID       *abi.ActorID       `json:"id,omitempty"` // nil: the receiver was not found
	Actor    string             `json:"actor,omitempty"`
	Method   abi.MethodNum      `json:"method"`
	Name     string             `json:"name"`
	Value    string             `json:"value"` // attoFIL
	GasLimit uint64             `json:"gas_limit"`
	ReadOnly bool               `json:"read_only,omitempty"`
	Params   int                `json:"params_bytes"`
	Return   int                `json:"return_bytes"`
	Exit     *exitcode.ExitCode `json:"exit_code,omitempty"` // nil: none came
	Errno    uint32             `json:"errno,omitempty"`     // the call failed before the receiver ran
	Meaning  string             `json:"meaning,omitempty"`
	Creates  bool               `json:"creates,omitempty"` // an account was made for the receiver
	Self     int64              `json:"gas_self_milli"`    // less than none: gas was given back
	Total    int64              `json:"gas_total_milli"`
	Kinds    map[string]int64   `json:"gas_by_kind_milli,omitempty"` // of Self
	Calls    []*frame           `json:"calls,omitempty"`

	value   abi.TokenAmount
	code    cid.Cid
	charges map[string]int64
}

// callTree makes the tree of a message from its trace. Names of actors come from actorName.
func callTree(events []trace.Event, actorName func(cid.Cid) string) *frame {
	root := newFrame()
	open := []*frame{root}
	top := func() *frame { return open[len(open)-1] }
	closeTop := func() {
		if len(open) > 1 {
			open = open[:len(open)-1]
		}
	}
	for _, e := range events {
		switch e := e.(type) {
		case *trace.GasCharge:
			top().charge(e)
		case *trace.Call:
			f := newFrame()
			f.From, f.To, f.Method, f.GasLimit, f.ReadOnly = e.From, addr.String(e.To), e.Method, e.GasLimit, e.ReadOnly
			f.value, f.Value = e.Value, e.Value.String()
			if e.Params != nil {
				f.Params = len(e.Params.Data)
			}
			top().Calls = append(top().Calls, f)
			open = append(open, f)
		case *trace.Invoke:
			id := e.ID
			f := top()
			f.Creates = f.Creates || f.ID != nil // the account's constructor ran first
			f.ID, f.code, f.Actor = &id, e.Code, actorName(e.Code)
		case *trace.Return:
			code := e.ExitCode
			top().Exit = &code
			if e.Data != nil {
				top().Return = len(e.Data.Data)
			}
			closeTop()
		case *trace.Error:
			top().Errno = e.Errno
			closeTop()
		}
	}
	root.finish()
	return root
}

func newFrame() *frame { return &frame{Kinds: map[string]int64{}, charges: map[string]int64{}} }

func (f *frame) charge(c *trace.GasCharge) {
	sum := int64(c.Compute + c.Other) // signed, as in traces
	f.Self += sum
	if sum != 0 {
		f.Kinds[kindOf(c.Name)] += sum
		f.charges[c.Name] += sum
	}
}

// finish names and sums from the leaves up.
func (f *frame) finish() {
	f.Total = f.Self
	for _, c := range f.Calls {
		c.finish()
		f.Total += c.Total
	}
	f.Name = methodName(f.Actor, f.Method)
	switch {
	case f.Exit != nil:
		f.Meaning = exitName(*f.Exit, f.Actor)
	case f.Errno != 0:
		f.Meaning = errnoName(f.Errno)
	}
}

// failed tells whether the call came to no good end.
func (f *frame) failed() bool { return f.Errno != 0 || f.Exit == nil || *f.Exit != 0 }

// walk visits the frame and all below.
func (f *frame) walk(visit func(*frame)) {
	visit(f)
	for _, c := range f.Calls {
		c.walk(visit)
	}
}

// share is gas of one kind.
type share struct {
	Kind  string `json:"kind"`
	Milli int64  `json:"milligas"`
}

// byKind sums the tree's gas by kind, or by the charge's own name, the most first.
func (f *frame) byKind(charges bool) []share {
	sums := map[string]int64{}
	f.walk(func(f *frame) {
		from := f.Kinds
		if charges {
			from = f.charges
		}
		for k, v := range from {
			sums[k] += v
		}
	})
	return sortShares(sums)
}

func sortShares(sums map[string]int64) []share {
	list := make([]share, 0, len(sums))
	for k, v := range sums {
		list = append(list, share{k, v})
	}
	slices.SortFunc(list, func(a, b share) int {
		if a.Milli != b.Milli {
			if a.Milli > b.Milli {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Kind, b.Kind)
	})
	return list
}

// who names the receiver: "storageminer f01005".
func (f *frame) who() string {
	if f.ID == nil {
		return cut(f.To, 24)
	}
	return strings.TrimSpace(f.Actor + " f0" + strconv.FormatUint(uint64(*f.ID), 10))
}
