#!/usr/bin/env bash
# libipld (Python): a byte string that happens to read as a CID is written as a link.
#
# Packages  libipld 3.5.0, dag-cbor 0.3.3 with multiformats 0.3.1.post4 (PyPI)
# Needs     python3 with venv
# Expected  DAG-CBOR tells a link (tag 42) from a byte string. Decoded and encoded again, a block is the same, or there
#           is an error.
# Seen      libipld decodes both into bytes, and guesses when it encodes: bytes that parse as a binary CID become a link.
#           A block that carries a CID as plain bytes, or four bytes of a hash that look like one, comes out as another
#           block, with a link that a garbage collector or a link scan then follows. dag-cbor keeps the two apart.
#
# What it printed, and must print:
#> a link, d82a450001710000: libipld gives b'\x01q\x00\x00' and writes d82a450001710000, dag-cbor writes d82a450001710000
#> four bytes, 4401710000: libipld gives b'\x01q\x00\x00' and writes d82a450001710000, dag-cbor writes 4401710000
#> four other bytes, 4402710000: libipld gives b'\x02q\x00\x00' and writes 4402710000, dag-cbor writes 4402710000
#> 38 bytes of a Filecoin CID, 58260171a0e402202222...: libipld gives b'\x01q\xa0\xe4' and writes d82a5827000171a0e402..., dag-cbor writes 58260171a0e402202222...
set -euo pipefail

expected=$(sed -n 's/^#> //p' "$0")
command -v python3 >/dev/null || { echo "needs python3" >&2; exit 3; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
{ python3 -m venv venv && venv/bin/pip install -q --disable-pip-version-check dag-cbor==0.3.3 libipld==3.5.0 multiformats==0.3.1.post4; } >&2 ||
	{ echo "could not be installed" >&2; exit 3; }

cat > finding.py <<'EOF'
import dag_cbor
import libipld

for name, block in (
    ("a link", "d82a450001710000"),
    ("four bytes", "4401710000"),
    ("four other bytes", "4402710000"),
    ("38 bytes of a Filecoin CID", "58260171a0e40220" + 32 * "22"),
):
    short = lambda x: x if len(x) <= 20 else x[:20] + "..."
    raw = bytes.fromhex(block)
    value = libipld.decode_dag_cbor(raw)
    ours = libipld.encode_dag_cbor(value).hex()
    control = dag_cbor.encode(dag_cbor.decode(raw)).hex()
    print(f"{name}, {short(block)}: libipld gives {value[:4]} and writes {short(ours)}, dag-cbor writes {short(control)}")
EOF
seen=$(venv/bin/python finding.py 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
