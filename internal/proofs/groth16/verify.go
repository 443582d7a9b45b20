package groth16

import (
	"fmt"

	"github.com/edgefvm/fvm/internal/proofs/curve"
)

// Statement is the public inputs of one proof.
//
// All of them stand in Inputs, unless Sum is set: then Inputs is not looked at, and Sum is IC₀ + Σ xᵢ·ICᵢ, for callers that
// know a shorter way to it (a window PoSt repeats inputs).
type Statement struct {
	Inputs []curve.Scalar
	Sum    *curve.G1
}

// sum is IC₀ + Σ xᵢ·ICᵢ.
func (k *Key) sum(s Statement) (curve.G1, error) {
	if s.Sum != nil {
		return *s.Sum, nil
	}
	if len(s.Inputs) != k.Inputs() {
		return curve.G1{}, fmt.Errorf("%w: %d, the key has %d", ErrInputs, len(s.Inputs), k.Inputs())
	}
	sum := curve.Sum(k.IC[1:], s.Inputs)
	sum.Add(&sum, &k.IC[0])
	return sum, nil
}

// Verify tells whether every proof proves the statement of its place: e(A, B) = e(Alpha, Beta)·e(sum, Gamma)·e(C, Delta).
// Several are judged by one equation with random coefficients of 128 bits, which a false proof passes with a
// probability of 2⁻¹²⁸. There must be as many statements as proofs, and one at least.
func (k *Key) Verify(proofs []Proof, statements []Statement) (bool, error) {
	if len(proofs) == 0 || len(proofs) != len(statements) {
		return false, fmt.Errorf("%w: %d proofs of %d statements", ErrInputs, len(proofs), len(statements))
	}
	for i := range proofs {
		sum, err := k.sum(statements[i])
		if err != nil {
			return false, err
		}
		var a curve.G1
		a.Neg(&proofs[i].A)
		f := curve.Miller([]curve.G1{a, sum, proofs[i].C}, []curve.G2{proofs[i].B, k.Gamma, k.Delta})
		f = curve.Final(&f)
		f.Mul(&f, &k.alphaBeta)
		if !f.IsOne() {
			return false, nil
		}
	}
	return true, nil
}
