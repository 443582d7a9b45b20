package ethchain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtrace"
	"github.com/edgefvm/fvm/node/filapi"
	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/replay"
	"github.com/edgefvm/fvm/trace"
)

// placed is a trace with its place in the chain.
type placed struct {
	*ethtrace.Trace
	BlockHash           eth.Hash `json:"blockHash"`
	BlockNumber         uint64   `json:"blockNumber"` // a plain number, as OpenEthereum has it
	TransactionHash     eth.Hash `json:"transactionHash"`
	TransactionPosition int      `json:"transactionPosition"`
}

// traced are the calls of each message of a block, which is executed once more for it.
func (a *API) traced(ctx context.Context, b *block) (*eth.Rendered, [][]*ethtrace.Trace, error) {
	r, err := a.render(ctx, b)
	if err != nil || len(r.Transactions) == 0 {
		return r, nil, err
	}
	w, ok := a.chain.(filapi.Walker)
	if !ok {
		return nil, nil, errors.New("this chain's tipsets cannot be executed again")
	}
	t, err := a.state(ctx, b)
	if err != nil {
		return nil, nil, err
	}
	var all [][]*ethtrace.Trace
	_, err = w.Walk(ctx, b.ts, blockstore.NewMemory(), func(x *replay.Applied) error {
		if x.Implicit {
			return nil
		}
		i := len(all)
		if i >= len(r.Transactions) {
			return fmt.Errorf("executed again, it has more than its %d messages", i)
		}
		traces, err := a.parity(ctx, t, x.Trace, r.Transactions[i].From)
		all = append(all, traces)
		return err
	})
	return r, all, missing(b, err)
}

func (a *API) parity(ctx context.Context, t *tree.Tree, events trace.Events, from eth.Address) ([]*ethtrace.Trace, error) {
	f, err := ethtrace.Read(events, func(code cid.Cid) (string, bool) {
		name, err := t.Name(ctx, code)
		return name, err == nil && name != ""
	})
	if err != nil {
		return nil, err
	}
	return f.Parity(a.o.Manner, from)
}

func (a *API) placed(ctx context.Context, b *block) ([]*placed, error) {
	r, all, err := a.traced(ctx, b)
	if err != nil {
		return nil, err
	}
	list := []*placed{}
	for i, traces := range all {
		for _, t := range traces {
			list = append(list, &placed{t, b.hash, b.number(), r.Transactions[i].Hash, i})
		}
	}
	return list, nil
}

// traceBlock is trace_block.
func (a *API) traceBlock(ctx context.Context, ref eth.BlockRef) ([]*placed, error) {
	b, err := a.needed(ctx, ref, true)
	if err != nil {
		return nil, err
	}
	return a.placed(ctx, b)
}

// mined finds a transaction that must be there.
func (a *API) mined(ctx context.Context, h eth.Hash) (*block, int, error) {
	b, _, i, err := a.transaction(ctx, h)
	if err == nil && b == nil {
		err = &eth.Error{Code: eth.CodeServer, Message: "transaction not found"}
	}
	return b, i, err
}

// traceTransaction is trace_transaction.
func (a *API) traceTransaction(ctx context.Context, h eth.Hash) ([]*placed, error) {
	b, i, err := a.mined(ctx, h)
	if err != nil {
		return nil, err
	}
	list, err := a.placed(ctx, b)
	return slices.DeleteFunc(list, func(p *placed) bool { return p.TransactionPosition != i }), err
}

// replayed is a transaction of trace_replayBlockTransactions.
type replayed struct {
	Output          eth.Data          `json:"output"`
	StateDiff       *string           `json:"stateDiff"`
	Trace           []*ethtrace.Trace `json:"trace"`
	TransactionHash eth.Hash          `json:"transactionHash"`
	VMTrace         *string           `json:"vmTrace"`
}

// traceReplay is trace_replayBlockTransactions, of ["trace"] alone, as in Lotus.
func (a *API) traceReplay(ctx context.Context, ref eth.BlockRef, kinds []string) ([]replayed, error) {
	if len(kinds) != 1 || kinds[0] != "trace" {
		return nil, &eth.Error{Code: eth.CodeInvalidParams, Message: "only 'trace' is supported"}
	}
	b, err := a.needed(ctx, ref, true)
	if err != nil {
		return nil, err
	}
	r, all, err := a.traced(ctx, b)
	if err != nil {
		return nil, err
	}
	list := make([]replayed, len(all))
	for i, traces := range all {
		list[i] = replayed{Trace: traces, TransactionHash: r.Transactions[i].Hash}
		if len(traces) == 0 {
			continue
		}
		switch x := traces[0].Result.(type) {
		case *ethtrace.CallResult:
			list[i].Output = x.Output
		case *ethtrace.CreateResult:
			list[i].Output = x.Code
		}
	}
	return list, nil
}

