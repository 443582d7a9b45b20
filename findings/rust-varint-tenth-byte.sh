#!/usr/bin/env bash
# Varints in Rust: three crates read the tenth byte in three ways, and none as one would guess.
#
# Packages  unsigned-varint 0.8.0, integer-encoding 4.0.2, leb128 0.2.5 (crates)
# Needs     cargo
# Expected  A number of 64 bits fills nine bytes and one bit of a tenth. A tenth byte of more than 1 does not fit and is
#           an error. unsigned-varint, which reads CIDs and is strict (it refuses a form that is longer than it need be),
#           should be the first to say so.
# Seen      unsigned-varint and integer-encoding drop what does not fit: 2 in the tenth byte reads as 0. The crate that
#           reports the overflow is leb128, which takes forms of any length. So the strict one has two byte strings for
#           each number of 64 bits all the same.
#
# What it printed, and must print:
#> 2^64-1, ffffffffffffffffff01: unsigned-varint 18446744073709551615, integer-encoding 18446744073709551615, leb128 18446744073709551615
#> 2^70-1, ffffffffffffffffff7f: unsigned-varint 18446744073709551615, integer-encoding 18446744073709551615, leb128 an error
#> 2^64, 80808080808080808002: unsigned-varint 0, integer-encoding 0, leb128 an error
#> 1 in two bytes, 8100: unsigned-varint an error, integer-encoding 1, leb128 1
#> 0 in ten bytes, 80808080808080808000: unsigned-varint an error, integer-encoding 0, leb128 0
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
integer-encoding = "=4.0.2"
leb128 = "=0.2.5"
unsigned-varint = "=0.8.0"
EOF
mkdir src
cat > src/main.rs <<'EOF'
use integer_encoding::VarInt;

fn say(x: Option<u64>) -> String {
    x.map_or("an error".into(), |n| n.to_string())
}

fn main() {
    for (name, hex) in [
        ("2^64-1", "ffffffffffffffffff01"),
        ("2^70-1", "ffffffffffffffffff7f"),
        ("2^64", "80808080808080808002"),
        ("1 in two bytes", "8100"),
        ("0 in ten bytes", "80808080808080808000"),
    ] {
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect();
        println!(
            "{name}, {hex}: unsigned-varint {}, integer-encoding {}, leb128 {}",
            say(unsigned_varint::decode::u64(&bytes).ok().map(|r| r.0)),
            say(u64::decode_var(&bytes).map(|r| r.0)),
            say(leb128::read::unsigned(&mut bytes.as_slice()).ok()),
        );
    }
}
EOF
cargo build --quiet || { echo "could not be built" >&2; exit 3; }
seen=$(target/debug/finding 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
