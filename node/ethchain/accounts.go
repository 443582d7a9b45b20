package ethchain

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/filapi"
	"github.com/edgefvm/fvm/node/internal/ethstate"
	"github.com/edgefvm/fvm/node/textform"
)

// account is an address's in the state after a block, which is given too.
func (a *API) account(ctx context.Context, address eth.Address, ref blockParam) (*block, ethstate.Account, error) {
	b, err := a.needed(ctx, ref.Value, false)
	if err != nil {
		return nil, ethstate.Account{}, err
	}
	t, err := a.state(ctx, b)
	if err != nil {
		return nil, ethstate.Account{}, err
	}
	x, err := ethstate.AccountOf(ctx, t, address.Filecoin())
	return b, x, missing(b, err)
}

func (a *API) getBalance(ctx context.Context, address eth.Address, ref blockParam) (eth.Amount, error) {
	_, x, err := a.account(ctx, address, ref)
	return eth.Amount{Int: x.Balance.Int}, err
}

func (a *API) getTransactionCount(ctx context.Context, address eth.Address, ref blockParam) (eth.Quantity, error) {
	_, x, err := a.account(ctx, address, ref)
	return eth.Quantity(x.Nonce), err
}

func (a *API) getCode(ctx context.Context, address eth.Address, ref blockParam) (eth.Data, error) {
	b, x, err := a.account(ctx, address, ref)
	if err != nil || !x.Code.Defined() {
		return nil, err
	}
	blk, err := a.chain.States().Get(ctx, x.Code)
	if err != nil {
		return nil, missing(b, err)
	}
	return blk.RawData(), nil
}

// methodStorage is GetStorageAt of the EVM actor, which the system alone may call.
const methodStorage = 5

// getStorageAt is eth_getStorageAt: 32 bytes always.
func (a *API) getStorageAt(ctx context.Context, address eth.Address, key eth.Slot, ref blockParam) (value eth.Hash, err error) {
	b, x, err := a.account(ctx, address, ref)
	if err != nil || !x.Code.Defined() {
		return value, err
	}
	res, err := a.run(ctx, b, &fvm.Message{
		From: addr.NewID(0), To: addr.NewID(uint64(x.ID)), Value: big.Zero(), GasLimit: chain.BlockGasLimit, GasFeeCap: big.Zero(), GasPremium: big.Zero(),
		Method: methodStorage, Params: cbor.AppendBytes(cbor.AppendArray(nil, 1), key[:]),
	}, filapi.CallOptions{})
	if err != nil {
		return value, err
	}
	r := cbor.NewReader(res.Result.Return)
	data := r.Bytes()
	if err := r.End(); err != nil || len(data) > len(value) || !res.Result.ExitCode.IsSuccess() {
		return value, fmt.Errorf("reading storage of %s: exit code %d, it returned %x", address, res.Result.ExitCode, res.Result.Return)
	}
	copy(value[len(value)-len(data):], data)
	return value, nil
}

// filecoinAddress is Filecoin.EthAddressToFilecoinAddress.
func (a *API) filecoinAddress(e eth.Address) string {
	text := addr.String(e.Filecoin())
	if p := a.chain.Network().AddressPrefix; p != "" {
		text = p + text[1:]
	}
	return text
}

// ethAddress is Filecoin.FilecoinAddressToEthAddress: f1 to f3 are looked up, at the finalized block by default.
func (a *API) ethAddress(ctx context.Context, text string, ref blockParam) (eth.Address, error) {
	at, err := textform.Address(text)
	if err != nil {
		return eth.Address{}, &eth.Error{Code: eth.CodeInvalidParams, Message: err.Error()}
	}
	if b, ok := addr.EthereumBytes(at); ok {
		return b, nil
	}
	if p := at.Protocol(); p != address.SECP256K1 && p != address.Actor && p != address.BLS {
		return eth.Address{}, &eth.Error{Code: eth.CodeInvalidParams, Message: fmt.Sprintf("%s has no form of Ethereum's", text)}
	}
	if !ref.Set && a.o.Manner == eth.Strict {
		ref.Value.Tag = eth.Finalized
	}
	b, err := a.needed(ctx, ref.Value, false)
	if err != nil {
		return eth.Address{}, err
	}
	t, err := a.state(ctx, b)
	if err != nil {
		return eth.Address{}, err
	}
	x, err := ethstate.AccountOf(ctx, t, at)
	if err != nil {
		return eth.Address{}, missing(b, err)
	}
	if !x.Known {
		return eth.Address{}, &eth.Error{Code: eth.CodeAny, Message: fmt.Sprintf("failed to lookup ID address for given Filecoin address %s: actor not found", text)}
	}
	return eth.MaskedID(uint64(x.ID)), nil
}

// messageOf finds a message of the chain by either of its hashes.
func (a *API) messageOf(ctx context.Context, h eth.Hash) (*chain.Message, error) {
	at, ok, err := a.messages.find(ctx, a.chain.Store(), h)
	if err != nil || !ok {
		return nil, err
	}
	b, err := a.at(ctx, uint64(at), true)
	if err != nil {
		return nil, err
	}
	blocks, err := a.chain.Store().TipsetMessages(ctx, b.ts)
	if err != nil {
		return nil, err
	}
	for _, x := range blocks {
		for _, m := range x.All() {
			byCID, err := eth.HashOf(m.CID)
			if err != nil {
				return nil, err
			}
			if tx, ok := a.transactionHashOf(&m); byCID == h || ok && tx == h {
				return &m, nil
			}
		}
	}
	return nil, nil
}

// messageCID is Filecoin.EthGetMessageCidByTransactionHash.
func (a *API) messageCID(ctx context.Context, h eth.Hash) (any, error) {
	m, err := a.messageOf(ctx, h)
	if err != nil || m == nil {
		return nil, err
	}
	return m.CID, nil
}

// transactionHash is Filecoin.EthGetTransactionHashByCid.
func (a *API) transactionHash(ctx context.Context, c cid.Cid) (any, error) {
	h, err := eth.HashOf(c)
	if err != nil {
		return nil, err
	}
	m, err := a.messageOf(ctx, h)
	if err != nil || m == nil {
		return nil, err
	}
	if tx, ok := a.transactionHashOf(m); ok {
		return tx, nil
	}
	return h, nil
}
