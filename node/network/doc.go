// Package network describes networks: what a program must know beside a state or an archive to execute messages as the
// nodes of a network did. When an epoch was, which version of the rules holds at it, which actors run, what round of the
// beacon belongs to it, and the constants of the nodes' build that bear on results.
//
// The tables in known.go are facts of Lotus v1.36.3; a test compares them with its source. Other networks come from a file
// in JSON, see [Decode] for its form.
//
// A Network is not changed by its methods: any number of goroutines may read one.
package network
