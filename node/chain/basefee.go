package chain

import (
	"slices"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"
)

// What base fees are made of, in units of gas and attoFIL, the same in all builds.
const (
	// BlockGasLimit is how much gas the messages of one block of a tipset may ask for.
	BlockGasLimit  = 10_000_000_000
	blockGasTarget = BlockGasLimit / 2
	// premiumIndex is the unit of gas, counted from the one with the highest premium, whose premium decides.
	premiumIndex  = BlockGasLimit/10*8 - 1
	minBaseFee    = 100
	maxChangePart = 8 // the base fee changes by an eighth at most
	breezeBaseFee = 100
	breezeEpochs  = 120
)

// BaseFeeRules are the heights of a network's build at which the rules of the base fee change. They are heights, not network
// versions: a development chain may run a later version by the earlier rule.
type BaseFeeRules struct {
	// Breeze is where 120 epochs begin whose base fee is fixed; negative: nowhere.
	Breeze abi.ChainEpoch
	// Smoke is the last height at which gas limits count for 5/4 of what they are.
	Smoke abi.ChainEpoch
	// FireHorse is the first height after which premiums decide, not how much gas was asked for (FIP-0115).
	FireHorse abi.ChainEpoch
}

// NextBaseFee is the base fee that the children of a tipset have: of all its blocks' messages, of those too that are not executed.
func (r BaseFeeRules) NextBaseFee(t *Tipset, blocks []*BlockMessages) abi.TokenAmount {
	h := t.Height()
	switch {
	case r.Breeze >= 0 && h > r.Breeze && h < r.Breeze+breezeEpochs:
		return big.NewInt(breezeBaseFee)
	case h < r.FireHorse:
		return r.byUtilization(t, blocks)
	}
	return byPremiums(t.BaseFee(), blocks)
}

func (r BaseFeeRules) byUtilization(t *Tipset, blocks []*BlockMessages) abi.TokenAmount {
	var limits int64
	seen := map[cid.Cid]bool{}
	for _, b := range blocks {
		for _, m := range b.All() {
			c := m.feeCID()
			if !seen[c] {
				seen[c] = true
				limits += m.Message.GasLimit
			}
		}
	}
	n := int64(len(t.Blocks))
	delta := limits/n - blockGasTarget
	if t.Height() <= r.Smoke {
		delta = 5*limits/(n*4) - blockGasTarget
	}
	delta = min(max(delta, -blockGasTarget), blockGasTarget)
	change := big.Mul(t.BaseFee(), big.NewInt(delta))
	change = big.Div(big.Div(change, big.NewInt(blockGasTarget)), big.NewInt(maxChangePart))
	return big.Max(big.Add(t.BaseFee(), change), big.NewInt(minBaseFee))
}

// byPremiums raises or lowers a base fee by the premium that the gas at premiumIndex pays (FIP-0115).
func byPremiums(fee abi.TokenAmount, blocks []*BlockMessages) abi.TokenAmount {
	type sender struct {
		from  address.Address
		nonce uint64
	}
	type bid struct {
		premium abi.TokenAmount
		limit   int64
	}
	var bids []bid
	seen := map[sender]bool{}
	for _, b := range blocks {
		for _, m := range b.All() {
			s := sender{m.Message.From, m.Message.Nonce}
			if !seen[s] {
				seen[s] = true
				left := big.Max(big.Sub(m.Message.GasFeeCap, fee), big.Zero())
				bids = append(bids, bid{big.Min(m.Message.GasPremium, left), m.Message.GasLimit})
			}
		}
	}
	slices.SortStableFunc(bids, func(a, b bid) int { return big.Cmp(b.premium, a.premium) })
	premium, index := big.Zero(), int64(premiumIndex)
	for _, b := range bids {
		if index < b.limit {
			premium = b.premium
			break
		}
		index -= b.limit
	}
	most := big.Div(big.Add(fee, big.NewInt(maxChangePart-1)), big.NewInt(maxChangePart))
	return big.Max(big.NewInt(minBaseFee), big.Add(fee, big.Min(most, big.Sub(premium, most))))
}
