//! One job: what to run, what came out, and the repetition loop around the fvm versions.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cid::Cid;
use num_bigint::BigInt;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::facts::Facts;
use crate::store::{Base, View};
use crate::{v2, v3, v4};

/// What the FVM itself asks for: 1024 nested calls and the Wasm stack fit in it.
const STACK_BYTES: usize = 64 << 20;

pub struct Job {
    pub nv: u32,
    pub epoch: i64,
    pub timestamp: u64,
    pub chain_id: u64,
    pub base_fee: BigInt,
    pub circ_supply: BigInt,
    pub root: Cid,
    pub messages: Vec<JobMessage>,
    pub facts: Arc<Facts>,
    pub trace: bool,
    pub witness: bool,
    pub flush_all: bool,
    /// What the run writes is forgotten.
    pub discard: bool,
    /// Errors in the trace have no text.
    pub terse: bool,
    pub reps: usize,
}

pub struct JobMessage {
    pub bytes: Vec<u8>,
    pub implicit: bool,
    pub chain_len: Option<usize>,
    /// Instead of the message's own.
    pub gas_limit: Option<u64>,
}

/// The result of one message that got a receipt.
#[derive(Clone, Debug, Serialize)]
pub struct Receipt {
    pub exit_code: u32,
    #[serde(rename = "return", serialize_with = "as_base64")]
    pub return_data: Vec<u8>,
    pub gas_used: i64,
    #[serde(serialize_with = "as_text")]
    pub events_root: Option<Cid>,
    #[serde(serialize_with = "as_base64")]
    pub events: Vec<u8>,
    pub return_codec: Option<u64>,
    pub penalty: String,
    pub miner_tip: String,
    pub base_fee_burn: String,
    pub over_estimation_burn: String,
    pub refund: String,
    pub gas_refund: i64,
    pub gas_burned: i64,
    pub failure: String,
    pub trace: Vec<Value>,
}

fn as_base64<S: Serializer>(data: &[u8], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&STANDARD.encode(data))
}

fn as_text<S: Serializer>(cid: &Option<Cid>, s: S) -> Result<S::Ok, S::Error> {
    cid.map(|c| c.to_string()).serialize(s)
}

/// A receipt, or why there is none.
pub type MessageResult = Result<Receipt, String>;

/// One pass over the messages on a fresh machine.
pub struct Rep {
    pub results: Vec<MessageResult>,
    /// The new state root; none if the machine was lost to a hard error.
    pub root: Option<Cid>,
    pub ns_setup: u64,
    pub ns: Vec<u64>,
    pub ns_flush: u64,
    /// Why there is no root, if the flush failed.
    pub flush_error: String,
}

pub struct Outcome {
    pub results: Vec<MessageResult>,
    pub root: Option<Cid>,
    pub witness: Vec<Cid>,
    pub new: Vec<(Cid, Vec<u8>)>,
    pub ns_setup: u64,
    pub ns: Vec<Vec<u64>>,
    pub ns_flush: Vec<u64>,
    pub flush_error: String,
}

impl Outcome {
    pub fn to_json(&self) -> Value {
        let results: Vec<Value> = self
            .results
            .iter()
            .map(|r| match r {
                Ok(receipt) => json!(receipt),
                Err(text) => json!({ "error": text }),
            })
            .collect();
        let new = |(cid, data): &(Cid, Vec<u8>)| json!({"cid": cid.to_string(), "data": STANDARD.encode(data)});
        json!({
            "results": results,
            "root": self.root.map(|c| c.to_string()),
            "witness": self.witness.iter().map(Cid::to_string).collect::<Vec<_>>(),
            "new": self.new.iter().map(new).collect::<Vec<_>>(),
            "ns_setup": self.ns_setup,
            "ns": self.ns,
            "ns_flush": self.ns_flush,
            "flush_error": self.flush_error,
        })
    }
}

/// The engines of the three versions; they keep what they compiled.
pub struct Engines {
    v2: fvm2::machine::MultiEngine,
    v3: fvm3::engine::MultiEngine,
    v4: fvm4::engine::MultiEngine,
}

impl Engines {
    /// Engines on which `concurrency` messages can run at the same time.
    pub fn new(concurrency: u32) -> Engines {
        Engines {
            v2: fvm2::machine::MultiEngine::new(),
            v3: fvm3::engine::MultiEngine::new(concurrency),
            v4: fvm4::engine::MultiEngine::new(concurrency),
        }
    }

    /// Runs a job on its own thread; its writes go to `base` if it ends well.
    pub fn run(&self, job: &Job, base: &Base) -> Result<Outcome> {
        with_stack(|| self.run_here(job, base))
    }

