// Package keys holds the network's verifying keys: their file names, their published digests, and a store that reads
// each once, from the folder in which nodes keep them.
//
// A key that is missing or is not the published one is a failure of the node (externs.ErrNodeFailure), never a verdict.
package keys

import (
	"context"
	"errors"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// Kind is what a key verifies.
type Kind int

// Kinds of keys. Each has a key for every sector size.
const (
	Seal    Kind = iota // of all variants
	Winning             // PoSt
	Window              // PoSt, of both versions
	Update              // of a sector's data
)

// SRS is what a verifier needs of the structured reference string of aggregates (SnarkPack): elements 0 and 1 of its
// vectors. G and H are g and h of both.
type SRS struct {
	G, GAlpha, GBeta curve.G1
	H, HAlpha, HBeta curve.G2
}

// Store gives keys. It is safe for concurrent use.
type Store struct {
	dir   string
	trust bool
}

// New is a store over a folder. It reads nothing. trust: a file whose digest is not the published one is taken, as
// TRUST_PARAMS does for Lotus.
func New(dir string, trust bool) *Store { return &Store{dir: dir, trust: trust} }

// Key reads the key of a kind and size, or remembers it.
func (s *Store) Key(ctx context.Context, kind Kind, size *registered.Size) (*groth16.Key, error) {
	return nil, errors.New("not yet")
}

// SRS reads the points of the SRS, or remembers them.
func (s *Store) SRS(ctx context.Context) (*SRS, error) { return nil, errors.New("not yet") }
