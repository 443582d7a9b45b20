package ethapi

import (
	"context"
	"math/big"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// strictPremium is what Lotus suggests at least, in attoFIL a unit of gas. It adds noise; this node does not.
const strictPremium = 200_000

// premium is the tip that is suggested: none, so that what a sender pays is what its receipt says, to the last attoFIL.
func (a *API) premium() *big.Int {
	if a.manner == eth.Strict {
		return big.NewInt(strictPremium)
	}
	return new(big.Int)
}

// next is the base fee of the block to come.
func (a *API) next() *big.Int { return a.chain.NextBaseFee().Int }

// baseFee is eth_baseFee, which Lotus has and Ethereum not: that of the next block.
func (a *API) baseFee() eth.Amount { return eth.Amount{Int: a.next()} }

// gasPrice is eth_gasPrice.
func (a *API) gasPrice() eth.Amount {
	return eth.Amount{Int: new(big.Int).Add(a.next(), a.premium())}
}

// maxPriorityFee is eth_maxPriorityFeePerGas.
func (a *API) maxPriorityFee() eth.Amount { return eth.Amount{Int: a.premium()} }

// feeHistory is eth_feeHistory.
func (a *API) feeHistory(ctx context.Context, count eth.Quantity, newest eth.BlockRef, percentiles jsonrpc.Optional[[]float64]) (*eth.FeeHistory, error) {
	if a.manner == eth.Strict && count > eth.MaxFeeHistory {
		return nil, &eth.Error{Code: eth.CodeAny, Message: "block count should be smaller than 1024"}
	}
	if err := eth.CheckPercentiles(percentiles.Value); err != nil {
		return nil, err
	}
	last, err := a.find(newest, false)
	if err == nil && last == nil {
		err = a.unknown(newest)
	}
	if err != nil {
		return nil, err
	}
	next := last.NextBaseFee.Int
	if last.Hash == a.chain.Latest().Hash {
		next = a.next() // which may be forced
	}
	var blocks []eth.FeeBlock
	for b := last; b != nil && len(blocks) < int(min(count, eth.MaxFeeHistory)); {
		if b.Epoch() == 0 && (a.manner == eth.Strict || len(blocks) > 0) {
			break
		}
		whole, err := a.chain.Whole(ctx, b)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, feesOf(whole))
		if b, err = a.chain.Below(ctx, b); err != nil {
			return nil, err
		}
	}
	p := percentiles.Value
	if percentiles.Set && p == nil {
		p = []float64{}
	}
	return eth.NewFeeHistory(a.manner, blocks, next, p), nil
}

func feesOf(b *dev.Block) eth.FeeBlock {
	f := eth.FeeBlock{Number: uint64(b.Epoch()), BaseFee: b.BaseFee().Int, Blocks: len(b.Tipset.Blocks)}
	for _, m := range b.Messages {
		f.Tips = append(f.Tips, eth.Tip{FeeCap: m.Message.Message.GasFeeCap.Int, Premium: m.Message.Message.GasPremium.Int, GasUsed: m.Result.GasUsed})
	}
	return f
}
