package network

import (
	"encoding/hex"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
)

// Beacon is a source of randomness outside the chain, for the epochs from Start to the next one's.
type Beacon struct {
	// Start is the first epoch that takes from it.
	Start abi.ChainEpoch
	// Name: that of a drand chain ("incentinet", "mainnet", "quicknet"), of a rule for development ("epoch+100", "quick"), or
	// empty for a drand chain that a file describes.
	Name string
	// Mock: the round of an epoch is the epoch + 100, and its data the blake2b-256 of the round as 8 bytes, big endian.
	Mock bool
	// Chained: a block has an entry for each round since the last one. Otherwise it has one for each epoch since its parent's.
	Chained bool
	// GenesisTime is the time of round 1, in seconds since 1970. BeforeGenesis, if it is not 0, says it otherwise: seconds
	// before the genesis of the Filecoin chain.
	GenesisTime, BeforeGenesis uint64
	// Period is the time between rounds, in seconds.
	Period uint64
	// Key is drand's public key, by which its rounds are verified: 48 bytes in G1, or 96 in G2 with signatures in G1. Empty where
	// nobody signs (MockData), and where a file does not say.
	Key string
}

// MockData tells a beacon of a development chain, whose data nobody signs: that of a round is the blake2b-256 of the round as 8 bytes,
// big endian.
func (b *Beacon) MockData() bool { return b.Mock || b.BeforeGenesis != 0 }

// The beacons that networks use or used: the chain information that Lotus has of them (build/buildconstants/drand.go), and
// the two rules of development chains.
var beacons = []Beacon{
	{Name: "incentinet", Chained: true, GenesisTime: 1595873820, Period: 30,
		Key: unhex("8cad0c72c606ab27d36ee06de1d5b2db1faf92e447025ca37575ab3a8aac2eaae83192f846fc9e158bc738423753d000")},
	{Name: "mainnet", Chained: true, GenesisTime: 1595431050, Period: 30,
		Key: unhex("868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31")},
	{Name: "quicknet", GenesisTime: 1692803367, Period: 3,
		Key: unhex("83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a")},
	{Name: "epoch+100", Mock: true, Chained: true},
	{Name: "quick", BeforeGenesis: 1000, Period: 3},
}

func unhex(text string) string {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err) // of a constant
	}
	return string(b)
}

func beaconFrom(name string, start abi.ChainEpoch) (Beacon, bool) {
	for _, b := range beacons {
		if b.Name == name {
			b.Start = start
			return b, true
		}
	}
	return Beacon{}, false
}

func mustBeacon(name string, start abi.ChainEpoch) Beacon {
	b, ok := beaconFrom(name, start)
	if !ok {
		panic("no beacon " + name)
	}
	return b
}

// BeaconAt is the beacon of an epoch.
func (n *Network) BeaconAt(epoch abi.ChainEpoch) Beacon {
	at := n.Beacons[0]
	for _, b := range n.Beacons {
		if b.Start <= epoch {
			at = b
		}
	}
	return at
}

// BeaconRound is the latest round of the beacon that a block at an epoch holds, by Lotus's MaxBeaconRoundForEpoch: that of
// the time one epoch before. An error tells that it depends on the genesis' time, which is not known, or that there is no
// such epoch.
func (n *Network) BeaconRound(epoch abi.ChainEpoch) (uint64, error) {
	return n.RoundOf(n.BeaconAt(epoch), n.VersionAt(epoch), epoch)
}

// RoundOf is BeaconRound of a beacon by the rule of a version, whatever beacon and version the epoch has: a block's entries for the null
// rounds before it are all by its own.
func (n *Network) RoundOf(b Beacon, v network.Version, epoch abi.ChainEpoch) (uint64, error) {
	if b.Mock {
		if epoch < -100 {
			return 0, fmt.Errorf("epoch %d has no round", epoch)
		}
		return uint64(epoch) + 100, nil
	}
	t, err := n.TimestampAt(epoch)
	if err != nil {
		return 0, err
	}
	if t < n.BlockDelay {
		return 0, fmt.Errorf("the block before epoch %d would be before 1970", epoch)
	}
	t -= n.BlockDelay
	start := b.GenesisTime
	if b.BeforeGenesis != 0 {
		if n.GenesisTime < b.BeforeGenesis {
			return 0, fmt.Errorf("network %s: its beacon would start before 1970", n.Name)
		}
		start = n.GenesisTime - b.BeforeGenesis
	}
	if v <= network.Version15 {
		if t < start {
			return 0, fmt.Errorf("epoch %d is before round 1 of its beacon", epoch)
		}
		return (t - start) / b.Period, nil // one too low, as the network had it until version 15
	}
	if t < start {
		return 1, nil
	}
	return (t-start)/b.Period + 1, nil
}
