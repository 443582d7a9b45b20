package filapi

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/state"
)

// power is the power actor's state.
type power struct {
	t     *state.Tree
	state any
}

func (a *API) power(ctx context.Context, ts *chain.Tipset) (*power, error) {
	t, err := a.state(ctx, ts)
	if err != nil {
		return nil, err
	}
	n, err := at(ctx, t, "actors/f04/state")
	if err != nil {
		return nil, err
	}
	return &power{t, n.Value()}, nil
}

type claimJSON struct{ RawBytePower, QualityAdjPower big.Int }

func (p *power) total() claimJSON {
	return claimJSON{field[big.Int](p.state, "TotalRawBytePower"), field[big.Int](p.state, "TotalQualityAdjPower")}
}

type minerPowerJSON struct {
	MinerPower  claimJSON
	TotalPower  claimJSON
	HasMinPower bool
}

// consensusMiners is how many miners must have the least power before those without have no say (Filecoin specification, "Storage Power
// Consensus").
const consensusMiners = 4

func (m v1) StateMinerPower(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	p, err := m.power(ctx, ts)
	if err != nil {
		return m.out(nil, err)
	}
	out := minerPowerJSON{TotalPower: p.total()}
	if a.Address == address.Undef {
		return m.out(out, nil)
	}
	id, err := p.t.Resolve(ctx, a.Address)
	if err != nil {
		return m.out(nil, err)
	}
	n, ok, err := found(at(ctx, p.t, "actors/f04/state/Claims/%s", idText(id)))
	if err != nil || !ok {
		return m.out(out, err)
	}
	copyFields(&out.MinerPower, n.Value())
	raw := out.MinerPower.RawBytePower
	switch {
	case raw.GreaterThanEqual(m.least().power):
		out.HasMinPower = true
	case field[int64](p.state, "MinerAboveMinPowerCount") < consensusMiners:
		out.HasMinPower = raw.Sign() > 0
	}
	return m.out(out, nil)
}

func (m v1) StateListMiners(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	var out []address.Address
	err = eachAddress(ctx, t, "actors/f04/state/Claims", func(a address.Address, _ *state.Node) error {
		out = append(out, a)
		return nil
	})
	return m.out(out, err)
}

// eachAddress goes through a map by addresses.
func eachAddress(ctx context.Context, t *state.Tree, path string, fn func(a address.Address, n *state.Node) error) error {
	list, err := t.Get(ctx, path)
	if err != nil {
		return err
	}
	return list.Each(ctx, func(key string, n *state.Node) error {
		var a Address
		if err := a.UnmarshalJSON([]byte(`"` + key + `"`)); err != nil {
			return err
		}
		return fn(a.Address, n)
	})
}

type marketBalanceJSON struct{ Escrow, Locked big.Int }

func (m v1) StateMarketBalance(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	act, err := actor(ctx, t, a, "")
	if err != nil {
		return m.out(nil, err)
	}
	var out marketBalanceJSON
	if out.Escrow, err = amountAt(ctx, t, "actors/f05/state/EscrowTable/"+idText(act.ID)); err != nil {
		return m.out(nil, err)
	}
	out.Locked, err = amountAt(ctx, t, "actors/f05/state/LockedTable/"+idText(act.ID))
	return m.out(out, err)
}

// amountAt is an amount of a map; 0 if it is not there.
func amountAt(ctx context.Context, t *state.Tree, path string) (big.Int, error) {
	n, ok, err := found(t.Get(ctx, path))
	if err != nil || !ok {
		return big.Zero(), err
	}
	v, is := n.Value().(big.Int)
	if !is {
		return big.Zero(), fmt.Errorf("%s is a %T", path, n.Value())
	}
	return v, nil
}

func (m v1) StateMarketParticipants(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	out := map[string]marketBalanceJSON{}
	err = eachAddress(ctx, t, "actors/f05/state/EscrowTable", func(a address.Address, n *state.Node) error {
		escrow, ok := n.Value().(big.Int)
		if !ok {
			return fmt.Errorf("%s is a %T", n.Path(), n.Value())
		}
		id, err := t.Resolve(ctx, a)
		if err != nil {
			return err
		}
		locked, err := amountAt(ctx, t, "actors/f05/state/LockedTable/"+idText(id))
		out[addressText(m.prefix, a)] = marketBalanceJSON{escrow, locked}
		return err
	})
	return m.out(out, err)
}

type dealJSON struct {
	Proposal any
	State    dealStateJSON
}

type dealStateJSON struct {
	SectorNumber     abi.SectorNumber
	SectorStartEpoch abi.ChainEpoch
	LastUpdatedEpoch abi.ChainEpoch
	SlashEpoch       abi.ChainEpoch
}

// deal is a deal of the market; nil if there is no proposal of it.
func deal(ctx context.Context, t *state.Tree, id abi.DealID) (*dealJSON, error) {
	n, ok, err := found(at(ctx, t, "actors/f05/state/Proposals/%d", id))
	if err != nil || !ok {
		return nil, err
	}
	return dealOf(ctx, t, id, n.Value())
}

func dealOf(ctx context.Context, t *state.Tree, id abi.DealID, proposal any) (*dealJSON, error) {
	out := &dealJSON{proposal, dealStateJSON{0, -1, -1, -1}}
	n, ok, err := found(at(ctx, t, "actors/f05/state/States/%d", id))
	if err == nil && ok {
		copyFields(&out.State, n.Value())
	}
	return out, err
}

func (m v1) StateMarketStorageDeal(ctx context.Context, id abi.DealID, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	d, err := deal(ctx, t, id)
	if err == nil && d == nil {
		err = fmt.Errorf("deal %d not found - deal may not have completed sealing before deal proposal start epoch, or deal may have been slashed", id)
	}
	return m.out(d, err)
}

func (m v1) StateMarketDeals(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	list, err := at(ctx, t, "actors/f05/state/Proposals")
	if err != nil {
		return m.out(nil, err)
	}
	out := map[string]*dealJSON{}
	err = list.Each(ctx, func(id string, n *state.Node) error {
		number, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return err
		}
		out[id], err = dealOf(ctx, t, abi.DealID(number), n.Value())
		return err
	})
	return m.out(out, err)
}

func (m v1) StateMarketProposalPending(ctx context.Context, proposal cid.Cid, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	_, ok, err := found(at(ctx, t, "actors/f05/state/PendingProposals/%s", proposal))
	return m.out(ok, err)
}
