package post

import "github.com/edgefvm/fvm/internal/proofs/groth16"

// VerifyEach judges every partition of a proof: for people who want to know which one fails.
func (w *Window) VerifyEach(key *WindowKey, proof []byte) ([]bool, error) {
	checked, err := w.check()
	if err != nil {
		return nil, err
	}
	proofs, err := groth16.DecodeProofs(proof, checked.partitions)
	if err != nil {
		return nil, err
	}
	statements, err := checked.statements(key)
	if err != nil {
		return nil, err
	}
	return key.VerifyEach(proofs, statements)
}
