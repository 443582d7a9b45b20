package ethchain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/big"

	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/filapi"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// run executes a message in a block's place, on the state after it.
func (a *API) run(ctx context.Context, b *block, m *fvm.Message, o filapi.CallOptions) (*filapi.CallResult, error) {
	if err := a.chain.Reach(ctx, b.child); err != nil {
		return nil, missing(b, err)
	}
	o.On, o.Anybody = b.child.ParentStateRoot(), true
	res, err := a.chain.Call(ctx, b.ts, m, o)
	if errors.Is(err, fvm.ErrInvalidMessage) {
		return nil, &eth.Error{Code: eth.CodeInvalidParams, Message: err.Error()}
	}
	var own *jsonrpc.Error
	if errors.As(err, &own) {
		return nil, own
	}
	return res, missing(b, err)
}

// verdict is the error of a call that failed.
func (a *API) verdict(res *fvm.Result) error {
	if res.ExitCode.IsSuccess() {
		return nil
	}
	return eth.Reverted(a.o.Manner, eth.Failure{ExitCode: res.ExitCode, Return: res.Return, Words: res.Failure})
}

// errOverride is of a call that wants another state, which an archive's is not.
var errOverride = &eth.Error{Code: eth.CodeInvalidParams, Message: "overrides of states and blocks are for development nodes (edgefvm dev); an archive's calls run on the state as it is"}

// call is eth_call.
func (a *API) call(ctx context.Context, args eth.Call, ref blockParam, more ...jsonrpc.Optional[json.RawMessage]) (eth.Data, error) {
	for _, x := range more {
		if x.Set {
			return nil, errOverride
		}
	}
	b, err := a.needed(ctx, ref.Value, false)
	if err != nil {
		return nil, err
	}
	msg, err := args.Message(a.o.Manner)
	if err != nil {
		return nil, err
	}
	res, err := a.run(ctx, b, msg, filapi.CallOptions{})
	if err != nil {
		return nil, err
	}
	if err := a.verdict(res.Result); err != nil {
		return nil, err
	}
	if args.To == nil || len(res.Result.Return) == 0 {
		return nil, nil // what a deployment gives is no data of a contract's
	}
	return cbg.ReadByteArray(bytes.NewReader(res.Result.Return), uint64(len(res.Result.Return)))
}

// estimateGas is eth_estimateGas: 1.25 times what the message used, as Lotus gives. A sender that cannot send, such as a contract, is
// estimated without the cost of inclusion.
func (a *API) estimateGas(ctx context.Context, args eth.Call, ref blockParam) (eth.Quantity, error) {
	b, err := a.needed(ctx, ref.Value, false)
	if err != nil {
		return 0, err
	}
	msg, err := args.Message(a.o.Manner)
	if err != nil {
		return 0, err
	}
	res, err := a.run(ctx, b, msg, filapi.CallOptions{Explicit: true})
	if err != nil {
		return 0, err
	}
	if res.Result.GasUsed == 0 {
		if res, err = a.run(ctx, b, msg, filapi.CallOptions{}); err != nil {
			return 0, err
		}
	}
	if err := a.verdict(res.Result); err != nil {
		return 0, err
	}
	return eth.Quantity(res.Result.GasUsed + res.Result.GasUsed/4), nil
}

// premium is what Lotus suggests at least, in attoFIL a unit of gas.
const premium = 100_000

func (a *API) baseFee() eth.Amount { return eth.Amount{Int: a.head.BaseFee().Int} }

func (a *API) maxPriorityFee() eth.Amount { return eth.NewAmount(premium) }

func (a *API) gasPrice() eth.Amount {
	return eth.Amount{Int: new(big.Int).Add(a.head.BaseFee().Int, big.NewInt(premium))}
}

// mostFees is of how many blocks a fee history is here: each is executed for it.
const mostFees = 100

// feeHistory is eth_feeHistory.
func (a *API) feeHistory(ctx context.Context, count eth.Quantity, newest eth.BlockRef, percentiles jsonrpc.Optional[[]float64]) (*eth.FeeHistory, error) {
	if err := eth.CheckPercentiles(percentiles.Value); err != nil {
		return nil, err
	}
	b, err := a.needed(ctx, newest, false)
	if err != nil {
		return nil, err
	}
	next := b.child.BaseFee().Int
	var list []eth.FeeBlock
	for len(list) < int(min(count, mostFees)) && b.number() > 0 {
		f, err := a.feesOf(ctx, b)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
		parent, err := a.chain.Store().Parent(ctx, b.ts)
		if err != nil {
			break // the file ends here
		}
		if b, err = newBlock(parent, b.ts); err != nil {
			return nil, err
		}
	}
	p := percentiles.Value
	if percentiles.Set && p == nil {
		p = []float64{}
	}
	return eth.NewFeeHistory(a.o.Manner, list, next, p), nil
}

func (a *API) feesOf(ctx context.Context, b *block) (eth.FeeBlock, error) {
	f := eth.FeeBlock{Number: b.number(), BaseFee: b.ts.BaseFee().Int, Blocks: len(b.ts.Blocks)}
	done, err := a.chain.Executed(ctx, b.ts)
	if err != nil {
		return f, missing(b, err)
	}
	for i, m := range done.Messages {
		f.Tips = append(f.Tips, eth.Tip{FeeCap: m.Message.GasFeeCap.Int, Premium: m.Message.GasPremium.Int, GasUsed: done.Results[i].GasUsed})
	}
	return f, nil
}
