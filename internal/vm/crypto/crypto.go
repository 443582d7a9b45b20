// Package crypto holds the cryptography of the syscalls: signatures, hashes and the commitment to a sector's
// data, with the same verdict on every input as the network's nodes.
//
// Callers are the kernel, the executor (message signatures are not its business, addresses of keys are) and the
// machine; this package calls the curve libraries. What does not belong here: gas, errnos, and the proofs of
// storage, which are judged behind externs.ProofVerifier.
//
// Everything is a pure function and safe for concurrent use. Verdicts on signatures are plain booleans, for an
// actor cannot tell a malformed signature from a wrong one.
package crypto
