// Package filapi answers the JSON-RPC methods of a Filecoin node (Filecoin.ChainHead, Filecoin.StateGetActor, …) as Lotus v1.36.3
// does, for the programs that are written against it: the lotus command, Lotus's Go client, wallets.
//
// It reads a [Chain]: of an archive ([Archive]), or of a development node, which also has a [Pool], [Keys], and [Heads] that move.
// [API.Register] puts the methods into a table of package jsonrpc, for the paths /rpc/v0, /rpc/v1 and /rpc/v2, which differ in a few.
// What Ethereum's methods are called there ([Aliases]) is the business of whoever registers those.
//
// Shapes are this package's own: structs with the names of Lotus's fields, and for what actors keep the types of go-state-types, whose
// JSON is Lotus's too. Lotus's own types would bring libp2p, sqlite and a second into each start of the program; that the two forms
// agree is what tests are for, by Lotus's own client and by what Lotus's own code answered on the same chains. Addresses
// begin with the letter of the chain's network, for which reason values are written by an encoder of this package.
//
// Where it is more lenient than Lotus: trailing parameters may be left out, addresses may be 0x…, an unknown method is HTTP status 200.
// Every error has the code 1 unless Lotus has another for it.
//
// The facts are those of Lotus's documentation (documentation/en/api-methods-v1-stable.md) and of its code in node/impl/full and
// chain/stmgr. An API may be used by any number of goroutines.
package filapi
