package cheats

import (
	"context"
	"encoding/json"

	"github.com/filecoin-project/go-state-types/abi"
	fbig "github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/node/dev/edit"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// accounts are the methods that change actors and senders.
func (s *server) accounts(t *table) {
	t.add(s.setBalance, named("address", "balance"), "setBalance", "tenderly_setBalance", "evm_setAccountBalance")
	t.add(s.addBalance, named("address", "balance"), "addBalance", "tenderly_addBalance")
	t.add(s.setNonce, named("address", "nonce"), "setNonce", "evm_setAccountNonce")
	t.add(s.setCode, named("address", "code"), "setCode", "evm_setAccountCode")
	t.add(s.setStorageAt, named("address", "slot", "value"), "setStorageAt", "evm_setAccountStorageAt", "tenderly_setStorageAt")
	t.add(func(a Address) { s.n.Impersonate(a.Address) }, named("address"), "impersonateAccount")
	t.add(func(a Address) { s.n.StopImpersonating(a.Address) }, named("address"), "stopImpersonatingAccount")
	t.add(func(on bool) { s.n.AutoImpersonate(on) }, named("enabled"), "autoImpersonateAccount")
}

// addresses is one address, or a list of them.
type addresses []Address

func (l *addresses) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]Address)(l))
	}
	*l = make(addresses, 1)
	return (*l)[0].UnmarshalJSON(b)
}

func (s *server) setBalance(ctx context.Context, who addresses, balance Amount) error {
	return s.edit(ctx, func(e *edit.Editor) error {
		for _, a := range who {
			if err := e.SetBalance(ctx, a.Address, balance.tokens()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *server) addBalance(ctx context.Context, who addresses, more Amount) error {
	return s.edit(ctx, func(e *edit.Editor) error {
		for _, a := range who {
			has := abi.TokenAmount(fbig.Zero())
			if _, st, err := e.Actor(ctx, a.Address); err == nil {
				has = st.Balance
			}
			if err := e.SetBalance(ctx, a.Address, fbig.Add(has, more.tokens())); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *server) setNonce(ctx context.Context, a Address, nonce Uint) error {
	return s.edit(ctx, func(e *edit.Editor) error { return e.SetNonce(ctx, a.Address, uint64(nonce)) })
}

func (s *server) setCode(ctx context.Context, a Address, code Data) error {
	return s.edit(ctx, func(e *edit.Editor) error { return e.SetCode(ctx, a.Address, code) })
}

func (s *server) setStorageAt(ctx context.Context, a Address, slot, value Word) (bool, error) {
	err := s.edit(ctx, func(e *edit.Editor) error { return e.SetStorage(ctx, a.Address, slot, value) })
	return err == nil, err
}

func invalid(format string, a ...any) error {
	return jsonrpc.Errorf(jsonrpc.CodeInvalidParams, format, a...)
}
