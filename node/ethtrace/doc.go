// Package ethtrace says in Ethereum's words what a message did: the calls and creations of contracts as trace_* methods
// (OpenEthereum's form) and the callTracer of debug_traceTransaction show them, and the lines that contracts log by
// Hardhat's console.
//
//	frames, err := ethtrace.Read(events, names)
//	parity := frames.Parity(eth.Tools, sender)
//	lines := frames.ConsoleLines()
//
// Everything here is pure: a recorded trace goes in. The form of the calls is Lotus's (v1.36.3, node/impl/eth/trace.go):
// what the EVM actor does behind the scenes is folded, native calls are shown as calls of handle_filecoin_method, and the
// code of a new contract is 0xfe. Traces come from machines, but their data from strangers: depth and work are bounded
// by the trace's own size.
package ethtrace
