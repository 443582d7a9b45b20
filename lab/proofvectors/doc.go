// Package proofvectors runs vectors of proofs: questions with the verdicts of the network's library, and with what it
// computes on the way. The format is that of the files in testdata.
package proofvectors
