package chain

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/vm/crypto"
)

// beaconSearch is how many tipsets are looked through for a round of the beacon.
const beaconSearch = 20

// ChainRandomness is the digest of the ticket at an epoch, or of the next one above it if its round was null.
func (v *View) ChainRandomness(ctx context.Context, epoch abi.ChainEpoch) ([32]byte, error) {
	t, err := v.From(ctx, epoch)
	if err != nil {
		return [32]byte{}, err
	}
	return t.TicketDigest(), nil
}

// BeaconRandomness is the digest of the beacon's entry for an epoch. round tells the entry: it is looked for in the tipset at the epoch,
// or the next one above it, and then in those before, since on networks whose epochs are shorter than the beacon's period not
// every tipset has one.
func (v *View) BeaconRandomness(ctx context.Context, epoch abi.ChainEpoch, round func(abi.ChainEpoch) (uint64, error)) ([32]byte, error) {
	t, err := v.From(ctx, epoch)
	if err != nil {
		return [32]byte{}, err
	}
	if epoch < 0 {
		return v.latestEntry(ctx, t)
	}
	want, err := round(epoch)
	if err != nil {
		return [32]byte{}, err
	}
	for range beaconSearch {
		for _, e := range t.Blocks[0].BeaconEntries {
			if e.Round == want {
				return crypto.Blake2b256(e.Data), nil
			}
		}
		if t, err = v.line.store.Parent(ctx, t); err != nil {
			return [32]byte{}, err
		}
	}
	return [32]byte{}, fmt.Errorf("%w: no block has round %d of the beacon, which is epoch %d's", ErrTipset, want, epoch)
}

// latestEntry is the last entry of a tipset or, if it has none, of those before.
func (v *View) latestEntry(ctx context.Context, t *Tipset) ([32]byte, error) {
	for range beaconSearch {
		if e := t.Blocks[0].BeaconEntries; len(e) > 0 {
			return crypto.Blake2b256(e[len(e)-1].Data), nil
		}
		if t.Height() == 0 {
			break
		}
		var err error
		if t, err = v.line.store.Parent(ctx, t); err != nil {
			return [32]byte{}, err
		}
	}
	return [32]byte{}, fmt.Errorf("%w: no entry of the beacon", ErrTipset)
}
