package ethapi

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// callBundle is a bundle of eth_callMany.
type callBundle struct {
	Transactions  []eth.Call    `json:"transactions"`
	BlockOverride blockOverride `json:"blockOverride"`
}

// simulationContext says where the bundles are executed.
type simulationContext struct {
	BlockNumber      eth.BlockRef    `json:"blockNumber"`
	TransactionIndex json.RawMessage `json:"transactionIndex"`
}

// callManyResult is what a call gave: a value, or an error.
type callManyResult struct {
	Value *eth.Data `json:"value,omitempty"`
	Error any       `json:"error,omitempty"`
}

// callMany is eth_callMany, as Erigon and reth have it: bundles of calls, each upon the state that those before left. A call that fails
// changes nothing.
func (a *API) callMany(ctx context.Context, bundles []callBundle, where jsonrpc.Optional[simulationContext], state stateParam) ([][]callManyResult, error) {
	var ref blockParam
	if where.Set {
		ref.Set, ref.Value = true, where.Value.BlockNumber
		if t := string(where.Value.TransactionIndex); t != "" && t != "-1" && t != "null" {
			return nil, &eth.Error{Code: eth.CodeInvalidParams, Message: "eth_callMany: transactionIndex must be -1: calls are upon the state after the block"}
		}
	}
	b, err := a.read(ref)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, traceTime, errTime)
	defer cancel()
	release, err := a.tracing(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	var on *dev.CallState
	edit := state.Value.edit()
	out, count := make([][]callManyResult, len(bundles)), 0
	for i := range bundles {
		out[i] = []callManyResult{}
		for j := range bundles[i].Transactions {
			if count++; count > maxCalls {
				return nil, &eth.Error{Code: eth.CodeLimitExceeded, Message: fmt.Sprintf("more than %d calls", maxCalls)}
			}
			o := dev.CallOptions{On: on, States: true, Edit: edit}
			if err := bundles[i].BlockOverride.apply(&o); err != nil {
				return nil, err
			}
			msg, err := bundles[i].Transactions[j].Message(a.manner)
			if err != nil {
				return nil, err
			}
			res, err := a.chain.Call(ctx, b, msg, o)
			if err != nil {
				return nil, tooLong(ctx, a.refused(err))
			}
			on, edit = res.After, nil
			out[i] = append(out[i], a.oneOfMany(res))
		}
	}
	return out, nil
}

func (a *API) oneOfMany(res *dev.CallResult) callManyResult {
	if res.ExitCode.IsSuccess() {
		data, _ := contractData(res.Return)
		if data == nil {
			data = eth.Data{}
		}
		return callManyResult{Value: &data}
	}
	e := eth.Reverted(a.manner, eth.Failure{ExitCode: res.ExitCode, Return: res.Return, Words: res.Failure})
	return callManyResult{Error: &callFailure{Code: e.Code, Message: e.Message, Data: e.Data}}
}
