package eth

import (
	"math/big"
	"slices"

	"github.com/edgefvm/fvm/node/chain"
)

// FeeHistory is the answer of eth_feeHistory.
type FeeHistory struct {
	OldestBlock   Quantity    `json:"oldestBlock"`
	BaseFeePerGas []Amount    `json:"baseFeePerGas"` // oldest first, one longer than the ratios: that of the next block is the last
	GasUsedRatio  []float64   `json:"gasUsedRatio"`
	Reward        *[][]Amount `json:"reward,omitempty"` // a list a block; left out if no percentiles were asked for
}

// FeeBlock is what a block has to tell of fees.
type FeeBlock struct {
	Number  uint64
	BaseFee *big.Int
	Blocks  int // of the tipset
	Tips    []Tip
}

// Tip is a message's.
type Tip struct {
	FeeCap, Premium *big.Int
	GasUsed         int64
}

const (
	// MaxFeeHistory is of how many blocks a fee history is, at most; for more Lotus errs, and Ethereum gives so many.
	MaxFeeHistory  = 1024
	maxPercentiles = 100
	leastPremium   = 100_000 // attoFIL; Lotus suggests no less
)

// CheckPercentiles errs for percentiles that are not in order, not from 0 to 100, or too many.
func CheckPercentiles(p []float64) error {
	if len(p) > maxPercentiles {
		return invalid("length of the reward percentile array cannot be greater than %d", maxPercentiles)
	}
	for i, v := range p {
		if !(v >= 0 && v <= 100) {
			return invalid("invalid reward percentile: %f should be between 0 and 100", v)
		}
		if i > 0 && v < p[i-1] {
			return invalid("invalid reward percentile: %f should be larger than %f", v, p[i-1])
		}
	}
	return nil
}

// NewFeeHistory makes a fee history. Blocks are newest first, without the genesis; next is the base fee after the newest,
// which Strict does not use: Lotus repeats the newest's. Tools suggest a premium of 0 where a block has no messages, so
// that what a sender pays is what its receipt says; Strict 100,000 attoFIL. nil percentiles: none were asked for.
func NewFeeHistory(m Manner, blocks []FeeBlock, next *big.Int, percentiles []float64) *FeeHistory {
	h := &FeeHistory{OldestBlock: 1, BaseFeePerGas: make([]Amount, 0, len(blocks)+1), GasUsedRatio: make([]float64, 0, len(blocks))}
	if m == Strict && len(blocks) > 0 {
		next = blocks[0].BaseFee
	}
	rewards := make([][]Amount, 0, len(blocks))
	for _, b := range slices.Backward(blocks) {
		reward, used := b.rewards(m, percentiles)
		h.BaseFeePerGas = append(h.BaseFeePerGas, Amount{b.BaseFee})
		h.GasUsedRatio = append(h.GasUsedRatio, float64(used)/float64(chain.BlockGasLimit*int64(max(b.Blocks, 1))))
		rewards = append(rewards, reward)
	}
	if len(blocks) > 0 {
		h.OldestBlock = Quantity(blocks[len(blocks)-1].Number)
	}
	h.BaseFeePerGas = append(h.BaseFeePerGas, Amount{next})
	if percentiles != nil {
		h.Reward = &rewards
	}
	return h
}

// rewards are the premiums at percentiles of the block's gas used.
func (b *FeeBlock) rewards(m Manner, percentiles []float64) (rewards []Amount, used int64) {
	least := NewAmount(leastPremium)
	if m != Strict {
		least = NewAmount(0)
	}
	rewards = slices.Repeat([]Amount{least}, len(percentiles))
	type tip struct {
		premium *big.Int
		used    int64
	}
	tips := make([]tip, 0, len(b.Tips))
	for _, t := range b.Tips {
		used += t.GasUsed
		tips = append(tips, tip{t.effective(b.BaseFee), t.GasUsed})
	}
	if len(tips) == 0 {
		return rewards, used
	}
	slices.SortStableFunc(tips, func(a, b tip) int { return a.premium.Cmp(b.premium) })
	at, sum := 0, int64(0)
	for i, p := range percentiles {
		for limit := int64(float64(used) * p / 100); sum < limit && at < len(tips)-1; at++ {
			sum += tips[at].used
		}
		rewards[i] = Amount{tips[at].premium}
	}
	return rewards, used
}

// effective is what the miner gets for a unit of gas: what the fee cap leaves of the premium.
func (t *Tip) effective(baseFee *big.Int) *big.Int {
	left := new(big.Int).Sub(t.FeeCap, baseFee)
	if left.Sign() < 0 {
		left.SetInt64(0)
	}
	if t.Premium.Cmp(left) <= 0 {
		return t.Premium
	}
	return left
}
