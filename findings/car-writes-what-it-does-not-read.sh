#!/usr/bin/env bash
# go-car: a block of more than 8 MiB is written, indexed and said to be there, and then not read.
#
# Package   github.com/ipld/go-car/v2 v2.17.0 (Go)
# Needs     Go 1.25 or newer
# Expected  A library reads by default what it writes by default. CAR has no limit of its own; a Filecoin snapshot with
#           the state of F3 in it (FRC-0108) carries one block of tens of MiB.
# Seen      Put and Finalize take such a block without a word. The same object's Get then refuses it, as does a store that
#           is opened anew, although Has, GetSize and the index know the block. Whoever reads the file from the front stops
#           at it and never comes to the blocks behind, even with SkipNext, which reads no payload. Package storage of
#           the same module has no limit there. The size counts the CID: 8 MiB - 38 with a CID of Filecoin's kind is the
#           last that passes. MaxAllowedSectionSize has to be given.
#
# What it printed, and must print:
#> block of 8388570 bytes: Put <nil>, Get of the writer <nil>, Finalize <nil>
#>   OpenReadOnly <nil>: Has true, GetSize 8388570, Get <nil>; the block behind it <nil>
#>   BlockReader.Next 3 blocks, EOF; SkipNext 3 blocks, EOF; Inspect <nil>
#>   storage.OpenReadable, Get: <nil>
#> block of 8388571 bytes: Put <nil>, Get of the writer invalid section data, length of read beyond allowable maximum, Finalize <nil>
#>   OpenReadOnly <nil>: Has true, GetSize 8388571, Get invalid section data, length of read beyond allowable maximum; the block behind it <nil>
#>   BlockReader.Next 1 blocks, invalid section data, length of read beyond allowable maximum; SkipNext 1 blocks, invalid section data, length of read beyond allowable maximum; Inspect invalid section data, length of read beyond allowable maximum
#>   storage.OpenReadable, Get: <nil>
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
	github.com/ipfs/go-cid v0.6.2
	github.com/ipld/go-car/v2 v2.17.0
	github.com/multiformats/go-multihash v0.2.3
)
EOF
cat > main.go <<'EOF'
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	block "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/ipld/go-car/v2"
	"github.com/ipld/go-car/v2/blockstore"
	"github.com/ipld/go-car/v2/storage"
	mh "github.com/multiformats/go-multihash"
)

func main() {
	ctx := context.Background()
	for _, size := range []int{8<<20 - 38, 8<<20 - 37} {
		first, large, last := newBlock(10, 'f'), newBlock(size, 'm'), newBlock(10, 'l')
		name := fmt.Sprint(size, ".car")
		w, err := blockstore.OpenReadWrite(name, []cid.Cid{first.Cid()})
		check(err)
		err = w.PutMany(ctx, []block.Block{first, large, last})
		_, got := w.Get(ctx, large.Cid())
		fmt.Printf("block of %d bytes: Put %v, Get of the writer %v, Finalize %v\n", size, err, got, w.Finalize())

		r, err := blockstore.OpenReadOnly(name)
		fmt.Printf("  OpenReadOnly %v: ", err)
		has, err := r.Has(ctx, large.Cid())
		check(err)
		n, err := r.GetSize(ctx, large.Cid())
		check(err)
		_, err = r.Get(ctx, large.Cid())
		_, behind := r.Get(ctx, last.Cid())
		fmt.Printf("Has %v, GetSize %d, Get %v; the block behind it %v\n", has, n, err, behind)
		check(r.Close())

		count := func(next func(*car.BlockReader) error) string {
			f, err := os.Open(name)
			check(err)
			defer f.Close()
			r, err := car.NewBlockReader(f)
			check(err)
			for n := 0; ; n++ {
				if err := next(r); err != nil {
					return fmt.Sprintf("%d blocks, %v", n, err)
				}
			}
		}
		next := count(func(r *car.BlockReader) error { _, err := r.Next(); return err })
		skip := count(func(r *car.BlockReader) error { _, err := r.SkipNext(); return err })
		f, err := os.Open(name)
		check(err)
		whole, err := car.NewReader(f)
		check(err)
		_, err = whole.Inspect(false)
		fmt.Printf("  BlockReader.Next %s; SkipNext %s; Inspect %v\n", next, skip, err)

		s, err := storage.OpenReadable(f)
		check(err)
		_, err = s.Get(ctx, large.Cid().KeyString())
		fmt.Println("  storage.OpenReadable, Get:", err)
		check(f.Close())
	}
}

// newBlock is a block of n bytes c, with a CID of 38 bytes as Filecoin's are.
func newBlock(n int, c byte) block.Block {
	data := bytes.Repeat([]byte{c}, n)
	sum, err := mh.Sum(data, mh.BLAKE2B_MIN+31, -1)
	check(err)
	b, err := block.NewBlockWithCid(data, cid.NewCidV1(cid.DagCBOR, sum))
	check(err)
	return b
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
