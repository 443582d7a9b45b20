package filapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/node/state"
)

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
