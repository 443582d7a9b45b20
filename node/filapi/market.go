package filapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
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

func (m v1) StateGetAllocationIdForPendingDeal(ctx context.Context, id abi.DealID, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	n, err := pendingAllocation(ctx, t, id)
	return m.out(n, err)
}

// pendingAllocation is the allocation of a deal that is not activated; 0 if it has none.
func pendingAllocation(ctx context.Context, t *state.Tree, id abi.DealID) (uint64, error) {
	if err := granting(ctx, t); err != nil {
		return 0, err
	}
	n, ok, err := found(at(ctx, t, "actors/f05/state/PendingDealAllocationIds/%d", id))
	if err != nil || !ok {
		return 0, err
	}
	return reflect.ValueOf(n.Value()).Uint(), nil
}

func (m v1) StateGetAllocationForPendingDeal(ctx context.Context, id abi.DealID, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	allocation, err := pendingAllocation(ctx, t, id)
	if err != nil || allocation == 0 {
		return m.out(nil, err)
	}
	d, err := deal(ctx, t, id)
	if err != nil || d == nil {
		return m.out(nil, err)
	}
	return m.grant(ctx, t, "Allocations", Address{field[address.Address](d.Proposal, "Client")}, allocation)
}

// granting refuses a state from before there were allocations and claims (FIP-0045).
func granting(ctx context.Context, t *state.Tree) error {
	if _, version, err := t.Manifest(ctx); err == nil && version == 8 {
		return errors.New("unsupported in actors v8")
	}
	return nil
}

// grant is an allocation of a client, or a claim of a provider; null if there is none.
func (m v1) grant(ctx context.Context, t *state.Tree, kind string, a Address, id uint64) (json.RawMessage, error) {
	act, err := actor(ctx, t, a, "")
	if err == nil {
		err = granting(ctx, t)
	}
	if err != nil {
		return m.out(nil, err)
	}
	n, ok, err := found(at(ctx, t, "actors/f06/state/%s/%s/%d", kind, idText(act.ID), id))
	if err != nil || !ok {
		return m.out(nil, err)
	}
	return m.out(n.Value(), nil)
}

func (m v1) StateGetAllocation(ctx context.Context, client Address, id uint64, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	return m.grant(ctx, t, "Allocations", client, id)
}

func (m v1) StateGetClaim(ctx context.Context, provider Address, id uint64, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	return m.grant(ctx, t, "Claims", provider, id)
}

func (m v1) StateGetAllocations(ctx context.Context, client Address, key tipsetKey) (json.RawMessage, error) {
	return m.grants(ctx, "Allocations", client, key)
}

func (m v1) StateGetClaims(ctx context.Context, provider Address, key tipsetKey) (json.RawMessage, error) {
	return m.grants(ctx, "Claims", provider, key)
}

func (m v1) grants(ctx context.Context, kind string, a Address, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	act, err := actor(ctx, t, a, "")
	if err == nil {
		err = granting(ctx, t)
	}
	if err != nil {
		return m.out(nil, err)
	}
	out := map[string]any{}
	list, ok, err := found(at(ctx, t, "actors/f06/state/%s/%s", kind, idText(act.ID)))
	if err == nil && ok {
		err = collect(ctx, list, out)
	}
	return m.out(out, err)
}

func collect(ctx context.Context, list *state.Node, out map[string]any) error {
	return list.Each(ctx, func(id string, n *state.Node) error {
		out[id] = n.Value()
		return nil
	})
}

func (m v1) StateGetAllAllocations(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	return m.allGrants(ctx, "Allocations", key)
}

func (m v1) StateGetAllClaims(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	return m.allGrants(ctx, "Claims", key)
}

func (m v1) allGrants(ctx context.Context, kind string, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err == nil {
		err = granting(ctx, t)
	}
	if err != nil {
		return m.out(nil, err)
	}
	list, ok, err := found(at(ctx, t, "actors/f06/state/%s", kind))
	out := map[string]any{}
	if err == nil && ok {
		err = list.Each(ctx, func(_ string, of *state.Node) error { return collect(ctx, of, out) })
	}
	return m.out(out, err)
}

func (m v1) StateVerifierStatus(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	id, err := t.Resolve(ctx, a.Address)
	if err != nil {
		return m.out(nil, errors.Join(a.must(), err))
	}
	n, ok, err := found(at(ctx, t, "actors/f06/state/Verifiers/%s", idText(id)))
	if err != nil || !ok {
		return m.out(nil, err)
	}
	return m.out(n.Value(), nil)
}

// tokenPrecision is how many of the token's units are a byte of DataCap (FIP-0045).
var tokenPrecision = big.NewInt(1e18)

func (m v1) StateVerifiedClientStatus(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	id, err := t.Resolve(ctx, a.Address)
	if err != nil {
		return m.out(nil, errors.Join(a.must(), err))
	}
	_, version, err := t.Manifest(ctx)
	if err == nil && version == 8 { // before there was a token
		n, ok, err := found(at(ctx, t, "actors/f06/state/VerifiedClients/%s", idText(id)))
		if err != nil || !ok {
			return m.out(nil, err)
		}
		return m.out(n.Value(), nil)
	}
	n, ok, err := found(at(ctx, t, "actors/f07/state/Token/Balances/%s", idText(id)))
	if err != nil || !ok {
		return m.out(nil, err)
	}
	v, is := n.Value().(big.Int)
	if !is {
		return m.out(nil, fmt.Errorf("%s is a %T", n.Path(), n.Value()))
	}
	return m.out(big.Div(v, tokenPrecision), nil)
}

func (m v1) StateVerifiedRegistryRootKey(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	t, _, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	n, err := at(ctx, t, "actors/f06/state")
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(field[address.Address](n.Value(), "RootKey"), nil)
}
