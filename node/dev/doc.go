// Package dev is the core of a development node: a Filecoin chain in one process that executes messages as they come.
//
//	n, err := dev.New(ctx, dev.Options{})
//	defer n.Close()
//	sent, err := n.SubmitTransaction(ctx, tx)  // executed, in a block of its own, when it returns
//	block, i, ok := n.Transaction(sent.Hash)
//	fmt.Println(block.Messages[i].Result.ExitCode)
//
// One block is one epoch and one tipset of one header, which is a real one: parents, ticket, beacon entries of the mock beacon, roots of
// messages, of the parent's state and of its receipts, and the base fee by the network's rules. Its miner is one of the genesis', or
// without any the address of burnt funds, where the rewards then go. Package replay finds no difference in an exported chain, unless the
// state was edited, a base fee or randomness was forced, a gas limit was raised, or a sender was impersonated that the network would
// refuse.
//
// # Latest and head
//
// The latest block is executed. On Filecoin a tipset's result stands in its child, so the tipset that Filecoin's own clients call the
// head is one epoch further: Node.Head makes it, an empty tipset upon the latest block, whose ParentStateRoot and ParentMessageReceipts
// are the latest block's. It is not on the chain, and the next block does not stand on it.
//
// # Time
//
// A block is at its parent's epoch + 1. If time was moved (IncreaseTime, SetNextTimestamp, SetTime) it is max(1, seconds moved / block
// time) epochs further, and those between are null rounds in which cron runs; at most 1000 at a time, so that headers stay readable:
// beyond that there are empty blocks between. If time was moved by more than a day, Options.Jumps says what happens: on a chain without
// storage providers the clock alone jumps, as on Ethereum's development nodes; on one with them epochs follow, and cron runs in those null
// rounds in which an actor has asked for it. SkipEpochs is there for whoever wants all of them. A timestamp is what was asked for to the second;
// else what the clock says, moved as it was asked for. So blocks of one second have one timestamp, as on Anvil, and the chain's time stays
// that of the clock however many blocks are made. Time that passes by itself moves no epoch.
//
// # Impersonated senders
//
// Messages without a signature are taken of senders that Impersonate names. Machines do not look at signatures, so an account that is
// impersonated sends an explicit message like any other. The network refuses contracts and other actors as senders, and so does the
// machine: their messages are executed as implicit ones, as the system's own are: no nonce is looked at or counted, and no gas is paid
// for, so the message has a fee cap of 0 and the gas used is without the cost of inclusion. The contract stays what it is. Either kind
// stands in its block as an unsigned message.
//
// # Goroutines
//
// All methods of Node may be called by any number of goroutines. One at a time executes and changes the chain (Submit, Mine, Edit,
// Snapshot, Revert and the like wait for each other, as long as their context lives). Readers never wait for them: they work on blocks,
// which do not change once they are there, and on the states that their roots name.
//
// Servers of Ethereum's and Filecoin's JSON-RPC stand upon it; it calls the machine, package chain for the rules, and dev/genesis. JSON,
// keys and ports do not belong here.
package dev
