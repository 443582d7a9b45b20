package filapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// How Lotus estimates (node/impl/gasutils, chain/messagepool).
const (
	gasOverestimation = 1.25
	minPremium        = 100_000 // attoFIL
	mostGasHistory    = 128     // tipsets, of two blocks' worth each
	baseFeeGrowth     = 1 + 1./8
	feeCapEpochs      = 20
	premiumEpochs     = 10
)

// defaultMaxFee is the most that a message costs unless its sender says otherwise: 0.07 FIL.
var defaultMaxFee = big.Mul(big.NewInt(7), big.NewInt(1e16))

func (m v1) GasEstimateGasLimit(ctx context.Context, p *Message, key tipsetKey) (json.RawMessage, error) {
	msg, err := p.message()
	if err != nil {
		return m.out(nil, err)
	}
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	limit, err := m.gasLimit(ctx, msg, ts)
	return m.out(limit, err)
}

// gasLimit is how much gas a message uses upon a tipset's messages and what its sender has in the pool.
func (a *API) gasLimit(ctx context.Context, msg *fvm.Message, ts *chain.Tipset) (int64, error) {
	if _, err := a.accountKey(ctx, Address{msg.From}, ts); err != nil {
		return 0, fmt.Errorf("gas estimation failed: resolving sender %s: %w", addressText(a.prefix, msg.From), err)
	}
	if e, ok := a.o.Chain.(Estimator); ok && a.o.ExactFees {
		limit, res, err := e.Estimate(ctx, msg)
		if err != nil {
			return 0, err
		}
		if limit == 0 {
			return 0, failed(res)
		}
		return limit, nil
	}
	prior, err := a.messagesBefore(ctx, msg, ts)
	if err != nil {
		return 0, err
	}
	free := *msg
	free.GasLimit, free.GasFeeCap, free.GasPremium = chain.BlockGasLimit, big.Zero(), big.Zero()
	res, err := a.o.Chain.Call(ctx, ts, &free, CallOptions{Explicit: true, Prior: prior})
	if err != nil {
		return 0, fmt.Errorf("gas estimation failed: %w", err)
	}
	if res.Result.ExitCode != exitcode.Ok {
		return 0, failed(res.Result)
	}
	return res.Result.GasUsed, nil
}

// messagesBefore are those of a tipset, and those of a sender that wait with nonces before a message's.
func (a *API) messagesBefore(ctx context.Context, msg *fvm.Message, ts *chain.Tipset) ([]chain.Message, error) {
	var prior []chain.Message
	if ts.Height() > 0 {
		var err error
		if prior, err = a.messages(ctx, ts); err != nil {
			return nil, err
		}
	}
	if a.o.Pool == nil {
		return prior, nil
	}
	list, err := a.o.Pool.Pending(ctx)
	for _, x := range list {
		if x.Message.From == msg.From && (msg.Nonce == 0 || x.Message.Nonce < msg.Nonce) {
			prior = append(prior, x)
		}
	}
	return prior, err
}

// failed is the error of a message that would fail: with the code of a revert and what the contract reverted with.
func failed(r *fvm.Result) error {
	if r.ExitCode == exitcode.SysErrOutOfGas {
		return &jsonrpc.Error{Code: CodeOutOfGas, Message: "call ran out of gas"}
	}
	e := eth.Reverted(eth.Strict, eth.Failure{ExitCode: r.ExitCode, Return: r.Return, Words: r.Failure})
	return &jsonrpc.Error{Code: e.Code, Message: e.Message, Data: e.Data}
}

func (m v1) GasEstimateGasPremium(ctx context.Context, epochs uint64, _ Address, _ int64, key tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(m.gasPremium(ctx, epochs, ts))
}

