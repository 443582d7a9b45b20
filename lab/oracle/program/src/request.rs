//! The JSON requests, and the pieces of JSON that requests and vectors share.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cid::Cid;
use num_bigint::BigInt;
use serde::{Deserialize, Deserializer, de};

use crate::facts::{Facts, Fault, Proofs, Source};
use crate::job::{Job, JobMessage};
use crate::store::parse_cid;

/// Bytes written as base64.
#[derive(Clone, Debug, Default)]
pub struct Bytes(pub Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let data = STANDARD
            .decode(text)
            .map_err(|e| de::Error::custom(format!("bad base64: {e}")))?;
        Ok(Bytes(data))
    }
}

/// A CID written as text or as `{"/": text}`.
#[derive(Clone, Copy, Debug)]
pub struct JsonCid(pub Cid);

impl<'de> Deserialize<'de> for JsonCid {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Link {
                #[serde(rename = "/")]
                cid: String,
            },
        }
        let (Form::Text(text) | Form::Link { cid: text }) = Form::deserialize(d)?;
        parse_cid(&text).map(JsonCid).map_err(de::Error::custom)
    }
}

/// A whole number of attoFIL: a decimal string.
#[derive(Clone, Debug)]
pub struct Amount(pub BigInt);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let value = text
            .parse()
            .map_err(|_| de::Error::custom(format!("{text:?} is not a decimal number")))?;
        Ok(Amount(value))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomnessEntry {
    on: (Source, i64),
    ret: Bytes,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TipsetEntry {
    epoch: i64,
    cid: JsonCid,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultEntry {
    h1: Bytes,
    h2: Bytes,
    extra: Bytes,
    target: u64,
    epoch: i64,
    #[serde(rename = "type")]
    kind: u8,
}

pub fn facts(
    randomness: Vec<RandomnessEntry>,
    tipsets: Vec<TipsetEntry>,
    faults: Vec<FaultEntry>,
    proofs: Proofs,
) -> Result<Arc<Facts>> {
    let mut drawn = HashMap::new();
    for entry in randomness {
        let digest: [u8; 32] = entry.ret.0.try_into().map_err(|bytes: Vec<u8>| {
            anyhow!(
                "randomness for {:?} has {} bytes, not 32",
                entry.on,
                bytes.len()
            )
        })?;
        // The first entry for a round wins, as in upstream's driver.
        drawn.entry(entry.on).or_insert(digest);
    }
    let faults: Vec<Fault> = faults
        .into_iter()
        .map(|f| Fault {
            h1: f.h1.0,
            h2: f.h2.0,
            extra: f.extra.0,
            target: f.target,
            epoch: f.epoch,
            kind: f.kind,
        })
        .collect();
    ensure!(
        faults.iter().all(|f| (1..=3).contains(&f.kind)),
        "a fault's type is 1, 2 or 3"
    );
    Ok(Arc::new(Facts {
        randomness: drawn,
        tipsets: tipsets.into_iter().map(|t| (t.epoch, t.cid.0)).collect(),
        faults,
        proofs,
    }))
}

/// The timestamp of an epoch that has no other.
pub fn default_timestamp(epoch: i64) -> u64 {
    epoch.saturating_mul(30).max(0) as u64
}

fn one() -> usize {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    nv: u32,
    epoch: i64,
    timestamp: Option<u64>,
    #[serde(default)]
    chain_id: u64,
    base_fee: Amount,
    circ_supply: Amount,
    root: JsonCid,
    messages: Vec<Message>,
    #[serde(default)]
    randomness: Vec<RandomnessEntry>,
    #[serde(default)]
    tipsets: Vec<TipsetEntry>,
    #[serde(default)]
    faults: Vec<FaultEntry>,
    #[serde(default)]
    proofs: Proofs,
    #[serde(default)]
    trace: bool,
    #[serde(default)]
    witness: bool,
    #[serde(default)]
    flush_all: bool,
    #[serde(default = "one")]
    reps: usize,
    #[serde(default)]
    blocks: Vec<PutBlock>,
    #[serde(default)]
    discard: bool,
    #[serde(default)]
    terse: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    bytes: Bytes,
    #[serde(default)]
    implicit: bool,
    chain_len: Option<usize>,
}

impl Apply {
    /// Takes the blocks that only this request sees.
    pub fn take_blocks(&mut self) -> Vec<PutBlock> {
        std::mem::take(&mut self.blocks)
    }

    pub fn into_job(self) -> Result<Job> {
        let facts = facts(self.randomness, self.tipsets, self.faults, self.proofs)?;
        let messages = self.messages.into_iter();
        Ok(Job {
            nv: self.nv,
            epoch: self.epoch,
            timestamp: self.timestamp.unwrap_or(default_timestamp(self.epoch)),
            chain_id: self.chain_id,
            base_fee: self.base_fee.0,
            circ_supply: self.circ_supply.0,
            root: self.root.0,
            messages: messages
                .map(|m| JobMessage {
                    bytes: m.bytes.0,
                    implicit: m.implicit,
                    chain_len: m.chain_len,
                    gas_limit: None,
                })
                .collect(),
            facts,
            trace: self.trace,
            witness: self.witness,
            flush_all: self.flush_all,
            discard: self.discard,
            terse: self.terse,
            reps: self.reps,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadCar {
    pub path: Option<String>,
    pub data: Option<Bytes>,
}

/// A request without fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Put {
    pub blocks: Vec<PutBlock>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutBlock {
    pub cid: JsonCid,
    pub data: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Get {
    pub cid: JsonCid,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunVector {
    pub path: String,
    #[serde(default)]
    pub variant: usize,
    #[serde(default)]
    pub trace: bool,
    #[serde(default)]
    pub witness: bool,
    #[serde(default = "one")]
    pub reps: usize,
}

/// Takes the gas limits out of a request for several runs; what is left is one for `apply`.
pub fn take_limits(fields: &mut serde_json::Value) -> Result<Vec<u64>> {
    let fields = fields.as_object_mut().context("a request is a JSON object")?;
    let limits = fields.remove("limits").context("no limits")?;
    serde_json::from_value(limits).context("bad limits")
}

/// Takes the operation out of a request; what is left are its fields.
pub fn parse(line: &str) -> Result<(String, serde_json::Value)> {
    let mut request: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(line).context("a request is a JSON object")?;
    let op = request.remove("op").context("no op")?;
    let op = op.as_str().context("op is not text")?.to_string();
    Ok((op, serde_json::Value::Object(request)))
}
