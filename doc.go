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
// [ApplyTipset] runs a whole tipset, on several cores if asked. The folder
// examples has whole programs.
//
// # The walk of a message
//
// Apply → internal/vm/executor (preflight, run, settle, receipt) →
// internal/vm/call (frames, gas limits, automatic accounts, transfers) →
// the engine, which runs the actor's Wasm → internal/vm/syscalls (one row for
// each import) → internal/vm/kernel (one method for each operation: charge,
// check, act) → state tree, blocks, externs. The only way back up is a send.
//
// # Errors
//
// An error of Apply means that there is no receipt. [ErrInvalidMessage] is a
// message that no block may hold; the machine stays usable. Anything else is a
// failure of this node (a blockstore, an extern, a cancelled context, a panic of
// ours or of what was plugged in): the machine is then poisoned and answers every
// call with [ErrPoisoned]. A context that is cancelled before Apply begins changes
// nothing.
//
// # Goroutines
//
// An [Engine] is shared by any number of machines at once. A [Machine] belongs
// to one goroutine at a time; concurrent use is detected and refused.
//
// # Stability
//
// The module is at version 0. Results never change: a version that gives another
// receipt, trace or state root for a network version that this one runs is a bug
// fix, and says so. What this package and those that a program plugs into it
// export (engine, blockstore, bundle, externs, trace, vector, explain, shadow, bls)
// may change with a minor version, and the changelog says how; with a patch version
// it does not. New fields of structs have zero values that do what was done
// before, so name the fields in literals. The folders internal, lab, examples and
// cmd promise nothing to importers. The words of errors, logs and Result.Failure
// are for people and may change at any time. The README says the same of files,
// environment variables and exit codes.
package fvm
