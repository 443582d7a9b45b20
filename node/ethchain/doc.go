// Package ethchain is Ethereum's JSON-RPC of a chain that is there already, such as an archive's: it is read, and nothing is added to it.
//
//	served, err := filapi.Archive(ctx, c, filapi.ArchiveOptions{})
//	api, err := ethchain.New(ctx, served, ethchain.Options{})
//	api.Register(&methods)
//
// The chain's head is not executed: on Filecoin a tipset's result stands in its child. So "latest" is the head's parent, as on Lotus.
// What is asked of a block is the state after it, which its child names; calls see the block's own number, time and base fee. Logs and
// traces come of executing the tipset again in its place. A state that the chain does not have is made from the nearest one below, and
// where there is none the error says so, with the code -32002.
//
// Answers are in the manner of Ethereum's tools, or of Lotus (package eth). Package filapi has the methods of a Filecoin node beside these.
package ethchain
