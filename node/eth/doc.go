// Package eth says in Ethereum's JSON what Filecoin's chain has, and turns what Ethereum's clients say into messages:
// quantities, addresses, transactions, receipts, logs, blocks, calls, filters, fee histories, errors, signatures.
//
//	r, err := eth.Render(ctx, &eth.Tipset{…}) // a block, its transactions and receipts
//	msg, err := args.Message(eth.Tools)      // of eth_call
//	err = eth.Reverted(eth.Tools, failure)    // code, message and data as clients look for them
//
// There are two manners. Strict is that of Lotus v1.36.3, to the byte of its JSON. Tools, the default, departs from it
// where Hardhat, Foundry, ethers, viem or web3.py would stumble; each place says how.
//
// Everything here is pure: no chain is read, nothing is remembered, no clock looked at. Values are the caller's, and may be
// used by any number of goroutines while nobody changes them. Data come from strangers: work and memory are
// bounded by the data's own size. Package ethtx reads and signs transactions; nodes and their servers use this one.
package eth

// Manner is whose answers are given where Lotus's and Ethereum's part.
type Manner uint8

const (
	Tools  Manner = iota // what Ethereum's tools need
	Strict               // Lotus's
)
