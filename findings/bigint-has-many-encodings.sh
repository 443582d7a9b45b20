#!/usr/bin/env bash
# go-state-types: one number has many encodings, all are taken, and a message changes its CID by being decoded.
#
# Package   github.com/filecoin-project/go-state-types v0.17.0 (Go)
# Needs     Go 1.25 or newer
# Expected  State and messages are named by the hash of their bytes, and the codecs of this family refuse an integer
#           that is longer than it need be. So a big integer (a sign byte, then the bytes of the number) should have one
#           form as well.
# Seen      Leading zeros of the number pass. Zero has an empty form and any number of others, a negative one among them. Encoded again, each comes
#           out in the short form: who decodes parameters and encodes them again (to store, sign, show or estimate
#           them) has other bytes with another CID than the chain has.
#
# What it printed, and must print:
#> 40 decodes to 0, and encodes to 40
#> 4100 decodes to 0, and encodes to 40
#> 420000 decodes to 0, and encodes to 40
#> 420005 decodes to 5, and encodes to 420005
#> 4400000005 decodes to 5, and encodes to 420005
#> 4101 decodes to 0, and encodes to 40
#> Propose with 5 in four bytes: decodes to 5; 11 bytes become 9, equal false
#> with a list header in two bytes: cbor input was not canonical (lval 24 with value < 24)
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
	github.com/filecoin-project/go-address v1.2.0
	github.com/filecoin-project/go-state-types v0.17.0
)
EOF
cat > main.go <<'EOF'
package main

import (
	"bytes"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin/v17/multisig"
)

func main() {
	for _, raw := range [][]byte{{0x40}, {0x41, 0}, {0x42, 0, 0}, {0x42, 0, 5}, {0x44, 0, 0, 0, 5}, {0x41, 1}} {
		var n big.Int
		if err := n.UnmarshalCBOR(bytes.NewReader(raw)); err != nil {
			fmt.Printf("%x refused: %v\n", raw, err)
			continue
		}
		var again bytes.Buffer
		check(n.MarshalCBOR(&again))
		fmt.Printf("%x decodes to %v, and encodes to %x\n", raw, n, again.Bytes())
	}

	to, err := address.NewIDAddress(100)
	check(err)
	var short bytes.Buffer
	check((&multisig.ProposeParams{To: to, Value: big.NewInt(5)}).MarshalCBOR(&short))
	long := bytes.Replace(short.Bytes(), []byte{0x42, 0, 5}, []byte{0x44, 0, 0, 0, 5}, 1)
	var p multisig.ProposeParams
	check(p.UnmarshalCBOR(bytes.NewReader(long)))
	var again bytes.Buffer
	check(p.MarshalCBOR(&again))
	fmt.Printf("Propose with 5 in four bytes: decodes to %v; %d bytes become %d, equal %v\n",
		p.Value, len(long), again.Len(), bytes.Equal(long, again.Bytes()))

	// The control: the list of the same parameters, with a header of two bytes.
	long = append([]byte{0x98, 4}, short.Bytes()[1:]...)
	fmt.Println("with a list header in two bytes:", p.UnmarshalCBOR(bytes.NewReader(long)))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
EOF
go build -o finding . || { echo "could not be built" >&2; exit 3; }
seen=$(./finding 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
