package network

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
)

// steps are the upgrades of the networks in their order: chain/consensus/filcns/upgrades.go of Lotus v1.36.3. Those that
// only mended calibnet's state are among them.
var steps = []Upgrade{
	{Name: "Breeze", Version: 1, Migrates: true},
	{Name: "Smoke", Version: 2},
	{Name: "Ignition", Version: 3, Migrates: true},
	{Name: "Refuel", Version: 3, Migrates: true},
	{Name: "Assembly", Version: 4, Migrates: true},
	{Name: "Tape", Version: 5},
	{Name: "Liftoff", Version: 5, Migrates: true},
	{Name: "Kumquat", Version: 6},
	{Name: "Calico", Version: 7, Migrates: true},
	{Name: "Persian", Version: 8},
	{Name: "Orange", Version: 9},
	{Name: "Trust", Version: 10, Migrates: true},
	{Name: "Norwegian", Version: 11},
	{Name: "Turbo", Version: 12, Migrates: true},
	{Name: "Hyperdrive", Version: 13, Migrates: true},
	{Name: "Chocolate", Version: 14, Migrates: true},
	{Name: "OhSnap", Version: 15, Migrates: true},
	{Name: "Skyr", Version: 16, Migrates: true},
	{Name: "Shark", Version: 17, Migrates: true},
	{Name: "Hygge", Version: 18, Migrates: true},
	{Name: "Lightning", Version: 19, Migrates: true},
	{Name: "Thunder", Version: 20},
	{Name: "Watermelon", Version: 21, Migrates: true},
	{Name: "WatermelonFix", Version: 21, Migrates: true},
	{Name: "WatermelonFix2", Version: 21, Migrates: true},
	{Name: "Dragon", Version: 22, Migrates: true},
	{Name: "CalibrationDragonFix", Version: 22, Migrates: true},
	{Name: "Waffle", Version: 23, Migrates: true},
	{Name: "Tuktuk", Version: 24, Migrates: true},
	{Name: "Teep", Version: 25, Migrates: true},
	{Name: "Tock", Version: 26},
	{Name: "TockFix", Version: 26, Migrates: true},
	{Name: "GoldenWeek", Version: 27, Migrates: true},
	{Name: "FireHorse", Version: 28, Migrates: true},
	{Name: "Solstice", Version: 29, Migrates: true},
}

// schedule is the upgrades at the given heights, after a genesis of a version. A step without a height is not taken.
func schedule(genesis network.Version, heights map[string]abi.ChainEpoch) []Upgrade {
	list := []Upgrade{{Name: "genesis", Height: -1, Version: genesis}}
	for _, s := range steps {
		if h, ok := heights[s.Name]; ok {
			s.Height = h
			list = append(list, s)
		}
	}
	return list
}

func fil(whole int64) big.Int { return big.Mul(big.NewInt(whole), big.NewInt(1e18)) }

const yearInEpochs = 365 * 2880

// minPower is what a network's builds and its actors have for ConsensusMinerMinPower, by the network that the actors are of.
func minPower(actors string) big.Int {
	switch {
	case actors == "calibrationnet":
		return big.NewInt(32 << 30)
	case actors == "butterflynet":
		return big.NewInt(2 << 30)
	case actors == "caterpillarnet" || actors == "devnet" || strings.HasPrefix(actors, "testing"):
		return big.NewInt(2 << 10)
	}
	return big.NewInt(10 << 40)
}

// Heights of builds that migrations take.
const (
	mainnetDragon     = 3855360
	mainnetTuktuk     = 4461240
	developmentDragon = -25
	developmentTuktuk = -28
)

// mainnetConstants are those of build/buildconstants/params_mainnet.go, and of params_shared_vals.go.
func mainnetConstants() Constants {
	return Constants{
		Smoke: mainnetSmoke, Ignition: 94000, Assembly: 138720, Liftoff: 148888, Calico: 265200, Hyperdrive: 892800, FireHorse: 6052800,
		WatermelonFix: -1, TockFix: -1, Dragon: mainnetDragon, Tuktuk: mainnetTuktuk, ConsensusMinerMinPower: minPower("mainnet"),
		InitialFilReserved: fil(300_000_000), TeepInitialFilReserved: fil(300_000_000), TuktukPowerRampDuration: yearInEpochs,
	}
}