// traceOptions are those of debug_trace… methods. Others than the tracer are passed over.
type traceOptions struct {
	Tracer string `json:"tracer"`
}

func (o traceOptions) check() error {
	switch o.Tracer {
	case "callTracer", "flatCallTracer", "noopTracer":
		return nil
	case "":
		return &eth.Error{Code: eth.CodeInvalidParams, Message: `instructions one by one are not traced here: give {"tracer":"callTracer"}`}
	}
	return &eth.Error{Code: eth.CodeInvalidParams, Message: "there is no tracer " + o.Tracer + " here: want callTracer or flatCallTracer"}
}

// shape shows traces as a tracer does.
func (o traceOptions) shape(traces []*ethtrace.Trace, gasUsed eth.Quantity) any {
	switch o.Tracer {
	case "callTracer":
		f := ethtrace.Nest(traces)
		if f != nil {
			f.GasUsed = gasUsed // with inclusion, as the receipt has it
		}
		return f
	case "flatCallTracer":
		return traces
	}
	return struct{}{}
}

// debugTransaction is debug_traceTransaction.
func (a *API) debugTransaction(ctx context.Context, h eth.Hash, o jsonrpc.Optional[traceOptions]) (any, error) {
	if err := o.Value.check(); err != nil {
		return nil, err
	}
	b, i, err := a.mined(ctx, h)
	if err != nil {
		return nil, err
	}
	r, all, err := a.traced(ctx, b)
	if err != nil {
		return nil, err
	}
	return o.Value.shape(all[i], r.Receipts[i].GasUsed), nil
}

// ofBlock is an element of debug_traceBlockByNumber.
type ofBlock struct {
	TxHash eth.Hash `json:"txHash"`
	Result any      `json:"result"`
}

// debugBlock is debug_traceBlockByNumber and debug_traceBlockByHash.
func (a *API) debugBlock(ctx context.Context, ref eth.BlockRef, o jsonrpc.Optional[traceOptions]) ([]ofBlock, error) {
	if err := o.Value.check(); err != nil {
		return nil, err
	}
	b, err := a.needed(ctx, ref, true)
	if err != nil {
		return nil, err
	}
	r, all, err := a.traced(ctx, b)
	if err != nil {
		return nil, err
	}
	list := make([]ofBlock, len(all))
	for i, traces := range all {
		list[i] = ofBlock{r.Transactions[i].Hash, o.Value.shape(traces, r.Receipts[i].GasUsed)}
	}
	return list, nil
}

// debugCall is debug_traceCall.
func (a *API) debugCall(ctx context.Context, args eth.Call, ref blockParam, raw jsonrpc.Optional[json.RawMessage]) (any, error) {
	var o struct {
		traceOptions
		StateOverrides, BlockOverrides json.RawMessage
	}
	if raw.Set {
		if err := json.Unmarshal(raw.Value, &o); err != nil {
			return nil, &eth.Error{Code: eth.CodeInvalidParams, Message: "debug_traceCall: " + err.Error()}
		}
	}
	if len(o.StateOverrides) > 0 || len(o.BlockOverrides) > 0 {
		return nil, errOverride
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	b, err := a.needed(ctx, ref.Value, false)
	if err != nil {
		return nil, err
	}
	msg, err := args.Message(a.o.Manner)
	if err != nil {
		return nil, err
	}
	res, err := a.run(ctx, b, msg, filapi.CallOptions{Trace: true})
	if err != nil {
		return nil, err
	}
	t, err := a.state(ctx, b)
	if err != nil {
		return nil, err
	}
	var from eth.Address
	if args.From != nil {
		from = *args.From
	}
	traces, err := a.parity(ctx, t, res.Trace, from)
	if err != nil {
		return nil, err
	}
	return o.shape(traces, eth.Quantity(res.Result.GasUsed)), nil
}
