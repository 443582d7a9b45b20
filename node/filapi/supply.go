package filapi

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	netver "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/supply"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/state"
)

type supplyJSON struct {
	FilVested           big.Int
	FilMined            big.Int
	FilBurnt            big.Int
	FilLocked           big.Int
	FilCirculating      big.Int
	FilReserveDisbursed big.Int
}

// supplyOf is the circulating supply as messages at a tipset see it.
func supplyOf(ctx context.Context, c Chain, ts *chain.Tipset) (p supply.Parts, err error) {
	n := c.Network()
	rules := supply.Rules{Network: n, GenesisPledge: big.Zero()}
	load := func(ts *chain.Tipset) (*tree.Tree, error) {
		if err := c.Reach(ctx, ts); err != nil {
			return nil, err
		}
		return tree.Load(ctx, c.States(), ts.ParentStateRoot())
	}
	if ts.Height() <= n.Constants.Assembly { // later it does not count
		g, err := c.Genesis(ctx)
		if err != nil {
			return p, err
		}
		t, err := load(g)
		if err != nil {
			return p, err
		}
		if rules.GenesisPledge, err = supply.GenesisPledge(ctx, t); err != nil {
			return p, err
		}
	}
	t, err := load(ts)
	if err != nil {
		return p, err
	}
	return rules.At(ctx, ts.Height(), t)
}

func (a *API) supplyAt(ctx context.Context, ts *chain.Tipset) (*supplyJSON, error) {
	p, err := supplyOf(ctx, a.o.Chain, ts)
	return &supplyJSON{p.Vested, p.Mined, p.Burnt, p.Locked, p.Circulating, p.Disbursed}, err
}

func (m v1) StateVMCirculatingSupplyInternal(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(m.supplyAt(ctx, ts))
}

// held are actors whose balance nobody can spend.
var held = map[abi.ActorID]bool{0: true, 1: true, 2: true, 3: true, 4: true, 6: true, 7: true, 10: true, 90: true, 99: true, 122: true}

// StateCirculatingSupply is the exact supply: what all actors could spend. It looks at every actor.
func (m v1) StateCirculatingSupply(ctx context.Context, key tipsetKey) (json.RawMessage, error) {
	t, ts, err := m.stateAt(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	height := ts.Height() - 1
	version := m.o.Chain.Network().VersionAt(height)
	sum := big.Zero()
	err = t.Actors(ctx, state.ListOptions{Unsorted: true}, func(act *state.Actor) error {
		if act.Balance.Sign() == 0 || held[act.ID] {
			return nil
		}
		free, err := spendable(ctx, t, act, version, height)
		sum = big.Add(sum, free)
		return err
	})
	return m.out(sum, err)
}

// spendable is how much of an actor's balance is not locked.
func spendable(ctx context.Context, t *state.Tree, act *state.Actor, version netver.Version, height abi.ChainEpoch) (big.Int, error) {
	path := "actors/" + idText(act.ID) + "/state"
	switch kind := t.Kind(ctx, act.Code).Name; kind {
	case "storagemarket":
		if version >= netver.Version23 {
			return act.Balance, nil
		}
		n, err := t.Get(ctx, path)
		if err != nil {
			return big.Zero(), err
		}
		free := act.Balance
		for _, name := range []string{"TotalClientLockedCollateral", "TotalProviderLockedCollateral", "TotalClientStorageFee"} {
			free = big.Sub(free, field[big.Int](n.Value(), name))
		}
		return free, nil
	case "storageminer":
		n, err := t.Get(ctx, path)
		if err != nil {
			return big.Zero(), err
		}
		free, err := (&miner{act: act, state: n.Value()}).available()
		if err != nil {
			return big.Zero(), nil // it has less than it has locked
		}
		return free, nil
	case "multisig":
		n, err := t.Get(ctx, path)
		if err != nil {
			return big.Zero(), err
		}
		return big.Max(big.Sub(act.Balance, (&multisig{state: n.Value()}).locked(height)), big.Zero()), nil
	case "account", "paymentchannel", "ethaccount", "evm", "placeholder":
		return act.Balance, nil
	default:
		return big.Zero(), fmt.Errorf("unexpected actor: %s, of the kind %s", idText(act.ID), kind)
	}
}

type boundsJSON struct{ Min, Max big.Int }

// The collateral of deals (builtin-actors, actors/market/src/policy.rs), and what nodes put on top.
const (
	collateralTarget                     = 1 // hundredth of the supply
	collateralMargin, collateralMarginOf = 110, 100
)

var totalFilecoin = big.Mul(big.NewInt(2e9), big.NewInt(1e18))

func (m v1) StateDealProviderCollateralBounds(ctx context.Context, size abi.PaddedPieceSize, _ bool, key tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, key)
	if err != nil {
		return m.out(nil, err)
	}
	p, err := m.power(ctx, ts)
	if err != nil {
		return m.out(nil, err)
	}
	reward, err := at(ctx, p.t, "actors/f02/state")
	if err != nil {
		return m.out(nil, err)
	}
	s, err := m.supplyAt(ctx, ts)
	if err != nil {
		return m.out(nil, err)
	}
	share := big.NewIntUnsigned(uint64(size))
	of := big.Max(big.Max(p.total().RawBytePower, field[big.Int](reward.Value(), "ThisEpochBaselinePower")), share)
	if of.Sign() == 0 {
		return m.out(nil, errors.New("a piece of no size"))
	}
	least := big.Div(big.Mul(big.Mul(big.NewInt(collateralTarget), s.FilCirculating), share), big.Mul(big.NewInt(100), of))
	least = big.Div(big.Mul(least, big.NewInt(collateralMargin)), big.NewInt(collateralMarginOf))
	return m.out(boundsJSON{least, totalFilecoin}, nil)
}

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

