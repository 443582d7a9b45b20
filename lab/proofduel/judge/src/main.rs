//! The verdicts of the published crates on proofs. A request a line on standard input, an answer a line on standard
//! output, in order:
//!
//!     {"kind": "seal", "input": {...}, "runs": 1}
//!     {"verdict": "valid", "error": "", "ns": [1800000]}
//!
//! Kinds and inputs are those of the vectors (lab/proofvectors). Keys are read from FIL_PROOFS_PARAMETER_CACHE, and kept.

mod comm;
mod judge;
mod kinds;

use std::io::{self, BufRead, Write};
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{json, Value};

fn answer(line: &str) -> Result<Value> {
    let request: Value = serde_json::from_str(line)?;
    let kind = request["kind"].as_str().context("no kind")?;
    let (mut ns, mut verdict) = (Vec::new(), judge::Verdict::Panic);
    for _ in 0..request["runs"].as_u64().unwrap_or(1).max(1) {
        let start = Instant::now();
        verdict = judge::judge(kind, &request["input"]);
        ns.push(start.elapsed().as_nanos() as u64);
    }
    let (word, error) = match verdict {
        judge::Verdict::Valid => ("valid", String::new()),
        judge::Verdict::Invalid => ("invalid", String::new()),
        judge::Verdict::Error(e) => ("error", e),
        judge::Verdict::Panic => ("panic", String::new()),
    };
    Ok(json!({"verdict": word, "error": error, "ns": ns}))
}

fn main() -> Result<()> {
    std::panic::set_hook(Box::new(|_| {})); // a panic is a verdict here, which the FVM takes for an error
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let reply = answer(&line?).unwrap_or_else(|e| json!({"verdict": "refused", "error": format!("{e:#}")}));
        writeln!(out, "{reply}")?;
        out.flush()?;
    }
    Ok(())
}
