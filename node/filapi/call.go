package filapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/trace"
)

type invocationJSON struct {
	MsgCid         cid.Cid
	Msg            *messageJSON
	MsgRct         *receiptJSON
	GasCost        gasCostJSON
	ExecutionTrace *traceJSON
	Error          string
	Duration       int64 // nanoseconds
}

type gasCostJSON struct {
	Message            cid.Cid
	GasUsed            big.Int
	BaseFeeBurn        big.Int
	OverEstimationBurn big.Int
	MinerPenalty       big.Int
	MinerTip           big.Int
	Refund             big.Int
	TotalCost          big.Int
}

// gasCost is where the fees of an explicit message went.
func gasCost(m *fvm.Message, c cid.Cid, r *fvm.Result) gasCostJSON {
	deposit := big.Mul(m.GasFeeCap, big.NewInt(m.GasLimit))
	return gasCostJSON{
		Message: c, GasUsed: big.NewInt(r.GasUsed), BaseFeeBurn: r.BaseFeeBurn, OverEstimationBurn: r.OverEstimationBurn,
		MinerPenalty: r.Penalty, MinerTip: r.MinerTip, Refund: r.Refund, TotalCost: big.Sub(deposit, r.Refund),
	}
}

type traceJSON struct {
	Msg          traceMessageJSON
	MsgRct       traceReturnJSON
	InvokedActor *traceActorJSON `json:",omitempty"`
	GasCharges   []*gasChargeJSON
	Subcalls     []*traceJSON
	Logs         []string     `json:",omitempty"`
	IpldOps      []ipldOpJSON `json:",omitempty"`
}

type traceMessageJSON struct {
	From, To    address.Address
	Value       big.Int
	Method      abi.MethodNum
	Params      []byte
	ParamsCodec uint64
	GasLimit    uint64
	ReadOnly    bool
}

type traceReturnJSON struct {
	ExitCode    exitcode.ExitCode
	Return      []byte
	ReturnCodec uint64
}

type traceActorJSON struct {
	Id    abi.ActorID
	State actorJSON
}

type gasChargeJSON struct {
	Name                          string
	Total, Compute, Storage, Took int64 `json:"-"`
}

// MarshalJSON writes a charge as Lotus does.
func (g *gasChargeJSON) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name string
		TG   int64 `json:"tg"`
		CG   int64 `json:"cg"`
		SG   int64 `json:"sg"`
		TT   int64 `json:"tt"`
	}{g.Name, g.Total, g.Compute, g.Storage, g.Took})
}

type ipldOpJSON struct {
	Op   string
	Cid  cid.Cid
	Size uint64
}

// Errors of a call that no actor came to run for, as the reference numbers them, and the exit codes that traces show for them.
const (
	errnoInsufficientFunds = 5
	errnoNotFound          = 6
)

func exitOf(errno uint32) exitcode.ExitCode {
	switch errno {
	case errnoInsufficientFunds:
		return exitcode.SysErrInsufficientFunds
	case errnoNotFound:
		return exitcode.SysErrInvalidReceiver
	}
	return exitcode.SysErrFatal
}

// traceOut makes the tree of a message's calls. Charges before the first call are its own. A message that was refused before it ran
// has none: then there is a call without anything, as Lotus shows it.
func traceOut(events trace.Events, gasLimit int64) *traceJSON {
	var root *traceJSON
	var open []*traceJSON // the innermost last
	var before []*gasChargeJSON
	for _, e := range events {
		var c *traceJSON
		if len(open) > 0 {
			c = open[len(open)-1]
		}
		switch e := e.(type) {
		case *trace.Call:
			inner := &traceJSON{Msg: traceMessage(e, gasLimit)}
			switch {
			case c != nil:
				c.Subcalls = append(c.Subcalls, inner)
			case root == nil:
				root, inner.GasCharges = inner, before
			default:
				return root // what comes after its end is nobody's
			}
			open = append(open, inner)
		case *trace.GasCharge:
			g := chargeOut(e)
			if c == nil {
				before = append(before, g)
			} else {
				c.GasCharges = append(c.GasCharges, g)
			}
		case *trace.Return:
			if c != nil {
				c.MsgRct.ExitCode = e.ExitCode
				if e.Data != nil {
					c.MsgRct.Return, c.MsgRct.ReturnCodec = none(e.Data.Data), codecOf(e.Data)
				}
				open = open[:len(open)-1]
			}
		case *trace.Error:
			if c != nil {
				c.MsgRct.ExitCode = exitOf(e.Errno)
				open = open[:len(open)-1]
			}
		case *trace.Invoke:
			if c != nil && !e.Extra {
				c.InvokedActor = &traceActorJSON{e.ID, actorJSON{e.Code, e.Head, e.Nonce, e.Balance, e.Delegated}}
			}
		case *trace.Log:
			if c != nil {
				c.Logs = append(c.Logs, e.Text)
			}
		case *trace.IPLD:
			if c != nil {
				op := "Get"
				if e.Put {
					op = "Put"
				}
				c.IpldOps = append(c.IpldOps, ipldOpJSON{op, e.Cid, uint64(e.Size)})
			}
		}
	}
	if root == nil {
		root = &traceJSON{}
	}
	return root
}

