// Package instrument turns an actor's Wasm into the Wasm that an engine runs:
// bytes and Rules in, bytes and a description of them out.
//
// All that decides a result lives here and not in an engine's switches, so that
// engines agree by construction: which modules are valid (a decoder and a full
// type checker, with the limits of the network's reference), the bound on the
// stack's height, gas, the bits of a NaN, and the question put to the host before
// a memory or a table grows.
//
// The pass works in two steps. The first reads the module and each function
// body once: it checks types, finds the height of the stack, divides the code into
// metered blocks, and notes what has to be patched. The second copies the
// bodies and inserts the patches. Gas is the gas of the reference's output, in
// which each call already carries the code of the stack limiter; the code emitted
// here may be shorter, the charges and their places are the same. Calls through a
// table that nothing can change are made direct ones (dispatch.go).
//
// Callers: internal/vm/call, and bundle, which asks whether code can run. It calls internal/wasm/ops. What does not belong here:
// syscalls, prices of anything but instructions, compilation.
package instrument
