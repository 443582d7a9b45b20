package ethapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtrace"
	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/trace"
)

// maxTraces is how many trace_filter gives at most, as in Lotus.
const maxTraces = 500

// placed is a trace with its place in the chain.
type placed struct {
	*ethtrace.Trace
	BlockHash           eth.Hash `json:"blockHash"`
	BlockNumber         uint64   `json:"blockNumber"` // a plain number, as OpenEthereum has it
	TransactionHash     eth.Hash `json:"transactionHash"`
	TransactionPosition int      `json:"transactionPosition"`
}

// traced are the calls of each message of a block. Executing it again is what it takes.
func (a *API) traced(ctx context.Context, b *dev.Block) ([][]*ethtrace.Trace, error) {
	if len(b.Messages) == 0 {
		return nil, nil
	}
	results, err := a.chain.Traces(ctx, b, len(b.Messages))
	if err != nil {
		return nil, err
	}
	r, err := a.render(ctx, b)
	if err != nil {
		return nil, err
	}
	t, err := a.chain.Tree(ctx, b)
	if err != nil {
		return nil, err
	}
	all := make([][]*ethtrace.Trace, len(results))
	for i, res := range results {
		if all[i], err = a.parity(ctx, t, res.Trace, r.Transactions[i].From); err != nil {
			return nil, fmt.Errorf("transaction %s: %w", r.Transactions[i].Hash, err)
		}
	}
	return all, nil
}

func (a *API) parity(ctx context.Context, t *tree.Tree, events trace.Events, from eth.Address) ([]*ethtrace.Trace, error) {
	f, err := ethtrace.Read(events, func(code cid.Cid) (string, bool) {
		name, err := t.Name(ctx, code)
		return name, err == nil && name != ""
	})
	if err != nil {
		return nil, err
	}
	return f.Parity(a.manner, from)
}

// place puts the traces of a block in their places.
func (a *API) placed(ctx context.Context, b *dev.Block) ([]*placed, error) {
	all, err := a.traced(ctx, b)
	if err != nil {
		return nil, err
	}
	list := []*placed{}
	for i, traces := range all {
		for _, t := range traces {
			list = append(list, &placed{t, b.Hash, uint64(b.Epoch()), b.Messages[i].Hash, i})
		}
	}
	return list, nil
}

// needed finds a block whose traces are asked for.
func (a *API) needed(ref eth.BlockRef) (*dev.Block, error) {
	b, err := a.find(ref, true)
	if b == nil && err == nil {
		err = a.unknown(ref)
	}
	if err != nil {
		return nil, err
	}
	return a.chain.Whole(a.ctx, b)
}

// traceBlock is trace_block.
func (a *API) traceBlock(ctx context.Context, ref eth.BlockRef) ([]*placed, error) {
	b, err := a.needed(ref)
	if err != nil {
		return nil, err
	}
	return a.placed(ctx, b)
}

// traceTransaction is trace_transaction.
func (a *API) traceTransaction(ctx context.Context, h eth.Hash) ([]*placed, error) {
	b, i, err := a.minedTransaction(h)
	if err != nil {
		return nil, err
	}
	list, err := a.placed(ctx, b)
	return slices.DeleteFunc(list, func(p *placed) bool { return p.TransactionPosition != i }), err
}

func (a *API) minedTransaction(h eth.Hash) (*dev.Block, int, error) {
	b, i, ok, err := a.chain.Find(a.ctx, h)
	if ok || err != nil {
		return b, i, err
	}
	words := "transaction not found"
	if _, ok := a.chain.PoolMessage(h); ok {
		words = "no trace for pending transactions"
	}
	code := eth.CodeServer
	if a.manner == eth.Strict {
		code = eth.CodeAny
	}
	return nil, 0, &eth.Error{Code: code, Message: words}
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
	b, err := a.needed(ref)
	if err != nil {
		return nil, err
	}
	all, err := a.traced(ctx, b)
	if err != nil {
		return nil, err
	}
	list := make([]replayed, len(all))
	for i, traces := range all {
		list[i] = replayed{Trace: traces, TransactionHash: b.Messages[i].Hash}
		if len(traces) > 0 {
			switch r := traces[0].Result.(type) {
			case *ethtrace.CallResult:
				list[i].Output = r.Output
			case *ethtrace.CreateResult:
				list[i].Output = r.Code
			}
		}
	}
	return list, nil
}

// traceCriteria are those of trace_filter.
type traceCriteria struct {
	FromBlock   *eth.BlockRef `json:"fromBlock"`
	ToBlock     *eth.BlockRef `json:"toBlock"`
	FromAddress addresses     `json:"fromAddress"`
	ToAddress   addresses     `json:"toAddress"`
	After       eth.Quantity  `json:"after"`
	Count       *eth.Quantity `json:"count"`
}

// addresses may be one.
type addresses []eth.Address

// UnmarshalJSON reads a list of addresses, or one.
func (l *addresses) UnmarshalJSON(b []byte) error {
	var one eth.Address
	if json.Unmarshal(b, &one) == nil && len(b) > 0 && b[0] == '"' {
		*l = addresses{one}
		return nil
	}
	return json.Unmarshal(b, (*[]eth.Address)(l))
}

