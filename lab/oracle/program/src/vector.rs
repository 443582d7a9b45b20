//! Vector files: the schema of the official message vectors, with this project's additions.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use num_bigint::BigInt;
use serde::{Deserialize, Deserializer};

use crate::facts::{Facts, Proofs};
use crate::job::{Engines, Job, JobMessage, MessageResult, Outcome};
use crate::request::{
    Bytes, FaultEntry, JsonCid, RandomnessEntry, TipsetEntry, default_timestamp, facts,
};
use crate::store::Base;

/// In attoFIL, where a vector does not say; as in upstream's driver.
const DEFAULT_BASE_FEE: u128 = 100;
const DEFAULT_CIRC_SUPPLY: u128 = 2_000_000_000 * 1_000_000_000_000_000_000;

#[derive(Deserialize)]
struct File {
    class: String,
    car: Bytes,
    preconditions: Preconditions,
    #[serde(default, deserialize_with = "or_default")]
    randomness: Vec<RandomnessEntry>,
    #[serde(default)]
    tipsets: Vec<TipsetEntry>,
    #[serde(default)]
    faults: Vec<FaultEntry>,
    apply_messages: Vec<FileMessage>,
    postconditions: Postconditions,
}

#[derive(Deserialize)]
struct StateTree {
    root_cid: JsonCid,
}

#[derive(Deserialize)]
struct Preconditions {
    state_tree: StateTree,
    basefee: Option<u128>,
    circ_supply: Option<u128>,
    #[serde(default)]
    chain_id: u64,
    #[serde(default)]
    proofs: Proofs,
    bundle: Option<String>,
    variants: Vec<Variant>,
}

#[derive(Deserialize)]
struct Variant {
    id: String,
    epoch: i64,
    nv: u32,
    timestamp: Option<u64>,
}

#[derive(Deserialize)]
struct FileMessage {
    bytes: Bytes,
    #[serde(default)]
    implicit: bool,
    chain_len: Option<usize>,
}

#[derive(Deserialize)]
struct Postconditions {
    state_tree: StateTree,
    receipts: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    #[serde(default)]
    error: bool,
    exit_code: Option<u32>,
    #[serde(rename = "return", default, deserialize_with = "or_default")]
    return_data: Bytes,
    gas_used: Option<i64>,
    #[serde(default, deserialize_with = "given")]
    events_root: Option<Option<JsonCid>>,
    penalty: Option<String>,
    miner_tip: Option<String>,
    base_fee_burn: Option<String>,
    over_estimation_burn: Option<String>,
    refund: Option<String>,
    gas_refund: Option<i64>,
    gas_burned: Option<i64>,
}

/// A field that may also be null.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    d: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(d)?.unwrap_or_default())
}

/// Tells a field that is null from one that is not there.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<T>, D::Error> {
    T::deserialize(d).map(Some)
}

pub struct Vector {
    file: File,
    facts: Arc<Facts>,
}

/// How to run a vector.
#[derive(Clone, Copy)]
pub struct Options {
    pub trace: bool,
    pub witness: bool,
    pub reps: usize,
}

/// What came out, and how it differs from what the vector expects (empty if it does not).
pub struct Verdict {
    pub outcome: Outcome,
    pub why: String,
}

