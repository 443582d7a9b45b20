//! fvm-oracle: the reference FVM as a program. README.md is the specification of the protocol.

mod facts;
mod forward;
mod job;
mod request;
mod store;
mod trace;
mod v2;
mod v3;
mod v4;
mod vector;
mod vectors;

use std::io::{BufRead, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use job::Engines;
use store::Base;
use vector::{Options, Vector};

const HELP: &str = "\
fvm-oracle: runs Filecoin messages on the reference FVM

usage:
  fvm-oracle                       answer JSON requests, one a line, from standard input (see README.md)
  fvm-oracle vectors [option...] PATH...
                                   run vector files (.json) and folders of them, print a JSON line each
    --bundle CAR   load actor bytecode first (repeat for more)
    --trace DIR    write the traces to DIR, one gzip JSON file a vector
    --reps N       run each vector N times and time each (default 1)
    --jobs N       run N vectors at the same time (default 1)
  fvm-oracle --help | --version";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.first().map(String::as_str) {
        None => serve(),
        Some("vectors") => match vectors::Args::parse(&args[1..]) {
            Ok(args) => vectors::run(&args),
            Err(e) => return usage(&format!("{e:#}")),
        },
        Some("--help" | "-h" | "help") => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Some("--version" | "-V") => {
            println!("{}", versions());
            return ExitCode::SUCCESS;
        }
        Some(other) => return usage(&format!("unknown argument {other:?}")),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("fvm-oracle: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage(problem: &str) -> ExitCode {
    eprintln!("fvm-oracle: {problem} (see fvm-oracle --help)");
    ExitCode::from(2)
}

fn serve() -> Result<bool> {
    let mut server = Server {
        engines: Engines::new(1),
        base: Base::default(),
    };
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.context("cannot read standard input")?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = server
            .answer(&line)
            .unwrap_or_else(|e| json!({ "error": format!("{e:#}") }));
        writeln!(out, "{answer}")
            .and_then(|()| out.flush())
            .context("cannot write the answer")?;
    }
    Ok(true)
}

struct Server {
    engines: Engines,
    base: Base,
}

impl Server {
    fn answer(&mut self, line: &str) -> Result<Value> {
        let (op, fields) = request::parse(line)?;
        match op.as_str() {
            "load_car" => self.load_car(read(fields)?),
            "put" => self.put(read(fields)?),
            "get" => self.get(read(fields)?),
            "apply" => self.apply(read(fields)?),
            "limits" => self.limits(fields),
            "vector" => self.vector(read(fields)?),
            "push" => self.push(read(fields)?),
            "pop" => self.pop(read(fields)?),
            "versions" => Ok(versions()),
            _ => bail!(
                "unknown op {op:?} (load_car, put, get, apply, limits, vector, push, pop, versions)"
            ),
        }
    }

    fn load_car(&self, request: request::LoadCar) -> Result<Value> {
        let (roots, blocks) = match (request.path, request.data) {
            (Some(path), None) => self.base.load_car_file(Path::new(&path))?,
            (None, Some(data)) => self.base.load_car(&data.0).context("bad CAR")?,
            _ => bail!("load_car takes a path or data"),
        };
        let roots: Vec<String> = roots.iter().map(|c| c.to_string()).collect();
        Ok(json!({ "roots": roots, "blocks": blocks }))
    }

    fn put(&self, request: request::Put) -> Result<Value> {
        let count = request.blocks.len();
        for block in request.blocks {
            self.base.put(block.cid.0, block.data.0)?;
        }
        Ok(json!({ "blocks": count }))
    }

    fn get(&self, request: request::Get) -> Result<Value> {
        let cid = request.cid.0;
        let data = self
            .base
            .get(&cid)
            .with_context(|| format!("no block {cid}"))?;
        Ok(json!({ "data": STANDARD.encode(data) }))
    }

    /// Lays an empty store over the base: what comes next goes there.
    fn push(&mut self, _: request::Nothing) -> Result<Value> {
        self.base = Base::over(&self.base);
        Ok(json!({}))
    }

    /// Throws away what came since the last push.
    fn pop(&mut self, _: request::Nothing) -> Result<Value> {
        self.base = self.base.below().context("nothing was pushed")?;
        Ok(json!({}))
    }

    fn apply(&self, mut request: request::Apply) -> Result<Value> {
        let own = request.take_blocks();
        if own.is_empty() {
            return Ok(self.engines.run(&request.into_job()?, &self.base)?.to_json());
        }
        let base = Base::over(&self.base);
        for block in own {
            base.put(block.cid.0, block.data.0)?;
        }
        Ok(self.engines.run(&request.into_job()?, &base)?.to_json())
    }

    /// Runs a message once for each gas limit, always on the same state. Ends with the first run that breaks down.
    fn limits(&self, mut fields: Value) -> Result<Value> {
        let limits = request::take_limits(&mut fields)?;
        let mut request: request::Apply = read(fields)?;
        let base = Base::over(&self.base);
        for block in request.take_blocks() {
            base.put(block.cid.0, block.data.0)?;
        }
        let mut job = request.into_job()?;
        ensure!(job.messages.len() == 1, "limits are of one message");
        job.discard = true;
        let mut runs = vec![];
        for limit in limits {
            job.messages[0].gas_limit = Some(limit);
            match self.engines.run(&job, &base) {
                Ok(outcome) => runs.push(outcome.to_json()),
                Err(e) => {
                    runs.push(json!({ "error": format!("{e:#}") }));
                    break;
                }
            }
        }
        Ok(json!({ "runs": runs }))
    }

    fn vector(&self, request: request::RunVector) -> Result<Value> {
        let vector = Vector::load(Path::new(&request.path))?;
        let options = Options {
            trace: request.trace,
            witness: request.witness,
            reps: request.reps,
        };
        let verdict = vector.run(request.variant, options, &self.engines, &self.base)?;
        let mut answer = verdict.outcome.to_json();
        answer["pass"] = json!(verdict.why.is_empty());
        answer["why"] = json!(verdict.why);
        Ok(answer)
    }
}

fn read<T: serde::de::DeserializeOwned>(fields: Value) -> Result<T> {
    serde_json::from_value(fields).context("bad request")
}

/// The versions of the crates that decide results, out of the lock file.
fn versions() -> Value {
    let mut found = Map::new();
    found.insert("fvm-oracle".into(), json!(env!("CARGO_PKG_VERSION")));
    let quoted = |line: &str, key: &str| {
        let value = line
            .strip_prefix(key)?
            .strip_prefix(" = \"")?
            .strip_suffix('"')?;
        Some(value.to_string())
    };
    let mut name = String::new();
    for line in include_str!("../Cargo.lock").lines() {
        if let Some(value) = quoted(line, "name") {
            name = value;
        } else if let Some(version) = quoted(line, "version") {
            let major = version.split('.').next().unwrap_or_default();
            match name.as_str() {
                "fvm" => found.insert(format!("fvm{major}"), json!(version)),
                "fvm_shared" => found.insert(format!("fvm_shared{major}"), json!(version)),
                "wasmtime" | "fvm-wasm-instrument" | "filecoin-proofs-api" => {
                    let known = found
                        .get(&name)
                        .and_then(Value::as_str)
                        .map(|v| format!("{v}, {version}"));
                    found.insert(name.clone(), json!(known.unwrap_or(version)))
                }
                _ => None,
            };
        }
    }
    Value::Object(found)
}
