package dev

import (
	"context"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/vm/crypto"
)

// moved answers a call that is told another epoch than that of the block which it is upon, or other randomness.
type moved struct {
	*world
	at     abi.ChainEpoch
	random *[32]byte // nil: the chain's
}

// ChainRandomness is that of externs.Externs. Above the chain it is the head's.
func (m *moved) ChainRandomness(ctx context.Context, epoch abi.ChainEpoch) ([32]byte, error) {
	if m.random != nil && epoch == m.at {
		return *m.random, nil
	}
	return m.world.ChainRandomness(ctx, min(epoch, m.block.Epoch()))
}

// BeaconRandomness is that of externs.Externs. Above the chain it is what the mock beacon will say, or the head's where the beacon is
// another.
func (m *moved) BeaconRandomness(ctx context.Context, epoch abi.ChainEpoch) ([32]byte, error) {
	if m.random != nil && epoch == m.at {
		return *m.random, nil
	}
	if head := m.block.Epoch(); epoch > head {
		if forced, ok := m.n.forced(epoch); ok {
			return forced, nil
		}
		if entry, err := m.n.beaconEntry(epoch); err == nil {
			return crypto.Blake2b256(entry.Data), nil
		}
		epoch = head
	}
	return m.world.BeaconRandomness(ctx, epoch)
}

// TipsetCID is that of externs.Externs. Above the chain it is the head's.
func (m *moved) TipsetCID(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	return m.world.TipsetCID(ctx, min(epoch, m.block.Epoch()))
}
