package kernel

import (
	"context"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/vm/execerr"
)

func (k *Kernel) verifier(what string) (externs.ProofVerifier, error) {
	if k.m.Proofs == nil {
		return nil, execerr.Nodef("this message needs %s, and the machine was given no proof verifier: set Config.Proofs", what)
	}
	return k.m.Proofs, nil
}

func verdict(what string, ok bool, err error) (bool, error) {
	if err != nil {
		return false, externFailure(what, err)
	}
	return ok, nil
}

// calibnet is the chain id of the calibration network.
const calibnet = 314159

// VerifyPoSt judges a window proof of spacetime.
func (k *Kernel) VerifyPoSt(ctx context.Context, info proof.WindowPoStVerifyInfo) (bool, error) {
	if err := k.gas.Apply(k.prices.OnVerifyPost(info)); err != nil {
		return false, err
	}
	v, err := k.verifier("the verification of a window proof")
	if err != nil {
		return false, err
	}
	// Quirk: calibnet verified its early V1P1 proofs as V1.
	if k.m.ChainID == calibnet && int64(k.m.Epoch) <= k.m.Profile.CalibnetPoStEpoch && len(info.Proofs) > 0 &&
		info.Proofs[0].PoStProof == abi.RegisteredPoStProof_StackedDrgWindow32GiBV1_1 {
		info.Proofs = append([]proof.PoStProof(nil), info.Proofs...)
		info.Proofs[0].PoStProof = abi.RegisteredPoStProof_StackedDrgWindow32GiBV1
	}
	if err := k.checkPoSt(v, info); err != nil {
		return false, err
	}
	ok, err := v.VerifyPoSt(ctx, info)
	return verdict("verifying a window proof", ok, err)
}

// VerifySeal judges one seal (until nv17; no actor does it).
func (k *Kernel) VerifySeal(ctx context.Context, info proof.SealVerifyInfo) (bool, error) {
	if err := k.gas.Apply(k.prices.OnVerifySeal(info)); err != nil {
		return false, err
	}
	v, err := k.verifier("the verification of a seal")
	if err != nil {
		return false, err
	}
	if err := k.checkSealProof(v, info.SealProof); err != nil {
		return false, err
	}
	ok, err := v.VerifySeal(ctx, info)
	return verdict("verifying a seal", ok, err)
}

// VerifyAggregateSeals judges an aggregate of seals.
func (k *Kernel) VerifyAggregateSeals(ctx context.Context, info proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	if err := k.gas.Apply(k.prices.OnVerifyAggregateSeals(info)); err != nil {
		return false, err
	}
	v, err := k.verifier("the verification of aggregated seals")
	if err != nil {
		return false, err
	}
	if err := k.checkSealProof(v, info.SealProof); err != nil {
		return false, err
	}
	ok, err := v.VerifyAggregateSeals(ctx, info)
	return verdict("verifying aggregated seals", ok, err)
}

// VerifyReplicaUpdate judges the update of a sector's data.
func (k *Kernel) VerifyReplicaUpdate(ctx context.Context, info proof.ReplicaUpdateInfo) (bool, error) {
	if err := k.gas.Apply(k.prices.OnVerifyReplicaUpdate(info)); err != nil {
		return false, err
	}
	v, err := k.verifier("the verification of a replica update")
	if err != nil {
		return false, err
	}
	ok, err := v.VerifyReplicaUpdate(ctx, info)
	return verdict("verifying a replica update", ok, err)
}

