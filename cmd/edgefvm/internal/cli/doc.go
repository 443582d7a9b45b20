// Package cli holds the commands of edgefvm: what a person types, and what they
// see. cmd/edgefvm calls it; it calls conformance, bundle and fvm.
//
// A command returns an error or the differences it found, and Run turns that
// into an exit code. How messages execute and how vectors are judged does not belong here.
package cli
