package genesis

import (
	"context"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/vm/state"
)

// accounts makes everybody who has a key, miners' workers aside.
func (w *world) accounts(ctx context.Context, o *Options) error {
	for _, fixed := range []struct {
		account *Account
		use     string
		id      uint64
		balance abi.TokenAmount
	}{
		{&w.RootKey, "root key", rootKeyID, fil(rootKeyFIL)}, {&w.Reserve, "reserve", reserveID, fil(reserveFIL)}, {&w.Faucet, "faucet", firstID, o.left()},
	} {
		if err := w.nextID(ctx, fixed.id); err != nil {
			return err
		}
		key, err := secpKey(w.seed, fixed.use)
		if err != nil {
			return err
		}
		fixed.account.Key = *key
		err = w.edit(ctx, func(t *state.Tree, b *blockstore.Buffered) (err error) {
			fixed.account.ID, err = w.secp(ctx, t, b, key, fixed.balance)
			return err
		})
		if err != nil {
			return err
		}
	}
	keys, err := KeysOf(o.Mnemonic, o.Accounts)
	if err != nil {
		return err
	}
	return w.edit(ctx, func(t *state.Tree, b *blockstore.Buffered) error {
		nobody, err := address.NewDelegatedAddress(eamID, make([]byte, 20))
		if err != nil {
			return err
		}
		if _, err := w.register(ctx, t, b, nobody, actor{kind: "ethaccount", delegated: &nobody}); err != nil {
			return err
		}
		for _, k := range keys {
			a := Account{Key: k}
			if a.EthID, err = w.register(ctx, t, b, k.F410, actor{kind: "ethaccount", delegated: &k.F410, balance: o.Balance}); err != nil {
				return err
			}
			if a.ID, err = w.secp(ctx, t, b, &k, o.Balance); err != nil {
				return err
			}
			w.Accounts = append(w.Accounts, a)
		}
		return nil
	})
}

// secp makes a key's account.
func (w *world) secp(ctx context.Context, t *state.Tree, b *blockstore.Buffered, k *Key, balance abi.TokenAmount) (abi.ActorID, error) {
	a := accountOf(k.F1)
	a.balance = balance
	return w.register(ctx, t, b, k.F1, a)
}
