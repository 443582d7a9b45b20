package bundle_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
)

// The actors of a network version, with all their code.
func ExampleSet_Load() {
	ctx := context.Background()
	set, err := bundle.Open(ctx, bundle.Options{Progress: os.Stderr})
	if err != nil {
		log.Fatal(err)
	}
	version, err := bundle.VersionFor(28)
	if err != nil {
		log.Fatal(err)
	}
	b, err := set.Load(ctx, version, "mainnet", blockstore.NewMemory())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("v%d/%s has %d actors\n", b.Version, b.Network, len(b.Actors))
	// Output: v18/mainnet has 16 actors
}

// A program keeps bundles from elsewhere in a folder of its own.
func ExampleAdd() {
	const folder = "my-bundles"
	car, err := os.Open("builtin-actors-mainnet.car")
	if err != nil {
		log.Fatal(err)
	}
	defer car.Close()
	ctx := context.Background()
	a, err := bundle.Add(ctx, car, folder, bundle.AddOptions{Version: 19, Network: "mainnet"})
	if errors.Is(err, bundle.ErrTaken) {
		log.Fatal("it would take the place of another: ", err)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.ManifestCID, "lies in", a.Path)

	set, err := bundle.Open(ctx, bundle.Options{Added: folder})
	if err != nil {
		log.Fatal(err)
	}
	store, err := set.Store(ctx, 19, "mainnet")
	if err != nil {
		log.Fatal(err)
	}
	_ = store // the lower layer of a machine's store
}
