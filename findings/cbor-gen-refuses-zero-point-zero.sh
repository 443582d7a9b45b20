#!/usr/bin/env bash
# cbor-gen: 1.0 is canonical CBOR, 0.0 is not.
#
# Package   github.com/whyrusleeping/cbor-gen v0.3.1 (Go)
# Needs     Go 1.25 or newer
# Expected  A float has one form of eight bytes in DAG-CBOR, whatever its value. Either all floats are refused or none.
# Seen      The rule for integers, that a number must be written in as few bytes as it needs, is applied to the bits of
#           floats as well. So the smallest and the roundest ones are refused as not canonical, and all others pass: of
#           eight bytes those below 2^32 (0.0 and the smallest), of four those below 2^16, of two those below 2^8.
#           The link scan of nodes goes through the same reader: such a block, which holds no link, cannot be scanned.
#
# What it printed, and must print:
#> 1.0, fb3ff0000000000000: Deferred ok, ScanForLinks ok
#> -0.0, fb8000000000000000: Deferred ok, ScanForLinks ok
#> 0.0, fb0000000000000000: Deferred cbor input was not canonical (lval 27 with value <= MaxUint32), ScanForLinks refuses too
#> [1.0], 81fb3ff0000000000000: Deferred ok, ScanForLinks ok
#> [0.0], 81fb0000000000000000: Deferred cbor input was not canonical (lval 27 with value <= MaxUint32), ScanForLinks refuses too
#> 1.0 in two bytes, f93c00: Deferred ok, ScanForLinks ok
#> 0.0 in two bytes, f90000: Deferred cbor input was not canonical (lval 25 with value <= MaxUint8), ScanForLinks refuses too
set -euo pipefail

expected=$(sed -n 's/^#> //p' "$0")
command -v go >/dev/null || { echo "needs Go" >&2; exit 3; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod

cat > go.mod <<'EOF'
module finding

go 1.25.0

require (
	github.com/ipfs/go-cid v0.6.2
	github.com/whyrusleeping/cbor-gen v0.3.1
)
EOF
cat > main.go <<'EOF'
package main

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

func main() {
	for _, c := range []struct{ name, raw string }{
		{"1.0", "fb3ff0000000000000"},
		{"-0.0", "fb8000000000000000"},
		{"0.0", "fb0000000000000000"},
		{"[1.0]", "81fb3ff0000000000000"},
		{"[0.0]", "81fb0000000000000000"},
		{"1.0 in two bytes", "f93c00"},
		{"0.0 in two bytes", "f90000"},
	} {
		raw, _ := hex.DecodeString(c.raw)
		var d cbg.Deferred
		deferred, scan := "ok", "ok"
		if err := d.UnmarshalCBOR(bytes.NewReader(raw)); err != nil {
			deferred = err.Error()
		}
		if err := cbg.ScanForLinks(bytes.NewReader(raw), func(cid.Cid) {}); err != nil {
			scan = "refuses too"
		}
		fmt.Printf("%s, %s: Deferred %s, ScanForLinks %s\n", c.name, c.raw, deferred, scan)
	}
}
EOF
go build -o finding . || { echo "could not be built" >&2; exit 3; }
seen=$(./finding 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
