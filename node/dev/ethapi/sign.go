package ethapi

import (
	"context"
	"encoding/json"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
)

// wallet are the keys of the development accounts.
type wallet struct {
	list []eth.Address // in their order
	keys map[eth.Address]*secp256k1.PrivateKey
}

func newWallet(private [][32]byte) *wallet {
	w := &wallet{keys: map[eth.Address]*secp256k1.PrivateKey{}}
	for _, p := range private {
		key := secp256k1.PrivKeyFromBytes(p[:])
		address := eth.Address(ethtx.KeyAddress(key.PubKey()))
		w.list = append(w.list, address)
		w.keys[address] = key
	}
	return w
}

// key is an account's; an error says that there is none.
func (w *wallet) key(a eth.Address) (*secp256k1.PrivateKey, error) {
	if k := w.keys[a]; k != nil {
		return k, nil
	}
	return nil, &eth.Error{Code: eth.ErrUnknownSender.Code, Message: "unknown account " + a.String() + ": this node has no key of it (eth_accounts lists those that it has)"}
}

// accounts is eth_accounts: the development accounts, and no others.
func (a *API) accounts() []eth.Address {
	if a.manner == eth.Strict {
		return []eth.Address{}
	}
	return append([]eth.Address{}, a.wallet.list...)
}

// sign is eth_sign: the message behind the address.
func (a *API) sign(address eth.Address, message json.RawMessage) (eth.Data, error) {
	return a.personalSign(message, address)
}

// personalSign signs a message with the prefix that keeps it from being a transaction (EIP-191).
func (a *API) personalSign(message json.RawMessage, address eth.Address) (eth.Data, error) {
	key, err := a.wallet.key(address)
	if err != nil {
		return nil, err
	}
	data, err := eth.PersonalMessage(message)
	if err != nil {
		return nil, err
	}
	return eth.Sign(key, eth.PersonalHash(data)), nil
}

// personalRecover is personal_ecRecover: who signed a message.
func (a *API) personalRecover(message json.RawMessage, signature eth.Data) (eth.Address, error) {
	data, err := eth.PersonalMessage(message)
	if err != nil {
		return eth.Address{}, err
	}
	return eth.Recover(signature, eth.PersonalHash(data))
}

// signTyped is eth_signTypedData_v4 (EIP-712).
func (a *API) signTyped(address eth.Address, data json.RawMessage) (eth.Data, error) {
	key, err := a.wallet.key(address)
	if err != nil {
		return nil, err
	}
	typed, err := eth.ParseTypedData(data)
	if err != nil {
		return nil, err
	}
	hash, err := typed.Hash()
	if err != nil {
		return nil, err
	}
	return eth.Sign(key, hash), nil
}

// signTransaction is eth_signTransaction: the transaction, filled as for sending, signed, and not sent.
func (a *API) signTransaction(ctx context.Context, call eth.Call) (eth.Data, error) {
	tx, err := a.fillAndSign(ctx, &call)
	if err != nil {
		return nil, err
	}
	return tx.Encode(), nil
}

// fillAndSign signs for a development account.
func (a *API) fillAndSign(ctx context.Context, call *eth.Call) (*ethtx.Transaction, error) {
	if call.From == nil {
		return nil, &eth.Error{Code: eth.CodeInvalidParams, Message: "the transaction has no from: name one of the accounts that eth_accounts lists"}
	}
	key, err := a.wallet.key(*call.From)
	if err != nil {
		return nil, err
	}
	if err := a.fill(ctx, call); err != nil {
		return nil, err
	}
	tx, err := call.Unsigned(a.chain.ChainID())
	if err != nil {
		return nil, err
	}
	tx.Sign(key)
	return tx, nil
}
