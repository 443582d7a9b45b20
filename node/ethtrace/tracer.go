package ethtrace

import (
	"context"
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/explain/evmtrace"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/trace"
)

// Tracer watches messages by its hooks, and says of each what its config asks for. It belongs to the goroutine that applies messages.
type Tracer struct {
	list    []part
	mux     bool
	parity  Kinds
	options evmtrace.Options

	events  *trace.Recorder  // nil: not needed
	opcodes *evmtrace.Tracer // nil: not needed
	touched *touches         // nil: not needed
}

// Done is a message that was executed with a Tracer's hooks.
type Done struct {
	Result *fvm.Result
	// From is the sender, and Manner whose words are used.
	From   eth.Address
	Manner eth.Manner
	// Create tells that it deployed a contract: what it returned is not Ethereum's then, and is left out.
	Create bool
	// Name names actors' code, as fvm.Machine.ActorName does.
	Name func(cid.Cid) (string, bool)
	// Before and After are the states around it, in Store. They are needed if Tracer.States says so.
	Before, After cid.Cid
	Store         blockstore.Blockstore
	// Place is where it stands; nil of a call.
	Place *Place
}

// Place is where a message stands in the chain.
type Place struct {
	Block       eth.Hash
	Number      uint64
	Transaction eth.Hash
	Position    int
	// FirstLog is the index of its first log in the block.
	FirstLog uint64
}

// New makes a tracer. Errors wrap ErrConfig.
func New(c Config) (*Tracer, error) {
	if _, err := c.Limit(); err != nil {
		return nil, err
	}
	if c.Options.Limit < 0 {
		return nil, fmt.Errorf("%w: a limit of %d steps", ErrConfig, c.Options.Limit)
	}
	t := &Tracer{options: c.Options}
	if c.DisableMemory != nil {
		t.options.EnableMemory = !*c.DisableMemory
	}
	if c.DisableReturnData != nil {
		t.options.EnableReturnData = !*c.DisableReturnData
	}
	var err error
	if t.list, t.mux, err = c.parts(); err != nil {
		return nil, err
	}
	if t.list == nil {
		t.opcodes = evmtrace.New(t.options)
	}
	for _, p := range t.list {
		switch p.name {
		case "callTracer", "flatCallTracer", "4byteTracer":
			t.events = &trace.Recorder{}
		case "prestateTracer":
			t.touched = newTouches(!p.prestate.DisableStorage && !p.prestate.DiffMode || t.touched != nil && t.touched.slots)
		}
	}
	return t, nil
}

// States tells whether Result needs the states before and after a message.
func (t *Tracer) States() bool { return t.touched != nil }

// Hooks are for a machine. They may watch several messages, with Result after each.
func (t *Tracer) Hooks() *trace.Hooks {
	h := &trace.Hooks{}
	if t.events != nil {
		h = t.events.Hooks()
		h.OnIPLD, h.OnLog = nil, nil // no tracer shows them
	}
	if t.touched != nil {
		h = t.touched.hooks(h)
	}
	if t.opcodes != nil {
		h = t.opcodes.Hooks(h)
	}
	return h
}

// Skip forgets what was heard since the last Result.
func (t *Tracer) Skip() {
	if t.events != nil {
		t.events.Take()
	}
	if t.opcodes != nil {
		t.opcodes.Take(0)
	}
	if t.touched != nil {
		t.touched.take()
	}
}

