package bundle_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
)

// The actors of network version 28, added to a store. The first call may download the Go module that has them.
func ExampleSet_Load() {
	ctx := context.Background()
	version, err := bundle.VersionFor(28)
	check(err)
	set, err := bundle.Open(ctx, bundle.Options{})
	check(err)
	store := blockstore.NewMemory()
	actors, err := set.Load(ctx, version, "mainnet", store)
	check(err)
	fmt.Println("version", actors.Version, "of", actors.Network, "has", len(actors.Actors), "actors")
	fmt.Println(actors.Actors[0].Name, actors.Actors[0].Code)
	// Output:
	// version 18 of mainnet has 16 actors
	// system bafk2bzaceb6wbrd6oqnplfdawnu6n27gwwajtfj4xjq3k54uq77ynniniyzce
}

// A program keeps bundles from elsewhere in a folder of its own.
func ExampleAdd() {
	const folder = "my-bundles"
	ctx := context.Background()
	car, err := os.Open("builtin-actors-mainnet.car")
	check(err)
	defer car.Close()
	a, err := bundle.Add(ctx, car, folder, bundle.AddOptions{Version: 19, Network: "mainnet"})
	check(err)
	fmt.Println(a.ManifestCID, "lies in", a.Path)

	set, err := bundle.Open(ctx, bundle.Options{Added: folder})
	check(err)
	store, err := set.Store(ctx, 19, "mainnet")
	check(err)
	_ = store // the lower layer of a machine's store
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
