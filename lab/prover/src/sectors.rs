//! Sectors of 2 KiB: sealed, proven, updated. Each is a folder with its replica, its cache and sector.json, which has
//! what the next step needs.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};
use filecoin_proofs_api::seal::{self, SealPreCommitPhase2Output};
use filecoin_proofs_api::{
    post, update, PieceInfo, PrivateReplicaInfo, RegisteredPoStProof, RegisteredSealProof, RegisteredUpdateProof, SectorId,
    UnpaddedBytesAmount,
};
use serde_json::{json, Value};

use crate::comm;

const SEAL: RegisteredSealProof = RegisteredSealProof::StackedDrg2KiBV1_1;
const UPDATE: RegisteredUpdateProof = RegisteredUpdateProof::StackedDrg2KiBV1;
/// Bytes that fill a sector, before padding.
const FULL: usize = 2032;

fn text<'a>(v: &'a Value, key: &str) -> Result<&'a str> {
    v[key].as_str().with_context(|| format!("no text {key}"))
}

fn number(v: &Value, key: &str) -> Result<u64> {
    v[key].as_u64().with_context(|| format!("no number {key}"))
}

fn array(v: &Value, key: &str) -> Result<[u8; 32]> {
    comm::bytes32(text(v, key)?)
}

fn load(dir: &Path) -> Result<Value> {
    let file = dir.join("sector.json");
    let text = fs::read_to_string(&file).with_context(|| format!("no sector: {}", file.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn save(dir: &Path, v: &Value) -> Result<()> {
    Ok(fs::write(dir.join("sector.json"), v.to_string())?)
}

/// A new folder with the data of one piece that fills the sector. Without `data` it is zeroes.
fn stage(dir: &Path, request: &Value) -> Result<(PathBuf, PathBuf, Vec<PieceInfo>)> {
    let data = match request["data"].as_str() {
        Some(h) => hex::decode(h)?,
        None => vec![0; FULL],
    };
    ensure!(data.len() == FULL, "data of {} bytes: {FULL} fill a sector", data.len());
    ensure!(!dir.exists(), "{} is there already", dir.display());
    let cache = dir.join("cache");
    fs::create_dir_all(&cache)?;
    let staged = dir.join("staged");
    let mut file = fs::File::create(&staged)?;
    let (info, _) = seal::add_piece(SEAL, Cursor::new(data), &mut file, UnpaddedBytesAmount(FULL as u64), &[])?;
    Ok((staged, cache, vec![info]))
}

/// {"dir", "miner", "sector", "ticket", "data"?}: seals a sector.
pub fn seal(request: &Value) -> Result<Value> {
    let dir = PathBuf::from(text(request, "dir")?);
    let (miner, sector, ticket) = (number(request, "miner")?, number(request, "sector")?, array(request, "ticket")?);
    let (staged, cache, pieces) = stage(&dir, request)?;
    let replica = dir.join("sealed");
    fs::File::create(&replica)?;
    let (prover, id) = (comm::prover(miner), SectorId::from(sector));
    let one = seal::seal_pre_commit_phase1(SEAL, &cache, &staged, &replica, prover, id, ticket, &pieces)?;
    let two = seal::seal_pre_commit_phase2(one, &cache, &replica)?;
    let v = json!({
        "miner": miner, "sector": sector, "ticket": hex::encode(ticket), "comm_r": hex::encode(two.comm_r),
        "comm_d": hex::encode(two.comm_d), "piece": hex::encode(pieces[0].commitment),
    });
    save(&dir, &v)?;
    Ok(json!({"comm_r": v["comm_r"], "comm_d": v["comm_d"]}))
}

/// {"dir", "seed"}: the proof of a sealed sector.
pub fn prove(request: &Value) -> Result<Value> {
    let dir = PathBuf::from(text(request, "dir")?);
    let v = load(&dir)?;
    let (prover, id) = (comm::prover(number(&v, "miner")?), SectorId::from(number(&v, "sector")?));
    let pieces = [PieceInfo::new(array(&v, "piece")?, UnpaddedBytesAmount(FULL as u64))?];
    let two = SealPreCommitPhase2Output { registered_proof: SEAL, comm_r: array(&v, "comm_r")?, comm_d: array(&v, "comm_d")? };
    let (cache, replica) = (dir.join("cache"), dir.join("sealed"));
    let vanilla = seal::seal_commit_phase1(&cache, &replica, prover, id, array(&v, "ticket")?, array(request, "seed")?, two, &pieces)?;
    Ok(json!({"proof": hex::encode(seal::seal_commit_phase2(vanilla, prover, id)?.proof)}))
}

/// {"winning", "miner", "randomness", "dirs"}: a winning or window PoSt of these sectors. The two highest bits of the
/// randomness are cleared, as the network does.
pub fn post(request: &Value) -> Result<Value> {
    let winning = request["winning"].as_bool().context("no truth value winning")?;
    let kind = if winning { RegisteredPoStProof::StackedDrgWinning2KiBV1 } else { RegisteredPoStProof::StackedDrgWindow2KiBV1_2 };
    let mut randomness = array(request, "randomness")?;
    randomness[31] &= 0x3f;
    let mut replicas = BTreeMap::new();
    for dir in request["dirs"].as_array().context("no list dirs")? {
        let dir = PathBuf::from(dir.as_str().context("a folder")?);
        let v = load(&dir)?;
        let info = PrivateReplicaInfo::new(kind, array(&v, "comm_r")?, dir.join("cache"), dir.join("sealed"));
        replicas.insert(SectorId::from(number(&v, "sector")?), info);
    }
    let make = if winning { post::generate_winning_post } else { post::generate_window_post };
    let made = make(&randomness, &replicas, comm::prover(number(request, "miner")?))?;
    Ok(json!({"proof": hex::encode(&made.first().context("no proof was made")?.1)}))
}

/// {"dir", "new", "data"}: puts data into the empty sector of dir; the folder new has the new replica.
pub fn update(request: &Value) -> Result<Value> {
    let (dir, new) = (PathBuf::from(text(request, "dir")?), PathBuf::from(text(request, "new")?));
    let v = load(&dir)?;
    let (staged, cache, pieces) = stage(&new, request)?;
    let (key, key_cache, replica) = (dir.join("sealed"), dir.join("cache"), new.join("sealed"));
    fs::File::create(&replica)?.set_len(fs::metadata(&key)?.len())?;
    let made = update::empty_sector_update_encode_into(UPDATE, &replica, &cache, &key, &key_cache, &staged, &pieces)?;
    let (old, comm_r, comm_d) = (array(&v, "comm_r")?, made.comm_r_new, made.comm_d_new);
    let proof = update::generate_empty_sector_update_proof(UPDATE, old, comm_r, comm_d, &key, &key_cache, &replica, &cache)?;
    save(&new, &json!({"miner": v["miner"], "sector": v["sector"], "comm_r": hex::encode(comm_r), "comm_d": hex::encode(comm_d)}))?;
    Ok(json!({
        "comm_r": hex::encode(comm_r), "comm_d": hex::encode(comm_d), "piece": hex::encode(pieces[0].commitment),
        "proof": hex::encode(proof.0),
    }))
}
