// Package cheats has the methods by which development tools bend a development chain: those of Hardhat's, Foundry's and Ganache's nodes
// (evm_*, hardhat_*, anvil_*), by the names and with the parameters that their clients send, and Filecoin's own (fvm_*).
//
// [Register] puts them on a table of methods. Results are Anvil's: null where there is nothing to say. Parameters are taken as leniently
// as clients send them: numbers as numbers, hex or decimal text; addresses as 0x… in whatever case, or as f0 to f4 (t0 to t4); what may
// be left out may be null too.
//
// What cannot be had on Filecoin, or without a network to fork from, is an error that says so (anvil_setRpcUrl, anvil_setMinGasPrice), or
// is taken and changes nothing where a client would stop otherwise (anvil_setCoinbase: contracts see the coinbase 0 on Filecoin).
//
// The methods stand upon package dev, and change states by package edit. The server and the methods of Ethereum's and Filecoin's own JSON-RPC
// are others' business.
package cheats
