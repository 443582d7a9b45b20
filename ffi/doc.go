// Package ffi lets Lotus, Venus and other Go nodes run on EdgeFVM, unmodified: it is the Go module
// github.com/filecoin-project/filecoin-ffi as they see it, without Rust and without cgo. A replace in the node's go.mod
// puts it in the place of the original, see docs/operators.md:
//
//	replace github.com/filecoin-project/filecoin-ffi => ../edgefvm/ffi
//
// The module needs no cgo, and neither do the packages of Lotus that execute messages. Lotus's own programs do, as they
// are: docs/operators.md says why.
//
// What a machine is told, what it gives, and the CBOR of its traces and events are the original's to the byte, and so
// are the keys and signatures of BLS, and the verdicts on proofs. Those need the keys that nodes fetch, from the folder of the
// original (FIL_PROOFS_PARAMETER_CACHE); a program may register another verifier ([RegisterProofVerifier]). One thing
// differs: nothing here seals or proves ([ErrNoProver]), but for the commitments to pieces and sectors' data.
//
// A failure of the node itself (a store that fails, a missing block, an extern that panics) is an error of the call,
// where the original makes a receipt of it; the machine refuses further use then, and the node makes a new one.
//
// The environment chooses the engine and the shadow mode for operators, see [Settings]. The setup, the verifier and the
// metrics of the package's functions are one of each for a process, as these functions have no room for more. Where several
// nodes run in one process, each has its own [Node].
package ffi
