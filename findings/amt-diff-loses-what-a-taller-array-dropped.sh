#!/usr/bin/env bash
# go-amt-ipld: Diff does not tell what was removed if the array became taller at the same time.
#
# Packages  github.com/filecoin-project/go-amt-ipld/v4 v4.4.0 (Go)
# Needs     Go 1.25 or newer
# Expected  The changes from one array to another, applied to the first, give the second.
# Seen      Where the heights differ and the first of the taller one's top links is not used, what the lower one holds is
#           passed over without an error: values that went are not told, and the other way round those that came. A sparse
#           array of sectors, whose low numbers expire as the first high one is added, is such a one.
#
# What it printed, and must print:
#> 0 1 -> 1 1000: remove 0, add 1000
#> 0 1 -> 1000: add 1000
#> 1000 -> 0 1: remove 1000
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
	github.com/filecoin-project/go-amt-ipld/v4 v4.4.0
	github.com/ipfs/go-block-format v0.2.3
	github.com/ipfs/go-cid v0.6.2
	github.com/ipfs/go-ipld-cbor v0.2.0
	github.com/whyrusleeping/cbor-gen v0.3.1
)
EOF
cat > main.go <<'EOF'
package main

import (
	"context"
	"fmt"
	"strings"

	amt "github.com/filecoin-project/go-amt-ipld/v4"
	block "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	cbor "github.com/ipfs/go-ipld-cbor"
	cbg "github.com/whyrusleeping/cbor-gen"
)

type blocks map[cid.Cid]block.Block

func (b blocks) Get(_ context.Context, c cid.Cid) (block.Block, error) {
	if x, ok := b[c]; ok {
		return x, nil
	}
	return nil, fmt.Errorf("%s is not there", c)
}

func (b blocks) Put(_ context.Context, x block.Block) error {
	b[x.Cid()] = x
	return nil
}

func main() {
	ctx := context.Background()
	store := cbor.NewCborStore(blocks{})
	array := func(indexes []uint64) cid.Cid {
		a, err := amt.NewAMT(store)
		check(err)
		for _, i := range indexes {
			v := cbg.CborInt(i)
			check(a.Set(ctx, i, &v))
		}
		root, err := a.Flush(ctx)
		check(err)
		return root
	}
	words := map[amt.ChangeType]string{amt.Add: "add", amt.Remove: "remove", amt.Modify: "modify"}
	for _, c := range [][2][]uint64{{{0, 1}, {1, 1000}}, {{0, 1}, {1000}}, {{1000}, {0, 1}}} {
		changes, err := amt.Diff(ctx, store, store, array(c[0]), array(c[1]))
		check(err)
		var told []string
		for _, x := range changes {
			told = append(told, fmt.Sprint(words[x.Type], " ", x.Key))
		}
		list := func(v []uint64) string { return strings.Trim(fmt.Sprint(v), "[]") }
		fmt.Printf("%s -> %s: %s\n", list(c[0]), list(c[1]), strings.Join(told, ", "))
	}
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
