// Package proofduel puts the verdicts on proofs of this module beside those of the published crates: of vectors spoiled by
// chance, and in time. The crates are asked through the program in judge, which is built by cargo:
//
//	cargo build --release --manifest-path lab/proofduel/judge/Cargo.toml
package proofduel
