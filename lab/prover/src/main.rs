//! Seals and proves sectors of 2 KiB with the published crates. A request a line on standard input, an answer a line on
//! standard output, in order: {"op": "seal", ...}, and {"ok": {...}} or {"error": "..."}. See sectors.rs for the operations.

mod comm;
mod params;
mod sectors;

use std::io::{self, BufRead, Write};
use std::time::Instant;

use anyhow::{bail, Context, Result};
use serde_json::{json, Value};

fn answer(line: &str) -> Result<Value> {
    let request: Value = serde_json::from_str(line)?;
    let op = request["op"].as_str().context("no op")?;
    let start = Instant::now();
    let made = match op {
        "seal" => sectors::seal(&request)?,
        "prove" => sectors::prove(&request)?,
        "post" => sectors::post(&request)?,
        "update" => sectors::update(&request)?,
        _ => bail!("no operation {op}"),
    };
    eprintln!("{op}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(made)
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [] => {}
        ["params", kinds @ ..] => return params::make(kinds),
        _ => bail!("usage: prover params KIND...   makes keys; KIND: winning window seal update\n       prover                  answers requests"),
    }
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let reply = match answer(&line?) {
            Ok(v) => json!({"ok": v}),
            Err(e) => json!({"error": format!("{e:#}")}),
        };
        writeln!(out, "{reply}")?;
        out.flush()?;
    }
    Ok(())
}
