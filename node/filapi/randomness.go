package filapi

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"golang.org/x/crypto/blake2b"
)

// randomness draws from a digest (Filecoin specification, "Drawing tickets and randomness").
func randomness(digest [32]byte, tag crypto.DomainSeparationTag, epoch abi.ChainEpoch, entropy []byte) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(tag))
	b = binary.BigEndian.AppendUint64(append(b, digest[:]...), uint64(epoch))
	sum := blake2b.Sum256(append(b, entropy...))
	return sum[:]
}

func (a *API) ticketDigest(ctx context.Context, epoch abi.ChainEpoch, key tipsetKey) ([32]byte, error) {
	ts, err := a.tipset(ctx, key)
	if err != nil {
		return [32]byte{}, err
	}
	return a.view(ts).ChainRandomness(ctx, epoch)
}

func (a *API) beaconDigest(ctx context.Context, epoch abi.ChainEpoch, key tipsetKey) ([32]byte, error) {
	ts, err := a.tipset(ctx, key)
	if err != nil {
		return [32]byte{}, err
	}
	return a.view(ts).BeaconRandomness(ctx, epoch, a.o.Chain.Network().BeaconRound)
}

func (m v1) StateGetRandomnessFromTickets(ctx context.Context, tag crypto.DomainSeparationTag, epoch abi.ChainEpoch, entropy []byte, key tipsetKey) (json.RawMessage, error) {
	d, err := m.ticketDigest(ctx, epoch, key)
	return m.out(randomness(d, tag, epoch, entropy), err)
}

func (m v1) StateGetRandomnessFromBeacon(ctx context.Context, tag crypto.DomainSeparationTag, epoch abi.ChainEpoch, entropy []byte, key tipsetKey) (json.RawMessage, error) {
	d, err := m.beaconDigest(ctx, epoch, key)
	return m.out(randomness(d, tag, epoch, entropy), err)
}

func (m v1) StateGetRandomnessDigestFromTickets(ctx context.Context, epoch abi.ChainEpoch, key tipsetKey) (json.RawMessage, error) {
	d, err := m.ticketDigest(ctx, epoch, key)
	return m.out(d[:], err)
}

func (m v1) StateGetRandomnessDigestFromBeacon(ctx context.Context, epoch abi.ChainEpoch, key tipsetKey) (json.RawMessage, error) {
	d, err := m.beaconDigest(ctx, epoch, key)
	return m.out(d[:], err)
}

// beaconLookback is how many tipsets are looked through for a round of the beacon.
const beaconLookback = 20

// StateGetBeaconEntry is the beacon's entry of an epoch, as the chain has it.
func (m v1) StateGetBeaconEntry(ctx context.Context, epoch abi.ChainEpoch) (json.RawMessage, error) {
	ts, err := m.o.Chain.Head(ctx)
	if err != nil {
		return m.out(nil, err)
	}
	if epoch > ts.Height() {
		return m.out(nil, fmt.Errorf("%s is in the future: the chain is at %d", epochText(epoch), ts.Height()))
	}
	epoch = max(epoch, 0)
	round, err := m.o.Chain.Network().BeaconRound(epoch)
	if err != nil {
		return m.out(nil, err)
	}
	if ts, err = m.view(ts).From(ctx, epoch); err != nil {
		return m.out(nil, err)
	}
	for range beaconLookback {
		for _, e := range ts.Blocks[0].BeaconEntries {
			if e.Round == round {
				return m.out(e, nil)
			}
		}
		if ts.Height() == 0 {
			break
		}
		if ts, err = m.o.Chain.Store().Parent(ctx, ts); err != nil {
			return m.out(nil, err)
		}
	}
	return m.out(nil, fmt.Errorf("no block near %s has round %d of the beacon", epochText(epoch), round))
}