func traceMessage(c *trace.Call, gasLimit int64) traceMessageJSON {
	m := traceMessageJSON{From: idAddress(c.From), To: c.To, Value: c.Value, Method: c.Method, GasLimit: c.GasLimit, ReadOnly: c.ReadOnly}
	if c.NoLimits {
		m.GasLimit, m.ReadOnly = uint64(gasLimit), false
	}
	if c.Params != nil {
		m.Params, m.ParamsCodec = none(c.Params.Data), codecOf(c.Params)
	}
	return m
}

// codecOf is a block's codec; until network version 17 all data are DAG-CBOR.
func codecOf(b *trace.Block) uint64 {
	if b.Codec == 0 && len(b.Data) > 0 {
		return cid.DagCBOR
	}
	return b.Codec
}

// chargeOut is a charge in gas, each amount rounded up for itself.
func chargeOut(g *trace.GasCharge) *gasChargeJSON {
	total, carry := bits.Add64(g.Compute, g.Other, 0)
	if carry != 0 {
		total = math.MaxUint64
	}
	return &gasChargeJSON{Name: g.Name, Total: wholeGas(total), Compute: wholeGas(g.Compute), Storage: wholeGas(g.Other)}
}

// wholeGas is milligas as gas, rounded up.
func wholeGas(milligas uint64) int64 {
	n := milligas / 1000
	if milligas%1000 != 0 {
		n++
	}
	return int64(n)
}

// StateCall executes a message in a tipset's place, after the messages of the same sender that the tipset has. It pays nothing.
func (m v1) StateCall(ctx context.Context, p *Message, key tipsetKey) (json.RawMessage, error) {
	msg, err := p.message()
	if err != nil {
		return m.out(nil, err)
	}
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	if msg.GasLimit == 0 {
		msg.GasLimit = chain.BlockGasLimit
	}
	prior, err := m.prior(ctx, ts, msg.From)
	if err != nil {
		return m.out(nil, err)
	}
	start := m.o.Now()
	res, err := m.o.Chain.Call(ctx, ts, msg, CallOptions{Prior: prior, Trace: true})
	if err != nil {
		return m.out(nil, err)
	}
	out, err := invocation(res)
	if err != nil {
		return m.out(nil, err)
	}
	out.Duration = max(m.o.Now().Sub(start).Nanoseconds(), 1)
	return m.out(out, nil)
}

// prior are the messages of a tipset that a sender has there.
func (a *API) prior(ctx context.Context, ts *chain.Tipset, from address.Address) ([]chain.Message, error) {
	if ts.Height() == 0 {
		return nil, nil
	}
	list, err := a.messages(ctx, ts)
	var out []chain.Message
	for _, x := range list {
		if x.Message.From == from {
			out = append(out, x)
		}
	}
	return out, err
}

// invocation is a call that was traced, without its costs.
func invocation(r *CallResult) (*invocationJSON, error) {
	msg, err := messageOut(r.Message)
	if err != nil {
		return nil, err
	}
	return &invocationJSON{
		MsgCid: msg.CID, Msg: msg, MsgRct: receiptOut(r.Result), ExecutionTrace: traceOut(r.Trace, r.Message.GasLimit), Error: r.Result.Failure,
	}, nil
}

// StateReplay executes a message of a tipset again in its place. Without a tipset it is looked for.
func (m v1) StateReplay(ctx context.Context, key tipsetKey, message cid.Cid) (json.RawMessage, error) {
	var ts *chain.Tipset
	if len(key.Value) > 0 {
		var err error
		if ts, err = m.exact(ctx, key.Value); err != nil {
			return m.out(nil, err)
		}
	} else {
		head, err := m.o.Chain.Head(ctx)
		if err != nil {
			return m.out(nil, err)
		}
		at, err := m.search(ctx, head, message, noLimit, true)
		if err != nil {
			return m.out(nil, err)
		}
		if at == nil {
			return m.out(nil, fmt.Errorf("didn't find msg %s", message))
		}
		message = at.message.CID
		if ts, err = m.o.Chain.Store().Parent(ctx, at.tipset); err != nil {
			return m.out(nil, err)
		}
	}
	list, err := m.messages(ctx, ts)
	if err != nil {
		return m.out(nil, err)
	}
	for i, x := range list {
		if x.CID != message {
			continue
		}
		start := m.o.Now()
		res, err := m.o.Chain.Trace(ctx, ts, i)
		if err != nil {
			return m.out(nil, err)
		}
		out, err := invocation(res)
		if err != nil {
			return m.out(nil, err)
		}
		out.GasCost = gasCost(x.Message, out.MsgCid, res.Result)
		out.MsgCid, out.Duration = message, max(m.o.Now().Sub(start).Nanoseconds(), 1)
		return m.out(out, nil)
	}
	return m.out(nil, errors.New("given message not found in tipset"))
}
