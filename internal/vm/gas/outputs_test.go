package gas

import (
	"math"
	gobig "math/big"
	"testing"
	"testing/quick"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
)

// The rows are those of the network's specification, which every implementation tests.
func TestOverEstimation(t *testing.T) {
	for _, c := range []struct{ used, limit, refund, burn uint64 }{
		{100, 200, 10, 90}, {100, 150, 30, 20}, {1000, 1300, 240, 60}, {500, 700, 140, 60}, {200, 200, 0, 0},
		{20_000, 21_000, 1000, 0}, {0, 2000, 0, 2000}, {500, 651, 121, 30}, {500, 5000, 0, 4500},
		{7_499_000_000, 7_500_000_000, 1_000_000, 0}, {3_750_000_000, 7_500_000_000, 375_000_000, 3_375_000_000},
		{1, 7_500_000_000, 0, 7_499_999_999},
		{0, 0, 0, 0}, {5, 4, 0, 0}, {math.MaxUint64, math.MaxUint64, 0, 0}, {1, math.MaxUint64, 0, math.MaxUint64 - 1},
	} {
		if refund, burn := overEstimation(c.used, c.limit); refund != c.refund || burn != c.burn {
			t.Errorf("used %d of %d: refund %d, burn %d; want %d, %d", c.used, c.limit, refund, burn, c.refund, c.burn)
		}
	}
}

// exact is the rule in numbers without end.
func exact(used, limit uint64) (refund, burn uint64) {
	if used == 0 {
		return 0, limit
	}
	u, l := new(gobig.Int).SetUint64(used), new(gobig.Int).SetUint64(limit)
	over := new(gobig.Int).Mul(u, gobig.NewInt(11))
	over.Sub(l, over.Div(over, gobig.NewInt(10)))
	if over.Sign() < 0 {
		over.SetInt64(0)
	}
	if over.Cmp(u) > 0 {
		over.Set(u)
	}
	left := new(gobig.Int).Sub(l, u)
	if left.Sign() < 0 {
		left.SetInt64(0)
	}
	b := over.Div(over.Mul(over, left), u)
	return left.Sub(left, b).Uint64(), b.Uint64()
}

func TestOverEstimationIsExact(t *testing.T) {
	if err := quick.CheckEqual(overEstimation, exact, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
	near := func(used uint64, more uint16) bool { // limits near what was used
		limit := used + uint64(more)
		r, b := overEstimation(used, limit)
		wr, wb := exact(used, limit)
		return r == wr && b == wb
	}
	if err := quick.Check(near, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
}

func TestComputeOutputs(t *testing.T) {
	for _, c := range []struct {
		used, limit                          uint64
		fee, feeCap, premium                 int64
		burn, overBurn, penalty, tip, refund int64
	}{
		{100, 110, 10, 11, 1, 1000, 0, 0, 110, 100},
		{100, 130, 10, 11, 1, 1000, 60, 0, 130, 240},
		{100, 110, 10, 10, 1, 1000, 0, 0, 0, 100},
		{100, 110, 10, 6, 1, 600, 0, 400, 0, 60},
		// The miner pays the 4 that the fee cap lacks, for the 100 used and the 6 burnt.
		{100, 130, 10, 6, 1, 600, 36, 424, 0, 144},
		// Nothing used: all is burnt.
		{0, 50, 10, 11, 1, 0, 500, 0, 50, 0},
		// A negative premium is a tip that the miner pays.
		{100, 110, 10, 11, -2, 1000, 0, 0, -220, 430},
		// Nor is a negative fee cap clamped.
		{100, 100, 10, -1, 0, -100, 0, 1100, 0, 0},
		{100, 100, 0, 0, 0, 0, 0, 0, 0, 0},
	} {
		n := abi.NewTokenAmount
		o := ComputeOutputs(c.used, c.limit, n(c.fee), n(c.feeCap), n(c.premium))
		for _, f := range []struct {
			name string
			got  abi.TokenAmount
			want int64
		}{
			{"base fee burn", o.BaseFeeBurn, c.burn}, {"over-estimation burn", o.OverEstimationBurn, c.overBurn},
			{"penalty", o.MinerPenalty, c.penalty}, {"tip", o.MinerTip, c.tip}, {"refund", o.Refund, c.refund},
		} {
			if !f.got.Equals(n(f.want)) {
				t.Errorf("%+v: %s %s, want %d", c, f.name, f.got, f.want)
			}
		}
	}
}

// What is burnt, tipped and refunded is what was deposited.
func TestOutputsSumUp(t *testing.T) {
	check := func(used, limit uint64, fee, feeCap, premium uint32) bool {
		if limit != 0 {
			used %= limit
		}
		n := func(v uint32) abi.TokenAmount {
			return big.Mul(abi.NewTokenAmount(int64(v)), abi.NewTokenAmount(1_000_000_007))
		}
		o := ComputeOutputs(used, limit, n(fee), n(feeCap), n(premium))
		sum := big.Add(big.Add(o.BaseFeeBurn, o.OverEstimationBurn), big.Add(o.MinerTip, o.Refund))
		return sum.Equals(big.Mul(n(feeCap), big.NewIntUnsigned(limit))) && o.Refund.Sign() >= 0 && o.MinerTip.Sign() >= 0 && o.MinerPenalty.Sign() >= 0
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}
