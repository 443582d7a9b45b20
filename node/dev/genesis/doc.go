// Package genesis makes the state that a development network begins with, on the networks' own actors.
//
// The singletons' states are what their own constructors make: each runs in the machine, called by the system actor, so that one
// way serves all versions of the actors. Contracts are deployed as the Ethereum address manager does, miners are created by messages
// to the power actor, and their first sectors are set up by the method that the actors have for a genesis. Only what no message can do
// is written by hand: the tree itself, funded accounts, the two rows in which Lotus's genesis too counts power as proven from the first
// epoch on (a partition's unproven sectors, the power of this epoch).
//
// The same options give the same root. Time does not enter the state; Options.Timestamp is for the chain around it.
//
// # Who is there
//
//	f00 to f07, f010     system, init, reward, cron, power, market, verified registry, DataCap, Ethereum address manager
//	f080                 root key of the verified registry, an account
//	f090                 the reserve, an account: 300 million FIL
//	f099                 burnt funds
//	f0100                the faucet, an account: what is left of two thousand million FIL
//	f0101                the Ethereum account at address 0, as on all networks
//	f0102 ...            of each key of the mnemonic an Ethereum account (f410) and an account (f1)
//	then                 the CREATE2 deployer and Multicall3, and of each miner its worker and owner (f3)
//	f01000 ...           the miners; later actors are above them
//
// Nodes call this package; it calls the machine, the state tree and bundle. Blocks, and what time it is, are the business of the
// chain that begins with the state.
package genesis