// developmentConstants are those of networks that begin with all upgrades behind them: params_2k.go, params_interop.go and
// params_butterfly.go. The few that differ are set by each.
func developmentConstants(teepReserve int64) Constants {
	return Constants{
		Smoke: -1, Ignition: -2, Assembly: -5, Liftoff: -6, Calico: -9, Hyperdrive: -16, FireHorse: -32, WatermelonFix: -100, TockFix: -103,
		Dragon: developmentDragon, Tuktuk: developmentTuktuk, ConsensusMinerMinPower: minPower("devnet"),
		InitialFilReserved: fil(300_000_000), TeepInitialFilReserved: fil(teepReserve), TuktukPowerRampDuration: yearInEpochs,
	}
}

// params_mainnet.go. Solstice, version 29, has no height there yet.
func mainnet() *Network {
	return &Network{
		Name: "mainnet", AddressPrefix: "f", ChainID: 314, BlockDelay: 30, Actors: "mainnet",
		Genesis: cid.MustParse("bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2"), GenesisTime: 1598306400,
		Upgrades: schedule(0, map[string]abi.ChainEpoch{
			"Breeze": 41280, "Smoke": 51000, "Ignition": 94000, "Refuel": 130800, "Assembly": 138720, "Tape": 140760, "Liftoff": 148888,
			"Kumquat": 170000, "Calico": 265200, "Persian": 272400, "Orange": 336458, "Trust": 550321, "Norwegian": 665280, "Turbo": 712320,
			"Hyperdrive": 892800, "Chocolate": 1231620, "OhSnap": 1594680, "Skyr": 1960320, "Shark": 2383680, "Hygge": 2683348,
			"Lightning": 2809800, "Thunder": 2870280, "Watermelon": 3469380, "Dragon": 3855360, "Waffle": 4154640, "Tuktuk": 4461240,
			"Teep": 4878840, "Tock": 5138040, "GoldenWeek": 5348280, "FireHorse": 6052800,
		}),
		Beacons:   []Beacon{mustBeacon("incentinet", 0), mustBeacon("mainnet", 51000), mustBeacon("quicknet", 3855480)},
		Constants: mainnetConstants(),
	}
}

// params_calibnet.go. Upgrades with heights below 0 there did not happen: the genesis is version 0 until epoch 30.
func calibnet() *Network {
	return &Network{
		Name: "calibnet", AddressPrefix: "t", ChainID: 314159, BlockDelay: 30, Actors: "calibrationnet",
		Genesis: cid.MustParse("bafy2bzacecyaggy24wol5ruvs6qm73gjibs2l2iyhcqmvi7r7a4ph7zx3yqd4"), GenesisTime: 1667326380,
		Upgrades: schedule(0, map[string]abi.ChainEpoch{
			"Assembly": 30, "Tape": 60, "Kumquat": 90, "Calico": 120, "Persian": 240, "Orange": 300, "Trust": 330, "Norwegian": 360, "Turbo": 390,
			"Hyperdrive": 420, "Chocolate": 450, "OhSnap": 480, "Skyr": 510, "Shark": 16800, "Hygge": 322354, "Lightning": 489094,
			"Thunder": 492214, "Watermelon": 1013134, "WatermelonFix": 1070494, "WatermelonFix2": 1108174, "Dragon": 1427974,
			"CalibrationDragonFix": 1493854, "Waffle": 1779094, "Tuktuk": 2078794, "Teep": 2523454, "Tock": 2543614, "TockFix": 2558014,
			"GoldenWeek": 3007294, "FireHorse": 3694534,
		}),
		Beacons: []Beacon{mustBeacon("mainnet", 0), mustBeacon("quicknet", 1428094)},
		Constants: Constants{
			Smoke: -2, Ignition: -3, Assembly: 30, Liftoff: -5, Calico: 120, Hyperdrive: 420, FireHorse: 3694534, WatermelonFix: 1070494, TockFix: 2558014,
			Dragon: 1427974, Tuktuk: 2078794, ConsensusMinerMinPower: minPower("calibrationnet"), InitialFilReserved: fil(300_000_000), TeepInitialFilReserved: fil(1_200_000_000), TuktukPowerRampDuration: 3 * 2880,
		},
	}
}

