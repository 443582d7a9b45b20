package ffi

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/externs"
	"github.com/filecoin-project/filecoin-ffi/cgo"
)

// chain asks the node what only a chain can answer.
type chain struct{ node cgo.Externs }

// guard turns a panic of the node's code into a failure of the node, instead of one that runs through the machine.
func guard(what string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %s panicked: %v", externs.ErrNodeFailure, what, p)
	}
}

func (c chain) ChainRandomness(ctx context.Context, round abi.ChainEpoch) (r [32]byte, err error) {
	defer guard("GetChainRandomness", &err)
	return c.node.GetChainRandomness(ctx, round)
}

func (c chain) BeaconRandomness(ctx context.Context, round abi.ChainEpoch) (r [32]byte, err error) {
	defer guard("GetBeaconRandomness", &err)
	return c.node.GetBeaconRandomness(ctx, round)
}

func (c chain) TipsetCID(ctx context.Context, epoch abi.ChainEpoch) (k cid.Cid, err error) {
	defer guard("TipsetCid", &err)
	k, err = c.node.TipsetCid(ctx, epoch)
	if err == nil && !k.Defined() {
		err = errors.New("TipsetCid gave no CID")
	}
	return k, err
}

// The gas that the node counts is not charged, on the network either.
func (c chain) VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (f *externs.ConsensusFault, err error) {
	defer guard("VerifyConsensusFault", &err)
	found, _ := c.node.VerifyConsensusFault(ctx, bytes.Clone(h1), bytes.Clone(h2), bytes.Clone(extra))
	switch {
	case found == nil:
		return nil, fmt.Errorf("%w: VerifyConsensusFault gave nothing", externs.ErrNodeFailure)
	case found.Type == cgo.ConsensusFaultNone:
		return nil, nil
	case found.Type < cgo.ConsensusFaultNone || found.Type > cgo.ConsensusFaultTimeOffsetMining:
		return nil, fmt.Errorf("%d is no type of consensus fault", found.Type)
	}
	id, err := address.IDFromAddress(found.Target)
	if err != nil {
		return nil, fmt.Errorf("the miner at fault: %w", err)
	}
	return &externs.ConsensusFault{Target: abi.ActorID(id), Epoch: found.Epoch, Type: uint32(found.Type)}, nil
}

// store is the node's blockstore.
type store struct{ node cgo.Externs }

func (s store) Has(ctx context.Context, c cid.Cid) (has bool, err error) {
	defer guard("Has", &err)
	return s.node.Has(ctx, c)
}

// Get reads through View, as the original does; what View shows is only lent.
func (s store) Get(ctx context.Context, c cid.Cid) (b blocks.Block, err error) {
	defer guard("View", &err)
	var data []byte
	if err := s.node.View(ctx, c, func(lent []byte) error {
		data = append([]byte{}, lent...)
		return nil
	}); err != nil {
		return nil, err
	}
	if data == nil {
		return nil, fmt.Errorf("%w: View of %s showed nothing", externs.ErrNodeFailure, c)
	}
	return blocks.NewBlockWithCid(data, c)
}

func (s store) Put(ctx context.Context, b blocks.Block) (err error) {
	defer guard("Put", &err)
	return s.node.Put(ctx, b)
}

func (s store) PutMany(ctx context.Context, list []blocks.Block) (err error) {
	defer guard("PutMany", &err)
	return s.node.PutMany(ctx, list)
}