// traceFilter is trace_filter.
func (a *API) traceFilter(ctx context.Context, c traceCriteria) ([]*placed, error) {
	f := eth.Filter{FromBlock: c.FromBlock, ToBlock: c.ToBlock}
	first, last, err := f.Range(a.manner, uint64(a.chain.Latest().Epoch()), a.options.MaxRange)
	if err != nil {
		return nil, err
	}
	most := maxTraces
	if c.Count != nil {
		if *c.Count > maxTraces {
			return nil, &eth.Error{Code: eth.CodeInvalidParams, Message: fmt.Sprintf("invalid response count, requested %d, maximum supported is %d", *c.Count, maxTraces)}
		}
		most = int(*c.Count)
	}
	list, seen := []*placed{}, eth.Quantity(0)
	b, err := a.chain.Until(ctx, abi.ChainEpoch(first))
	for ; err == nil && b != nil && uint64(b.Epoch()) <= last && first <= last; b, err = a.chain.Above(ctx, b) {
		if uint64(b.Epoch()) < first {
			continue
		}
		b, err := a.chain.Whole(ctx, b)
		if err != nil {
			return nil, err
		}
		if len(b.Messages) == 0 {
			continue
		}
		traces, err := a.placed(ctx, b)
		if err != nil {
			return nil, err
		}
		for _, t := range traces {
			if !c.match(t.Trace) {
				continue
			}
			if seen++; seen <= c.After {
				continue
			}
			if len(list) == most {
				if c.Count != nil {
					return list, nil
				}
				return nil, &eth.Error{Code: eth.CodeLimitExceeded, Message: fmt.Sprintf("too many results, maximum supported is %d, try paginating requests with After and Count", maxTraces)}
			}
			list = append(list, t)
		}
	}
	return list, err
}

func (c *traceCriteria) match(t *ethtrace.Trace) bool {
	var from eth.Address
	var to *eth.Address
	switch a := t.Action.(type) {
	case *ethtrace.CallAction:
		from, to = a.From, &a.To
	case *ethtrace.CreateAction:
		from, to = a.From, t.Result.(*ethtrace.CreateResult).Address
	}
	return (len(c.FromAddress) == 0 || slices.Contains(c.FromAddress, from)) && (len(c.ToAddress) == 0 || to != nil && slices.Contains(c.ToAddress, *to))
}

// traceOptions are those of debug_trace… methods. Others than the tracer are passed over.
type traceOptions struct {
	Tracer string `json:"tracer"`
}

// structLogs is the answer without a tracer: a summary, as the machine runs actors and not opcodes one by one.
type structLogs struct {
	Gas         uint64 `json:"gas"`
	Failed      bool   `json:"failed"`
	ReturnValue string `json:"returnValue"` // hex without 0x, as go-ethereum has it
	StructLogs  []any  `json:"structLogs"`
}

// tracers that are served.
func (o traceOptions) check() error {
	switch o.Tracer {
	case "", "callTracer", "flatCallTracer", "noopTracer":
		return nil
	}
	return &eth.Error{Code: eth.CodeInvalidParams, Message: "there is no tracer " + o.Tracer + " here: want callTracer or flatCallTracer"}
}

// shape shows traces as a tracer does.
func (o traceOptions) shape(traces []*ethtrace.Trace, gasUsed int64) any {
	switch o.Tracer {
	case "callTracer":
		f := ethtrace.Nest(traces)
		if f != nil {
			f.GasUsed = eth.Quantity(gasUsed) // with inclusion, as the receipt has it
		}
		return f
	case "flatCallTracer":
		return traces
	case "noopTracer":
		return struct{}{}
	}
	s := structLogs{Gas: uint64(gasUsed), StructLogs: []any{}}
	if len(traces) > 0 {
		s.Failed = traces[0].Error != ""
		if r, ok := traces[0].Result.(*ethtrace.CallResult); ok {
			s.ReturnValue = fmt.Sprintf("%x", []byte(r.Output))
		}
	}
	return s
}

// debugTransaction is debug_traceTransaction.
func (a *API) debugTransaction(ctx context.Context, h eth.Hash, o jsonrpc.Optional[traceOptions]) (any, error) {
	if err := o.Value.check(); err != nil {
		return nil, err
	}
	b, i, err := a.minedTransaction(h)
	if err != nil {
		return nil, err
	}
	all, err := a.traced(ctx, b)
	if err != nil {
		return nil, err
	}
	return o.Value.shape(all[i], b.Messages[i].Result.GasUsed), nil
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
	b, err := a.needed(ref)
	if err != nil {
		return nil, err
	}
	all, err := a.traced(ctx, b)
	if err != nil {
		return nil, err
	}
	list := make([]ofBlock, len(all))
	for i, traces := range all {
		list[i] = ofBlock{b.Messages[i].Hash, o.Value.shape(traces, b.Messages[i].Result.GasUsed)}
	}
	return list, nil
}
