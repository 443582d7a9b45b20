package ethchain

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
	"github.com/edgefvm/fvm/node/filapi"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// Options say how a chain is served. The zero value has the defaults.
type Options struct {
	// Manner is whose answers are given where Lotus's and Ethereum's tools part. Default: Tools.
	Manner eth.Manner
	// Version is what web3_clientVersion says behind "edgefvm/". Default: "dev".
	Version string
	// MaxRange is over how many epochs eth_getLogs looks. Default: 2880, as in Lotus: tipsets with events are executed for it.
	MaxRange uint64
	// MaxLogs is how many logs an answer has. Default: 10,000, as in Lotus.
	MaxLogs int
	// Kept is how many blocks in Ethereum's words are remembered. Default: 256.
	Kept int
}

// API are the methods of a chain. They are called by any number of goroutines at once.
type API struct {
	chain filapi.Chain
	o     Options
	head  *chain.Tipset
	line  *chain.Line
	// latest is the head's parent: the last tipset whose result the chain has.
	latest *block

	mu       sync.Mutex
	rendered map[chain.Key]*eth.Rendered
	blocks   *index
	messages *index
}

// New makes the methods of a chain whose head stays where it is.
func New(ctx context.Context, c filapi.Chain, o Options) (*API, error) {
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.MaxRange == 0 {
		o.MaxRange = 2880
	}
	if o.MaxLogs == 0 {
		o.MaxLogs = 10_000
	}
	if o.Kept == 0 {
		o.Kept = 256
	}
	head, err := c.Head(ctx)
	if err != nil {
		return nil, err
	}
	if head.Height() == 0 {
		return nil, errors.New("the chain is its genesis alone: nothing of it is executed")
	}
	a := &API{chain: c, o: o, head: head, line: chain.NewLine(c.Store(), head), rendered: map[chain.Key]*eth.Rendered{}}
	parent, err := c.Store().Parent(ctx, head)
	if err != nil {
		return nil, fmt.Errorf("the chain has its head alone, and what came of a tipset stands in the one above: %w", err)
	}
	if a.latest, err = newBlock(parent, head); err != nil {
		return nil, err
	}
	a.blocks, a.messages = newIndex(parent, a.blockNames), newIndex(parent, a.messageNames)
	return a, nil
}

// Latest is the epoch of the latest block.
func (a *API) Latest() uint64 { return a.latest.number() }

// Register puts the methods into a table.
func (a *API) Register(ms *jsonrpc.Methods) {
	trailing, names, extra := jsonrpc.Trailing, jsonrpc.Names, jsonrpc.Extra()

	ms.Register("web3_clientVersion", func() string { return "edgefvm/" + a.o.Version }, extra)
	ms.Register("web3_sha3", func(d eth.Data) eth.Hash { return ethtx.Keccak256(d) }, names("data"))
	ms.Register("net_version", func() string { return fmt.Sprint(a.chain.Network().ChainID) }, extra)
	ms.Register("net_listening", func() bool { return true }, extra)
	ms.Register("net_peerCount", func() eth.Quantity { return 0 }, extra)
	ms.Register("eth_chainId", func() eth.Quantity { return eth.Quantity(a.chain.Network().ChainID) }, extra)
	ms.Register("eth_blockNumber", func() eth.Quantity { return eth.Quantity(a.latest.number()) }, extra)
	ms.Register("eth_syncing", func() bool { return false }, extra)
	ms.Register("eth_accounts", func() []eth.Address { return []eth.Address{} }, extra)
	ms.Register("eth_protocolVersion", a.protocolVersion, extra)

	ms.Register("eth_getBlockByNumber", a.blockByNumber, trailing(1), names("block", "full"))
	ms.Register("eth_getBlockByHash", a.blockByHash, trailing(1), names("hash", "full"))
	ms.Register("eth_getBlockTransactionCountByNumber", a.countByNumber)
	ms.Register("eth_getBlockTransactionCountByHash", a.countByHash)
	ms.Register("eth_getTransactionByHash", a.transactionByHash)
	ms.Register("eth_getTransactionByBlockNumberAndIndex", a.transactionByNumberAndIndex)
	ms.Register("eth_getTransactionByBlockHashAndIndex", a.transactionByHashAndIndex)
	ms.Register("eth_getTransactionReceipt", a.receipt)
	ms.Register("eth_getBlockReceipts", a.blockReceipts)
	ms.Register("eth_getLogs", a.logs)

	ms.Register("eth_getBalance", a.getBalance, names("address", "block"))
	ms.Register("eth_getCode", a.getCode, names("address", "block"))
	ms.Register("eth_getStorageAt", a.getStorageAt, names("address", "slot", "block"))
	ms.Register("eth_getTransactionCount", a.getTransactionCount, names("address", "block"))
	ms.Register("eth_call", a.call)
	ms.Register("eth_estimateGas", a.estimateGas)
	ms.Register("eth_gasPrice", a.gasPrice, extra)
	ms.Register("eth_maxPriorityFeePerGas", a.maxPriorityFee, extra)
	ms.Register("eth_feeHistory", a.feeHistory)
	ms.Register("eth_baseFee", a.baseFee, extra)

	ms.Register("trace_block", a.traceBlock)
	ms.Register("trace_transaction", a.traceTransaction)
	ms.Register("trace_replayBlockTransactions", a.traceReplay)
	ms.Register("debug_traceTransaction", a.debugTransaction)
	ms.Register("debug_traceBlockByNumber", a.debugBlock)
	ms.Register("debug_traceBlockByHash", a.debugBlock)
	ms.Register("debug_traceCall", a.debugCall)

	ms.Register("Filecoin.EthAddressToFilecoinAddress", a.filecoinAddress)
	ms.Register("Filecoin.FilecoinAddressToEthAddress", a.ethAddress)
	ms.Register("Filecoin.EthGetMessageCidByTransactionHash", a.messageCID)
	ms.Register("Filecoin.EthGetTransactionHashByCid", a.transactionHash)

	for _, name := range []string{"eth_sendRawTransaction", "eth_sendTransaction", "eth_newFilter", "eth_newBlockFilter", "eth_newPendingTransactionFilter", "eth_subscribe"} {
		ms.Register(name, refused(name), extra)
	}
}

// refused is a method that changes the chain, or waits for it to change.
func refused(name string) func() error {
	return func() error {
		return &eth.Error{Code: eth.CodeServer, Message: name + ": this chain is an archive, to which nothing comes any more; ask what is there by eth_getLogs and eth_call"}
	}
}

func (a *API) protocolVersion() eth.Quantity {
	return eth.Quantity(a.chain.Network().VersionAt(a.latest.ts.Height()))
}

// missing is the error of a state or a part of the chain that is not there.
func missing(b *block, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &eth.Error{Code: eth.CodeUnavailable, Message: fmt.Sprintf("epoch %d: %v", b.number(), err)}
}

// keyOf is the CID of a tipset's key.
func keyOf(ts *chain.Tipset) (cid.Cid, error) { return ts.Key().CID() }
