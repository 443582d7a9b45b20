// Package conformance checks the machine against message vectors: a state, a
// message, and what the network (or the reference implementation) made of it.
//
// It holds the runner, the lists of overrides and skips, and in testdata golden vectors of our own. The command and this
// package's own tests call it; it calls vector, which is the format and the session, and bundle for the actors.
// How a message executes does not belong here.
package conformance
