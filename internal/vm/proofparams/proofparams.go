// Package proofparams decodes what an actor hands to the proof syscalls: CBOR tuples in guest memory.
//
// Actors are free to hand over malformed CBOR, and which bytes decode decides between an illegal argument and a
// charge of gas. So this is not a CBOR library but the exact set of encodings that the network's nodes accept;
// see decoder. Callers are the syscalls; this package calls internal/ipld/addr for its numbers. What does not belong
// here: judging the values. Unknown proof types, commitments of the wrong kind and randomness of the wrong
// length all decode.
//
// Numbers, proof types included, are kept as they are written: the eras differ in the proof types that they
// know (post proofs 5 to 9 before network version 21, seal proofs 15 to 19 from 21 on), not in how they decode.
//
// Nothing that these functions return shares memory with the input, and what they allocate is a small multiple
// of its length, whatever lengths it announces.
package proofparams

import (
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
)

// DecodeWindowPoSt decodes the argument of crypto::verify_post. The error wraps ErrMalformed.
func DecodeWindowPoSt(b []byte) (proof.WindowPoStVerifyInfo, error) {
	return decode(b, func(d *decoder, v *proof.WindowPoStVerifyInfo) {
		d.tuple(4, func() {
			v.Randomness = d.bytes()
			v.Proofs = list(d, (*decoder).postProof)
			v.ChallengedSectors = list(d, (*decoder).sectorInfo)
			v.Prover = abi.ActorID(d.uint64())
		})
	})
}

// DecodeAggregateSeals decodes the argument of crypto::verify_aggregate_seals. The error wraps ErrMalformed.
func DecodeAggregateSeals(b []byte) (proof.AggregateSealVerifyProofAndInfos, error) {
	return decode(b, func(d *decoder, v *proof.AggregateSealVerifyProofAndInfos) {
		d.tuple(5, func() {
			v.Miner = abi.ActorID(d.uint64())
			v.SealProof = abi.RegisteredSealProof(d.int64())
			v.AggregateProof = abi.RegisteredAggregationProof(d.int64())
			v.Proof = d.bytes()
			v.Infos = list(d, (*decoder).aggregateInfo)
		})
	})
}

// DecodeReplicaUpdate decodes the argument of crypto::verify_replica_update. The error wraps ErrMalformed.
//
// Quirk: here the proof is a list of small numbers, not a byte string as in every other argument.
func DecodeReplicaUpdate(b []byte) (proof.ReplicaUpdateInfo, error) {
	return decode(b, func(d *decoder, v *proof.ReplicaUpdateInfo) {
		d.tuple(5, func() {
			v.UpdateProofType = abi.RegisteredUpdateProof(d.int64())
			v.OldSealedSectorCID = d.cid()
			v.NewSealedSectorCID = d.cid()
			v.NewUnsealedSectorCID = d.cid()
			v.Proof = list(d, (*decoder).octet)
		})
	})
}

// DecodeSeals decodes the argument of crypto::batch_verify_seals. The error wraps ErrMalformed.
func DecodeSeals(b []byte) ([]proof.SealVerifyInfo, error) {
	return decode(b, func(d *decoder, v *[]proof.SealVerifyInfo) { *v = list(d, (*decoder).sealInfo) })
}

// DecodeSeal decodes the argument of crypto::verify_seal. The error wraps ErrMalformed.
func DecodeSeal(b []byte) (proof.SealVerifyInfo, error) { return decode(b, (*decoder).sealInfo) }

// DecodePieces decodes the pieces of crypto::compute_unsealed_sector_cid. The error wraps ErrMalformed.
func DecodePieces(b []byte) ([]abi.PieceInfo, error) {
	return decode(b, func(d *decoder, v *[]abi.PieceInfo) { *v = list(d, (*decoder).piece) })
}

// decode runs read over the whole of b.
func decode[T any](b []byte, read func(*decoder, *T)) (T, error) {
	d := decoder{rest: b, depth: maxDepth}
	var v T
	read(&d, &v)
	if d.err == nil && len(d.rest) != 0 {
		d.fail("bytes after the value")
	}
	if d.err != nil {
		var none T
		return none, d.err
	}
	return v, nil
}

func (d *decoder) postProof(v *proof.PoStProof) {
	d.tuple(2, func() {
		v.PoStProof = abi.RegisteredPoStProof(d.int64())
		v.ProofBytes = d.bytes()
	})
}

func (d *decoder) sectorInfo(v *proof.SectorInfo) {
	d.tuple(3, func() {
		v.SealProof = abi.RegisteredSealProof(d.int64())
		v.SectorNumber = abi.SectorNumber(d.uint64())
		v.SealedCID = d.cid()
	})
}

func (d *decoder) aggregateInfo(v *proof.AggregateSealVerifyInfo) {
	d.tuple(5, func() {
		v.Number = abi.SectorNumber(d.uint64())
		v.Randomness = d.bytes()
		v.InteractiveRandomness = d.bytes()
		v.SealedCID = d.cid()
		v.UnsealedCID = d.cid()
	})
}

func (d *decoder) sealInfo(v *proof.SealVerifyInfo) {
	d.tuple(8, func() {
		v.SealProof = abi.RegisteredSealProof(d.int64())
		d.tuple(2, func() {
			v.Miner = abi.ActorID(d.uint64())
			v.Number = abi.SectorNumber(d.uint64())
		})
		v.DealIDs = list(d, func(d *decoder, v *abi.DealID) { *v = abi.DealID(d.uint64()) })
		v.Randomness = d.bytes()
		v.InteractiveRandomness = d.bytes()
		v.Proof = d.bytes()
		v.SealedCID = d.cid()
		v.UnsealedCID = d.cid()
	})
}

func (d *decoder) piece(v *abi.PieceInfo) {
	d.tuple(2, func() {
		v.Size = abi.PaddedPieceSize(d.uint64())
		v.PieceCID = d.cid()
	})
}
