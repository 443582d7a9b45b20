package ethtrace

import (
	"context"
	"fmt"

	"github.com/edgefvm/fvm/explain/evmtrace"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/trace"
)

// Kinds are what a trace_call or trace_replay… method shall show.
type Kinds struct{ Trace, VMTrace, StateDiff bool }

// ParseKinds reads the names of kinds: "trace", "vmTrace", "stateDiff". Errors wrap ErrConfig.
func ParseKinds(names []string) (k Kinds, err error) {
	for _, n := range names {
		switch n {
		case "trace":
			k.Trace = true
		case "vmTrace":
			k.VMTrace = true
		case "stateDiff":
			k.StateDiff = true
		default:
			return k, fmt.Errorf("%w: there is no trace of the type %q: want trace, vmTrace or stateDiff", ErrConfig, layout.OneLine(layout.Cut(n, 40)))
		}
	}
	return k, nil
}

// NewReplay makes a tracer whose Result is a *Replayed.
func NewReplay(k Kinds) *Tracer {
	t := &Tracer{parity: k, events: &trace.Recorder{}}
	if k.VMTrace {
		t.opcodes = evmtrace.New(evmtrace.Options{EnableMemory: true})
	}
	if k.StateDiff {
		t.touched = newTouches(false)
	}
	return t
}

// Replayed is what trace_call, trace_replayTransaction and their like give, in OpenEthereum's form. What was not asked for is null, but
// traces, of which there are none then.
type Replayed struct {
	Output    eth.Data                     `json:"output"`
	StateDiff map[eth.Address]*AccountDiff `json:"stateDiff"`
	Trace     []*Trace                     `json:"trace"`
	// TransactionHash is of replays of blocks.
	TransactionHash *eth.Hash `json:"transactionHash,omitempty"`
	VMTrace         *VMTrace  `json:"vmTrace"`
}

// Replayed is Result of a tracer that NewReplay made.
func (t *Tracer) Replayed(ctx context.Context, d *Done) (*Replayed, error) {
	h, err := t.heard(d)
	if err != nil {
		return nil, err
	}
	r := &Replayed{Trace: []*Trace{}, Output: outputOf(h.traces)}
	if t.parity.Trace {
		r.Trace = h.traces
	}
	if h.log != nil {
		r.VMTrace = vmTrace(h.log)
	}
	if t.parity.StateDiff {
		r.StateDiff, err = h.stateDiff(ctx)
	}
	return r, err
}

// outputOf is what the first call returned.
func outputOf(traces []*Trace) eth.Data {
	if len(traces) == 0 {
		return nil
	}
	switch r := traces[0].Result.(type) {
	case *CallResult:
		return r.Output
	case *CreateResult:
		return r.Code
	}
	return nil
}
