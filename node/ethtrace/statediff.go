package ethtrace

import (
	"context"

	"github.com/edgefvm/fvm/node/eth"
)

// AccountDiff is what changed of an account, in OpenEthereum's form: each is "=", {"+": V}, {"-": V} or {"*": {"from": V, "to": V}}.
type AccountDiff struct {
	Balance any              `json:"balance"`
	Code    any              `json:"code"`
	Nonce   any              `json:"nonce"`
	Storage map[eth.Hash]any `json:"storage"`
}

type (
	born[T any] struct {
		V T `json:"+"`
	}
	died[T any] struct {
		V T `json:"-"`
	}
	changed[T any] struct {
		V fromTo[T] `json:"*"`
	}
	fromTo[T any] struct {
		From T `json:"from"`
		To   T `json:"to"`
	}
)

// delta is a change of a value.
func delta[T any](p *pair, of func(*Account) T, equal func(a, b T) bool) any {
	switch {
	case p.before == nil:
		return born[T]{of(p.after)}
	case p.after == nil:
		return died[T]{of(p.before)}
	}
	was, is := of(p.before), of(p.after)
	if equal(was, is) {
		return "="
	}
	return changed[T]{fromTo[T]{was, is}}
}

// stateDiff is what changed of accounts, by their addresses. Slots of an account that was no contract before are new, all others
// change from or to 0.
func (h *heard) stateDiff(ctx context.Context) (map[eth.Address]*AccountDiff, error) {
	list, err := h.pairs(ctx)
	if err != nil {
		return nil, err
	}
	all := map[eth.Address]*AccountDiff{}
	for i := range list {
		p := &list[i]
		slots, err := changes(ctx, p.before, p.after)
		if err != nil {
			return nil, err
		}
		d := &AccountDiff{
			Balance: delta(p, func(a *Account) eth.Amount { return a.Balance }, func(a, b eth.Amount) bool { return a.Big().Cmp(b.Big()) == 0 }),
			Nonce:   delta(p, func(a *Account) eth.Quantity { return eth.Quantity(a.Nonce) }, func(a, b eth.Quantity) bool { return a == b }),
			Code:    delta(p, func(a *Account) eth.Data { return a.Code }, func(a, b eth.Data) bool { return string(a) == string(b) }),
			Storage: map[eth.Hash]any{},
		}
		for _, s := range slots {
			switch {
			case p.before == nil || !p.before.evm:
				d.Storage[s.key] = born[eth.Hash]{s.after}
			case p.after == nil || !p.after.evm:
				d.Storage[s.key] = died[eth.Hash]{s.before}
			default:
				d.Storage[s.key] = changed[eth.Hash]{fromTo[eth.Hash]{s.before, s.after}}
			}
		}
		if d.Balance == "=" && d.Nonce == "=" && d.Code == "=" && len(slots) == 0 {
			continue
		}
		all[p.address] = d
	}
	return all, nil
}
