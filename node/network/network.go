package network

import (
	"fmt"
	"math/bits"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/bundle"
)

// Network describes a network.
type Network struct {
	// Name, such as "mainnet".
	Name string
	// AddressPrefix is the letter that its nodes write addresses with: "f" on mainnet, "t" elsewhere. It bears on no result.
	AddressPrefix string
	// ChainID is its number by EIP-155.
	ChainID uint64
	// Genesis is the block of epoch 0, and GenesisTime its time in seconds since 1970. Undefined and 0 where each chain of the
	// network has its own, as networks for development have: [Network.WithGenesis] tells them.
	Genesis     cid.Cid
	GenesisTime uint64
	// BlockDelay is how long an epoch lasts, in seconds.
	BlockDelay uint64
	// Actors is the network by whose name the bundles of actors go, such as "calibrationnet".
	Actors string
	// Upgrades in the order of their heights. The first has the height -1: it is the version of the genesis.
	Upgrades []Upgrade
	// Beacons in the order of their first epochs.
	Beacons []Beacon
	// Constants of the nodes' build.
	Constants Constants
}

// Upgrade is a change of the network's version, or of its state, or of both.
type Upgrade struct {
	// Name by which people know it, such as "Dragon"; may be empty.
	Name string
	// Height is the last epoch of the version before. The state is migrated after the tipset at Height, or after the null
	// round that it is, before anything above it is executed.
	Height abi.ChainEpoch
	// Version holds from Height + 1 on.
	Version network.Version
	// Migrates tells whether the state is changed.
	Migrates bool
}

// Constants are those constants of a node's build that bear on results. They are heights of certain upgrades as the build
// has them, which need not be in the schedule of a chain: a development chain that begins at version 29 by a build with
// mainnet's constants counts as before Hyperdrive at epoch 100.
type Constants struct {
	// ActorDebugging lets actors write logs, for gas.
	ActorDebugging bool
	// Smoke: base fee, blocks are counted with the packing efficiency up to here.
	Smoke abi.ChainEpoch
	// Ignition, Liftoff, Calico: which table of vesting holds, and where it starts. Assembly: from here on the reserve
	// counts into the circulating supply.
	Ignition, Assembly, Liftoff, Calico abi.ChainEpoch
	// Hyperdrive: senders of a tipset's messages are told apart by their IDs from here on.
	Hyperdrive abi.ChainEpoch
	// FireHorse: the base fee follows premiums from here on (FIP-0115).
	FireHorse abi.ChainEpoch
	// WatermelonFix: consensus faults within a finality of it do not count, if it is positive.
	WatermelonFix abi.ChainEpoch
	// TockFix: where it is positive, the upgrade Teep brought other actors first.
	TockFix abi.ChainEpoch
	// Dragon and Tuktuk: what the migrations to versions 22 and 24 take for their upgrades' heights, whatever the schedule says.
	Dragon, Tuktuk abi.ChainEpoch
	// InitialFilReserved is the reserve's balance at the genesis, and TeepInitialFilReserved what it is taken to have been
	// from version 25 on (FIP-0100), in attoFIL.
	InitialFilReserved, TeepInitialFilReserved big.Int
	// ConsensusMinerMinPower is how much raw power a miner must have to make blocks once four miners have as much, in bytes.
	ConsensusMinerMinPower big.Int
	// TuktukPowerRampDuration is what the migration to version 24 writes into the power actor, in epochs (FIP-0081).
	TuktukPowerRampDuration uint64
}

// mainnetSmoke is Smoke of mainnet's build.
const mainnetSmoke = 51000

// OfMainnet tells a build with mainnet's constants: a few that are of no other build are not kept here. Lotus's integration tests run
// other schedules on it.
func (c *Constants) OfMainnet() bool { return c.Smoke == mainnetSmoke }

// GenesisVersion is the version of the genesis.
func (n *Network) GenesisVersion() network.Version { return n.Upgrades[0].Version }

// VersionAt is the version at an epoch. At the height of an upgrade it is still the one before.
func (n *Network) VersionAt(epoch abi.ChainEpoch) network.Version {
	v := n.GenesisVersion()
	for _, u := range n.Upgrades {
		if u.Height >= epoch {
			break
		}
		v = u.Version
	}
	return v
}

// UpgradeAt is the upgrade whose height is the epoch.
func (n *Network) UpgradeAt(epoch abi.ChainEpoch) (Upgrade, bool) {
	for _, u := range n.Upgrades[1:] {
		if u.Height == epoch {
			return u, true
		}
	}
	return Upgrade{}, false
}

// Epochs tells when a version holds: from its first epoch to its last, or to -1 if no end is known; ok is false if it
// never does.
func (n *Network) Epochs(v network.Version) (first, last abi.ChainEpoch, ok bool) {
	last = -1
	for _, u := range n.Upgrades {
		switch {
		case u.Version == v && !ok:
			first, ok = u.Height+1, true
		case u.Version > v && ok && last < 0:
			last = u.Height
		}
	}
	return first, last, ok && (last < 0 || first <= last)
}

// Bundle names the actors that a version of the network runs, as package bundle has them, such as 18 and "mainnet". The
// error wraps [bundle.ErrNotFound] for versions without actors in Wasm: 15 and below.
func (n *Network) Bundle(v network.Version) (version int, actors string, err error) {
	version, err = bundle.VersionFor(v)
	return version, n.Actors, err
}

// WithGenesis is the network with another genesis.
func (n *Network) WithGenesis(block cid.Cid, time uint64) *Network {
	of := *n
	of.Genesis, of.GenesisTime = block, time
	return &of
}

// TimestampAt is the time of an epoch, in seconds since 1970: that of each block at it. An error tells that the genesis'
// time is not known, or that there is no such epoch.
func (n *Network) TimestampAt(epoch abi.ChainEpoch) (uint64, error) {
	if n.GenesisTime == 0 {
		return 0, fmt.Errorf("network %s: the time of the genesis is not known: each chain has its own", n.Name)
	}
	if epoch < 0 {
		return 0, fmt.Errorf("epoch %d is negative", epoch)
	}
	hi, lo := bits.Mul64(uint64(epoch), n.BlockDelay)
	t, carry := bits.Add64(lo, n.GenesisTime, 0)
	if hi != 0 || carry != 0 {
		return 0, fmt.Errorf("epoch %d is later than time can be told", epoch)
	}
	return t, nil
}

// EpochAt is the epoch that lasts at a time, in seconds since 1970.
func (n *Network) EpochAt(time uint64) (abi.ChainEpoch, error) {
	switch {
	case n.GenesisTime == 0:
		return 0, fmt.Errorf("network %s: the time of the genesis is not known: each chain has its own", n.Name)
	case time < n.GenesisTime:
		return 0, fmt.Errorf("%d is before the genesis of network %s, which was at %d", time, n.Name, n.GenesisTime)
	}
	return abi.ChainEpoch((time - n.GenesisTime) / n.BlockDelay), nil
}
