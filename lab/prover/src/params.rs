//! Groth16 parameters and verifying keys for sectors of 2 KiB, from a seed.
//!
//! The trapdoors come from a seed that anybody can read here: these keys are good for tests and for nothing else.

use std::time::Instant;

use anyhow::{bail, Result};
use filecoin_proofs::constants::{DefaultPieceHasher, SectorShapeBase};
use filecoin_proofs::parameters::{public_params, window_post_public_params, winning_post_public_params};
use filecoin_proofs_api::{RegisteredPoStProof, RegisteredSealProof};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};
use storage_proofs_core::compound_proof::CompoundProof;
use storage_proofs_core::parameter_cache::CacheableParameters;
use storage_proofs_porep::stacked::{StackedCircuit, StackedCompound, StackedDrg};
use storage_proofs_post::fallback::{FallbackPoSt, FallbackPoStCircuit, FallbackPoStCompound};
use storage_proofs_update::{EmptySectorUpdate, EmptySectorUpdateCircuit, EmptySectorUpdateCompound, PublicParams};

type Tree = SectorShapeBase;

const BYTES: u64 = 2048;

/// The randomness of a key. The label is that of the proof vectors' maker, so that both make the same keys.
fn rng(id: &str) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(Sha256::new().chain_update(format!("edgefvm proof vectors 1/params/{id}")).finalize().into())
}

fn seal() -> Result<()> {
    let config = RegisteredSealProof::StackedDrg2KiBV1_1.as_v1_config();
    let params = public_params::<Tree>(&config)?;
    let r = &mut rng(&config.get_cache_identifier::<Tree>()?);
    type C = StackedCompound<Tree, DefaultPieceHasher>;
    type P<'a> = StackedDrg<'a, Tree, DefaultPieceHasher>;
    <C as CompoundProof<P<'_>, StackedCircuit<Tree, DefaultPieceHasher>>>::groth_params(Some(r), &params)?;
    <C as CompoundProof<P<'_>, StackedCircuit<Tree, DefaultPieceHasher>>>::verifying_key(Some(r), &params)?;
    Ok(())
}

fn post(proof: RegisteredPoStProof) -> Result<()> {
    let config = proof.as_v1_config();
    let params = match proof.typ() {
        filecoin_proofs_api::PoStType::Winning => winning_post_public_params::<Tree>(&config)?,
        filecoin_proofs_api::PoStType::Window => window_post_public_params::<Tree>(&config)?,
    };
    let r = &mut rng(&config.get_cache_identifier::<Tree>()?);
    type C = FallbackPoStCompound<Tree>;
    <C as CompoundProof<FallbackPoSt<'_, Tree>, FallbackPoStCircuit<Tree>>>::groth_params(Some(r), &params)?;
    <C as CompoundProof<FallbackPoSt<'_, Tree>, FallbackPoStCircuit<Tree>>>::verifying_key(Some(r), &params)?;
    Ok(())
}

fn update() -> Result<()> {
    let params = PublicParams::from_sector_size(BYTES);
    type C = EmptySectorUpdateCompound<Tree>;
    // RegisteredUpdateProof::circuit_identifier would answer with that of the seal's.
    let id = <C as CacheableParameters<EmptySectorUpdateCircuit<Tree>, PublicParams>>::cache_identifier(&params);
    let r = &mut rng(&id);
    <C as CompoundProof<EmptySectorUpdate<Tree>, EmptySectorUpdateCircuit<Tree>>>::groth_params(Some(r), &params)?;
    <C as CompoundProof<EmptySectorUpdate<Tree>, EmptySectorUpdateCircuit<Tree>>>::verifying_key(Some(r), &params)?;
    Ok(())
}

/// Makes what is missing of these keys, into FIL_PROOFS_PARAMETER_CACHE.
pub fn make(kinds: &[&str]) -> Result<()> {
    for kind in kinds {
        let start = Instant::now();
        match *kind {
            "winning" => post(RegisteredPoStProof::StackedDrgWinning2KiBV1)?,
            "window" => post(RegisteredPoStProof::StackedDrgWindow2KiBV1_2)?,
            "seal" => seal()?,
            "update" => update()?,
            other => bail!("no keys of kind {other}: winning, window, seal or update"),
        }
        eprintln!("keys of kind {kind}: {:.1} s", start.elapsed().as_secs_f64());
    }
    Ok(())
}
