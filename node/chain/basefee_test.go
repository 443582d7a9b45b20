package chain

import (
	"fmt"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
)

// paying are messages with premiums and gas limits, of one sender, in as many blocks as asked.
func paying(t testing.TB, blocks int, premiums, limits []int64, feeCap int64) []*BlockMessages {
	t.Helper()
	list := make([]*BlockMessages, blocks)
	for i := range list {
		list[i] = &BlockMessages{}
	}
	for i, limit := range limits {
		m := &fvm.Message{From: id(t, 100), To: id(t, 101), Nonce: uint64(i), GasLimit: limit, GasPremium: big.NewInt(premiums[i]), GasFeeCap: big.NewInt(feeCap), Value: big.Zero()}
		data, err := encode(m)
		if err != nil {
			t.Fatal(err)
		}
		c, err := sum(data)
		if err != nil {
			t.Fatal(err)
		}
		b := list[i%blocks]
		b.Secp = append(b.Secp, Message{CID: c, Message: m, Length: len(data)})
	}
	return list
}

func id(t testing.TB, n uint64) address.Address {
	t.Helper()
	a, err := address.NewIDAddress(n)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func tipsetAt(height abi.ChainEpoch, blocks int, fee int64) *Tipset {
	t := &Tipset{}
	for range blocks {
		t.Blocks = append(t.Blocks, &Header{Height: height, ParentBaseFee: big.NewInt(fee)})
	}
	return t
}

// The expected values are those of Lotus's own test (chain/store/basefee_test.go of v1.36.3).
func TestBaseFeeByUtilization(t *testing.T) {
	rules := BaseFeeRules{Breeze: -1, Smoke: 51000, FireHorse: 1 << 40}
	for _, c := range []struct {
		fee, limits   int64
		blocks        int
		before, after int64 // Smoke
	}{
		{100e6, 0, 1, 87.5e6, 87.5e6},
		{100e6, 0, 5, 87.5e6, 87.5e6},
		{100e6, 5e9, 1, 103.125e6, 100e6},
		{100e6, 10e9, 2, 103.125e6, 100e6},
		{100e6, 20e9, 2, 112.5e6, 112.5e6},
		{100e6, 15e9, 2, 110937500, 106.250e6},
		{100, 0, 1, 100, 100}, // never lower
	} {
		var premiums, limits []int64
		if c.limits > 0 {
			premiums, limits = []int64{0}, []int64{c.limits}
		}
		messages := paying(t, c.blocks, premiums, limits, 0)
		for height, want := range map[abi.ChainEpoch]int64{51000: c.before, 51001: c.after} {
			if got := rules.NextBaseFee(tipsetAt(height, c.blocks, c.fee), messages); !got.Equals(big.NewInt(want)) {
				t.Errorf("%+v at %d: %s, want %d", c, height, got, want)
			}
		}
	}
}

// As above; FIP-0115.
func TestBaseFeeByPremiums(t *testing.T) {
	rules := BaseFeeRules{Breeze: -1, Smoke: -1, FireHorse: 10}
	next := func(fee, premium int64) int64 {
		most := (fee + 7) / 8
		return max(100, fee+min(most, premium-most))
	}
	for _, c := range []struct {
		premiums, limits []int64
		premium          int64
	}{
		{nil, nil, 0},
		{[]int64{123, 100}, []int64{5_999_999_999, 2_000_000_000}, 0},
		{[]int64{123, 0}, []int64{5_999_999_999, 2_000_000_001}, 0},
		{[]int64{123, 100}, []int64{5_999_999_999, 2_000_000_001}, 100},
		{[]int64{123, 100}, []int64{7_999_999_999, 2_000_000_001}, 100},
		{[]int64{123, 100}, []int64{8_000_000_000, 2_000_000_000}, 123},
		{[]int64{123, 100}, []int64{8_000_000_000, 9_000_000_000}, 123},
		{[]int64{100, 200, 300, 400, 500, 600, 700}, []int64{4e9, 1e9, 2e9, 1e9, 2e9, 2e9, 3e9}, 400},
	} {
		for _, fee := range []int64{100, 801, 8000} {
			got := rules.NextBaseFee(tipsetAt(10, 1, fee), paying(t, 1, c.premiums, c.limits, 1<<40))
			if want := next(fee, c.premium); !got.Equals(big.NewInt(want)) {
				t.Errorf("%v %v over %d: %s, want %d", c.premiums, c.limits, fee, got, want)
			}
		}
	}
	for _, c := range [][3]int64{
		{100, 0, 100}, {100, 13, 100}, {100, 14, 101}, {100, 26, 113}, {801, 0, 700}, {801, 20, 720}, {801, 100, 800}, {801, 200, 900}, {801, 201, 901},
		{808, 0, 707}, {808, 1, 708}, {808, 201, 908}, {808, 202, 909}, {808, 203, 909},
	} {
		got := rules.NextBaseFee(tipsetAt(10, 1, c[0]), paying(t, 1, []int64{c[1]}, []int64{9e9}, 1<<40))
		if !got.Equals(big.NewInt(c[2])) {
			t.Errorf("base fee %d, premium %d: %s, want %d", c[0], c[1], got, c[2])
		}
	}
	// The premium is what the fee cap leaves of it, and nothing below the base fee.
	for cap, want := range map[int64]int64{799: 700, 801: 700, 901: 800, 2000: 902} {
		got := rules.NextBaseFee(tipsetAt(10, 1, 801), paying(t, 1, []int64{1000}, []int64{9e9}, cap))
		if !got.Equals(big.NewInt(want)) {
			t.Errorf("fee cap %d: %s, want %d", cap, got, want)
		}
	}
}

// A message counts once: by its CID before FireHorse, by sender and nonce from there on.
func TestBaseFeeCountsOnce(t *testing.T) {
	rules := BaseFeeRules{Breeze: -1, Smoke: -1, FireHorse: 100}
	twice := paying(t, 1, []int64{50}, []int64{10e9}, 1<<40)
	other := paying(t, 1, []int64{10}, []int64{10e9}, 1<<40) // the same nonce
	for _, c := range []struct {
		name   string
		height abi.ChainEpoch
		blocks []*BlockMessages
		want   int64
	}{
		{"the same message", 1, append(twice, twice...), 8000},
		{"a rival", 1, append(twice, other...), 9000},
		{"a rival, by premiums", 100, append(other, twice...), 8000 - 1000 + 10},
		{"a rival before it, by premiums", 100, append(twice, other...), 8000 - 1000 + 50},
	} {
		if got := rules.NextBaseFee(tipsetAt(c.height, 2, 8000), c.blocks); !got.Equals(big.NewInt(c.want)) {
			t.Errorf("%s: %s, want %d", c.name, got, c.want)
		}
	}
}

// Quirk: a message with a BLS signature of its own is known by the CID that it has without.
func TestQuirkBLSAmongSigned(t *testing.T) {
	m := paying(t, 1, []int64{0}, []int64{10e9}, 0)[0].Secp[0]
	raw, err := encode(m.Message)
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[byte]struct{ length, fee int64 }{
		1: {int64(len(raw)) + 1 + 3 + 96, 9000}, // secp: the pair, counted beside the bare one
		2: {int64(len(raw)), 8000},              // BLS: nothing for the signature, and the same as the bare one
	} {
		data := append([]byte{0x82}, raw...)
		data = append(append(data, 0x58, 97, kind), make([]byte, 96)...)
		c, err := sum(data)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := DecodeSigned(c, data)
		if err != nil {
			t.Fatal(err)
		}
		if int64(signed.Length) != want.length {
			t.Errorf("type %d: length %d, want %d", kind, signed.Length, want.length)
		}
		blocks := []*BlockMessages{{BLS: []Message{m}}, {Secp: []Message{signed}}}
		rules := BaseFeeRules{Breeze: -1, Smoke: -1, FireHorse: 100}
		if got := rules.NextBaseFee(tipsetAt(1, 2, 8000), blocks); fmt.Sprint(got) != fmt.Sprint(want.fee) {
			t.Errorf("type %d: base fee %s, want %d", kind, got, want.fee)
		}
	}
}
