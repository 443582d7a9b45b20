package state_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/state"
)

// A multisig wallet's pending payment, by its path.
func Example() {
	ctx := context.Background()
	archive, err := os.Open("../../testdata/multisig.car")
	check(err)
	store := blockstore.NewMemory() // or any store that gives blocks
	roots, err := blockstore.LoadCAR(ctx, archive, store, blockstore.CAROptions{})
	check(err)
	tree, err := state.Open(ctx, store, roots[0], state.Options{})
	check(err)
	pending, err := tree.Get(ctx, "actors/f0119/state/PendingTxns")
	check(err)
	fmt.Println(pending.Shape())
	check(pending.Each(ctx, func(key string, payment *state.Node) error {
		view, err := payment.View(ctx, state.ViewOptions{})
		text, _ := json.Marshal(view)
		fmt.Println(key, string(text))
		return err
	}))
	// Output:
	// HAMT of transaction → Transaction
	// 0 {"To":"f1w7hxf7y4iounqwwtam3xqex27vpmydorli7x23y","Value":"176370927539264278","Method":0,"Params":"0x","Approved":["f0100"]}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
