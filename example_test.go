package fvm_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"log"
	"os"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
)

// A signer of a multisig wallet approves a proposed payment. The state comes
// from a CAR file, the actors' code from a bundle.
func Example() {
	ctx := context.Background()
	store := blockstore.NewMemory()
	state, err := os.Open("testdata/multisig.car")
	check(err)
	roots, err := blockstore.LoadCAR(ctx, state, store, blockstore.CAROptions{})
	check(err)
	actors, err := bundle.Open(ctx, bundle.Options{})
	check(err)
	_, err = actors.Load(ctx, 18, "mainnet", store)
	check(err)

	raw, err := hex.DecodeString("8a005502c16ef12b8a4fb3eb06dfee03aaac50e00c0bbc5a55019b294680e03bc8ff812e0cd71c5c51858ff9e7e404401a00ae17274200c844000186a0035824820058205ed57de4adb06f3b93e32988ccf815cca6920fccbb0d6bba21cb0b3294305e68")
	check(err)
	msg, err := fvm.DecodeMessage(raw)
	check(err)
	m, err := fvm.New(ctx, fvm.Config{
		NetworkVersion: 28, Epoch: 5800470, Timestamp: 1772320500, ChainID: 314, BaseFee: big.NewInt(100),
		StateRoot: roots[0], Blockstore: store,
	})
	check(err)
	res, err := m.Apply(ctx, msg, fvm.Explicit, len(raw)+69) // with its secp256k1 signature
	check(err)
	root, err := m.Flush(ctx)
	check(err)
	fmt.Println("exit code", int64(res.ExitCode), "gas", res.GasUsed)
	fmt.Println(root)
	// Output:
	// exit code 0 gas 8383915
	// bafy2bzacebx4peh4umjsg3ssocjp7mc35usrtjup7mxincuyxbyrnf24pfems
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
