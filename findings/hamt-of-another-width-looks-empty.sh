#!/usr/bin/env bash
# go-hamt-ipld: a HAMT that is loaded with another bit width has no keys, and no error.
#
# Packages  github.com/filecoin-project/go-hamt-ipld/v3 v3.4.1, github.com/filecoin-project/go-amt-ipld/v4 v4.4.0 (Go)
# Needs     Go 1.25 or newer
# Expected  The bit width is no part of a HAMT's blocks. Filecoin's actors write 5, the library's own width is 8. Loaded
#           with the wrong one, a lookup should fail loudly, as the AMT of the same authors does, which stores its width.
# Seen      Find says of every key that it is not there, without an error, while ForEach visits all of them. So a reader
#           that forgets the option takes a full state tree for one without actors.
#
# What it printed, and must print:
#> written with bit width 5: 100 keys
#> loaded with width 5: Find has 100 of 100, 0 errors; ForEach visits 100
#> loaded with the default: Find has 0 of 100, 0 errors; ForEach visits 100
#> AMT written with bit width 5, loaded with the default: expected bitwidth 3 but AMT has bitwidth 5
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
	github.com/filecoin-project/go-hamt-ipld/v3 v3.4.1
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

	amt "github.com/filecoin-project/go-amt-ipld/v4"
	hamt "github.com/filecoin-project/go-hamt-ipld/v3"
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

const keys = 100

func key(i int) string { return fmt.Sprint("key ", i) }

func main() {
	ctx := context.Background()
	store := cbor.NewCborStore(blocks{})
	h, err := hamt.NewNode(store, hamt.UseTreeBitWidth(5))
	check(err)
	for i := range keys {
		v := cbg.CborInt(i)
		check(h.Set(ctx, key(i), &v))
	}
	root, err := h.Write(ctx)
	check(err)
	fmt.Printf("written with bit width 5: %d keys\n", keys)

	read := func(how string, o ...hamt.Option) {
		h, err := hamt.LoadNode(ctx, store, root, o...)
		check(err)
		found, failed, visited := 0, 0, 0
		for i := range keys {
			var v cbg.CborInt
			ok, err := h.Find(ctx, key(i), &v)
			if err != nil {
				failed++
			}
			if ok {
				found++
			}
		}
		check(h.ForEach(ctx, func(string, *cbg.Deferred) error { visited++; return nil }))
		fmt.Printf("loaded with %s: Find has %d of %d, %d errors; ForEach visits %d\n", how, found, keys, failed, visited)
	}
	read("width 5", hamt.UseTreeBitWidth(5))
	read("the default")

	a, err := amt.NewAMT(store, amt.UseTreeBitWidth(5))
	check(err)
	v := cbg.CborInt(7)
	check(a.Set(ctx, 3, &v))
	root, err = a.Flush(ctx)
	check(err)
	_, err = amt.LoadAMT(ctx, store, root)
	fmt.Println("AMT written with bit width 5, loaded with the default:", err)
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
