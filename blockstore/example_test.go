package blockstore_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
)

// A scratch copy of a store: what is written goes on top, and what is below stays as it was.
func ExampleOverlay() {
	ctx := context.Background()
	base := blockstore.NewMemory()
	check(base.Put(ctx, blocks.NewBlock([]byte("below"))))
	scratch := &blockstore.Overlay{Top: blockstore.NewMemory(), Base: base}
	fresh := blocks.NewBlock([]byte("on top"))
	check(scratch.Put(ctx, fresh))
	above, err := scratch.Has(ctx, fresh.Cid())
	check(err)
	below, err := base.Has(ctx, fresh.Cid())
	check(err)
	fmt.Println(above, below)
	// Output: true false
}

// Blocks go into an archive and come out of it, each checked against its CID.
func ExampleLoadCAR() {
	ctx := context.Background()
	root := blocks.NewBlock([]byte("a block"))
	var archive bytes.Buffer
	check(blockstore.WriteCAR(&archive, []cid.Cid{root.Cid()}, func(yield func(blocks.Block, error) bool) { yield(root, nil) }))

	store := blockstore.NewMemory()
	roots, err := blockstore.LoadCAR(ctx, &archive, store, blockstore.CAROptions{MaxTotal: 1 << 20})
	check(err)
	b, err := store.Get(ctx, roots[0])
	check(err)
	fmt.Printf("%d block, %q\n", store.Len(), b.RawData())
	// Output: 1 block, "a block"
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
