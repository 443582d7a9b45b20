package ethapi

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtrace"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// Returned is what a call gave, with what its contracts logged, for a log of requests.
type Returned struct {
	eth.Data
	console [][]byte
}

// ConsoleLines are what the contracts logged by console.log.
func (r Returned) ConsoleLines() []string { return Lines(r.console) }

// failedCall is the error of a call, with what its contracts logged before.
type failedCall struct {
	error
	console [][]byte
}

// ConsoleLines are what the contracts logged by console.log.
func (f *failedCall) ConsoleLines() []string { return Lines(f.console) }

func (f *failedCall) Unwrap() error { return f.error }

// Lines reads calldata of the console as the lines that it prints.
func Lines(console [][]byte) (lines []string) {
	const most = 1000
	for _, data := range console {
		if line, ok := ethtrace.ConsoleLine(data); ok && len(lines) < most {
			lines = append(lines, line)
		}
	}
	return lines
}

// blockOverride is what contracts see of the block instead of what it is.
type blockOverride struct {
	Number  *eth.Quantity `json:"number"`
	Time    *eth.Quantity `json:"time"`
	BaseFee *eth.Amount   `json:"baseFee"`
	// Names of newer versions of the same.
	BlockNumber   *eth.Quantity `json:"blockNumber"`
	Timestamp     *eth.Quantity `json:"timestamp"`
	BaseFeePerGas *eth.Amount   `json:"baseFeePerGas"`
}

func (o *blockOverride) apply(c *dev.CallOptions) {
	for _, n := range []*eth.Quantity{o.Number, o.BlockNumber} {
		if n != nil {
			epoch := abi.ChainEpoch(min(*n, 1<<62))
			c.Epoch = &epoch
		}
	}
	for _, t := range []*eth.Quantity{o.Time, o.Timestamp} {
		if t != nil {
			c.Timestamp = (*uint64)(t)
		}
	}
	for _, f := range []*eth.Amount{o.BaseFee, o.BaseFeePerGas} {
		if f != nil {
			c.BaseFee = &abi.TokenAmount{Int: f.Big()}
		}
	}
}

// callParams are those of eth_call that may follow the block.
type stateParam = jsonrpc.Optional[stateOverride]

// call is eth_call. Strict takes no overrides, as Lotus.
func (a *API) call(ctx context.Context, args eth.Call, ref blockParam, state stateParam, block jsonrpc.Optional[blockOverride]) (Returned, error) {
	state.Value = a.deployless(&args, state.Value)
	if a.manner == eth.Strict && (state.Set || block.Set) {
		return Returned{}, &eth.Error{Code: eth.CodeInvalidParams, Message: "wrong param count (method 'eth_call'): got 3, want 2"}
	}
	o := dev.CallOptions{Edit: state.Value.edit()}
	block.Value.apply(&o)
	res, err := a.run(ctx, &args, ref, o)
	if err != nil {
		return Returned{}, err
	}
	if args.To == nil {
		return Returned{console: res.Console}, nil // what a deployment gives is no data of a contract's
	}
	data, err := contractData(res.Return)
	return Returned{data, res.Console}, err
}

// run executes a call at a block. A failure is an error.
func (a *API) run(ctx context.Context, args *eth.Call, ref blockParam, o dev.CallOptions) (*dev.CallResult, error) {
	b, err := a.read(ref)
	if err != nil {
		return nil, err
	}
	msg, err := args.Message(a.manner)
	if err != nil {
		return nil, err
	}
	o.Next = o.Next || ref.Value.Tag == eth.Pending && a.manner != eth.Strict
	res, err := a.chain.Call(ctx, b, msg, o)
	if err != nil {
		return nil, a.refused(err)
	}
	return res, a.verdict(res)
}