// params_butterfly.go. The network is made anew from time to time, with another genesis.
func butterflynet() *Network {
	n := &Network{
		Name: "butterflynet", AddressPrefix: "t", ChainID: 3141592, BlockDelay: 30, Actors: "butterflynet",
		Genesis: cid.MustParse("bafy2bzacebt5wxzyrgizu2uunetxtkc6aom3ult236vviv2nseiwnquu6anha"), GenesisTime: 1777963020,
		Upgrades: schedule(28, nil), Beacons: []Beacon{mustBeacon("quicknet", 0)}, Constants: developmentConstants(1_600_000_000),
	}
	n.Constants.Smoke, n.Constants.Ignition, n.Constants.Liftoff = -2, -3, -7
	n.Constants.ConsensusMinerMinPower = minPower("butterflynet")
	return n
}

// params_interop.go.
func interop() *Network {
	n := &Network{
		Name: "interop", AddressPrefix: "t", ChainID: 3141592, BlockDelay: 30, Actors: "caterpillarnet",
		Genesis: cid.MustParse("bafy2bzacedfiqwjd2nkm53eplhy3of4r65tkl5p5fb4vmrffdv7sc4qz3bsrg"), GenesisTime: 1658955780,
		Upgrades: schedule(22, map[string]abi.ChainEpoch{"Solstice": 50}), Beacons: []Beacon{mustBeacon("quicknet", 0)},
		Constants: developmentConstants(300_000_000),
	}
	n.Constants.WatermelonFix, n.Constants.TockFix = -1, -4
	return n
}

// params_2k.go, without the variables of the environment that change it.
func twoK() *Network {
	n := &Network{
		Name: "2k", AddressPrefix: "t", ChainID: 31415926, BlockDelay: 4, Actors: "devnet",
		Upgrades: schedule(28, map[string]abi.ChainEpoch{"Solstice": 200}), Beacons: []Beacon{mustBeacon("quicknet", 0)},
		Constants: developmentConstants(1_400_000_000),
	}
	n.Constants.ActorDebugging, n.Constants.TuktukPowerRampDuration = true, 200
	return n
}

// itests is what the kit of Lotus's integration tests makes (itests/kit/ensemble.go): mainnet's build with one constant
// changed, a genesis of the newest version, the mock beacon, and actors that take proofs on trust.
func itests() *Network {
	n := &Network{
		Name: "itests", AddressPrefix: "t", ChainID: 314, BlockDelay: 30, Actors: "testing-fake-proofs",
		Upgrades: schedule(29, nil), Beacons: []Beacon{mustBeacon("epoch+100", 0)}, Constants: mainnetConstants(),
	}
	n.Constants.Assembly, n.Constants.ConsensusMinerMinPower = -1, minPower(n.Actors)
	return n
}

// known are the networks with the names that people use for them. The first name is the network's own.
var known = []struct {
	names []string
	make  func() *Network
}{
	{[]string{"mainnet", "main"}, mainnet},
	{[]string{"calibnet", "calibration", "calibrationnet"}, calibnet},
	{[]string{"butterflynet", "butterfly"}, butterflynet},
	{[]string{"2k", "devnet"}, twoK},
	{[]string{"interop", "interopnet", "caterpillarnet"}, interop},
	{[]string{"itests", "kit"}, itests},
}

// Names are the networks that ByName knows, without their other names.
func Names() []string {
	var names []string
	for _, k := range known {
		names = append(names, k.names[0])
	}
	return names
}

// ByName is a network by one of its names, such as "calibnet", "calibrationnet" or "2k". Big and small letters are the same.
func ByName(name string) (*Network, bool) {
	for _, k := range known {
		if slices.Contains(k.names, strings.ToLower(name)) {
			return k.make(), true
		}
	}
	return nil, false
}

// ByGenesis is the network with this block at epoch 0.
func ByGenesis(block cid.Cid) (*Network, bool) {
	for _, k := range known {
		if n := k.make(); n.Genesis.Defined() && n.Genesis.Equals(block) {
			return n, true
		}
	}
	return nil, false
}

// ByChainID is the network with a number by EIP-155. Where two have the same it is the public one: mainnet for 314 and
// butterflynet for 3141592.
func ByChainID(id uint64) (*Network, bool) {
	for _, k := range known {
		if n := k.make(); n.ChainID == id {
			return n, true
		}
	}
	return nil, false
}

// Find is a network by its name, or from a file. The name goes first: a file of that name is meant by ./mainnet.
func Find(nameOrFile string) (*Network, error) {
	if n, ok := ByName(nameOrFile); ok {
		return n, nil
	}
	n, err := Load(nameOrFile)
	if os.IsNotExist(err) {
		return nil, fmt.Errorf("network %q is neither known (%s) nor a file", nameOrFile, strings.Join(Names(), ", "))
	}
	return n, err
}
