package ethapi

import (
	"sync"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// Options say how a node is served. The zero value serves Ethereum's tools, without keys.
type Options struct {
	// Manner is whose answers are given where Lotus's and Ethereum's tools part. Default: Tools.
	Manner eth.Manner
	// Keys of the accounts that eth_accounts lists and eth_sendTransaction signs for, most significant byte first.
	Keys [][32]byte
	// Version is what web3_clientVersion says behind "anvil/v1.7.1-edgefvm-", which tools look for. Default: "dev".
	Version string
	// MaxRange is over how many epochs eth_getLogs looks. Default: any number; of Strict 2880, as in Lotus.
	MaxRange uint64
	// MaxLogs is how many logs an answer has. Default: 10,000 of Strict, as in Lotus; else 100,000.
	MaxLogs int
}

// API are the methods.
type API struct {
	chain       *dev.Node
	manner      eth.Manner
	options     Options
	wallet      *wallet
	filters     *filters
	subscribers *subscribers
	sending     sync.Mutex // of transactions whose nonce is ours to choose
	news        news
	stop        func()
}

// New makes the methods of a node, and begins to watch its chain for those who subscribe. Close ends that.
func New(node *dev.Node, o Options) *API {
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.MaxRange == 0 {
		o.MaxRange = 1 << 40
		if o.Manner == eth.Strict {
			o.MaxRange = 2880
		}
	}
	if o.MaxLogs == 0 {
		o.MaxLogs = 100_000
		if o.Manner == eth.Strict {
			o.MaxLogs = 10_000
		}
	}
	a := &API{
		chain: node, manner: o.Manner, options: o, wallet: newWallet(o.Keys), filters: newFilters(o.Manner),
		subscribers: &subscribers{all: map[*jsonrpc.Subscription]subscription{}},
	}
	a.watch()
	return a
}

// Close ends the watching. The methods go on to work.
func (a *API) Close() { a.stop() }

// Register puts the methods into a table.
func (a *API) Register(ms *jsonrpc.Methods) {
	trailing := jsonrpc.Trailing
	names := jsonrpc.Names
	extra := jsonrpc.Extra()

	// The node and its chain.
	ms.Register("web3_clientVersion", a.clientVersion, extra)
	ms.Register("web3_sha3", func(d eth.Data) eth.Hash { return keccak(d) }, names("data"))
	ms.Register("net_version", a.netVersion, extra)
	ms.Register("net_listening", func() bool { return true }, extra)
	ms.Register("eth_chainId", a.chainID, extra)
	ms.Register("eth_blockNumber", a.blockNumber, extra)
	ms.Register("eth_syncing", func() bool { return false }, extra)
	ms.Register("eth_protocolVersion", a.protocolVersion, extra)

	// Blocks, transactions, receipts.
	ms.Register("eth_getBlockByNumber", a.blockByNumber, trailing(1), names("block", "full"))
	ms.Register("eth_getBlockByHash", a.blockByHash, trailing(1), names("hash", "full"))
	ms.Register("eth_getBlockTransactionCountByNumber", a.countByNumber)
	ms.Register("eth_getBlockTransactionCountByHash", a.countByHash)
	ms.Register("eth_getTransactionByHash", a.transactionByHash)
	ms.Register("eth_getTransactionByBlockHashAndIndex", a.transactionByHashAndIndex)
	ms.Register("eth_getTransactionByBlockNumberAndIndex", a.transactionByNumberAndIndex)
	ms.Register("eth_getTransactionReceipt", a.receipt)
	ms.Register("eth_getBlockReceipts", a.blockReceipts)

	// Accounts and contracts.
	ms.Register("eth_accounts", a.accounts, extra)
	ms.Register("eth_getBalance", a.getBalance, names("address", "block"))
	ms.Register("eth_getCode", a.getCode, names("address", "block"))
	ms.Register("eth_getStorageAt", a.getStorageAt, names("address", "slot", "block"))
	ms.Register("eth_getTransactionCount", a.getTransactionCount, names("address", "block"))

	// Calls, gas and fees.
	ms.Register("eth_call", a.call)
	ms.Register("eth_estimateGas", a.estimateGas)
	ms.Register("eth_gasPrice", a.gasPrice, extra)
	ms.Register("eth_maxPriorityFeePerGas", a.maxPriorityFee, extra)
	ms.Register("eth_feeHistory", a.feeHistory)
	ms.Register("eth_baseFee", a.baseFee, extra)

	// Sending.
	ms.Register("eth_sendRawTransaction", a.sendRaw)

	// Filters and subscriptions.
	ms.Register("eth_getLogs", a.logs)
	ms.Register("eth_newFilter", a.newFilter)
	ms.Register("eth_newBlockFilter", a.newBlockFilter, extra)
	ms.Register("eth_newPendingTransactionFilter", a.newPendingFilter, extra)
	ms.Register("eth_getFilterChanges", a.filterChanges)
	ms.Register("eth_getFilterLogs", a.filterLogs)
	ms.Register("eth_uninstallFilter", a.filters.remove)
	ms.Register("eth_subscribe", a.subscribe)
	ms.Register("eth_unsubscribe", jsonrpc.Unsubscribe)

	a.registerFilecoin(ms)

	// Traces.
	ms.Register("trace_block", a.traceBlock)
	ms.Register("trace_transaction", a.traceTransaction)
	ms.Register("trace_replayBlockTransactions", a.traceReplay)
	ms.Register("trace_filter", a.traceFilter)

	if a.manner == eth.Strict {
		return // Lotus has no more
	}
	ms.Register("eth_requestAccounts", a.accounts, extra) // of wallets (EIP-1102)
	ms.Register("eth_sendRawTransactionSync", a.sendRawSync)
	ms.Register("eth_sendTransactionSync", a.sendTransactionSync)
	ms.Register("eth_mining", func() bool { return true }, extra)
	ms.Register("eth_hashrate", func() eth.Quantity { return 0 }, extra)
	ms.Register("eth_coinbase", func() eth.Address { return eth.Address{} }, extra)
	ms.Register("net_peerCount", func() eth.Quantity { return 0 }, extra)
	ms.Register("eth_blobBaseFee", func() eth.Quantity { return 1 }, extra)
	ms.Register("eth_getUncleCountByBlockNumber", a.uncles)
	ms.Register("eth_getUncleCountByBlockHash", a.uncles)
	ms.Register("eth_getAccountInfo", a.accountInfo)
	ms.Register("eth_createAccessList", a.createAccessList)
	ms.Register("eth_sendTransaction", a.sendTransaction)
	ms.Register("eth_sendUnsignedTransaction", a.sendUnsigned)
	ms.Register("eth_fillTransaction", a.fillTransaction)
	ms.Register("eth_sign", a.sign, names("address", "message"))
	ms.Register("eth_signTransaction", a.signTransaction)
	ms.Register("eth_signTypedData_v4", a.signTyped)
	ms.Alias("eth_signTypedData_v4", "eth_signTypedData")
	ms.Register("personal_sign", a.personalSign, trailing(1), extra)
	ms.Register("personal_ecRecover", a.personalRecover)
	ms.Register("txpool_status", a.poolStatus, extra)
	ms.Register("txpool_content", a.poolContent, extra)
	ms.Register("txpool_inspect", a.poolInspect, extra)
	ms.Register("debug_traceTransaction", a.debugTransaction)
	ms.Register("debug_traceCall", a.debugCall)
	ms.Register("debug_traceBlockByNumber", a.debugBlock)
	ms.Register("debug_traceBlockByHash", a.debugBlock)
}
