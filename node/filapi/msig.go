package filapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/state"
)

// multisig is a multisig's state.
type multisig struct {
	t     *state.Tree
	act   *state.Actor
	state any
}

func (a *API) multisig(ctx context.Context, x Address, ts *chain.Tipset) (*multisig, error) {
	t, err := a.state(ctx, ts)
	if err != nil {
		return nil, err
	}
	act, err := actor(ctx, t, x, "multisig")
	if err != nil {
		return nil, fmt.Errorf("failed to load multisig actor: %w", err)
	}
	n, err := at(ctx, t, "actors/%s/state", idText(act.ID))
	if err != nil {
		return nil, err
	}
	return &multisig{t, act, n.Value()}, nil
}

// multisigAt is a multisig as of a tipset, and the tipset.
func (m v1) multisigAt(ctx context.Context, a Address, key tipsetKey) (*multisig, *chain.Tipset, error) {
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	s, err := m.multisig(ctx, a, ts)
	return s, ts, err
}

// locked is what is not unlocked at an epoch (builtin-actors, actors/multisig/src/state.rs).
func (m *multisig) locked(epoch abi.ChainEpoch) big.Int {
	initial, duration := field[big.Int](m.state, "InitialBalance"), field[abi.ChainEpoch](m.state, "UnlockDuration")
	elapsed := epoch - field[abi.ChainEpoch](m.state, "StartEpoch")
	if elapsed >= duration {
		return big.Zero()
	}
	if elapsed <= 0 {
		return initial
	}
	// Rounded up, so that nothing is unlocked early.
	total := big.NewInt(int64(duration))
	rest := big.Mul(initial, big.Sub(total, big.NewInt(int64(elapsed))))
	return big.Div(big.Add(rest, big.Sub(total, big.NewInt(1))), total)
}

func (m v1) MsigGetAvailableBalance(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	s, ts, err := m.multisigAt(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(big.Sub(s.act.Balance, s.locked(ts.Height())), nil)
}

type msigVestingJSON struct {
	InitialBalance big.Int
	StartEpoch     abi.ChainEpoch
	UnlockDuration abi.ChainEpoch
}

func (m v1) MsigGetVestingSchedule(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	s, _, err := m.multisigAt(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	var out msigVestingJSON
	copyFields(&out, s.state)
	return m.out(out, nil)
}

func (m v1) MsigGetVested(ctx context.Context, a Address, from, to tipsetKey) (json.RawMessage, error) {
	first, err := m.tipset(ctx, from)
	if err != nil {
		return m.out(nil, err)
	}
	last, err := m.tipset(ctx, to)
	if err != nil {
		return m.out(nil, err)
	}
	if first.Height() > last.Height() {
		return m.out(nil, fmt.Errorf("start tipset %d is after end tipset %d", first.Height(), last.Height()))
	}
	if first.Height() == last.Height() {
		return m.out(big.Zero(), nil)
	}
	s, err := m.multisig(ctx, a, last)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(big.Sub(s.locked(first.Height()), s.locked(last.Height())), nil)
}

type msigTransactionJSON struct {
	ID       int64
	To       address.Address
	Value    big.Int
	Method   abi.MethodNum
	Params   []byte
	Approved []address.Address
}

func (m v1) MsigGetPending(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	s, _, err := m.multisigAt(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	list, err := at(ctx, s.t, "actors/%s/state/PendingTxns", idText(s.act.ID))
	if err != nil {
		return m.out(nil, err)
	}
	out := []*msigTransactionJSON{}
	err = list.Each(ctx, func(key string, n *state.Node) error {
		id, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			return errors.New("a transaction without a number")
		}
		x := &msigTransactionJSON{}
		copyFields(x, n.Value())
		x.ID = id
		out = append(out, x)
		return nil
	})
	return m.out(out, err)
}
