// Package porep derives what a seal's proof (proof of replication) states: replica id, challenges, parents in the stacked
// graph, and from them the public inputs of each partition.
//
// Its errors are answers of the network's rules.
package porep

import (
	"encoding/binary"
	"errors"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/proofs/comm"
	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// Seal is what a proof of a seal is about.
type Seal struct {
	Type         abi.RegisteredSealProof
	Miner        abi.ActorID
	Number       abi.SectorNumber
	Ticket, Seed [32]byte
	CommR, CommD comm.Commitment
}

// ReplicaID names a replica: a scalar, least significant byte first.
type ReplicaID [32]byte

// ReplicaID is the hash of what makes this replica different from any other (storage-proofs-porep params.rs).
func (s *Seal) ReplicaID() (id ReplicaID) {
	prover, porep := comm.Prover(s.Miner), ID(s.Type)
	sector := binary.BigEndian.AppendUint64(nil, uint64(s.Number))
	copy(id[:], hash(prover[:], sector, s.Ticket[:], s.CommD[:], porep[:]))
	id[len(id)-1] &= 0x3f
	return id
}

// ErrZero is the error of a commitment that is zero.
var ErrZero = errors.New("a commitment of the seal is zero")

// Inputs are the public inputs of each partition: replica id, comm_d, comm_r, then 18 nodes a challenge.
// It is an error if the type is unknown or a commitment is zero or no scalar.
func (s *Seal) Inputs() ([][]curve.Scalar, error) {
	size, variant, err := registered.Seal(s.Type)
	if err != nil {
		return nil, err
	}
	if s.CommR == (comm.Commitment{}) || s.CommD == (comm.Commitment{}) {
		return nil, ErrZero
	}
	var head [3]curve.Scalar
	id := s.ReplicaID()
	for i, c := range []struct {
		what string
		b    [32]byte
	}{{"the replica id", id}, {"comm_d", s.CommD}, {"comm_r", s.CommR}} {
		if head[i], err = comm.Scalar(c.what, c.b); err != nil {
			return nil, err
		}
	}
	nodes, err := challenges(s, id, size, variant)
	if err != nil {
		return nil, err
	}
	g := newGraph(s.Type, size, variant)
	partitions, each := size.Partitions(variant)
	inputs := make([][]curve.Scalar, partitions)
	curve.Parallel(partitions, func(k int) {
		const perChallenge = 4 + len(Parents{})
		in := make([]curve.Scalar, 0, len(head)+perChallenge*each)
		in = append(in, head[:]...)
		for _, c := range nodes[k*each : (k+1)*each] {
			in = append(in, number(c))
			for _, p := range g.parents(c) {
				in = append(in, number(p))
			}
			in = append(in, number(c), number(c), number(c))
		}
		inputs[k] = in
	})
	return inputs, nil
}

func number(n uint64) (s curve.Scalar) {
	s.SetUint64(n)
	return s
}
