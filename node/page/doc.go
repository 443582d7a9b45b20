// Package page shows a chain, a vector or a bundle of actors in a browser: blocks, messages, trees of calls with their gas, events,
// what changed in the state, actors with their states decoded, and forms that call methods.
//
// [New] makes the methods of a [Source] and the files of the page: [Page.Register] puts the methods into a table of package jsonrpc,
// and the Page itself is the [net/http.Handler] for jsonrpc.Options.Index. Sources are [OfNode] for a development node, [OfChain] for
// an archive, [OfVector] and [OfBundle].
//
// The page asks by JSON-RPC: the methods of the node where there are some (eth_call, eth_sendTransaction, Filecoin.MpoolPushMessage,
// eth_subscribe), and the fvm_ methods of this package for what it takes a machine or the actors' types to say. They read only, and
// answer in names with underscores, as package explain does. docs/page.md of the repository lists them.
//
// # Strangers
//
// What stands on a chain is anybody's: the page puts it into the document as text only, and the content security policy lets nothing
// run or load but the files of this package. Who may ask at all, package jsonrpc decides, by the names of host and origin.
//
// Methods may be called by any number of goroutines. Nothing here writes.
package page
