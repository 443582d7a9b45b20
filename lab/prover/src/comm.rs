//! Values of 32 bytes in requests, and provers by miner number.

use anyhow::{bail, Result};
use filecoin_proofs_api::ProverId;

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
