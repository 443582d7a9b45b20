package groth16

import "github.com/edgefvm/fvm/internal/proofs/curve"

// Key is a verifying key, checked and prepared. It must not be written to.
type Key struct {
	Alpha curve.G1
	Beta  curve.G2
	Gamma curve.G2
	Delta curve.G2
	// IC has a point for the constant one, then a point for each public input.
	IC []curve.G1

	alphaBeta curve.GT // e(Alpha, Beta)
}

// Inputs is the number of public inputs of a statement.
func (k *Key) Inputs() int { return len(k.IC) - 1 }

// AlphaBeta is e(Alpha, Beta).
func (k *Key) AlphaBeta() curve.GT { return k.alphaBeta }
