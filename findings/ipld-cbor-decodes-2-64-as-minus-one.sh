#!/usr/bin/env bash
# go-ipld-cbor: Decode gives another block than the one it was given; 2^64-1 becomes -1.
#
# Package   github.com/ipfs/go-ipld-cbor v0.2.0 (Go)
# Needs     Go 1.25 or newer
# Expected  Decode of a block gives a node with these bytes and their CID, or an error if they are no good DAG-CBOR.
# Seen      It encodes what it understood anew. An unsigned number of 2^63 and more, which is valid, comes back negative:
#           with other bytes, another CID and another value, and without an error. A short float grows, a long integer
#           shrinks, a list without a length gets one, undefined becomes null. DecodeInto leaves bytes after the value
#           unread, without an error too.
#
# What it printed, and must print:
#> 2^63-1, 1b7fffffffffffffff: the same bytes
#> 2^63, 1b8000000000000000: 3b7fffffffffffffff, another CID
#> 2^64-1, 1bffffffffffffffff: 20, another CID
#> -2^64, 3bffffffffffffffff: 00, another CID
#> 1.0 in two bytes, f93c00: fb3ff0000000000000, another CID
#> 5 in two bytes, 1805: 05, another CID
#> [1] without a length, 9f01ff: 8101, another CID
#> undefined, f7: f6, another CID
#> DecodeInto of 1, 2, 3: 1, error <nil>
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
	github.com/ipfs/go-block-format v0.2.3
	github.com/ipfs/go-ipld-cbor v0.2.0
	github.com/multiformats/go-multihash v0.2.3
)
EOF
cat > main.go <<'EOF'
package main

import (
	"encoding/hex"
	"fmt"

	cbor "github.com/ipfs/go-ipld-cbor"
	mh "github.com/multiformats/go-multihash"
)

func main() {
	for _, c := range []struct{ name, raw string }{
		{"2^63-1", "1b7fffffffffffffff"},
		{"2^63", "1b8000000000000000"},
		{"2^64-1", "1bffffffffffffffff"},
		{"-2^64", "3bffffffffffffffff"},
		{"1.0 in two bytes", "f93c00"},
		{"5 in two bytes", "1805"},
		{"[1] without a length", "9f01ff"},
		{"undefined", "f7"},
	} {
		raw, _ := hex.DecodeString(c.raw)
		n, err := cbor.Decode(raw, mh.SHA2_256, -1)
		if err != nil {
			fmt.Printf("%s, %s: %v\n", c.name, c.raw, err)
			continue
		}
		sum, _ := n.Cid().Prefix().Sum(raw) // the CID of the bytes that were given
		what := "the same bytes"
		if got := hex.EncodeToString(n.RawData()); got != c.raw {
			what = got + ", the same CID"
			if sum != n.Cid() {
				what = got + ", another CID"
			}
		}
		fmt.Printf("%s, %s: %s\n", c.name, c.raw, what)
	}
	var v any
	err := cbor.DecodeInto([]byte{1, 2, 3}, &v)
	fmt.Printf("DecodeInto of 1, 2, 3: %v, error %v\n", v, err)
}
EOF
go build -o finding . || { echo "could not be built" >&2; exit 3; }
seen=$(./finding 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
