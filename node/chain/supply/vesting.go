package supply

import (
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
)

const (
	day  = abi.ChainEpoch(2880) // epochs
	year = 365 * day
)

// grant is FIL that is set free bit by bit over a number of epochs.
type grant struct {
	fil  int64
	over abi.ChainEpoch
}

// beforeCalico are the grants at the network's begin, and calico those as they were counted later, with some that had been left out.
var (
	beforeCalico = []grant{
		{49_929_341 + 32_787_700, 183 * day}, {22_421_712, year}, {7_223_364, 2 * year}, {87_637_883, 3 * year}, {100_000_000 + 300_000_000, 6 * year},
	}
	calico = []grant{
		{10_632_000, 0}, {19_015_887 + 32_787_700, 183 * day}, {22_421_712 + 9_400_000, year}, {7_223_364, 2 * year},
		{87_637_883 + 898_958, 3 * year}, {100_000_000 + 300_000_000 + 9_805_053, 6 * year},
	}
)

// vested is what of the grants is free at an epoch, in attoFIL.
func (r Rules) vested(epoch abi.ChainEpoch) abi.TokenAmount {
	c := &r.Network.Constants
	table, unit, elapsed := calico, abi.TokenAmount(big.NewInt(1_000_000_000_000_000_000)), epoch-c.Liftoff
	switch {
	case epoch <= c.Ignition:
		// Quirk: amounts in FIL were taken for attoFIL, and vesting began with the chain.
		table, unit, elapsed = beforeCalico, big.NewInt(1), epoch
	case epoch <= c.Calico:
		table = beforeCalico
	}
	sum := big.Zero()
	for _, g := range table {
		sum = big.Add(sum, g.free(unit, elapsed))
	}
	if epoch <= c.Assembly && r.GenesisPledge.Int != nil {
		sum = big.Add(sum, r.GenesisPledge) // later it is in what came out of the reserve
	}
	return sum
}

// free is what of a grant is free after a number of epochs.
//
// Quirk: what is locked is a whole number of units an epoch, for it is divided first.
func (g grant) free(unit abi.TokenAmount, elapsed abi.ChainEpoch) abi.TokenAmount {
	all := big.Mul(big.NewInt(g.fil), unit)
	switch {
	case elapsed >= g.over:
		return all
	case elapsed < 0:
		return big.Zero()
	}
	locked := big.Mul(big.Div(all, big.NewInt(int64(g.over))), big.NewInt(int64(g.over-elapsed)))
	return big.Sub(all, locked)
}
