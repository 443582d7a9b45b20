package gas

import (
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/proof"
)

// OnVerifySignature is the price of checking a signature over so many bytes.
// typ is secp256k1 or BLS.
func (p *PriceList) OnVerifySignature(typ crypto.SigType, size int) Charge {
	price := &p.secp
	if typ == crypto.SigTypeBLS {
		price = &p.bls
	}
	return Charge{Name: "OnVerifySignature", Compute: price.of(uint64(size))}
}

// OnVerifyAggregateSignature is the price of checking a BLS aggregate of so
// many keys over so many bytes: a pairing for each key and one for the
// aggregate (nv21 and later).
func (p *PriceList) OnVerifyAggregateSignature(keys, size int) Charge {
	pairings := p.blsPairing.Mul(uint64(keys) + 1)
	return Charge{Name: "OnVerifyBlsAggregateSignature", Compute: pairings.Add(p.blsHashing.of(uint64(size)))}
}

// OnRecoverSecpPublicKey is the price of recovering a key from a signature.
func (p *PriceList) OnRecoverSecpPublicKey() Charge {
	return Charge{Name: "OnRecoverSecpPublicKey", Compute: p.secpRecover}
}

// OnHashing is the price of hashing so many bytes with a multihash function,
// which must be one that actors can use. Until nv17 it is the same for every function and size.
func (p *PriceList) OnHashing(code uint64, size int) Charge {
	if p.hashingFlat != 0 {
		return Charge{Name: "OnHashing", Compute: p.hashingFlat}
	}
	return Charge{Name: "OnHashing", Compute: p.hashing.perByte(code).Mul(uint64(size))}
}

// OnComputeUnsealedSectorCid is the price of a sector's data commitment,
// whatever the type and the number of pieces.
func (p *PriceList) OnComputeUnsealedSectorCid(abi.RegisteredSealProof, int) Charge {
	return Charge{Name: "OnComputeUnsealedSectorCid", Compute: p.unsealedSectorCID}
}

// OnVerifySeal is the price of judging one seal.
func (p *PriceList) OnVerifySeal(proof.SealVerifyInfo) Charge {
	return Charge{Name: "OnVerifySeal", Compute: p.verifySeal}
}

// OnVerifyAggregateSeals is the price of judging an aggregate of seals.
// Quirk: types that are not listed cost what 32 GiB sectors do.
func (p *PriceList) OnVerifyAggregateSeals(info proof.AggregateSealVerifyProofAndInfos) Charge {
	price := &p.aggregates[0]
	for i := range p.aggregates {
		if p.aggregates[i].proof == info.SealProof {
			price = &p.aggregates[i]
		}
	}
	n := uint64(len(info.Infos))
	return Charge{Name: "OnVerifyAggregateSeals", Compute: price.per.Mul(n).Add(lookup(price.steps, n))}
}

// OnVerifyReplicaUpdate is the price of judging a sector's update.
func (p *PriceList) OnVerifyReplicaUpdate(proof.ReplicaUpdateInfo) Charge {
	return Charge{Name: "OnVerifyReplicaUpdate", Compute: p.replicaUpdate}
}

// OnVerifyPost is the price of judging a window proof. All types cost the same.
func (p *PriceList) OnVerifyPost(info proof.WindowPoStVerifyInfo) Charge {
	return Charge{Name: "OnVerifyPost", Compute: p.windowPoSt.of(uint64(len(info.ChallengedSectors)))}
}

// OnVerifyConsensusFault is the price of judging a reported fault, whatever the headers' sizes.
func (p *PriceList) OnVerifyConsensusFault(int, int, int) Charge {
	return p.extern("OnVerifyConsensusFault", p.consensusFault)
}
