// Package snarkpack judges aggregates of Groth16 proofs (SnarkPack, versions 1 and 2).
package snarkpack
