// Package duel runs the same messages on a machine of ours and on the oracle and
// compares what they make of them: receipts, fees, events, traces charge by
// charge, and the state root. A difference becomes a vector that expects what the
// reference gave. Ours runs first, and the reference is spared cases that ours ends
// without a result to compare.
//
// The fuzzer and the gas sweep call it. It calls oracle for the reference, fvm
// for ours, and vector for the form of settings and vectors. What messages
// are worth running does not belong here.
package duel
