package gas

import (
	mathbig "math/big"
	"math/bits"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
)

// Outputs is where the gas deposit of a message goes: the base fee of the gas
// used and of the gas burnt to address 99, the tip to the miner, the rest back
// to the sender. The penalty is not part of it: the miner pays. Amounts are in
// attoFIL, GasRefund and GasBurned are whole units of gas.
type Outputs struct {
	BaseFeeBurn, OverEstimationBurn, MinerPenalty, MinerTip, Refund abi.TokenAmount
	GasRefund, GasBurned                                            uint64
}

// ComputeOutputs splits the deposit of feeCap times limit (whole units of gas)
// of a message that used so many. Amounts may be negative, as a premium can be:
// nothing is clamped but the tip to what the fee cap leaves of the base fee.
func ComputeOutputs(used, limit uint64, baseFee, feeCap, premium abi.TokenAmount) Outputs {
	pay := big.Min(baseFee, feeCap) // for a unit of gas
	unpaid := big.Sub(baseFee, pay) // of the base fee: the miner's fault for including the message
	tip := big.Min(premium, big.Sub(feeCap, pay))

	var o Outputs
	o.GasRefund, o.GasBurned = overEstimation(used, limit)
	var n mathbig.Int
	times := func(v abi.TokenAmount, gas uint64) abi.TokenAmount {
		return abi.TokenAmount{Int: new(mathbig.Int).Mul(v.Int, n.SetUint64(gas))}
	}
	o.BaseFeeBurn, o.MinerTip, o.OverEstimationBurn = times(pay, used), times(tip, limit), times(pay, o.GasBurned)
	o.MinerPenalty = times(unpaid, used)
	o.MinerPenalty.Int.Add(o.MinerPenalty.Int, times(unpaid, o.GasBurned).Int)
	o.Refund = times(feeCap, limit)
	for _, out := range [...]abi.TokenAmount{o.BaseFeeBurn, o.MinerTip, o.OverEstimationBurn} {
		o.Refund.Int.Sub(o.Refund.Int, out.Int)
	}
	return o
}

// overEstimation is what of the unused gas is refunded and what is burnt. Up to
// a tenth more than what was used may be bought without a burn; from there on the burnt share of
// the unused gas grows with the excess, to all of it at 2.1 times what was used.
func overEstimation(used, limit uint64) (refund, burn uint64) {
	if used == 0 {
		return 0, limit
	}
	if used >= limit { // more cannot be, but must not wrap around
		return 0, 0
	}
	unused := limit - used
	over := min(excess(used, limit), used)
	hi, lo := bits.Mul64(unused, over)
	burn, _ = bits.Div64(hi, lo, used) // over <= used: the quotient is at most unused
	return unused - burn, burn
}

// excess is limit - 1.1 used, at least zero.
func excess(used, limit uint64) uint64 {
	hi, lo := bits.Mul64(used, 11)
	if hi >= 10 { // 1.1 used has more than 64 bits
		return 0
	}
	free, _ := bits.Div64(hi, lo, 10)
	return limit - min(free, limit)
}