// BatchVerifySeals judges seals one by one. A seal that cannot be judged counts as invalid.
func (k *Kernel) BatchVerifySeals(ctx context.Context, infos []proof.SealVerifyInfo) ([]bool, error) {
	free := k.m.Profile.FreeBatches
	if f, ok := k.m.Proofs.(externs.FreeBatch); ok {
		free = free || f.BatchVerifySealsIsFree()
	}
	if !free {
		for i := range infos {
			if err := k.gas.Apply(k.prices.OnVerifySeal(infos[i])); err != nil {
				return nil, err
			}
		}
	}
	out := make([]bool, len(infos))
	if len(infos) == 0 {
		return out, nil
	}
	v, err := k.verifier("the verification of seals")
	if err != nil {
		return nil, err
	}
	if b, ok := v.(externs.SealBatch); ok {
		return k.batchAtOnce(ctx, b, v, infos)
	}
	for i := range infos {
		if err := execerr.Interrupted(ctx); err != nil {
			return nil, err
		}
		if k.checkSealProof(v, infos[i].SealProof) != nil {
			continue
		}
		ok, err := v.VerifySeal(ctx, infos[i])
		if err != nil {
			if err = externFailure("verifying a seal", err); execerr.KindOf(err) == execerr.KindNode {
				return nil, err
			}
			ok = false
		}
		out[i] = ok
	}
	return out, nil
}

// batchAtOnce gives all seals of types that exist to the verifier together.
func (k *Kernel) batchAtOnce(ctx context.Context, b externs.SealBatch, v externs.ProofVerifier, infos []proof.SealVerifyInfo) ([]bool, error) {
	out := make([]bool, len(infos))
	var known []proof.SealVerifyInfo
	var places []int
	for i := range infos {
		if k.checkSealProof(v, infos[i].SealProof) == nil {
			known, places = append(known, infos[i]), append(places, i)
		}
	}
	verdicts, err := b.VerifySeals(ctx, known)
	if err != nil {
		return nil, execerr.Nodef("verifying seals: %w", err)
	}
	if len(verdicts) != len(known) {
		return nil, execerr.Nodef("verifying seals: the verifier gave %d verdicts on %d seals", len(verdicts), len(known))
	}
	for i, ok := range verdicts {
		out[places[i]] = ok
	}
	return out, nil
}

// judges tells whether a verifier's verdicts come from the proofs. One that answers by a rule of its own, as those of
// vectors do, is asked whatever the types are.
func judges(v externs.ProofVerifier) bool {
	j, ok := v.(externs.Judge)
	return ok && j.JudgesProofs()
}

// checkSealProof refuses a type of seals that the network version does not have.
func (k *Kernel) checkSealProof(v externs.ProofVerifier, typ abi.RegisteredSealProof) error {
	if judges(v) && !k.KnownSealProof(typ) {
		return execerr.Syscallf(execerr.IllegalArgument, "seal proof type %d does not exist in this network version", typ)
	}
	return nil
}

// checkPoSt makes the checks of a window PoSt that nodes make around their library: all proofs are of one type, which
// exists, and it is that of each sector's seal.
//
// Quirk: until nv17 a seal had one type of window PoSts, V1; from nv18 to nv20 it had both; since nv21 only V1P1.
func (k *Kernel) checkPoSt(v externs.ProofVerifier, info proof.WindowPoStVerifyInfo) error {
	if !judges(v) || len(info.Proofs) == 0 { // without proofs it is an error of the verifier
		return nil
	}
	typ := info.Proofs[0].PoStProof
	for _, p := range info.Proofs {
		if p.PoStProof != typ {
			return execerr.Syscallf(execerr.IllegalArgument, "a window PoSt has proofs of types %d and %d", typ, p.PoStProof)
		}
	}
	for _, s := range info.ChallengedSectors {
		const v1, v1p1 = abi.RegisteredPoStProof_StackedDrgWindow2KiBV1, abi.RegisteredPoStProof_StackedDrgWindow2KiBV1_1
		size := abi.RegisteredPoStProof(s.SealProof % 5) // the five sizes' numbers follow one another, in every list of types
		fits := k.m.Profile.WindowV1 && typ == v1+size || k.m.Profile.WindowV1P1 && typ == v1p1+size
		if !k.KnownSealProof(s.SealProof) || !fits {
			return execerr.Syscallf(execerr.IllegalArgument, "sector %d: a seal of type %d cannot be in a window PoSt of type %d in this network version", s.SectorNumber, s.SealProof, typ)
		}
	}
	return nil
}
