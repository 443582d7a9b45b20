// Command externs runs a vector's messages on a chain of its own making: it answers what the actors ask of the chain, and
// tells who asked for what. What it cannot answer for this node's own reasons ends the machine; what the network's rules
// answer with an error, the actor hears.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/vector"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: externs VECTOR")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

// chain is a chain that everybody can foresee: randomness is a hash of the epoch. It must answer the same question the same
// way every time, and with several workers it is asked by several goroutines.
type chain struct {
	from abi.ChainEpoch // it knows nothing of epochs before
}

var _ externs.Externs = chain{}

// ChainRandomness is the digest that the kernel draws from, not the value that an actor gets.
func (c chain) ChainRandomness(_ context.Context, round abi.ChainEpoch) ([32]byte, error) {
	return c.digest("ticket", round)
}

func (c chain) BeaconRandomness(_ context.Context, round abi.ChainEpoch) ([32]byte, error) {
	return c.digest("beacon", round)
}

func (c chain) digest(what string, round abi.ChainEpoch) ([32]byte, error) {
	fmt.Println("asked for the", what, "of epoch", round)
	if round < c.from { // pruned: another node may have it, so that no actor may hear of it
		return [32]byte{}, fmt.Errorf("%w: this node has no epoch before %d", externs.ErrNodeFailure, c.from)
	}
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte(what), uint64(round))), nil
}

// VerifyConsensusFault has nothing to compare with: any error here is an illegal argument to the actor.
func (chain) VerifyConsensusFault(context.Context, []byte, []byte, []byte) (*externs.ConsensusFault, error) {
	return nil, errors.New("these are no headers of this chain")
}

// TipsetCID fails: every error of it ends the machine.
func (chain) TipsetCID(_ context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	return cid.Undef, fmt.Errorf("this chain has no tipset at epoch %d", epoch)
}

func run(ctx context.Context, path string) error {
	v, err := vector.Load(path)
	if err != nil {
		return err
	}
	actors := vector.NewActors(bundle.Options{Progress: os.Stderr})
	for _, from := range []abi.ChainEpoch{0, v.Variants()[0].Epoch} {
		fmt.Println("a chain that begins at epoch", from)
		s, err := vector.PrepareOn(ctx, v, 0, actors, nil, func(ctx context.Context, cfg fvm.Config) (vector.Machine, error) {
			cfg.Externs = chain{from}
			return fvm.New(ctx, cfg)
		})
		if err != nil {
			return err
		}
		for i := range s.Len() {
			res, err := s.Apply(ctx, i)
			if err != nil {
				fmt.Println("no receipt; is it the node's failure:", errors.Is(err, externs.ErrNodeFailure))
				break // the machine refuses further use
			}
			fmt.Println("exit code", int64(res.ExitCode), "gas", res.GasUsed)
		}
	}
	return nil
}
