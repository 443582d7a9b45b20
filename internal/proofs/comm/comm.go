// Package comm turns what messages carry into what proofs are about: commitments out of CIDs, prover ids out of miners'
// numbers, scalars out of bytes.
//
// Every error of it is an answer of the network's rules (an illegal argument to an actor), never a failure of the node.
package comm

import (
	"encoding/binary"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// Commitment is a root of a tree over a sector: 32 bytes, a scalar with its least significant byte first.
type Commitment = [32]byte

// Codes of Filecoin's commitments (multicodec table).
const (
	sealedCodec   = cid.FilCommitmentSealed
	sealedHash    = multihash.POSEIDON_BLS12_381_A1_FC1
	unsealedCodec = cid.FilCommitmentUnsealed
	unsealedHash  = multihash.SHA2_256_TRUNC254_PADDED
)

// Sealed is the commitment to a replica (comm_r) in its CID.
func Sealed(c cid.Cid) (Commitment, error) { return commitment("sealed", c, sealedCodec, sealedHash) }

// Unsealed is the commitment to a sector's data (comm_d) in its CID.
func Unsealed(c cid.Cid) (Commitment, error) {
	return commitment("unsealed", c, unsealedCodec, unsealedHash)
}

func commitment(what string, c cid.Cid, codec, hash uint64) (Commitment, error) {
	if !c.Defined() {
		return Commitment{}, fmt.Errorf("there is no %s CID", what)
	}
	if got := c.Type(); got != codec || c.Version() != 1 {
		return Commitment{}, fmt.Errorf("%s is no %s CID: version %d, codec %#x, want %#x", c, what, c.Version(), got, codec)
	}
	mh, err := multihash.Decode(c.Hash())
	if err != nil {
		return Commitment{}, fmt.Errorf("%s CID %s: %w", what, c, err)
	}
	if mh.Code != hash || len(mh.Digest) != len(Commitment{}) {
		return Commitment{}, fmt.Errorf("%s is no %s CID: hash %#x of %d bytes, want %#x of 32", c, what, mh.Code, len(mh.Digest), hash)
	}
	return Commitment(mh.Digest), nil
}

// Prover is a miner as a proof names it: the payload of its ID address, then zeroes.
func Prover(miner abi.ActorID) (id [32]byte) {
	copy(id[:], binary.AppendUvarint(nil, uint64(miner)))
	return id
}

// Scalar reads a scalar, least significant byte first. It is an error if it is not below the field's order.
func Scalar(what string, b [32]byte) (fr.Element, error) {
	s, err := fr.LittleEndian.Element(&b)
	if err != nil {
		return fr.Element{}, fmt.Errorf("%s %x is no scalar of BLS12-381: not below the order", what, b)
	}
	return s, nil
}

// Bytes32 is a slice that must have 32 bytes: a ticket, a seed, a randomness.
func Bytes32(what string, b []byte) ([32]byte, error) {
	if len(b) != 32 {
		return [32]byte{}, fmt.Errorf("%s has %d bytes, want 32", what, len(b))
	}
	return [32]byte(b), nil
}
