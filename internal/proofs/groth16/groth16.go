// Package groth16 judges Groth16 proofs over BLS12-381 as the network's library bellperson 0.27 does: which bytes are
// proofs and keys, and which statements they prove.
//
// An error means that the library would have raised one (an illegal argument to an actor); false means that a
// well-formed proof does not prove the statement. All functions are safe for concurrent use.
package groth16

import (
	"errors"
	"fmt"

	"github.com/edgefvm/fvm/internal/proofs/curve"
)

// ProofLen is the length of a proof, in bytes: A in G1, B in G2, C in G1, compressed.
const ProofLen = 2*curve.G1Len + curve.G2Len

// Proof is a decoded proof. None of its points is the one at infinity.
type Proof struct {
	A curve.G1
	B curve.G2
	C curve.G1
}

// Errors of the decoders.
var (
	ErrProof = errors.New("malformed proof")
	ErrKey   = errors.New("malformed verifying key")
	// ErrInputs: the statement has another number of inputs than the key.
	ErrInputs = errors.New("wrong number of public inputs")
)

// DecodeProofs reads n proofs, one after the other and nothing else.
func DecodeProofs(b []byte, n int) ([]Proof, error) {
	if n < 0 || len(b)%ProofLen != 0 || len(b)/ProofLen != n {
		return nil, fmt.Errorf("%w: %d bytes, want %d: %d for each of %d partitions", ErrProof, len(b), n*ProofLen, ProofLen, n)
	}
	// Each point is a piece of work, the longest first. The error is that of the first place, whichever is found first.
	proofs, errs := make([]Proof, n), make([]error, pointsOfProof*n)
	curve.Parallel(len(errs), func(i int) {
		p := &proofs[i%n]
		errs[i] = p.decode(i/n, b[i%n*ProofLen:(i%n+1)*ProofLen])
	})
	for i := range proofs {
		for point := range pointsOfProof {
			if err := errs[point*n+i]; err != nil {
				return nil, fmt.Errorf("%w: partition %d: %w", ErrProof, i, err)
			}
		}
	}
	return proofs, nil
}

// pointsOfProof are B, A and C.
const pointsOfProof = 3

var errInfinity = errors.New("it is the point at infinity")

// decode reads one of the points, counted as in pointsOfProof.
func (p *Proof) decode(point int, b []byte) (err error) {
	const afterA, afterB = curve.G1Len, curve.G1Len + curve.G2Len
	switch point {
	case 0:
		if p.B, err = curve.DecodeG2(b[afterA:afterB]); err == nil && p.B.IsInfinity() {
			err = errInfinity
		}
	case 1:
		if p.A, err = curve.DecodeG1(b[:afterA]); err == nil && p.A.IsInfinity() {
			err = errInfinity
		}
	default:
		if p.C, err = curve.DecodeG1(b[afterB:]); err == nil && p.C.IsInfinity() {
			err = errInfinity
		}
	}
	if err != nil {
		return fmt.Errorf("%c: %w", "BAC"[point], err)
	}
	return nil
}