// manifest is the bundle of actors that the network runs with a version. Of the version that the head runs it is the one that the state has.
func (a *API) manifest(ctx context.Context, v netver.Version) (*manifestOf, error) {
	head, err := a.o.Chain.Head(ctx)
	if err != nil {
		return nil, err
	}
	n := a.o.Chain.Network()
	t, err := a.tree(ctx, head)
	if err != nil {
		return nil, err
	}
	version, actors, err := n.Bundle(v)
	if err != nil {
		return nil, fmt.Errorf("invalid network version %d: %w", v, err)
	}
	own, ownActors, err := n.Bundle(n.VersionAt(max(head.Height()-1, 0)))
	if err == nil && own == version && ownActors == actors { // what the state has, whatever bundle that is
		list, err := t.Builtin(ctx)
		if err != nil {
			return nil, err
		}
		codes, err := t.Codes(ctx)
		if err != nil {
			return nil, err
		}
		out := &manifestOf{Manifest: bundle.ManifestOf(list)}
		for _, c := range codes {
			name, err := t.Name(ctx, c)
			if err != nil {
				return nil, err
			}
			out.Actors = append(out.Actors, bundle.Actor{Name: name, Code: c})
		}
		return out, nil
	}
	set, err := a.bundlesOf(ctx)
	if err != nil {
		return nil, err
	}
	b, err := set.Load(ctx, version, actors, blockstore.NewMemory())
	if err != nil {
		return nil, fmt.Errorf("could not find cids for network version %d, actors version %d: %w", v, version, err)
	}
	return &manifestOf{b.ManifestCID, b.Actors}, nil
}

type manifestOf struct {
	Manifest cid.Cid
	Actors   []bundle.Actor
}

// least is the power that a miner needs to have a say, and how long it waits to prove a sector, by the build of the network's nodes.
func (a *API) least() (l leastJSON) {
	switch a.o.Chain.Network().Actors {
	case "mainnet":
		return leastOfMainnet
	case "calibrationnet":
		return leastJSON{big.Lsh(big.NewInt(32), 30), 150}
	case "butterflynet":
		return leastJSON{big.Lsh(big.NewInt(2), 30), 150}
	}
	return leastJSON{big.NewInt(2048), 10}
}

var leastOfMainnet = leastJSON{big.Lsh(big.NewInt(10), 40), 150}

type leastJSON struct {
	power big.Int
	delay abi.ChainEpoch
}

type networkParamsJSON struct {
	NetworkName             string
	BlockDelaySecs          uint64
	ConsensusMinerMinPower  big.Int
	PreCommitChallengeDelay abi.ChainEpoch
	ForkUpgradeParams       upgradesJSON
	Eip155ChainID           uint64
	GenesisTimestamp        uint64
}

// upgradesJSON are the heights of upgrades in Lotus's order of names.
type upgradesJSON struct{ heights map[string]abi.ChainEpoch }

// MarshalJSON writes the heights.
func (u upgradesJSON) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, name := range upgradeNames {
		if i > 0 {
			out = append(out, ',')
		}
		h := u.heights[name]
		if name != "BreezeGasTampingDuration" {
			name = "Upgrade" + name + "Height"
		}
		out = fmt.Appendf(out, "%q:%d", name, h)
	}
	return append(out, '}'), nil
}

