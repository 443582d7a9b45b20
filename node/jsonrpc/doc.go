// Package jsonrpc serves JSON-RPC 2.0 over HTTP and WebSocket on one port and any path, so that the clients of Ethereum and of
// Filecoin use it as they are: ids come back byte for byte, params may be absent, null, a list or an object, batches work on both
// transports, and an error of a method or of a request is HTTP status 200 with words that help.
//
// [Methods] is a table of Go functions, looked at by reflection once, when they are registered. [Server] answers requests with it:
// as an [http.Handler], on a listener with [Server.Serve], or in the process with [Server.Client], [Server.RoundTripper] and
// [Server.Handle]. A WebSocket client may subscribe: see [Conn.Subscribe] for the notices of eth_subscribe; a method that returns a
// channel speaks the channel protocol of filecoin-project/go-jsonrpc (xrpc.ch.val, xrpc.ch.close, xrpc.cancel).
//
// Clients are strangers. Sizes, times, depths, batches, connections and requests at work are bounded ([Limits]); a client that does
// not read loses its connection, and no other is held up. A page of a website cannot use a server on the visitor's own machine:
// names of hosts and origins that are not loopback are refused unless they are allowed ([Access]).
//
// WebSocket is by github.com/coder/websocket: it has no dependencies, takes contexts, and allows writes from several goroutines.
//
// The protocol is that of https://www.jsonrpc.org/specification. A Server and a Methods may be used by any number of goroutines once
// all methods are registered.
package jsonrpc
