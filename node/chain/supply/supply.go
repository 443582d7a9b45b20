// Package supply computes the circulating supply that messages are executed with: FIL that vested, was mined or came out of the
// reserve, less what was burnt or is locked (Filecoin specification, "Circulating Supply"; FIP-0100 for the reserve).
//
// Actors see it, and pledges follow it, so it is the same on all nodes to the last attoFIL, mistakes included. Package chain calls
// it; it reads states by package tree.
package supply

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	fnetwork "github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/network"
)

// Parts are what a supply is made of, in attoFIL.
type Parts struct {
	Vested, Mined, Disbursed, Burnt, Locked abi.TokenAmount
	// Circulating is the sum, or 0 if it were negative.
	Circulating abi.TokenAmount
}

// Rules say how a network computes its supply.
type Rules struct {
	Network *network.Network
	// GenesisPledge is what the power actor has locked in the genesis state, in attoFIL (see GenesisPledge). It counts until the
	// network's upgrade Assembly.
	GenesisPledge abi.TokenAmount
}

// GenesisPledge reads Rules.GenesisPledge from a genesis state.
func GenesisPledge(ctx context.Context, genesis *tree.Tree) (abi.TokenAmount, error) {
	return pledge(ctx, genesis)
}

// At is the supply for a machine at an epoch that begins with a state.
func (r Rules) At(ctx context.Context, epoch abi.ChainEpoch, st *tree.Tree) (p Parts, err error) {
	c := &r.Network.Constants
	nv := r.Network.VersionAt(epoch)
	p.Vested = r.vested(epoch)
	p.Disbursed = big.Zero()
	if epoch > c.Assembly {
		if p.Disbursed, err = r.disbursed(ctx, nv, st); err != nil {
			return Parts{}, fmt.Errorf("what came out of the reserve: %w", err)
		}
	}
	if p.Mined, err = amount(ctx, st, tree.Reward, rewardMined); err != nil {
		return Parts{}, fmt.Errorf("what was mined: %w", err)
	}
	burnt, err := st.Actor(ctx, tree.Burnt)
	if err != nil {
		return Parts{}, fmt.Errorf("what was burnt: %w", err)
	}
	p.Burnt = burnt.Balance
	if p.Locked, err = locked(ctx, nv, st); err != nil {
		return Parts{}, fmt.Errorf("what is locked: %w", err)
	}
	sum := big.Sum(p.Vested, p.Mined, p.Disbursed)
	p.Circulating = big.Max(big.Sub(big.Sub(sum, p.Burnt), p.Locked), big.Zero())
	return p, nil
}

// Fields of actors' states, in the order of their lists.
const (
	rewardMined   = 8 // TotalStoragePowerReward; TotalMintedReward in version 19
	powerPledge   = 4 // TotalPledgeCollateral
	marketClients = 8 // TotalClientLockedCollateral, then TotalProviderLockedCollateral and TotalClientStorageFee
	marketFields  = 3
)

func amount(ctx context.Context, st *tree.Tree, id abi.ActorID, field int) (abi.TokenAmount, error) {
	f, err := st.Fields(ctx, id)
	if err != nil {
		return abi.TokenAmount{}, err
	}
	return f.Amount(field)
}

func pledge(ctx context.Context, st *tree.Tree) (abi.TokenAmount, error) {
	return amount(ctx, st, tree.Power, powerPledge)
}

func locked(ctx context.Context, nv fnetwork.Version, st *tree.Tree) (abi.TokenAmount, error) {
	sum, err := pledge(ctx, st)
	if err != nil || nv >= fnetwork.Version23 {
		return sum, err // FIP-0086: the market's do not count any more
	}
	f, err := st.Fields(ctx, tree.Market)
	if err != nil {
		return sum, err
	}
	for i := marketClients; i < marketClients+marketFields; i++ {
		v, err := f.Amount(i)
		if err != nil {
			return sum, err
		}
		sum = big.Add(sum, v)
	}
	return sum, nil
}

func (r Rules) disbursed(ctx context.Context, nv fnetwork.Version, st *tree.Tree) (abi.TokenAmount, error) {
	reserve, err := st.Actor(ctx, tree.Reserve)
	if err != nil {
		return abi.TokenAmount{}, err
	}
	// Quirk: from version 25 on the reserve is taken to have begun with another amount, which some networks were given (FIP-0100).
	initial := r.Network.Constants.InitialFilReserved
	if nv >= fnetwork.Version25 {
		initial = r.Network.Constants.TeepInitialFilReserved
	}
	return big.Sub(initial, reserve.Balance), nil
}