var upgradeNames = []string{
	"Smoke", "Breeze", "Ignition", "Liftoff", "Assembly", "Refuel", "Tape", "Kumquat", "BreezeGasTampingDuration", "Calico", "Persian", "Orange",
	"Claus", "Trust", "Norwegian", "Turbo", "Hyperdrive", "Chocolate", "OhSnap", "Skyr", "Shark", "Hygge", "Lightning", "Thunder", "Watermelon",
	"Dragon", "Phoenix", "Waffle", "Tuktuk", "Teep", "Tock", "GoldenWeek", "FireHorse", "Solstice",
}

// Heights of mainnet's build that are in no list of upgrades, as they change no rule of the machine.
const (
	mainnetClaus           = 343200
	mainnetPhoenixAfter    = 120 // after Dragon
	mainnetTampingDuration = 120
)

func (m v1) StateGetNetworkParams(ctx context.Context) (json.RawMessage, error) {
	name, err := m.networkName(ctx)
	if err != nil {
		return m.out(nil, err)
	}
	n := m.o.Chain.Network()
	least := m.least()
	if n.Constants.OfMainnet() {
		least = leastOfMainnet
	}
	return m.out(networkParamsJSON{
		NetworkName: name, BlockDelaySecs: n.BlockDelay, ConsensusMinerMinPower: least.power, PreCommitChallengeDelay: least.delay,
		ForkUpgradeParams: upgradesJSON{upgradesOf(n)}, Eip155ChainID: n.ChainID, GenesisTimestamp: n.GenesisTime,
	}, nil)
}

// upgradesOf are the heights of upgrades: those of a chain's list, and of its build where the list has none.
func upgradesOf(n *network.Network) map[string]abi.ChainEpoch {
	c := &n.Constants
	heights := map[string]abi.ChainEpoch{}
	if c.OfMainnet() {
		if main, ok := network.ByName("mainnet"); ok {
			for _, u := range main.Upgrades {
				heights[u.Name] = u.Height
			}
		}
		heights["Claus"], heights["Phoenix"] = mainnetClaus, heights["Dragon"]+mainnetPhoenixAfter
		heights["BreezeGasTampingDuration"] = mainnetTampingDuration
	} else {
		for i, name := range beforeGenesis {
			heights[name] = -abi.ChainEpoch(i)
		}
	}
	for name, h := range map[string]abi.ChainEpoch{
		"Smoke": c.Smoke, "Ignition": c.Ignition, "Liftoff": c.Liftoff, "Assembly": c.Assembly, "Calico": c.Calico,
		"Hyperdrive": c.Hyperdrive, "FireHorse": c.FireHorse,
	} {
		heights[name] = h
	}
	for _, u := range n.Upgrades {
		if u.Name != "" {
			heights[u.Name] = u.Height
		}
	}
	return heights
}

// beforeGenesis are the upgrades that development builds of Lotus have behind them, each at the height of its place below 0.
var beforeGenesis = []string{
	"BreezeGasTampingDuration", "Breeze", "Ignition", "Refuel", "Tape", "Assembly", "Liftoff", "Kumquat", "", "Calico", "Persian", "Orange", "Claus",
	"Trust", "Norwegian", "Turbo", "Hyperdrive", "Chocolate", "OhSnap", "Skyr", "Shark", "Hygge", "Lightning", "Thunder", "Watermelon",
	"Dragon", "Phoenix", "Waffle", "Tuktuk", "Teep", "Tock", "GoldenWeek", "FireHorse", "Solstice",
}

// mostEvents is how many tipsets back events are looked for by their root, of a chain that keeps what it executed.
const mostEvents = 2880

// events are those of a message, by the root in its receipt. No blockstore has their blocks.
func (a *API) events(ctx context.Context, root cid.Cid) ([]eventJSON, error) {
	if _, ok := a.o.Chain.(Heads); !ok {
		return nil, errors.New("events are not kept of this chain")
	}
	ts, err := a.o.Chain.Head(ctx)
	if err != nil {
		return nil, err
	}
	for range mostEvents {
		if ts.Height() == 0 {
			break
		}
		if ts, err = a.o.Chain.Store().Parent(ctx, ts); err != nil {
			return nil, err
		}
		if ts.Height() == 0 {
			break
		}
		done, err := a.o.Chain.Executed(ctx, ts)
		if err != nil {
			return nil, err
		}
		for _, r := range done.Results {
			if r.EventsRoot != nil && *r.EventsRoot == root {
				return eventsOut(r.Events), nil
			}
		}
	}
	return nil, fmt.Errorf("failed to load events: no message of the last %d tipsets has the root %s", mostEvents, root)
}
