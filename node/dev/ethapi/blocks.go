package ethapi

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

func keccak(d eth.Data) eth.Hash { return ethtx.Keccak256(d) }

func (a *API) clientVersion() string { return ClientVersion(a.options) }

// ClientVersion is what web3_clientVersion says. Hardhat's helpers, and OpenZeppelin's upgrades, work with a node that calls itself anvil,
// and with none that they do not know.
func ClientVersion(o Options) string {
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Manner == eth.Strict {
		return "edgefvm/" + o.Version
	}
	return "anvil/v1.7.1-edgefvm-" + o.Version
}

func (a *API) netVersion() string { return fmt.Sprint(a.chain.ChainID()) }

func (a *API) chainID() eth.Quantity { return eth.Quantity(a.chain.ChainID()) }

func (a *API) protocolVersion() eth.Quantity {
	return eth.Quantity(a.chain.Version(a.chain.Latest().Epoch()))
}

func (a *API) blockNumber() eth.Quantity { return eth.Quantity(a.chain.Latest().Epoch()) }

func (a *API) uncles(eth.BlockRef) eth.Quantity { return 0 }

// Distances of Lotus's safe and finalized blocks from the head.
const (
	strictSafe      = 30
	strictFinalized = 900
)

// find finds a block; nil if there is none. Without exact, the block before stands for a null round. A block of the chain that was forked
// has no messages yet: see dev.Node.Whole.
func (a *API) find(ref eth.BlockRef, exact bool) (*dev.Block, error) {
	latest := a.chain.Latest()
	strict := a.manner == eth.Strict
	switch {
	case ref.Hash != nil:
		return a.chain.ByHash(a.ctx, *ref.Hash)
	case ref.Tag == eth.Earliest && strict:
		return nil, &eth.Error{Code: eth.CodeAny, Message: `block param "earliest" is not supported`}
	case ref.Tag == eth.Earliest:
		return a.chain.Until(a.ctx, 0)
	case ref.Tag == eth.Safe && strict:
		return a.chain.Until(a.ctx, max(0, latest.Epoch()+1-strictSafe))
	case ref.Tag == eth.Finalized && strict:
		return a.chain.Until(a.ctx, max(0, latest.Epoch()+1-strictFinalized))
	case ref.Number == nil:
		return latest, nil
	case uint64(*ref.Number) > uint64(latest.Epoch()):
		return nil, nil
	}
	b, err := a.chain.Until(a.ctx, abi.ChainEpoch(*ref.Number))
	if err != nil {
		return nil, err
	}
	if exact && b != nil && uint64(b.Epoch()) != uint64(*ref.Number) {
		return nil, eth.NullRound(uint64(*ref.Number))
	}
	return b, nil
}

// shown finds a block that is to be shown: nil is an answer, except in Lotus's manner.
func (a *API) shown(ref eth.BlockRef) (*dev.Block, error) {
	b, err := a.find(ref, true)
	if b == nil && err == nil && a.manner == eth.Strict {
		return nil, a.unknown(ref)
	}
	if err != nil {
		return nil, err
	}
	return a.chain.Whole(a.ctx, b)
}

// read finds a block whose state is to be read; it must be there.
func (a *API) read(ref jsonrpc.Optional[eth.BlockRef]) (*dev.Block, error) {
	if !ref.Set && a.manner == eth.Strict {
		return nil, &eth.Error{Code: eth.CodeInvalidParams, Message: "wrong param count: the block is missing"}
	}
	b, err := a.find(ref.Value, false)
	if b == nil && err == nil {
		return nil, a.unknown(ref.Value)
	}
	return b, err
}

func (a *API) unknown(ref eth.BlockRef) error {
	switch {
	case ref.Hash == nil:
		return eth.FutureBlock(a.manner)
	case a.manner == eth.Strict:
		return &eth.Error{Code: eth.CodeAny, Message: "failed to get tipset by hash: " + ref.Hash.String() + " is not here"}
	}
	return &eth.Error{Code: eth.CodeServer, Message: "unknown block " + ref.Hash.String()}
}

// blockByNumber is eth_getBlockByNumber.
func (a *API) blockByNumber(ctx context.Context, ref eth.BlockRef, full bool) (*eth.Block, error) {
	if ref.Tag == eth.Pending && a.manner != eth.Strict {
		return a.pendingBlock(ctx, full)
	}
	b, err := a.shown(ref)
	if err != nil || b == nil {
		return nil, err
	}
	return a.show(ctx, b, full)
}

// blockByHash is eth_getBlockByHash.
func (a *API) blockByHash(ctx context.Context, h eth.Hash, full bool) (*eth.Block, error) {
	b, err := a.shown(eth.BlockRef{Hash: &h})
	if err != nil || b == nil {
		return nil, err
	}
	return a.show(ctx, b, full)
}

func (a *API) show(ctx context.Context, b *dev.Block, full bool) (*eth.Block, error) {
	r, err := a.render(ctx, b)
	if err != nil {
		return nil, err
	}
	if full {
		return r.Block.Full(r.Transactions), nil
	}
	return r.Block, nil
}

func (a *API) countByNumber(ref eth.BlockRef) (*eth.Quantity, error) {
	b, err := a.shown(ref)
	if err != nil || b == nil {
		return nil, err
	}
	n := eth.Quantity(len(b.Messages))
	return &n, nil
}

func (a *API) countByHash(h eth.Hash) (*eth.Quantity, error) {
	return a.countByNumber(eth.BlockRef{Hash: &h})
}

// transactionByHash is eth_getTransactionByHash: of a block, or of the pool.
func (a *API) transactionByHash(ctx context.Context, h eth.Hash) (*eth.Transaction, error) {
	b, i, ok, err := a.chain.Find(ctx, h)
	if err != nil {
		return nil, err
	}
	if ok {
		r, err := a.render(ctx, b)
		if err != nil {
			return nil, err
		}
		return r.Transactions[i], nil
	}
	return a.poolTransaction(ctx, h)
}

func (a *API) transactionByNumberAndIndex(ctx context.Context, ref eth.BlockRef, index eth.Quantity) (*eth.Transaction, error) {
	b, err := a.shown(ref)
	if err != nil || b == nil || uint64(index) >= uint64(len(b.Messages)) {
		return nil, err
	}
	r, err := a.render(ctx, b)
	if err != nil {
		return nil, err
	}
	return r.Transactions[index], nil
}

func (a *API) transactionByHashAndIndex(ctx context.Context, h eth.Hash, index eth.Quantity) (*eth.Transaction, error) {
	return a.transactionByNumberAndIndex(ctx, eth.BlockRef{Hash: &h}, index)
}

// receipt is eth_getTransactionReceipt: null until there is one.
func (a *API) receipt(ctx context.Context, h eth.Hash) (*eth.Receipt, error) {
	b, i, ok, err := a.chain.Find(ctx, h)
	if err != nil || !ok {
		return nil, err
	}
	r, err := a.render(ctx, b)
	if err != nil {
		return nil, err
	}
	return r.Receipts[i], nil
}

// blockReceipts is eth_getBlockReceipts.
func (a *API) blockReceipts(ctx context.Context, ref eth.BlockRef) ([]*eth.Receipt, error) {
	b, err := a.shown(ref)
	if err != nil || b == nil {
		return nil, err
	}
	r, err := a.render(ctx, b)
	if err != nil {
		return nil, err
	}
	return r.Receipts, nil
}
