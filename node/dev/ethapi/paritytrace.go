package ethapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtrace"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// traceReplay is trace_replayBlockTransactions. Strict takes ["trace"] alone, as Lotus.
func (a *API) traceReplay(ctx context.Context, ref eth.BlockRef, names []string) ([]*ethtrace.Replayed, error) {
	if a.manner == eth.Strict && (len(names) != 1 || names[0] != "trace") {
		return nil, &eth.Error{Code: eth.CodeInvalidParams, Message: "only 'trace' is supported"}
	}
	k, err := kinds(names)
	if err != nil {
		return nil, err
	}
	b, err := a.needed(ref)
	if err != nil {
		return nil, err
	}
	list := []*ethtrace.Replayed{}
	t := ethtrace.NewReplay(k)
	err = a.again(ctx, t, retraced{block: b, count: len(b.Messages)}, func(d *ethtrace.Done) error {
		r, err := t.Replayed(ctx, d)
		if err == nil {
			r.TransactionHash = &d.Place.Transaction
			list = append(list, r)
		}
		return err
	})
	return list, err
}

// traceReplayOne is trace_replayTransaction.
func (a *API) traceReplayOne(ctx context.Context, h eth.Hash, names []string) (result *ethtrace.Replayed, err error) {
	k, err := kinds(names)
	if err != nil {
		return nil, err
	}
	b, i, err := a.minedTransaction(h)
	if err != nil {
		return nil, err
	}
	t := ethtrace.NewReplay(k)
	err = a.again(ctx, t, retraced{block: b, first: i, count: 1}, func(d *ethtrace.Done) (err error) {
		result, err = t.Replayed(ctx, d)
		return err
	})
	return result, err
}

// traceGet is trace_get: the trace of a transaction at a place, each number being that of a call within the one before.
func (a *API) traceGet(ctx context.Context, h eth.Hash, at []eth.Quantity) (*ethtrace.Flat, error) {
	list, err := a.traceTransaction(ctx, h)
	if err != nil {
		return nil, err
	}
	for _, t := range list {
		if slices.EqualFunc(t.TraceAddress, at, func(x int, y eth.Quantity) bool { return uint64(x) == uint64(y) }) {
			return t, nil
		}
	}
	return nil, nil
}

// traceCall is trace_call.
func (a *API) traceCall(ctx context.Context, args eth.Call, names []string, ref blockParam, state stateParam, block jsonrpc.Optional[blockOverride]) (*ethtrace.Replayed, error) {
	o := dev.CallOptions{Edit: state.Value.edit()}
	if err := block.Value.apply(&o); err != nil {
		return nil, err
	}
	b, err := a.read(ref)
	if err != nil {
		return nil, err
	}
	r, _, err := a.traceWith(ctx, names, called{args: &args, at: b, with: o})
	return r, err
}

func (a *API) traceWith(ctx context.Context, names []string, c called) (*ethtrace.Replayed, *dev.CallResult, error) {
	k, err := kinds(names)
	if err != nil {
		return nil, nil, err
	}
	t := ethtrace.NewReplay(k)
	d, res, err := a.traceOf(ctx, t, c)
	if err != nil {
		return nil, nil, err
	}
	r, err := t.Replayed(ctx, d)
	return r, res, err
}

const maxCalls = 1000

// traceCallMany is trace_callMany: calls one upon the other.
func (a *API) traceCallMany(ctx context.Context, calls []callAndKinds, ref blockParam) ([]*ethtrace.Replayed, error) {
	if len(calls) > maxCalls {
		return nil, &eth.Error{Code: eth.CodeLimitExceeded, Message: fmt.Sprintf("%d calls, and at most %d are taken", len(calls), maxCalls)}
	}
	b, err := a.read(ref)
	if err != nil {
		return nil, err
	}
	list := []*ethtrace.Replayed{}
	var on *dev.CallState
	for i := range calls {
		r, res, err := a.traceWith(ctx, calls[i].kinds, called{args: &calls[i].call, at: b, with: dev.CallOptions{States: true, On: on}})
		if err != nil {
			return nil, fmt.Errorf("call %d: %w", i, err)
		}
		list, on = append(list, r), res.After
	}
	return list, nil
}

// callAndKinds is an element of the list that trace_callMany takes: [call, types].
type callAndKinds struct {
	call  eth.Call
	kinds []string
}

// UnmarshalJSON reads one.
func (c *callAndKinds) UnmarshalJSON(b []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(b, &pair); err != nil || len(pair) != 2 {
		return fmt.Errorf("want lists of a call and of types, such as [{\"to\": …}, [\"trace\"]]")
	}
	if err := json.Unmarshal(pair[0], &c.call); err != nil {
		return err
	}
	return json.Unmarshal(pair[1], &c.kinds)
}

// traceRaw is trace_rawTransaction: what a signed transaction would do now. It is not sent, and its nonce does not count.
func (a *API) traceRaw(ctx context.Context, raw eth.Data, names []string) (*ethtrace.Replayed, error) {
	k, err := kinds(names)
	if err != nil {
		return nil, err
	}
	tx, from, err := eth.ReadRaw(a.manner, raw, a.chain.ChainID())
	if err != nil {
		return nil, err
	}
	nat, err := tx.Native()
	if err != nil {
		return nil, &eth.Error{Code: eth.CodeServer, Message: "invalid sender: " + err.Error()}
	}
	msg := &fvm.Message{
		From: nat.From, To: nat.To, Value: big.Int{Int: nat.Value}, GasLimit: int64(min(nat.GasLimit, chain.BlockGasLimit)),
		GasFeeCap: big.Int{Int: nat.FeeCap}, GasPremium: big.Int{Int: nat.Premium}, Method: nat.Method, Params: nat.Params,
	}
	t := ethtrace.NewReplay(k)
	b := a.chain.Latest()
	name, err := a.nameIn(ctx, b)
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
	res, err := a.chain.Call(ctx, b, msg, dev.CallOptions{Next: true, Hooks: t.Hooks(), States: t.States(), Explicit: true, Length: len(raw)})
	if err != nil {
		return nil, tooLong(ctx, a.refused(err))
	}
	if res.GasUsed == 0 {
		return nil, &eth.Error{Code: eth.CodeRejected, Message: "the transaction would be refused: " + res.Failure}
	}
	d := &ethtrace.Done{Result: res.Result, From: from, Create: len(tx.To) == 0, Manner: a.manner, Name: name}
	if res.After != nil {
		d.Before, d.After, d.Store = res.Before.Root, res.After.Root, res.After.Store
	}
	return t.Replayed(ctx, d)
}
