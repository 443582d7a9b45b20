package ethapi

import (
	"context"
	"errors"

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

// callParams are those of eth_call that may follow the block.
type stateParam = jsonrpc.Optional[stateOverride]

// call is eth_call. Strict takes no overrides, as Lotus.
func (a *API) call(ctx context.Context, args eth.Call, ref blockParam, state stateParam, block jsonrpc.Optional[blockOverride]) (Returned, error) {
	state.Value = a.deployless(&args, state.Value)
	if a.manner == eth.Strict && (state.Set || block.Set) {
		return Returned{}, &eth.Error{Code: eth.CodeInvalidParams, Message: "wrong param count (method 'eth_call'): got 3, want 2"}
	}
	o := dev.CallOptions{Edit: state.Value.edit()}
	if err := block.Value.apply(&o); err != nil {
		return Returned{}, err
	}
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
func (a *API) estimateGas(ctx context.Context, args eth.Call, ref blockParam, state stateParam, block jsonrpc.Optional[blockOverride]) (eth.Quantity, error) {
	if a.manner == eth.Strict && (state.Set || block.Set) {
		return 0, &eth.Error{Code: eth.CodeInvalidParams, Message: "wrong param count (method 'eth_estimateGas'): got 3, want 2"}
	}
	ref.Set = true // it may be missing with Lotus too
	b, err := a.read(ref)
	if err != nil {
		return 0, err
	}
	o := dev.EstimateOptions{Edit: state.Value.edit()}
	if err := block.Value.apply(&o.Setting); err != nil {
		return 0, err
	}
	return a.estimate(ctx, &args, b, o)
}

func (a *API) estimate(ctx context.Context, args *eth.Call, b *dev.Block, o dev.EstimateOptions) (eth.Quantity, error) {
	msg, err := args.Message(a.manner)
	if err != nil {
		return 0, err
	}
	// The fees and the nonce that it will have, as they make the message longer, which costs gas.
	if args.Nonce != nil {
		msg.Nonce = uint64(*args.Nonce)
	}
	limit, res, err := a.chain.Estimate(ctx, b, msg, o)
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
