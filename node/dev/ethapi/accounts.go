package ethapi

import (
	"context"

	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

type blockParam = jsonrpc.Optional[eth.BlockRef]

// getBalance is eth_getBalance.
func (a *API) getBalance(ctx context.Context, address eth.Address, ref blockParam) (eth.Amount, error) {
	b, err := a.read(ref)
	if err != nil {
		return eth.Amount{}, err
	}
	v, err := a.chain.Balance(ctx, b, address.Filecoin())
	return eth.Amount{Int: v.Int}, err
}

// getCode is eth_getCode: of contracts only.
func (a *API) getCode(ctx context.Context, address eth.Address, ref blockParam) (eth.Data, error) {
	b, err := a.read(ref)
	if err != nil {
		return nil, err
	}
	if a.manner == eth.Strict && b.Epoch() == 0 {
		return nil, &eth.Error{Code: eth.CodeAny, Message: "block param must not specify genesis block"}
	}
	return a.chain.Code(ctx, b, address.Filecoin())
}

// getStorageAt is eth_getStorageAt: 32 bytes always.
func (a *API) getStorageAt(ctx context.Context, address eth.Address, key eth.Slot, ref blockParam) (eth.Hash, error) {
	b, err := a.read(ref)
	if err != nil {
		return eth.Hash{}, err
	}
	return a.chain.Storage(ctx, b, address.Filecoin(), key)
}

// getTransactionCount is eth_getTransactionCount. With pending, what waits in the pool counts.
func (a *API) getTransactionCount(ctx context.Context, address eth.Address, ref blockParam) (eth.Quantity, error) {
	b, err := a.read(ref)
	if err != nil {
		return 0, err
	}
	if ref.Value.Tag == eth.Pending {
		n, err := a.chain.PendingNonce(ctx, address.Filecoin())
		return eth.Quantity(n), err
	}
	n, err := a.chain.Nonce(ctx, b, address.Filecoin())
	return eth.Quantity(n), err
}

// account is the answer of eth_getAccountInfo.
type account struct {
	Balance eth.Amount   `json:"balance"`
	Nonce   eth.Quantity `json:"nonce"`
	Code    eth.Data     `json:"code"`
}

// accountInfo is eth_getAccountInfo, by which forge forks.
func (a *API) accountInfo(ctx context.Context, address eth.Address, ref blockParam) (*account, error) {
	info := &account{}
	var err error
	if info.Balance, err = a.getBalance(ctx, address, ref); err != nil {
		return nil, err
	}
	if info.Nonce, err = a.getTransactionCount(ctx, address, ref); err != nil {
		return nil, err
	}
	if info.Code, err = a.getCode(ctx, address, ref); err != nil {
		return nil, err
	}
	return info, nil
}
