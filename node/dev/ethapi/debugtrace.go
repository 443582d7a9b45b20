package ethapi

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtrace"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// registerTracing puts the methods that trace, simulate and prove into a table, but for those that Lotus has.
func (a *API) registerTracing(ms *jsonrpc.Methods) {
	ms.Register("debug_traceTransaction", a.debugTransaction)
	ms.Register("debug_traceCall", a.debugCall)
	ms.Register("debug_traceBlockByNumber", a.debugBlock)
	ms.Register("debug_traceBlockByHash", a.debugBlock)
	ms.Register("trace_call", a.traceCall)
	ms.Register("trace_callMany", a.traceCallMany)
	ms.Register("trace_rawTransaction", a.traceRaw)
	ms.Register("trace_replayTransaction", a.traceReplayOne)
	ms.Register("trace_get", a.traceGet)
	ms.Register("eth_simulateV1", a.simulate)
	ms.Register("eth_callMany", a.callMany)
	ms.Register("eth_getProof", a.getProof)
	ms.Register("fvm_getProof", a.filecoinProof)
}

// configured makes a tracer of a config.
func configured(c *ethtrace.Config) (*ethtrace.Tracer, error) {
	t, err := ethtrace.New(*c)
	if err != nil {
		return nil, &eth.Error{Code: eth.CodeInvalidParams, Message: err.Error()}
	}
	return t, nil
}

type configParam = jsonrpc.Optional[ethtrace.Config]

// debugTransaction is debug_traceTransaction.
func (a *API) debugTransaction(ctx context.Context, h eth.Hash, o configParam) (result any, err error) {
	t, err := configured(&o.Value)
	if err != nil {
		return nil, err
	}
	b, i, err := a.minedTransaction(h)
	if err != nil {
		return nil, err
	}
	limit, _ := o.Value.Limit()
	err = a.again(ctx, t, retraced{block: b, first: i, count: 1, time: limit}, func(d *ethtrace.Done) (err error) {
		result, err = t.Result(ctx, d)
		return err
	})
	return result, err
}

// ofBlock is an element of debug_traceBlockByNumber.
type ofBlock struct {
	TxHash eth.Hash `json:"txHash"`
	Result any      `json:"result"`
}

// blockTraceBytes is about how much memory the steps of a block's struct logs may take together.
const blockTraceBytes = 256 << 20

// debugBlock is debug_traceBlockByNumber and debug_traceBlockByHash.
func (a *API) debugBlock(ctx context.Context, ref eth.BlockRef, o configParam) ([]ofBlock, error) {
	b, err := a.needed(ref)
	if err != nil {
		return nil, err
	}
	o.Value.MaxBytes = blockTraceBytes / max(len(b.Messages), 1)
	t, err := configured(&o.Value)
	if err != nil {
		return nil, err
	}
	list := []ofBlock{}
	limit, _ := o.Value.Limit()
	err = a.again(ctx, t, retraced{block: b, count: len(b.Messages), time: limit}, func(d *ethtrace.Done) error {
		r, err := t.Result(ctx, d)
		list = append(list, ofBlock{d.Place.Transaction, r})
		return err
	})
	return list, err
}

// callConfig is the config of debug_traceCall.
type callConfig struct {
	ethtrace.Config
	StateOverrides stateOverride `json:"stateOverrides"`
	BlockOverrides blockOverride `json:"blockOverrides"`
	TxIndex        *eth.Quantity `json:"txIndex"`
}

// debugCall is debug_traceCall.
func (a *API) debugCall(ctx context.Context, args eth.Call, ref blockParam, o jsonrpc.Optional[json.RawMessage]) (any, error) {
	var config callConfig
	if o.Set {
		if err := json.Unmarshal(o.Value, &config); err != nil {
			return nil, &eth.Error{Code: eth.CodeInvalidParams, Message: "debug_traceCall: " + err.Error()}
		}
	}
	t, err := configured(&config.Config)
	if err != nil {
		return nil, err
	}
	if config.TxIndex != nil {
		return nil, &eth.Error{Code: eth.CodeInvalidParams, Message: "debug_traceCall: txIndex is not taken: the call is upon the state after the block"}
	}
	limit, _ := config.Limit()
	c := called{args: &args, time: limit, with: dev.CallOptions{Edit: config.StateOverrides.edit(), Next: ref.Value.Tag == eth.Pending}}
	if c.at, err = a.read(ref); err != nil {
		return nil, err
	}
	if err := config.BlockOverrides.apply(&c.with); err != nil {
		return nil, err
	}
	d, _, err := a.traceOf(ctx, t, c)
	if err != nil {
		return nil, err
	}
	return t.Result(ctx, d)
}

// kinds reads the types of a trace_call.
func kinds(names []string) (ethtrace.Kinds, error) {
	k, err := ethtrace.ParseKinds(names)
	if errors.Is(err, ethtrace.ErrConfig) {
		err = &eth.Error{Code: eth.CodeInvalidParams, Message: err.Error()}
	}
	return k, err
}
