package pebble_test

import (
	"context"
	"fmt"
	"log"
	"os"

	blocks "github.com/ipfs/go-block-format"

	"github.com/edgefvm/fvm/blockstore/pebble"
)

// A block is on the disk when Put returns, and there when the store is opened again.
func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "pebble-example-")
	check(err)
	defer os.RemoveAll(dir)
	b := blocks.NewBlock([]byte("a block"))
	store, err := pebble.Open(dir)
	check(err)
	check(store.Put(ctx, b))
	check(store.Close())

	store, err = pebble.Open(dir)
	check(err)
	again, err := store.Get(ctx, b.Cid())
	check(err)
	fmt.Printf("%s\n", again.RawData())
	check(store.Close())
	// Output: a block
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
