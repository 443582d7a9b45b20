package filapi

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	netver "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/node/network"
)

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
