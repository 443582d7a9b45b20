package ethapi

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/textform"
)

// registerFilecoin puts in the methods by which Lotus leads from Ethereum's names to Filecoin's, which have no names of Ethereum's.
func (a *API) registerFilecoin(ms *jsonrpc.Methods) {
	ms.Register("Filecoin.EthAddressToFilecoinAddress", a.filecoinAddress)
	ms.Register("Filecoin.FilecoinAddressToEthAddress", a.ethAddress)
	ms.Register("Filecoin.EthGetMessageCidByTransactionHash", a.messageCID)
	ms.Register("Filecoin.EthGetTransactionHashByCid", a.transactionHash)
}

func (a *API) filecoinAddress(e eth.Address) string {
	text := addr.String(e.Filecoin())
	if p := a.chain.Network().AddressPrefix; p != "" {
		text = p + text[1:]
	}
	return text
}

// ethAddress tells how Ethereum knows an address. Lotus looks f1 to f3 up at the finalized block by default, where a young chain has nobody
// yet; Tools at the latest.
func (a *API) ethAddress(ctx context.Context, text string, ref blockParam) (eth.Address, error) {
	at, err := textform.Address(text)
	if err != nil {
		return eth.Address{}, &eth.Error{Code: eth.CodeInvalidParams, Message: err.Error()}
	}
	if b, ok := addr.EthereumBytes(at); ok {
		return b, nil
	}
	switch at.Protocol() {
	case address.SECP256K1, address.Actor, address.BLS:
	default:
		return eth.Address{}, &eth.Error{Code: eth.CodeInvalidParams, Message: fmt.Sprintf("%s has no form of Ethereum's", text)}
	}
	if !ref.Set && a.manner == eth.Strict {
		ref.Value.Tag = eth.Finalized
	}
	ref.Set = true
	b, err := a.read(ref)
	if err != nil {
		return eth.Address{}, err
	}
	id, st, err := a.chain.Actor(ctx, b, at)
	if err != nil {
		return eth.Address{}, err
	}
	if st == nil {
		return eth.Address{}, &eth.Error{Code: eth.CodeAny, Message: fmt.Sprintf("failed to lookup ID address for given Filecoin address %s: actor not found", text)}
	}
	return eth.MaskedID(uint64(id)), nil
}

// messageCID is of a transaction that is on the chain or waits; null of others.
func (a *API) messageCID(ctx context.Context, h eth.Hash) (any, error) {
	b, i, ok, err := a.chain.Find(ctx, h)
	if err != nil {
		return nil, err
	}
	if ok {
		return b.Messages[i].CID, nil
	}
	if w, ok := a.chain.PoolMessage(h); ok {
		return w.CID, nil
	}
	return nil, nil
}

// transactionHash is messageCID the other way round.
func (a *API) transactionHash(ctx context.Context, c cid.Cid) (any, error) {
	b, i, ok, err := a.chain.FindMessage(ctx, c)
	if err != nil {
		return nil, err
	}
	if ok {
		return b.Messages[i].Hash, nil
	}
	for _, w := range a.chain.Pool() {
		if w.CID == c {
			return w.Hash, nil
		}
	}
	return nil, nil
}
