#!/usr/bin/env bash
# fvm-wasm-instrument: valid modules are refused, or come out invalid.
#
# Packages  fvm-wasm-instrument 0.4.0, wasmparser 0.95.0 (crates)
# Needs     cargo
# Expected  The pass that counts gas takes every valid module and gives a valid one, or an error.
# Seen      A module without functions is refused, by a text about code that does not exist, although it is valid and
#           needs no counting; a memory or a table that others import is such a module. A module that imports a global
#           is taken, and what comes out does not validate: the pass adds its own import behind the module's, and moves all
#           indices as if it stood before them.
#
# What it printed, and must print:
#> nothing: a valid module
#>   gas: refused (code not exit)
#>   stack: refused (no function section)
#> a memory: a valid module
#>   gas: refused (code not exit)
#>   stack: refused (no function section)
#> a function that reads a global: a valid module
#>   gas: a valid module
#>   stack: a valid module
#> a function that reads an imported global: a valid module
#>   gas: an invalid module (type mismatch: expected i32, found i64)
#>   stack: an invalid module (global is immutable: cannot modify it with `global.set`)
set -euo pipefail

expected=$(sed -n 's/^#> //p' "$0")
command -v cargo >/dev/null || { echo "needs cargo" >&2; exit 3; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
unset CARGO_TARGET_DIR

cat > Cargo.toml <<'EOF'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
fvm-wasm-instrument = "=0.4.0"
wasmparser = "=0.95.0"
EOF
mkdir src
cat > src/main.rs <<'EOF'
use fvm_wasm_instrument::{gas_metering, stack_limiter};

fn verdict(code: &[u8]) -> String {
    match wasmparser::validate(code) {
        Ok(_) => "a valid module".into(),
        Err(e) => format!("an invalid module ({})", e.message()),
    }
}

fn main() {
    for (name, body) in [
        // (module)
        ("nothing", &b""[..]),
        // (module (memory (export "m") 1))
        ("a memory", b"\x05\x03\x01\x00\x01\x07\x05\x01\x01m\x02\x00"),
        // (module (global i32 (i32.const 7)) (func (export "f") (result i32) (global.get 0)))
        (
            "a function that reads a global",
            b"\x01\x05\x01\x60\x00\x01\x7f\x03\x02\x01\x00\x06\x06\x01\x7f\x00\x41\x07\x0b\
              \x07\x05\x01\x01f\x00\x00\x0a\x06\x01\x04\x00\x23\x00\x0b",
        ),
        // (module (import "m" "g" (global i32)) (func (export "f") (result i32) (global.get 0)))
        (
            "a function that reads an imported global",
            b"\x01\x05\x01\x60\x00\x01\x7f\x02\x08\x01\x01m\x01g\x03\x7f\x00\x03\x02\x01\x00\
              \x07\x05\x01\x01f\x00\x00\x0a\x06\x01\x04\x00\x23\x00\x0b",
        ),
    ] {
        let code = [b"\0asm\x01\0\0\0", body].concat();
        let gas = gas_metering::inject(&code, &gas_metering::ConstantCostRules::default(), "gas");
        let stack = stack_limiter::inject(&code, 1000);
        let say =
            |r: Result<Vec<u8>, _>| r.map_or_else(|e| format!("refused ({e})"), |c| verdict(&c));
        println!("{name}: {}", verdict(&code));
        println!("  gas: {}", say(gas.map_err(|e| e.to_string())));
        println!("  stack: {}", say(stack.map_err(|e| e.to_string())));
    }
}
EOF
cargo build --quiet || { echo "could not be built" >&2; exit 3; }
seen=$(target/debug/finding 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
