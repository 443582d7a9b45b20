// Package follow is a shadow validator: it follows a node's chain by JSON-RPC, executes each tipset itself, and compares what comes of
// it with what the chain says. The node needs no change, and is not trusted: every block is checked by its hash, so what it can do
// wrong is to be silent, or to follow another chain.
//
// [Run] does it all, with what [Options] say: which node, where to begin, where to keep blocks and what was judged, whom to tell. What
// is on disk is a [Cache] of blocks, bounded, and a journal of judgements; a process that is killed goes on where it was. [Status] is
// for metrics and for the questions of whoever watches the process.
//
// It stands on package lotusrpc for asking, package chain for what a chain means, and package replay for executing and comparing.
package follow
