package executor

import (
	"testing"

	"github.com/filecoin-project/go-state-types/big"
)

// What actors are told of the premium: what the fee cap leaves of it, never less than nothing.
func TestEffectivePremium(t *testing.T) {
	for _, c := range []struct{ baseFee, feeCap, premium, want int64 }{
		{100, 150, 20, 20}, {100, 150, 50, 50}, {100, 150, 51, 50}, {100, 100, 20, 0}, {100, 60, 20, 0}, {100, 150, -5, 0}, {0, 5, 9, 5},
	} {
		m := Message{GasFeeCap: big.NewInt(c.feeCap), GasPremium: big.NewInt(c.premium)}
		if got := effectivePremium(&m, big.NewInt(c.baseFee)); !got.Equals(big.NewInt(c.want)) {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
