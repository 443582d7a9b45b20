#!/usr/bin/env bash
# python-zstandard: of a file of several frames, some calls give the first frame and report no error.
#
# Package   zstandard 0.25.0 (PyPI)
# Needs     python3 with venv
# Expected  RFC 8878: a file may hold several frames, one after the other, and skippable ones of any content between
#           them; all together are the content. The command zstd and most libraries give all of it. Filecoin's chain
#           snapshots are made in many frames, with skippable ones.
# Seen      It depends on the call. decompress, read_to_iter and decompressobj end after the first frame, readinto
#           returns early; copy_stream, open, stream_writer and stream_reader.read give all, although the documents
#           say that stream_reader stops unless read_across_frames is given. If a skippable frame comes first,
#           read_to_iter gives nothing at all, without an error, and decompress is the only one that raises.
#
# What it printed, and must print:
#> frame "one", skippable frame, frame "two"
#>   decompress: b'one'
#>   decompress(allow_extra_data=False): ZstdError
#>   read_to_iter: b'one'
#>   decompressobj: b'one'
#>   stream_reader.readinto, once: b'one'
#>   stream_reader.read, to the end: b'onetwo'
#>   open: b'onetwo'
#>   copy_stream: b'onetwo'
#>   stream_writer: b'onetwo'
#> skippable frame, frame "one", frame "two"
#>   decompress: ZstdError
#>   decompress(allow_extra_data=False): ZstdError
#>   read_to_iter: b''
#>   decompressobj: b''
#>   stream_reader.readinto, once: b'one'
#>   stream_reader.read, to the end: b'onetwo'
#>   open: b'onetwo'
#>   copy_stream: b'onetwo'
#>   stream_writer: b'onetwo'
set -euo pipefail

expected=$(sed -n 's/^#> //p' "$0")
command -v python3 >/dev/null || { echo "needs python3" >&2; exit 3; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
{ python3 -m venv venv && venv/bin/pip install -q --disable-pip-version-check zstandard==0.25.0; } >&2 ||
	{ echo "could not be installed" >&2; exit 3; }

cat > finding.py <<'EOF'
import io
import struct

import zstandard

new = zstandard.ZstdDecompressor


def to_the_end(data):
    reader, parts = new().stream_reader(io.BytesIO(data)), []
    while part := reader.read(100):
        parts.append(part)
    return b"".join(parts)


def into(data):
    buffer = bytearray(100)
    return bytes(buffer[: new().stream_reader(io.BytesIO(data)).readinto(buffer)])


def copied(data):
    out = io.BytesIO()
    new().copy_stream(io.BytesIO(data), out)
    return out.getvalue()


def written(data):
    out = io.BytesIO()
    new().stream_writer(out, closefd=False).write(data)
    return out.getvalue()


calls = {
    "decompress": lambda d: new().decompress(d),
    "decompress(allow_extra_data=False)": lambda d: new().decompress(d, allow_extra_data=False),
    "read_to_iter": lambda d: b"".join(new().read_to_iter(io.BytesIO(d))),
    "decompressobj": lambda d: new().decompressobj().decompress(d),
    "stream_reader.readinto, once": into,
    "stream_reader.read, to the end": to_the_end,
    "open": lambda d: zstandard.open(io.BytesIO(d), "rb").read(),
    "copy_stream": copied,
    "stream_writer": written,
}

one, two = (zstandard.ZstdCompressor().compress(x) for x in (b"one", b"two"))
skippable = struct.pack("<II", 0x184D2A50, 4) + b"skip"
for name, data in (
    ('frame "one", skippable frame, frame "two"', one + skippable + two),
    ('skippable frame, frame "one", frame "two"', skippable + one + two),
):
    print(name)
    for call, f in calls.items():
        try:
            print(f"  {call}: {f(data)}")
        except zstandard.ZstdError:
            print(f"  {call}: ZstdError")
EOF
seen=$(venv/bin/python finding.py 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
