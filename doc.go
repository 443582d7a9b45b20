// Package fvm executes Filecoin messages: the Filecoin Virtual Machine, in Go.
//
// Most programs need three calls. [New] makes a machine over a state root,
// [Machine.Apply] executes a message and returns its receipt, and
// [Machine.Flush] writes the new state and returns its root:
//
//	m, err := fvm.New(ctx, fvm.Config{NetworkVersion: 28, Epoch: epoch, BaseFee: fee, CircSupply: supply,
//		StateRoot: root, Blockstore: store, Externs: node})
//	res, err := m.Apply(ctx, msg, fvm.Explicit, len(raw))
//	root, err = m.Flush(ctx)
//
// The blockstore holds the state and the actors' bytecode; package bundle adds
// the latter. A result is the network's to the bit: exit code, return data,
// gas, events root and state root, for network versions 16 to 29.
//
// # The walk of a message
//
// Apply → internal/executor (preflight, run, settle, receipt) → internal/call
// (frames, gas limits, automatic accounts, transfers) → internal/kernel and
// the engine, which runs the actor's Wasm → internal/syscalls (one row for
// each import) → internal/kernel (one method for each operation: charge, check,
// act) → state tree, blocks, externs. The only way back up is a send.
//
// # Errors
//
// An error of Apply means that there is no receipt. [ErrInvalidMessage] is a
// message that no block may hold; the machine stays usable. Anything else is a
// failure of this node (a blockstore, an extern, a cancelled context): the machine is then
// poisoned and answers every call with [ErrPoisoned].
//
// # Goroutines
//
// An [Engine] is shared by any number of machines at once. A [Machine] belongs
// to one goroutine at a time; concurrent use is detected and refused.
package fvm