// Result is what the tracer says of the message that ended, ready for JSON.
func (t *Tracer) Result(ctx context.Context, d *Done) (any, error) {
	h, err := t.heard(d)
	if err != nil {
		return nil, err
	}
	if t.list == nil {
		if d.Create {
			h.log.Return = nil
		}
		return h.log, nil
	}
	if !t.mux {
		return h.shape(ctx, &t.list[0])
	}
	all := map[string]any{}
	for i := range t.list {
		if all[t.list[i].name], err = h.shape(ctx, &t.list[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// heard is what the hooks heard of a message.
type heard struct {
	done    *Done
	frames  *Frames
	traces  []*Trace
	log     *evmtrace.Log
	touched *touches
}

func (t *Tracer) heard(d *Done) (*heard, error) {
	h := &heard{done: d}
	if t.opcodes != nil {
		h.log = t.opcodes.Take(uint64(max(d.Result.GasUsed, 0)))
	}
	if t.touched != nil {
		h.touched = t.touched.take()
	}
	if t.events == nil {
		return h, nil
	}
	var err error
	if h.frames, err = Read(t.events.Take(), d.Name); err != nil {
		return nil, err
	}
	h.frames.assign(d.Result.Events)
	h.traces, err = h.frames.Parity(d.Manner, d.From)
	return h, err
}

func (h *heard) shape(ctx context.Context, p *part) (any, error) {
	switch p.name {
	case "callTracer":
		return h.nested(&p.call), nil
	case "flatCallTracer":
		return h.flat(&p.flat), nil
	case "prestateTracer":
		return h.prestate(ctx, &p.prestate)
	case "4byteTracer":
		return called(h.traces), nil
	}
	return struct{}{}, nil
}

// nested is the callTracer's tree.
func (h *heard) nested(c *callConfig) *Frame {
	f := nest(h.traces, c.WithLog)
	if f == nil {
		return nil
	}
	f.GasUsed = eth.Quantity(max(h.done.Result.GasUsed, 0)) // with inclusion, as the receipt has it
	if c.OnlyTopCall {
		f.Calls = nil
	}
	if c.WithLog && h.done.Place != nil {
		f.shiftLogs(eth.Quantity(h.done.Place.FirstLog))
	}
	return f
}

// Flat is a trace with its place, as trace_transaction and the flatCallTracer have it.
type Flat struct {
	*Trace
	BlockHash           eth.Hash `json:"blockHash"`
	BlockNumber         uint64   `json:"blockNumber"` // a plain number, as OpenEthereum has it
	TransactionHash     eth.Hash `json:"transactionHash"`
	TransactionPosition int      `json:"transactionPosition"`
}

// In puts traces in their place.
func (p *Place) In(traces []*Trace) []*Flat {
	list := make([]*Flat, len(traces))
	for i, t := range traces {
		list[i] = &Flat{t, p.Block, p.Number, p.Transaction, p.Position}
	}
	return list
}

// flatCall is a trace as the flatCallTracer has it: a call that failed has a result if it reverted, and what has no place none.
type flatCall struct {
	Action              any       `json:"action"`
	BlockHash           *eth.Hash `json:"blockHash"`
	BlockNumber         uint64    `json:"blockNumber"`
	Error               string    `json:"error,omitempty"`
	Result              any       `json:"result,omitempty"`
	Subtraces           int       `json:"subtraces"`
	TraceAddress        []int     `json:"traceAddress"`
	TransactionHash     *eth.Hash `json:"transactionHash"`
	TransactionPosition int       `json:"transactionPosition"`
	Type                string    `json:"type"`
}

func (h *heard) flat(c *flatConfig) []*flatCall {
	list := make([]*flatCall, len(h.traces))
	for i, t := range h.traces {
		f := &flatCall{Action: t.Action, Error: t.Error, Result: t.Result, Subtraces: t.Subtraces, TraceAddress: t.TraceAddress, Type: t.Type}
		if t.Error != "" && t.Error != reverted {
			f.Result = nil
		}
		if !c.ConvertParityErrors {
			f.Error = gethError(t.Error)
		}
		if p := h.done.Place; p != nil {
			f.BlockHash, f.BlockNumber, f.TransactionHash, f.TransactionPosition = &p.Block, p.Number, &p.Transaction, p.Position
		}
		list[i] = f
	}
	return list
}

// called are the functions that were called, with the length of their arguments in bytes, and how often.
func called(traces []*Trace) map[string]int {
	all := map[string]int{}
	for _, t := range traces {
		if a, ok := t.Action.(*CallAction); ok && len(a.Input) >= 4 {
			all[fmt.Sprintf("0x%x-%d", []byte(a.Input[:4]), len(a.Input)-4)]++
		}
	}
	return all
}
