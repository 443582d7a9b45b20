// Package lotusrpc asks a Filecoin node over JSON-RPC, by HTTP or WebSocket: Lotus, Forest and Venus have the same methods.
//
// The node is a stranger. Each request has a deadline, its answer has a bound, and what comes is checked as far as it can be: a block
// that has not the hash that was asked for is an error of that request ([ErrHash]). Errors say which request they are of and wrap one
// of [ErrUnreachable], [ErrAnswer], [ErrDenied], [ErrHash], or a [*NodeError] of the node's own.
//
// The protocol is JSON-RPC 2.0, and for channels that of filecoin-project/go-jsonrpc v0.10.2 (xrpc.ch.val, xrpc.ch.close). Nothing is
// retried here but the connection: that is for the caller, who knows how long an answer is worth.
package lotusrpc
