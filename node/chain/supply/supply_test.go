package supply

import (
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/node/network"
)

func rules(t testing.TB, name string) Rules {
	t.Helper()
	n, ok := network.ByName(name)
	if !ok {
		t.Fatal(name)
	}
	return Rules{Network: n, GenesisPledge: big.NewInt(1 << 40)}
}

// fil is an amount in attoFIL that ends in so many.
func fil(whole, atto int64) big.Int {
	return big.Add(big.Mul(big.NewInt(whole), big.NewInt(1e18)), big.NewInt(atto))
}

// What has vested, by sums done by hand from the grants of the Filecoin specification ("Circulating Supply") and the rules that Lotus
// took them by: amounts in attoFIL until Ignition, and no part of an attoFIL an epoch.
func TestVested(t *testing.T) {
	const years6 = 6 * 365 * 2880
	for _, c := range []struct {
		name    string
		network string
		epoch   abi.ChainEpoch
		want    big.Int
	}{
		// 82717041/527040 = 156, and 82717041-156*527040 is 498801; 22421712/1051200 = 21 (346512 over), 7223364/2102400 = 3 (916164),
		// 87637883/3153600 = 27 (2490683), 400000000/6307200 = 63 (2646400).
		{"the genesis of mainnet, which nothing executes: what division leaves", "mainnet", 0, big.NewInt(498801 + 346512 + 916164 + 2490683 + 2646400 + 1<<40)},
		{"an epoch later", "mainnet", 1, big.NewInt(498801 + 346512 + 916164 + 2490683 + 2646400 + 156 + 21 + 3 + 27 + 63 + 1<<40)},
		{"before Liftoff nothing, and the genesis pledge no more after Assembly", "mainnet", 148887, big.Zero()},
		{"after all grants of mainnet", "mainnet", 148888 + years6, fil(10_632_000+51_803_587+31_821_712+7_223_364+88_536_841+409_805_053, 0)},
		{"a kit's chain: in attoFIL, no pledge", "itests", 1, big.NewInt(498801 + 346512 + 916164 + 2490683 + 2646400 + 156 + 21 + 3 + 27 + 63)},
		{"a 2k chain begins six epochs after Liftoff", "2k", years6 - 6, fil(10_632_000+51_803_587+31_821_712+7_223_364+88_536_841+409_805_053, 0)},
		{"a kit's chain after half a year, at Ignition's table no more", "itests", 94000, big.NewInt(
			498801 + 94000*156 + 346512 + 94000*21 + 916164 + 94000*3 + 2490683 + 94000*27 + 2646400 + 94000*63)},
	} {
		if got := rules(t, c.network).vested(c.epoch); !got.Equals(c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Quirk: where vesting begins, what the division of a grant by its epochs leaves is free at once.
func TestQuirkVestingDividesFirst(t *testing.T) {
	g := grant{7, 3}
	for elapsed, want := range map[abi.ChainEpoch]int64{-1: 0, 0: 1, 1: 3, 2: 5, 3: 7, 4: 7} {
		if got := g.free(big.NewInt(1), elapsed); !got.Equals(big.NewInt(want)) {
			t.Errorf("after %d epochs: %s, want %d", elapsed, got, want)
		}
	}
	if got := (grant{5, 0}).free(big.NewInt(1), 0); !got.Equals(big.NewInt(5)) {
		t.Errorf("a grant that is free at once: %s", got)
	}
}
