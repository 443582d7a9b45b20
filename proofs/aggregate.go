package proofs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/keys"
	"github.com/edgefvm/fvm/internal/proofs/porep"
	"github.com/edgefvm/fvm/internal/proofs/registered"
	"github.com/edgefvm/fvm/internal/proofs/snarkpack"
)

// VerifyAggregateSeals judges one proof of several seals (FIP-0013), of at most 16,384 partitions. Bytes after its end do
// not matter. How many seals may be aggregated is the actors' business.
func (v *Verifier) VerifyAggregateSeals(ctx context.Context, info proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	size, variant, err := registered.Seal(info.SealProof)
	if err != nil {
		return false, err
	}
	var version snarkpack.Version
	switch info.AggregateProof {
	case abi.RegisteredAggregationProof_SnarkPackV1:
		version = snarkpack.V1
	case abi.RegisteredAggregationProof_SnarkPackV2:
		version = snarkpack.V2
	default:
		return false, fmt.Errorf("unknown type of aggregation %d", info.AggregateProof)
	}
	key, err := v.keys.Key(ctx, keys.Seal, size)
	if err != nil {
		return false, err
	}
	srs, err := v.keys.SRS(ctx)
	if err != nil {
		return false, err
	}
	if len(info.Infos) == 0 {
		return false, errors.New("an aggregate of no seals")
	}
	if len(info.Infos) > snarkpack.MaxProofs {
		return false, fmt.Errorf("an aggregate of %d seals: it has %d proofs at most", len(info.Infos), snarkpack.MaxProofs)
	}
	seals := make([]porep.Seal, len(info.Infos))
	for i, s := range info.Infos {
		seal, err := sealOf(proof.SealVerifyInfo{SealProof: info.SealProof, SectorID: abi.SectorID{Miner: info.Miner, Number: s.Number},
			Randomness: s.Randomness, InteractiveRandomness: s.InteractiveRandomness, SealedCID: s.SealedCID, UnsealedCID: s.UnsealedCID})
		if err != nil {
			return false, fmt.Errorf("seal %d: %w", i, err)
		}
		seals[i] = *seal
	}
	aggregate, err := snarkpack.Decode(info.Proof)
	if err != nil {
		return false, err
	}
	partitions, _ := size.Partitions(variant)
	s := snarkpack.Statement{Version: version, Key: key, SRS: srs, Include: included(seals, variant), Groups: len(seals), PerGroup: partitions,
		Inputs: func(i int) ([][]curve.Scalar, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			inputs, err := seals[i].Inputs()
			if err != nil {
				return nil, fmt.Errorf("seal %d: %w", i, err)
			}
			return inputs, nil
		}}
	return aggregate.Verify(&s)
}

// verifyNI judges a non-interactive seal: inputs are those of its partitions, of which its proof is an aggregate.
func (v *Verifier) verifyNI(ctx context.Context, key *groth16.Key, seal *porep.Seal, inputs [][]curve.Scalar, proof []byte) (bool, error) {
	srs, err := v.keys.SRS(ctx)
	if err != nil {
		return false, err
	}
	aggregate, err := snarkpack.Decode(proof)
	if err != nil {
		return false, err
	}
	return aggregate.Verify(&snarkpack.Statement{Version: snarkpack.V2, Key: key, SRS: srs, Include: included([]porep.Seal{*seal}, registered.NI),
		Groups: 1, PerGroup: len(inputs), Inputs: func(int) ([][]curve.Scalar, error) { return inputs, nil }})
}

// included is what of the seals goes into the challenges of an aggregate: a hash over their seeds and comm_r, or, where the
// seed does not matter, over comm_r alone.
func included(seals []porep.Seal, variant registered.Variant) (digest [32]byte) {
	h := sha256.New()
	for i := range seals {
		if variant != registered.NI {
			h.Write(seals[i].Seed[:])
		}
		h.Write(seals[i].CommR[:])
	}
	h.Sum(digest[:0])
	return digest
}
