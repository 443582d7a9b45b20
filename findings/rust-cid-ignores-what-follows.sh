#!/usr/bin/env bash
# cid (Rust): what stands behind a CID in the same bytes is ignored, in links of DAG-CBOR too.
#
# Packages  cid 0.11.3, ipld-core 0.4.3, serde_ipld_dagcbor 0.6.4 (crates)
# Needs     cargo
# Expected  A link of DAG-CBOR is a tag around the bytes of one CID. Bytes that remain are an error, as serde_ipld_dagcbor
#           says of bytes that remain after a block, and go-cid of bytes after a CID.
# Seen      Cid::try_from of a slice reads a CID from the front and does not look behind it. So a link with more bytes
#           decodes to the same link, and encoded again the block is another one.
#
# What it printed, and must print:
#> a CID, 01710000: bafyqaaa
#> a CID and a byte, 0171000011: bafyqaaa
#> half a CID, 0171: an error
#> a link, d82a450001710000: encoded again d82a450001710000
#> a link with a byte behind the CID, d82a46000171000011: encoded again d82a450001710000
#> a link with a byte behind it, d82a45000171000011: TrailingData
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
cid = "=0.11.3"
ipld-core = "=0.4.3"
serde_ipld_dagcbor = "=0.6.4"
EOF
mkdir src
cat > src/main.rs <<'EOF'
use cid::Cid;
use ipld_core::ipld::Ipld;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

fn main() {
    for (name, hex) in [
        ("a CID", "01710000"),
        ("a CID and a byte", "0171000011"),
        ("half a CID", "0171"),
    ] {
        match Cid::try_from(bytes(hex)) {
            Ok(c) => println!("{name}, {hex}: {c}"),
            Err(_) => println!("{name}, {hex}: an error"),
        }
    }
    for (name, hex) in [
        ("a link", "d82a450001710000"),
        ("a link with a byte behind the CID", "d82a46000171000011"),
        ("a link with a byte behind it", "d82a45000171000011"),
    ] {
        match serde_ipld_dagcbor::from_slice::<Ipld>(&bytes(hex)) {
            Ok(v) => {
                let again: String = serde_ipld_dagcbor::to_vec(&v)
                    .unwrap()
                    .iter()
                    .map(|b| format!("{b:02x}"))
                    .collect();
                println!("{name}, {hex}: encoded again {again}")
            }
            Err(e) => println!("{name}, {hex}: {e:?}"),
        }
    }
}
EOF
cargo build --quiet || { echo "could not be built" >&2; exit 3; }
seen=$(target/debug/finding 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