// gasPremium is what messages of the last tipsets paid, in attoFIL a unit of gas: near the median of the gas that blocks are to have.
// Lotus puts noise on it; here it is the same each time.
func (a *API) gasPremium(ctx context.Context, epochs uint64, ts *chain.Tipset) (big.Int, error) {
	if a.o.ExactFees {
		return big.Zero(), nil
	}
	epochs = min(max(epochs, 1), mostGasHistory)
	type price struct {
		premium big.Int
		limit   int64
	}
	var prices []price
	blocks := 0
	for range epochs * 2 {
		if ts.Height() == 0 {
			break
		}
		parent, err := a.o.Chain.Store().Parent(ctx, ts)
		if err != nil {
			return big.Zero(), err
		}
		ts = parent
		blocks += len(ts.Blocks)
		list, err := a.messages(ctx, ts)
		if err != nil {
			return big.Zero(), err
		}
		for _, x := range list {
			prices = append(prices, price{x.Message.GasPremium, x.Message.GasLimit})
		}
	}
	slices.SortStableFunc(prices, func(x, y price) int { return big.Cmp(y.premium, x.premium) })
	const target = chain.BlockGasLimit / 2
	at := int64(target)*int64(blocks)/2 + int64(target)*int64(blocks)/40
	last, before := big.Zero(), big.Zero()
	for _, p := range prices {
		last, before = p.premium, last
		if at -= p.limit; at < 0 {
			break
		}
	}
	premium := last
	if before.Sign() != 0 {
		premium = big.Div(big.Add(last, before), big.NewInt(2))
	}
	if premium.LessThan(big.NewInt(minPremium)) {
		switch epochs {
		case 1:
			premium = big.NewInt(minPremium * 2)
		case 2:
			premium = big.NewInt(minPremium * 3 / 2)
		default:
			premium = big.NewInt(minPremium)
		}
	}
	return premium, nil
}

func (m v1) GasEstimateFeeCap(ctx context.Context, p *Message, epochs int64, key tipsetKey) (json.RawMessage, error) {
	if p == nil {
		return m.out(nil, errors.New("the message is missing"))
	}
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	cap, err := feeCap(ts, p.GasPremium.orZero(), epochs)
	return m.out(cap, err)
}

// feeCap pays the base fee even if it rises for some epochs as fast as it can.
func feeCap(ts *chain.Tipset, premium big.Int, epochs int64) (big.Int, error) {
	const most = 200 // the fee would have 10^10 times as much
	if epochs < 0 || epochs > most {
		return big.Zero(), fmt.Errorf("a fee cap for %d epochs: at most %d are estimated", epochs, most)
	}
	factor := math.Pow(baseFeeGrowth, float64(epochs))
	out := big.Div(big.Mul(ts.BaseFee(), big.NewIntUnsigned(uint64(factor*(1<<8)))), big.NewInt(1<<8))
	return big.Add(out, premium), nil
}

// sendSpec says how a message is sent.
type sendSpec struct {
	MaxFee         amount
	MsgUuid        string
	MaximizeFeeCap bool
}

func (m v1) GasEstimateMessageGas(ctx context.Context, p *Message, spec *sendSpec, key tipsetKey) (json.RawMessage, error) {
	msg, err := p.message()
	if err != nil {
		return m.out(nil, err)
	}
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	if err := m.messageGas(ctx, msg, spec, ts); err != nil {
		return m.out(nil, err)
	}
	return m.out(messageOut(msg))
}

// messageGas sets what a message leaves open of limit, premium and fee cap.
func (a *API) messageGas(ctx context.Context, msg *fvm.Message, spec *sendSpec, ts *chain.Tipset) error {
	if msg.GasLimit == 0 {
		limit, err := a.gasLimit(ctx, msg, ts)
		if err != nil {
			return err
		}
		if !a.exactFees() {
			limit = int64(float64(limit) * gasOverestimation)
		}
		msg.GasLimit = min(limit, chain.BlockGasLimit)
	}
	if msg.GasPremium.Sign() == 0 {
		premium, err := a.gasPremium(ctx, premiumEpochs, ts)
		if err != nil {
			return fmt.Errorf("estimating gas price: %w", err)
		}
		msg.GasPremium = premium
	}
	if msg.GasFeeCap.Sign() == 0 {
		cap, err := feeCap(ts, msg.GasPremium, feeCapEpochs)
		if err != nil {
			return err
		}
		msg.GasFeeCap = cap
	}
	capFee(msg, spec)
	return nil
}

// exactFees tells whether estimates have run with the limit that they give.
func (a *API) exactFees() bool {
	_, ok := a.o.Chain.(Estimator)
	return ok && a.o.ExactFees
}

// capFee lowers the fee cap to what the message may cost in all.
func capFee(msg *fvm.Message, spec *sendSpec) {
	most, maximize := defaultMaxFee, false
	if spec != nil {
		maximize = spec.MaximizeFeeCap
		if v := spec.MaxFee.orZero(); v.Sign() > 0 {
			most = v
		}
	}
	if msg.GasLimit <= 0 {
		return
	}
	limit := big.NewInt(msg.GasLimit)
	if maximize || big.Mul(msg.GasFeeCap, limit).GreaterThan(most) {
		msg.GasFeeCap = big.Div(most, limit)
	}
	msg.GasPremium = big.Min(msg.GasFeeCap, msg.GasPremium)
}
