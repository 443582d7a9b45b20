// Command tipset executes a whole tipset on a state, as a node does: cron for the null round before it, the messages of two
// blocks, the rewards of their miners, cron; on as many cores as there are.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"runtime"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
)

// The state in lab/fuzz/worlds/nv28.car.gz has been left by the tipset before this one's null round. Three of its accounts,
// with the nonces of their next messages:
const (
	epoch                = 5800077
	alice, bob, miner    = 100, 101, 102
	aliceNonce, bobNonce = 7, 3
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: tipset lab/fuzz/worlds/nv28.car.gz")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, path string) error {
	store, cfg, err := open(ctx, path)
	if err != nil {
		return err
	}
	first := transfer(alice, aliceNonce, bob)
	res, err := fvm.ApplyTipset(ctx, fvm.Tipset{
		Config: cfg, ParentEpoch: epoch - 2, Workers: runtime.GOMAXPROCS(0),
		// A node sets here what belongs to the round at hand: network version, supply, a migration of the state.
		Round: func(_ context.Context, cfg fvm.Config) (fvm.Config, error) {
			fmt.Println("epoch", cfg.Epoch, "at", cfg.Timestamp)
			return cfg, nil
		},
		Blocks: []fvm.TipsetBlock{
			{Miner: id(miner), WinCount: 1, Messages: []fvm.ChainMessage{first}},
			// The second block has the first message too: it runs once.
			{Miner: id(miner), WinCount: 2, Messages: []fvm.ChainMessage{first, transfer(bob, bobNonce, alice)}},
		},
	})
	if err != nil {
		return err
	}
	for _, r := range res.Receipts {
		fmt.Println("exit code", int64(r.ExitCode), "gas", r.GasUsed, "tip", r.MinerTip)
	}
	fmt.Println(len(res.NullRounds), "null round,", len(res.Rewards), "rewards, cron's exit code", int64(res.Cron.ExitCode))
	fmt.Println("state", res.Root)
	there, err := store.Has(ctx, res.Root) // it has been flushed
	fmt.Println("in the store:", there)
	return err
}

// open reads a state, and lays the actors that it names beside it.
func open(ctx context.Context, path string) (blockstore.Blockstore, fvm.Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fvm.Config{}, err
	}
	defer file.Close()
	store := blockstore.NewMemory()
	roots, err := blockstore.LoadCAR(ctx, file, store, blockstore.CAROptions{})
	if err != nil {
		return nil, fvm.Config{}, err
	}
	set, err := bundle.Open(ctx, bundle.Options{Progress: os.Stderr})
	if err != nil {
		return nil, fvm.Config{}, err
	}
	if _, err := set.Load(ctx, 18, "mainnet", store); err != nil {
		return nil, fvm.Config{}, err
	}
	return store, fvm.Config{
		NetworkVersion: 28, Epoch: epoch, Timestamp: epoch * 30, ChainID: 314, BaseFee: big.NewInt(100),
		CircSupply: big.Mul(big.NewInt(700_000_000), big.NewInt(1e18)), StateRoot: roots[0], Blockstore: store,
	}, nil
}

func transfer(from, nonce, to uint64) fvm.ChainMessage {
	return fvm.ChainMessage{ChainLength: 120, Message: &fvm.Message{
		From: id(from), To: id(to), Nonce: nonce, Value: big.NewInt(1), GasLimit: 2_000_000, GasFeeCap: big.NewInt(1000), GasPremium: big.NewInt(7),
	}}
}

func id(n uint64) address.Address {
	a, err := address.NewIDAddress(n)
	if err != nil {
		log.Fatal(err)
	}
	return a
}
