package eth

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"testing"
)

// What a miner gets of a unit of gas, at a base fee of 100: as in Lotus's own test.
func TestEffectivePremium(t *testing.T) {
	for _, tt := range []struct{ feeCap, premium, want int64 }{
		{600, 200, 200}, {600, 300, 300}, {600, 500, 500}, {600, 600, 500}, {600, 1000, 500}, {50, 200, 0},
	} {
		tip := Tip{FeeCap: big.NewInt(tt.feeCap), Premium: big.NewInt(tt.premium)}
		if got := tip.effective(big.NewInt(100)); got.Cmp(big.NewInt(tt.want)) != 0 {
			t.Errorf("%d, %d: %s, want %d", tt.feeCap, tt.premium, got, tt.want)
		}
	}
}

func TestFeeHistory(t *testing.T) {
	tip := func(used, premium int64) Tip {
		return Tip{FeeCap: big.NewInt(1 << 40), Premium: big.NewInt(premium), GasUsed: used}
	}
	// The tips and the percentiles of the newer block are those of Lotus's own test.
	blocks := []FeeBlock{
		{Number: 9, BaseFee: big.NewInt(102), Blocks: 1, Tips: []Tip{tip(0, 300), tip(100, 200), tip(350, 100), tip(500, 600), tip(300, 700)}},
		{Number: 7, BaseFee: big.NewInt(101), Blocks: 2},
	}
	p := []float64{25, 50, 75, 100}
	for _, tt := range []struct {
		manner     Manner
		p          []float64
		fees, tips string
	}{
		{Strict, p, "[0x65 0x66 0x66]", "[[0x186a0 0x186a0 0x186a0 0x186a0] [0xc8 0x2bc 0x2bc 0x2bc]]"},
		{Tools, p, "[0x65 0x66 0x67]", "[[0x0 0x0 0x0 0x0] [0xc8 0x2bc 0x2bc 0x2bc]]"},
		{Tools, nil, "[0x65 0x66 0x67]", ""},
		{Tools, []float64{}, "[0x65 0x66 0x67]", "[[] []]"},
	} {
		h := NewFeeHistory(tt.manner, blocks, big.NewInt(103), tt.p)
		tips := ""
		if h.Reward != nil {
			tips = fmt.Sprint(*h.Reward)
		}
		if fees := fmt.Sprint(h.BaseFeePerGas); fees != tt.fees || tips != tt.tips || h.OldestBlock != 7 {
			t.Errorf("%v %v: %s, %s, %d", tt.manner, tt.p, fees, tips, h.OldestBlock)
		}
		if want := []float64{0, 1250.0 / 1e10}; !reflect.DeepEqual(h.GasUsedRatio, want) {
			t.Errorf("ratios %v, want %v", h.GasUsedRatio, want)
		}
	}
	if h := NewFeeHistory(Strict, nil, big.NewInt(5), nil); h.OldestBlock != 1 || len(h.BaseFeePerGas) != 1 || h.GasUsedRatio == nil {
		t.Errorf("%+v", h)
	}
}

func TestCheckPercentiles(t *testing.T) {
	for _, bad := range [][]float64{{-1}, {101}, {50, 25}, {math.NaN()}, make([]float64, 101)} {
		if CheckPercentiles(bad) == nil {
			t.Errorf("%v", bad)
		}
	}
	for _, good := range [][]float64{nil, {0, 100}, {50, 50}, make([]float64, 100)} {
		if err := CheckPercentiles(good); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
}
