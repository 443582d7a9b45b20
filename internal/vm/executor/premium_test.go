package executor

import (
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/internal/vm/machine"
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

// A message's params are DAG-CBOR until nv17; since then CBOR, whose links lead nowhere, or for no method raw bytes. None is no block.
func TestParamsBlock(t *testing.T) {
	for _, c := range []struct {
		nv     network.Version
		method abi.MethodNum
		params string
		codec  uint64
	}{{17, 0, "x", 0x71}, {17, 2, "x", 0x71}, {18, 0, "x", 0x55}, {18, 2, "x", 0x51}, {28, 2, "x", 0x51}, {17, 2, "", 0}, {28, 0, "", 0}} {
		p, err := machine.ProfileFor(c.nv, false)
		if err != nil {
			t.Fatal(err)
		}
		b := paramsBlock(p, &Message{Method: c.method, Params: []byte(c.params)})
		if (b == nil) != (c.params == "") || b != nil && (b.Codec != c.codec || string(b.Data) != c.params || b.Links != nil) {
			t.Errorf("%+v: %+v", c, b)
		}
	}
}
