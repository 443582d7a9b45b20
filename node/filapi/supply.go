package filapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	netver "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/supply"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/state"
)

type supplyJSON struct {
	FilVested           big.Int
	FilMined            big.Int
	FilBurnt            big.Int
	FilLocked           big.Int
	FilCirculating      big.Int
	FilReserveDisbursed big.Int
}

// supplyOf is the circulating supply as messages at a tipset see it.
func supplyOf(ctx context.Context, c Chain, ts *chain.Tipset) (p supply.Parts, err error) {
	n := c.Network()
	rules := supply.Rules{Network: n, GenesisPledge: big.Zero()}
	load := func(ts *chain.Tipset) (*tree.Tree, error) {
		if err := c.Reach(ctx, ts); err != nil {
			return nil, err
		}
		return tree.Load(ctx, c.States(), ts.ParentStateRoot())
	}
	if ts.Height() <= n.Constants.Assembly { // later it does not count
		g, err := c.Genesis(ctx)
		if err != nil {
			return p, err
		}
		t, err := load(g)
		if err != nil {
			return p, err
		}
		if rules.GenesisPledge, err = supply.GenesisPledge(ctx, t); err != nil {
			return p, err
		}
	}
	t, err := load(ts)
	if err != nil {
		return p, err
	}
	return rules.At(ctx, ts.Height(), t)
}

func (a *API) supplyAt(ctx context.Context, ts *chain.Tipset) (*supplyJSON, error) {
	p, err := supplyOf(ctx, a.o.Chain, ts)
	return &supplyJSON{p.Vested, p.Mined, p.Burnt, p.Locked, p.Circulating, p.Disbursed}, err
}

func (m v1) StateVMCirculatingSupplyInternal(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(m.supplyAt(ctx, ts))
}

// held are actors whose balance nobody can spend.
var held = map[abi.ActorID]bool{0: true, 1: true, 2: true, 3: true, 4: true, 6: true, 7: true, 10: true, 90: true, 99: true, 122: true}

// StateCirculatingSupply is the exact supply: what all actors could spend. It looks at every actor.
func (m v1) StateCirculatingSupply(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	t, ts, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	height := ts.Height() - 1
	version := m.o.Chain.Network().VersionAt(height)
	sum := big.Zero()
	err = t.Actors(ctx, state.ListOptions{Unsorted: true}, func(act *state.Actor) error {
		if act.Balance.Sign() == 0 || held[act.ID] {
			return nil
		}
		free, err := spendable(ctx, t, act, version, height)
		sum = big.Add(sum, free)
		return err
	})
	return m.out(sum, err)
}

// spendable is how much of an actor's balance is not locked.
func spendable(ctx context.Context, t *state.Tree, act *state.Actor, version netver.Version, height abi.ChainEpoch) (big.Int, error) {
	path := "actors/" + idText(act.ID) + "/state"
	switch kind := t.Kind(ctx, act.Code).Name; kind {
	case "storagemarket":
		if version >= netver.Version23 {
			return act.Balance, nil
		}
		n, err := t.Get(ctx, path)
		if err != nil {
			return big.Zero(), err
		}
		free := act.Balance
		for _, name := range []string{"TotalClientLockedCollateral", "TotalProviderLockedCollateral", "TotalClientStorageFee"} {
			free = big.Sub(free, field[big.Int](n.Value(), name))
		}
		return free, nil
	case "storageminer":
		n, err := t.Get(ctx, path)
		if err != nil {
			return big.Zero(), err
		}
		free, err := (&miner{act: act, state: n.Value()}).available()
		if err != nil {
			return big.Zero(), nil // it has less than it has locked
		}
		return free, nil
	case "multisig":
		n, err := t.Get(ctx, path)
		if err != nil {
			return big.Zero(), err
		}
		return big.Max(big.Sub(act.Balance, (&multisig{state: n.Value()}).locked(height)), big.Zero()), nil
	case "account", "paymentchannel", "ethaccount", "evm", "placeholder":
		return act.Balance, nil
	default:
		return big.Zero(), fmt.Errorf("unexpected actor: %s, of the kind %s", idText(act.ID), kind)
	}
}

type boundsJSON struct{ Min, Max big.Int }

// The collateral of deals (builtin-actors, actors/market/src/policy.rs), and what nodes put on top.
const (
	collateralTarget                     = 1 // hundredth of the supply
	collateralMargin, collateralMarginOf = 110, 100
)

var totalFilecoin = big.Mul(big.NewInt(2e9), big.NewInt(1e18))

func (m v1) StateDealProviderCollateralBounds(ctx context.Context, size abi.PaddedPieceSize, _ bool, key tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	p, err := m.power(ctx, ts)
	if err != nil {
		return m.out(nil, err)
	}
	reward, err := at(ctx, p.t, "actors/f02/state")
	if err != nil {
		return m.out(nil, err)
	}
	s, err := m.supplyAt(ctx, ts)
	if err != nil {
		return m.out(nil, err)
	}
	share := big.NewIntUnsigned(uint64(size))
	of := big.Max(big.Max(p.total().RawBytePower, field[big.Int](reward.Value(), "ThisEpochBaselinePower")), share)
	if of.Sign() == 0 {
		return m.out(nil, errors.New("a piece of no size"))
	}
	least := big.Div(big.Mul(big.Mul(big.NewInt(collateralTarget), s.FilCirculating), share), big.Mul(big.NewInt(100), of))
	least = big.Div(big.Mul(least, big.NewInt(collateralMargin)), big.NewInt(collateralMarginOf))
	return m.out(boundsJSON{least, totalFilecoin}, nil)
}

// mostEvents is how many tipsets back events are looked for by their root, of a chain that keeps what it executed.
const mostEvents = 2880

// events are those of a message, by the root in its receipt. No blockstore has their blocks.
func (a *API) events(ctx context.Context, root cid.Cid) ([]eventJSON, error) {
	if _, ok := a.o.Chain.(Heads); !ok {
		return nil, errors.New("events are not kept of this chain")
	}
	ts, err := a.o.Chain.Head(ctx)
	if err != nil {
		return nil, err
	}
	for range mostEvents {
		if ts.Height() == 0 {
			break
		}
		if ts, err = a.o.Chain.Store().Parent(ctx, ts); err != nil {
			return nil, err
		}
		if ts.Height() == 0 {
			break
		}
		done, err := a.o.Chain.Executed(ctx, ts)
		if err != nil {
			return nil, err
		}
		for _, r := range done.Results {
			if r.EventsRoot != nil && *r.EventsRoot == root {
				return eventsOut(r.Events), nil
			}
		}
	}
	return nil, fmt.Errorf("failed to load events: no message of the last %d tipsets has the root %s", mostEvents, root)
}
