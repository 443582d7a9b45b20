package externs_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/externs"
)

// chain answers from what a node keeps of its chain: here, from two maps. It goes into fvm.Config.Externs.
type chain struct {
	tickets map[abi.ChainEpoch][32]byte // digests
	keys    map[abi.ChainEpoch]cid.Cid  // of tipsets
}

var _ externs.Externs = chain{}

func (c chain) ChainRandomness(_ context.Context, round abi.ChainEpoch) ([32]byte, error) {
	d, ok := c.tickets[round]
	if !ok { // this node lacks a part of the chain: no actor may hear of that
		return d, fmt.Errorf("%w: no ticket of epoch %d", externs.ErrNodeFailure, round)
	}
	return d, nil
}

func (c chain) BeaconRandomness(_ context.Context, round abi.ChainEpoch) (d [32]byte, err error) {
	binary.BigEndian.PutUint64(d[:], uint64(round)) // a beacon of a development network, which anybody can foresee
	return d, nil
}

func (c chain) VerifyConsensusFault(_ context.Context, _, _, _ []byte) (*externs.ConsensusFault, error) {
	return nil, errors.New("these are no block headers") // the actor hears an illegal argument
}

func (c chain) TipsetCID(_ context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	if k, ok := c.keys[epoch]; ok {
		return k, nil
	}
	return cid.Undef, fmt.Errorf("%w: no tipset at epoch %d", externs.ErrNodeFailure, epoch)
}

// Two kinds of error: what the network's rules give to an actor, and what is this node's alone.
func Example() {
	ctx := context.Background()
	c := chain{tickets: map[abi.ChainEpoch][32]byte{100: {1, 2, 3}}}
	_, err := c.ChainRandomness(ctx, 101)
	fmt.Println(errors.Is(err, externs.ErrNodeFailure), err)
	_, err = c.VerifyConsensusFault(ctx, nil, nil, nil)
	fmt.Println(errors.Is(err, externs.ErrNodeFailure), err)
	// Output:
	// true failure of the node: no ticket of epoch 101
	// false these are no block headers
}
