// Package conformance checks the machine against message vectors: a state, a
// message, and what the network (or the reference implementation) made of it.
//
// It holds the vector format (the official one of the Filecoin test vectors
// plus optional fields), the runner, the lists of overrides and skips, and in
// testdata golden vectors of our own. The command line and this package's own
// tests call it; it calls fvm as any program would, and bundle for the actors.
// Package shadow writes bundles with it (Draft), for which these fields came to the format, all optional: an "error" in
// the place of an answer of randomness or faults; "proof_answers", verdicts by the content of what was to be judged,
// which come before the mode of proofs; preconditions "actor_debugging", and "bundle": "none" where all code is in the
// CAR; and "difference" in "_meta".
//
// The verifier here that finds every proof valid, or every one invalid, is for vectors only.
// How a message executes does not belong here.
package conformance
