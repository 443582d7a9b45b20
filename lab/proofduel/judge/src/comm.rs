//! Commitments as CIDs, and provers by miner number.

use anyhow::{bail, ensure, Context, Result};
use filecoin_proofs_api::{Commitment, ProverId};

const SEALED: [u8; 7] = [0x01, 0x82, 0xe2, 0x03, 0x81, 0xe8, 0x02]; // CIDv1, fil-commitment-sealed, poseidon-bls12_381-a2-fc1
const UNSEALED: [u8; 6] = [0x01, 0x81, 0xe2, 0x03, 0x92, 0x20]; // CIDv1, fil-commitment-unsealed, sha2-256-trunc254-padded
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

fn unbase32(text: &str) -> Result<Vec<u8>> {
    let text = text.strip_prefix('b').context("a CID in base 32 starts with b")?;
    let (mut acc, mut bits, mut out) = (0u32, 0, Vec::new());
    for c in text.bytes() {
        let v = ALPHABET.iter().position(|a| *a == c).context("a letter out of place")?;
        acc = acc << 5 | v as u32;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((acc >> bits & 255) as u8);
        }
    }
    Ok(out)
}

fn commitment(prefix: &[u8], cid: &str) -> Result<Commitment> {
    let bytes = unbase32(cid)?;
    ensure!(bytes.len() == prefix.len() + 33 && bytes.starts_with(prefix) && bytes[prefix.len()] == 32, "not the kind of CID");
    Ok(bytes[prefix.len() + 1..].try_into()?)
}

pub fn from_sealed(cid: &str) -> Result<Commitment> {
    commitment(&SEALED, cid)
}

pub fn from_unsealed(cid: &str) -> Result<Commitment> {
    commitment(&UNSEALED, cid)
}

/// The prover of a miner: the payload of its ID address (an unsigned varint), then zeroes.
pub fn prover(miner: u64) -> ProverId {
    let mut id = [0; 32];
    let (mut n, mut i) = (miner, 0);
    loop {
        id[i] = (n & 0x7f) as u8;
        n >>= 7;
        if n == 0 {
            return id;
        }
        id[i] |= 0x80;
        i += 1;
    }
}

pub fn bytes32(hex_text: &str) -> Result<[u8; 32]> {
    let bytes = hex::decode(hex_text)?;
    match bytes.try_into() {
        Ok(b) => Ok(b),
        Err(_) => bail!("not 32 bytes"),
    }
}
