// Package ethabi reads and writes what Ethereum contracts take and give: calldata, return values, logs and the data of reverts, by the
// contract's ABI, or without one as far as that goes.
//
// [Parse] takes an ABI as Solidity's compiler prints it, or an artefact of Hardhat, Foundry or Truffle that has one in it. Values are
// JSON as package jsonview has it: integers as decimal strings, addresses and bytes in hex, lists, and objects for what has names.
// Data come from strangers: whatever offsets and lengths say, the work and the memory are bounded by the data's own size.
//
// Encoding follows the contract ABI specification of Solidity, version 2; packed encoding is not here. An ABI may be used by any
// number of goroutines.
package ethabi