    fn run_here(&self, job: &Job, base: &Base) -> Result<Outcome> {
        ensure!(job.reps >= 1, "reps must be at least 1");
        ensure!(
            !job.flush_all || job.nv >= 21,
            "flush_all needs nv 21 or later (fvm 4)"
        );
        let mut outcome: Option<Outcome> = None;
        for i in 0..job.reps {
            let view = View::new(base);
            view.log_reads(job.witness && i == 0);
            let rep = match job.nv {
                16 | 17 => v2::run(&self.v2, job, &view),
                18..=20 => v3::run(&self.v3, job, &view),
                21..=30 => v4::run(&self.v4, job, &view),
                nv => bail!("network version {nv} is not supported (16 to 30)"),
            }?;
            match &mut outcome {
                None => {
                    outcome = Some(Outcome {
                        results: rep.results,
                        root: rep.root,
                        witness: view.reads(),
                        new: if job.witness { view.writes() } else { vec![] },
                        ns_setup: rep.ns_setup,
                        ns: vec![rep.ns],
                        ns_flush: vec![rep.ns_flush],
                        flush_error: rep.flush_error,
                    })
                }
                Some(first) => {
                    ensure!(
                        first.root == rep.root,
                        "rep {i} gave root {:?}, the first gave {:?}",
                        rep.root,
                        first.root
                    );
                    first.ns.push(rep.ns);
                    first.ns_flush.push(rep.ns_flush);
                }
            }
            if i + 1 == job.reps && !job.discard {
                view.commit();
            }
        }
        outcome.context("no rep ran")
    }
}

/// Runs `f` on a thread with a stack that is large enough for the FVM; a panic becomes an error.
fn with_stack<T: Send>(f: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| {
        let handle = thread::Builder::new()
            .name("apply".into())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, f)
            .context("cannot start a thread")?;
        handle.join().unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().map(|s| s.to_string());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(anyhow!("panic: {}", text.unwrap_or_default()))
        })
    })
}

pub fn nanos(start: Instant) -> u64 {
    start.elapsed().as_nanos() as u64
}

/// Runs the messages of a job on an executor, then flushes: the part that is the same text, but
/// not the same types, in all three versions.
macro_rules! drive {
    ($exec:expr, $job:expr, $view:expr, $setup:expr, $fvm:ident, $shared:ident, $receipt:path) => {{
        use $fvm::executor::{ApplyKind, Executor};
        use $shared::address::Protocol;
        use $shared::message::Message;

        let (mut exec, job, view) = ($exec, $job, $view);
        let mut rep = $crate::job::Rep {
            results: vec![],
            root: None,
            ns_setup: $crate::job::nanos($setup),
            ns: vec![],
            ns_flush: 0,
            flush_error: String::new(),
        };
        for message in &job.messages {
            let mut decoded: Message = match fvm_ipld_encoding::from_slice(&message.bytes) {
                Ok(decoded) => decoded,
                Err(e) => {
                    rep.results.push(Err(format!("cannot decode the message: {e}")));
                    rep.ns.push(0);
                    break;
                }
            };
            if let Some(limit) = message.gas_limit {
                decoded.gas_limit = limit as _;
            }
            // A secp256k1 message is on chain with its signature: 65 bytes, a type byte, 3 bytes of framing.
            let signature = if decoded.from.protocol() == Protocol::Secp256k1 { 69 } else { 0 };
            let chain_len = message.chain_len.unwrap_or(message.bytes.len() + signature);
            let kind = if message.implicit { ApplyKind::Implicit } else { ApplyKind::Explicit };
            let start = std::time::Instant::now();
            let ret = exec.execute_message(decoded, kind, chain_len);
            rep.ns.push($crate::job::nanos(start));
            match ret {
                Ok(mut ret) => {
                    // fvm 4 traces block reads and writes even if it is not asked to.
                    if !job.trace {
                        ret.exec_trace.clear();
                    }
                    let mut receipt = $receipt(ret)?;
                    if job.terse {
                        $crate::trace::clip(&mut receipt.trace);
                    }
                    rep.results.push(Ok(receipt));
                }
                Err(e) => {
                    rep.results.push(Err(format!("{e:#}")));
                    break;
                }
            }
        }
        view.log_reads(false);
        view.log_writes(true);
        let start = std::time::Instant::now();
        let root = exec.flush();
        rep.ns_flush = $crate::job::nanos(start);
        view.log_writes(false);
        rep.root = match root {
            Ok(root) => Some(root),
            Err(_) if rep.results.iter().any(|r| r.is_err()) => None,
            // What is not kept need not be whole: the receipts are worth having.
            Err(e) if job.discard => {
                rep.flush_error = format!("{e:#}");
                None
            }
            Err(e) => return Err(e.context("flush failed")),
        };
        Ok(rep)
    }};
}
pub(crate) use drive;

/// A receipt of an `ApplyRet`, whose fields have the same names in all fvm versions but for those given.
macro_rules! receipt {
    ($ret:ident, $event:path, $($field:ident: $value:expr),*) => {
        Ok($crate::job::Receipt {
            exit_code: $ret.msg_receipt.exit_code.value(),
            return_data: $ret.msg_receipt.return_data.to_vec(),
            gas_used: $ret.msg_receipt.gas_used as i64,
            $($field: $value,)*
            penalty: $ret.penalty.atto().to_string(),
            miner_tip: $ret.miner_tip.atto().to_string(),
            base_fee_burn: $ret.base_fee_burn.atto().to_string(),
            over_estimation_burn: $ret.over_estimation_burn.atto().to_string(),
            refund: $ret.refund.atto().to_string(),
            gas_refund: $ret.gas_refund as i64,
            gas_burned: $ret.gas_burned as i64,
            failure: $ret
                .failure_info
                .map(|f| f.to_string().trim().to_string())
                .unwrap_or_default(),
            trace: $ret.exec_trace.iter().map($event).collect(),
        })
    };
}
pub(crate) use receipt;
