package carfile_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/blockstore/carfile"
)

// An archive on disk is a store for machines: it is read from, and a layer above it takes what is written.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "export.car")
	b := blocks.NewBlock([]byte("a block"))
	f, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	err = blockstore.WriteCAR(f, []cid.Cid{b.Cid()}, func(yield func(blocks.Block, error) bool) { yield(b, nil) })
	if err != nil {
		log.Fatal(err)
	}
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	archive, err := carfile.Open(ctx, path, carfile.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer archive.Close()
	store := &blockstore.Overlay{Top: blockstore.NewMemory(), Base: archive}
	got, err := store.Get(ctx, archive.Roots()[0])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", got.RawData())
	// Output: a block
}
