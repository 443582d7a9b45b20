// Package ethapi is the Ethereum JSON-RPC of a development node: eth_, net_, web3_, txpool_, personal_, debug_ and trace_ methods
// over package dev, in the shapes of package eth.
//
//	api := ethapi.New(node, ethapi.Options{Keys: keys})
//	defer api.Close()
//	api.Register(methods)                    // on a table of package jsonrpc
//	server := jsonrpc.New(methods, jsonrpc.Options{})
//
// It serves what Hardhat, Foundry, viem, ethers and web3.py send to Anvil or Hardhat's own node. Where they and Filecoin's nodes part,
// Options.Manner decides: Tools gives what the tools need, Strict what Lotus v1.36.3 answers. Hashes of native messages, masked
// addresses, null rounds and gas are Filecoin's in both.
//
// All methods may be called by any number of goroutines. Work and memory are bounded: filters keep places in the chain instead of
// results, lists of logs and traces have a most, and rendered blocks are remembered only so many.
//
// Methods that change the node beside its chain (evm_, hardhat_, anvil_) are package cheats', Filecoin's own package filapi's, and
// transport package jsonrpc's.
package ethapi
