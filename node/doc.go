// Package node is the wing of programs that follow a chain: what is derived from blocks, and nodes for development. It
// is a module of its own, because its rooms need libraries that the machine must not bring to its users.
//
// Its rooms use the machine (package fvm and its public rooms) and never the laboratory. Package network describes
// the networks.
package node
