package validate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"

	vmcrypto "github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/network"
)

// entrySearch is how many tipsets are looked through for the latest entry of the beacon.
const entrySearch = 20

// latestEntry is the last entry of the beacon in a tipset, or in the ones before it.
func latestEntry(ctx context.Context, store *chain.Store, t *chain.Tipset) (*chain.BeaconEntry, error) {
	for range entrySearch {
		if e := t.Blocks[0].BeaconEntries; len(e) > 0 {
			return &e[len(e)-1], nil
		}
		if t.Height() == 0 {
			return nil, brokenf("no block before it has an entry of the beacon")
		}
		var err error
		if t, err = store.Parent(ctx, t); err != nil {
			return nil, gone(err)
		}
	}
	return nil, brokenf("the %d tipsets before it have no entry of the beacon", entrySearch)
}

// entries tells whether a block's entries of the beacon are those of the epochs since its parents, and signed.
func (j *judge) entries() error {
	if j.beaconErr != nil {
		return j.beaconErr
	}
	n, list := j.rules.Network, j.h.BeaconEntries
	b := n.BeaconAt(j.epoch)
	if b.Start != n.BeaconAt(j.parent.Height()).Start && b.Chained {
		// The first of another chained beacon brings the round before it along, which nobody could check otherwise.
		if len(list) != 2 {
			return brokenf("%d entries, and 2 are wanted where the beacon changes", len(list))
		}
		return verifyEntry(&b, &list[1], list[0].Data)
	}
	latest, err := n.RoundOf(b, j.version, j.epoch)
	if err != nil {
		return brokenf("%v", err)
	}
	previous := *j.beacon
	switch {
	case latest == previous.Round && len(list) == 0:
		return nil // an epoch shorter than the beacon's period
	case latest == previous.Round:
		return brokenf("%d entries, and the chain has round %d already", len(list), latest)
	case len(list) == 0:
		return brokenf("no entry, and round %d is wanted", latest)
	case b.Chained && previous.Round == 0:
		return nil // Quirk: the first after a genesis is not checked
	}
	if last := list[len(list)-1].Round; last != latest {
		return brokenf("the last entry is of round %d, and %d is wanted", last, latest)
	}
	for i := range list {
		if b.Chained {
			break // each proves the one before it
		}
		at := j.parent.Height() + 1 + abi.ChainEpoch(i)
		if want, err := n.RoundOf(b, j.version, at); err != nil || list[i].Round != want {
			return brokenf("entry %d is of round %d, and %d is wanted for epoch %d", i, list[i].Round, want, at)
		}
	}
	for i := range list {
		if err := verifyEntry(&b, &list[i], previous.Data); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		previous = list[i]
	}
	return nil
}

// verifyEntry tells whether a round is a beacon's: drand signs the hash of the round, in a chained beacon with the signature before it in
// front (drand's schemes pedersen-bls-chained, pedersen-bls-unchained and bls-unchained-g1-rfc9380).
func verifyEntry(b *network.Beacon, e *chain.BeaconEntry, previous []byte) error {
	round := binary.BigEndian.AppendUint64(nil, e.Round)
	if b.MockData() {
		if want := vmcrypto.Blake2b256(round); string(e.Data) != string(want[:]) {
			return brokenf("the data of round %d is not what the beacon for tests has", e.Round)
		}
		return nil
	}
	if b.Key == "" {
		return absentf("the network's description has no public key of the beacon")
	}
	if !b.Chained {
		previous = nil
	}
	digest, ok := sha256.Sum256(append(previous[:len(previous):len(previous)], round...)), false
	switch {
	case len(b.Key) == vmcrypto.BLSLongKeyLen && len(e.Data) == vmcrypto.BLSShortSignatureLen:
		ok = vmcrypto.VerifyBLSShort([vmcrypto.BLSShortSignatureLen]byte(e.Data), [vmcrypto.BLSLongKeyLen]byte([]byte(b.Key)), digest[:])
	case len(b.Key) == vmcrypto.BLSKeyLen && len(e.Data) == vmcrypto.BLSSignatureLen:
		ok = vmcrypto.VerifyBLSAggregate([vmcrypto.BLSSignatureLen]byte(e.Data), [][vmcrypto.BLSKeyLen]byte{[vmcrypto.BLSKeyLen]byte([]byte(b.Key))}, [][]byte{digest[:]})
	}
	if !ok {
		return brokenf("the signature of round %d is not drand's", e.Round)
	}
	return nil
}
