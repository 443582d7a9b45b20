#!/usr/bin/env bash
# go-state-types: the method tables have types that the actors do not have, and methods that they do not have either.
#
# Package   github.com/filecoin-project/go-state-types v0.19.0 (Go)
# Needs     Go 1.25 or newer
# Expected  The tables (builtin/vN/ACTOR/methods.go) give each method's parameters and return as the actors of that version
#           have them: nodes decode messages, traces and returns by them.
# Seen      Some types stayed behind when actors changed. The bytes below are of calls that ended with exit code 0 on the
#           networks' actors v14, v17 and v18 (and of the shape of one on v16); the types refuse them. Two methods that return something are said to return
#           nothing, a method of the power actor is missing (v16 on), and multisig has eight public ones that no actor answers.
#           Compare github.com/filecoin-project/builtin-actors at the tag of the version.
#
# What it printed, and must print:
#> storagemarket 7 OnMinerSectorsTerminate v18, parameters [5803852, bitfield of sectors]: expected cbor array
#> verifiedregistry 9 ClaimAllocations v14, return [batch, list of amounts]: unmarshaling t.ClaimedSpace: cbor input for fil big int was not a byte string (4)
#> storageminer GetMultiaddrs v16, return [list of addresses]: expected byte array
#> storageminer GetVestingFunds v17, return [list of funds]: cbor input had wrong number of fields
#> storagemarket 6 BatchActivateDeals v18 returns *abi.EmptyValue
#> storageminer 36 ProveCommitSectorsNI v18 returns *abi.EmptyValue
#> storagepower MinerPower v18 is there: false
#> multisig Propose by a public number v18 is there: true
set -euo pipefail

expected=$(sed -n 's/^#> //p' "$0")
command -v go >/dev/null || { echo "needs Go" >&2; exit 3; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod

cat > go.mod <<'EOF'
module finding

go 1.25.7

require github.com/filecoin-project/go-state-types v0.19.0
EOF
cat > main.go <<'EOF'
package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/builtin/v14/verifreg"
	minerv16 "github.com/filecoin-project/go-state-types/builtin/v16/miner"
	minerv17 "github.com/filecoin-project/go-state-types/builtin/v17/miner"
	"github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/builtin/v18/miner"
	"github.com/filecoin-project/go-state-types/builtin/v18/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v18/power"
	"github.com/filecoin-project/go-state-types/cbor"
)

// part is the type of a method's parameters or return, by the table.
func part(m builtin.MethodMeta, result bool) reflect.Type {
	t := reflect.TypeOf(m.Method)
	if result {
		return t.Out(0)
	}
	return t.In(0)
}

func decode(what string, t reflect.Type, data string) {
	raw, err := hex.DecodeString(data)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s: %v\n", what, reflect.New(t.Elem()).Interface().(cbor.Unmarshaler).UnmarshalCBOR(bytes.NewReader(raw)))
}

func main() {
	frc := builtin.MustGenerateFRCMethodNum
	decode("storagemarket 7 OnMinerSectorsTerminate v18, parameters [5803852, bitfield of sectors]", part(market.Methods[7], false), "821a00588f4c425002")
	decode("verifiedregistry 9 ClaimAllocations v14, return [batch, list of amounts]", part(verifreg.Methods[9], true), "828201808143000800")
	decode("storageminer GetMultiaddrs v16, return [list of addresses]", part(minerv16.Methods[frc("GetMultiaddrs")], true), "818241014102")
	decode("storageminer GetVestingFunds v17, return [list of funds]", part(minerv17.Methods[frc("GetVestingFunds")], true), "8180")
	fmt.Println("storagemarket 6 BatchActivateDeals v18 returns", part(market.Methods[6], true))
	fmt.Println("storageminer 36 ProveCommitSectorsNI v18 returns", part(miner.Methods[36], true))
	has := func(methods map[abi.MethodNum]builtin.MethodMeta, name string) bool { _, ok := methods[frc(name)]; return ok }
	fmt.Println("storagepower MinerPower v18 is there:", has(power.Methods, "MinerPower"))
	fmt.Println("multisig Propose by a public number v18 is there:", has(multisig.Methods, "Propose"))
}
EOF
go build -o finding . || { echo "could not be built" >&2; exit 3; }
seen=$(./finding 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