impl Vector {
    pub fn load(path: &Path) -> Result<Vector> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let mut file: File = serde_json::from_str(&text)
            .with_context(|| format!("{} is not a message vector", path.display()))?;
        ensure!(
            file.class == "message",
            "class {:?} is not \"message\"",
            file.class
        );
        let facts = facts(
            std::mem::take(&mut file.randomness),
            std::mem::take(&mut file.tipsets),
            std::mem::take(&mut file.faults),
            file.preconditions.proofs,
        )?;
        Ok(Vector { file, facts })
    }

    pub fn variants(&self) -> usize {
        self.file.preconditions.variants.len()
    }

    /// The id and the network version of a variant.
    pub fn variant(&self, index: usize) -> Result<(&str, u32)> {
        let variant = self.file.preconditions.variants.get(index);
        let variant = variant.with_context(|| format!("no variant {index}"))?;
        Ok((&variant.id, variant.nv))
    }

    /// Runs one variant on a store of its own above `bundles`, which stays as it is.
    pub fn run(
        &self,
        index: usize,
        options: Options,
        engines: &Engines,
        bundles: &Base,
    ) -> Result<Verdict> {
        let file = &self.file;
        let pre = &file.preconditions;
        let variant = pre
            .variants
            .get(index)
            .with_context(|| format!("no variant {index}"))?;
        let base = Base::over(bundles);
        base.load_car(&file.car.0)
            .context("bad CAR in the vector")?;
        let job = Job {
            nv: variant.nv,
            epoch: variant.epoch,
            timestamp: variant
                .timestamp
                .unwrap_or(default_timestamp(variant.epoch)),
            chain_id: pre.chain_id,
            base_fee: BigInt::from(pre.basefee.unwrap_or(DEFAULT_BASE_FEE)),
            circ_supply: BigInt::from(pre.circ_supply.unwrap_or(DEFAULT_CIRC_SUPPLY)),
            root: pre.state_tree.root_cid.0,
            messages: file
                .apply_messages
                .iter()
                .map(|m| JobMessage {
                    bytes: m.bytes.0.clone(),
                    implicit: m.implicit,
                    gas_limit: None,
                    chain_len: m.chain_len,
                })
                .collect(),
            facts: self.facts.clone(),
            trace: options.trace,
            witness: options.witness,
            flush_all: false,
            discard: false,
            terse: false,
            reps: options.reps,
        };
        let outcome = engines
            .run(&job, &base)
            .with_context(|| match &pre.bundle {
                Some(bundle) => format!("cannot run (it needs bundle {bundle})"),
                None => "cannot run".to_string(),
            })?;
        let why = self.differences(&outcome).join("; ");
        Ok(Verdict { outcome, why })
    }

    fn differences(&self, outcome: &Outcome) -> Vec<String> {
        let expected = &self.file.postconditions;
        let mut list = Vec::new();
        let (want, got) = (expected.receipts.len(), outcome.results.len());
        if want != got {
            list.push(format!("results: want {want}, got {got}"));
        }
        for (i, (want, got)) in expected.receipts.iter().zip(&outcome.results).enumerate() {
            compare(i, want, got, &mut list);
        }
        let want = expected.state_tree.root_cid.0;
        if outcome.root != Some(want) {
            let got = outcome.root.map_or("none".to_string(), |c| c.to_string());
            list.push(format!("root: want {want}, got {got}"));
        }
        list
    }
}

fn compare(i: usize, want: &Expected, got: &MessageResult, list: &mut Vec<String>) {
    let got = match got {
        Ok(receipt) => receipt,
        Err(_) if want.error => return,
        Err(text) => return list.push(format!("message {i}: no receipt: {text}")),
    };
    if want.error {
        return list.push(format!(
            "message {i}: want no receipt, got exit code {}",
            got.exit_code
        ));
    }
    let mut check = |name: &str, want: Option<String>, got: String| {
        if let Some(want) = want.filter(|want| *want != got) {
            list.push(format!("message {i} {name}: want {want}, got {got}"));
        }
    };
    let number = |n: Option<i64>| n.map(|n| n.to_string());
    let link = |c: Option<cid::Cid>| c.map_or("null".to_string(), |c| c.to_string());
    let failure = got.failure.replace('\n', " | ");
    let exit_code = match want.exit_code {
        Some(code) if code == got.exit_code => code.to_string(),
        _ => format!("{} ({failure})", got.exit_code),
    };
    check(
        "exit_code",
        want.exit_code.map(|n| n.to_string()),
        exit_code,
    );
    check(
        "return",
        Some(format!("{:02x?}", want.return_data.0)),
        format!("{:02x?}", got.return_data),
    );
    check("gas_used", number(want.gas_used), got.gas_used.to_string());
    check(
        "events_root",
        want.events_root.map(|r| link(r.map(|c| c.0))),
        link(got.events_root),
    );
    check("penalty", want.penalty.clone(), got.penalty.clone());
    check("miner_tip", want.miner_tip.clone(), got.miner_tip.clone());
    check(
        "base_fee_burn",
        want.base_fee_burn.clone(),
        got.base_fee_burn.clone(),
    );
    check(
        "over_estimation_burn",
        want.over_estimation_burn.clone(),
        got.over_estimation_burn.clone(),
    );
    check("refund", want.refund.clone(), got.refund.clone());
    check(
        "gas_refund",
        number(want.gas_refund),
        got.gas_refund.to_string(),
    );
    check(
        "gas_burned",
        number(want.gas_burned),
        got.gas_burned.to_string(),
    );
}
