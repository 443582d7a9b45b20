// Package edit changes the state of a development network by hand, so that the networks' own actors cannot tell it from what messages
// would have made: balances, nonces, contracts with their code and slots, whole actors, actors of other Wasm code.
//
// An [Editor] holds a state; its methods change it, and [Editor.Flush] gives the new root. What a contract's state looks like is that
// of the EVM actor of the bundle at hand: five fields until version 15 of the actors, six since version 16 (FIP-0097), slots in a KAMT
// whose root is the one that SSTORE of the same values leaves; tests compare both in the machine.
//
// # What is made of nobody
//
// An address of nobody becomes what the network would make of it at the first transfer: f1 and f3 an account, f4 a placeholder. A
// nonce makes an Ethereum account of an f410 address, since placeholders have none; code and slots make an EVM actor. ID addresses and
// f2 addresses are given by the state, so nobody can be made at one; [Editor.SetActor] alone takes an ID that is free.
//
// # Supply
//
// Balances that are set come from nowhere. Circulating supply, which pledges follow, counts what was vested, mined, burnt and locked, and
// not balances, so it does not see the difference; the sum of all balances is no longer two thousand million FIL.
//
// # Code of one's own
//
// From network version 18 on the machine runs whatever code an actor has if the state's store has its block, as the reference does: it
// is builtin actors that decide who may make which actors, and the init actor makes none of other code. [Editor.InstallActor] does by hand
// what it refuses, so there is no other rule of execution on a development network than elsewhere.
//
// Package cheats calls it; it calls the machine, its state tree, bundle and the node's collections. Which block the state belongs to is
// not its business.
package edit
