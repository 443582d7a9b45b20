// Package porep derives what a seal's proof (proof of replication) states: replica id, challenges, parents in the stacked
// graph, and from them the public inputs of each partition.
//
// Its errors are answers of the network's rules.
package porep

import (
	"errors"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/proofs/curve"
)

// Seal is what a proof of a seal is about.
type Seal struct {
	Type         abi.RegisteredSealProof
	Miner        abi.ActorID
	Number       abi.SectorNumber
	Ticket, Seed [32]byte
	CommR, CommD [32]byte
}

// Inputs are the public inputs, for each partition: replica id, comm_d, comm_r, then 18 nodes a challenge.
// It is an error if a commitment is zero or no scalar.
func (s *Seal) Inputs() ([][]curve.Scalar, error) { return nil, errors.New("not yet") }