// verdict is the error of a call that failed.
func (a *API) verdict(res *dev.CallResult) error {
	if res.ExitCode.IsSuccess() {
		return nil
	}
	err := eth.Reverted(a.manner, eth.Failure{ExitCode: res.ExitCode, Return: res.Return, Words: res.Failure})
	if len(res.Console) == 0 {
		return err
	}
	return &failedCall{err, res.Console}
}

// refused is the error of a message that cannot be executed at all.
func (a *API) refused(err error) error {
	if errors.Is(err, fvm.ErrInvalidMessage) {
		return &eth.Error{Code: eth.CodeInvalidParams, Message: err.Error()}
	}
	return err
}

// estimateGas is eth_estimateGas.
func (a *API) estimateGas(ctx context.Context, args eth.Call, ref blockParam, state stateParam) (eth.Quantity, error) {
	if a.manner == eth.Strict && state.Set {
		return 0, &eth.Error{Code: eth.CodeInvalidParams, Message: "wrong param count (method 'eth_estimateGas'): got 3, want 2"}
	}
	ref.Set = true // it may be missing with Lotus too
	b, err := a.read(ref)
	if err != nil {
		return 0, err
	}
	return a.estimate(ctx, &args, b, state.Value.edit())
}

func (a *API) estimate(ctx context.Context, args *eth.Call, b *dev.Block, edit dev.EditFunc) (eth.Quantity, error) {
	msg, err := args.Message(a.manner)
	if err != nil {
		return 0, err
	}
	// The fees and the nonce that it will have, as they make the message longer, which costs gas.
	if args.Nonce != nil {
		msg.Nonce = uint64(*args.Nonce)
	}
	limit, res, err := a.chain.Estimate(ctx, b, msg, dev.EstimateOptions{Edit: edit})
	if err != nil {
		return 0, a.refused(err)
	}
	if err := a.verdict(res); err != nil {
		return 0, err
	}
	if a.manner == eth.Strict {
		limit += limit / 4 // as much as Lotus gives, which burns some of it
	}
	return eth.Quantity(limit), nil
}

// accessList is the answer of eth_createAccessList: none, as Filecoin has none.
type accessList struct {
	AccessList []any        `json:"accessList"`
	GasUsed    eth.Quantity `json:"gasUsed"`
	Error      string       `json:"error,omitempty"`
}

// createAccessList is eth_createAccessList.
func (a *API) createAccessList(ctx context.Context, args eth.Call, ref blockParam) (*accessList, error) {
	res, err := a.run(ctx, &args, ref, dev.CallOptions{Next: true})
	if res == nil {
		return nil, err
	}
	l := &accessList{AccessList: []any{}, GasUsed: eth.Quantity(res.GasUsed)}
	if err != nil {
		l.Error = err.Error()
	}
	return l, nil
}

// debugCall is debug_traceCall.
func (a *API) debugCall(ctx context.Context, args eth.Call, ref blockParam, o jsonrpc.Optional[json.RawMessage]) (any, error) {
	var options struct {
		traceOptions
		StateOverrides stateOverride `json:"stateOverrides"`
		BlockOverrides blockOverride `json:"blockOverrides"`
	}
	if o.Set {
		if err := json.Unmarshal(o.Value, &options); err != nil {
			return nil, &eth.Error{Code: eth.CodeInvalidParams, Message: "debug_traceCall: " + err.Error()}
		}
	}
	if err := options.check(); err != nil {
		return nil, err
	}
	call := dev.CallOptions{Trace: true, Edit: options.StateOverrides.edit()}
	options.BlockOverrides.apply(&call)
	res, err := a.run(ctx, &args, ref, call)
	if res == nil {
		return nil, err
	}
	t, err := a.chain.Tree(ctx, a.chain.Latest())
	if err != nil {
		return nil, err
	}
	from := eth.Address{}
	if args.From != nil {
		from = *args.From
	}
	traces, err := a.parity(ctx, t, res.Trace, from)
	if err != nil {
		return nil, err
	}
	return options.shape(traces, res.GasUsed), nil
}

var _ = big.Zero
