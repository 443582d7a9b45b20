// Package post judges proofs of spacetime: which public inputs a window or winning PoSt has.
package post
