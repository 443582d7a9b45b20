package network

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
)

// file is the form in JSON. Pointers tell what is missing.
type file struct {
	Name        string          `json:"name"`
	ActorBundle string          `json:"actor_bundle"`
	Beacon      json.RawMessage `json:"beacon"`
	BlockDelay  uint64          `json:"block_delay_seconds"`
	ChainID     *uint64         `json:"eip155_chain_id"`
	Genesis     string          `json:"genesis,omitempty"`
	GenesisTime uint64          `json:"genesis_time,omitempty"`
	Prefix      string          `json:"address_prefix,omitempty"`
	Upgrades    []fileUpgrade   `json:"upgrades"`
	Constants   *fileConstants  `json:"build_constants"`
}

type fileUpgrade struct {
	Name     string           `json:"name,omitempty"`
	Height   *abi.ChainEpoch  `json:"height"`
	Version  *network.Version `json:"network_version"`
	Migrates *bool            `json:"migration"`
}

type fileConstants struct {
	ActorDebugging          bool            `json:"actor_debugging"`
	Smoke                   *abi.ChainEpoch `json:"upgrade_smoke"`
	Ignition                *abi.ChainEpoch `json:"upgrade_ignition"`
	Assembly                *abi.ChainEpoch `json:"upgrade_assembly"`
	Liftoff                 *abi.ChainEpoch `json:"upgrade_liftoff"`
	Calico                  *abi.ChainEpoch `json:"upgrade_calico"`
	Hyperdrive              *abi.ChainEpoch `json:"upgrade_hyperdrive"`
	FireHorse               *abi.ChainEpoch `json:"upgrade_firehorse"`
	WatermelonFix           *abi.ChainEpoch `json:"upgrade_watermelon_fix,omitempty"`
	TockFix                 *abi.ChainEpoch `json:"upgrade_tock_fix,omitempty"`
	Dragon                  *abi.ChainEpoch `json:"upgrade_dragon,omitempty"`
	Tuktuk                  *abi.ChainEpoch `json:"upgrade_tuktuk,omitempty"`
	InitialFilReserved      string          `json:"initial_fil_reserved"`
	TeepInitialFilReserved  string          `json:"upgrade_teep_initial_fil_reserved"`
	ConsensusMinerMinPower  string          `json:"consensus_miner_min_power,omitempty"`
	TuktukPowerRampDuration *uint64         `json:"upgrade_tuktuk_power_ramp_duration_epochs"`
}

// heights are the constants that must be there, and those that need not.
func (c *fileConstants) heights(into *Constants) (must, may []height) {
	must = []height{
		{"upgrade_smoke", &c.Smoke, &into.Smoke}, {"upgrade_ignition", &c.Ignition, &into.Ignition}, {"upgrade_assembly", &c.Assembly, &into.Assembly},
		{"upgrade_liftoff", &c.Liftoff, &into.Liftoff}, {"upgrade_calico", &c.Calico, &into.Calico},
		{"upgrade_hyperdrive", &c.Hyperdrive, &into.Hyperdrive}, {"upgrade_firehorse", &c.FireHorse, &into.FireHorse},
	}
	may = []height{
		{"upgrade_watermelon_fix", &c.WatermelonFix, &into.WatermelonFix}, {"upgrade_tock_fix", &c.TockFix, &into.TockFix},
		{"upgrade_dragon", &c.Dragon, &into.Dragon}, {"upgrade_tuktuk", &c.Tuktuk, &into.Tuktuk},
	}
	return must, may
}

type height struct {
	name string
	file **abi.ChainEpoch
	into *abi.ChainEpoch
}

type fileBeacon struct {
	Start       abi.ChainEpoch `json:"start"`
	Name        string         `json:"name,omitempty"`
	Chained     bool           `json:"chained,omitempty"`
	GenesisTime uint64         `json:"genesis_time,omitempty"`
	Period      uint64         `json:"period_seconds,omitempty"`
	Key         string         `json:"public_key,omitempty"`
}

const maxFile = 1 << 20 // bytes; a description has some 2,000

// Load reads a description from a file in the form that Decode has.
func Load(path string) (*Network, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := Decode(f)
	if err != nil {
		return nil, fmt.Errorf("the network's file %s: %w", path, err)
	}
	return n, nil
}

// Decode reads a description in JSON:
//
//	{
//	  "name": "mine",
//	  "actor_bundle": "testing",      // the actors' network: mainnet, calibrationnet, devnet, testing-fake-proofs ...
//	  "beacon": "quicknet",           // or a list, see below
//	  "block_delay_seconds": 30,
//	  "eip155_chain_id": 31415926,
//	  "genesis": "bafy2bz...",        // CID of the block of epoch 0; may be missing, as the two below may
//	  "genesis_time": 1700000000,     // seconds since 1970
//	  "address_prefix": "t",
//	  "upgrades": [{"height": -1, "network_version": 28, "migration": false}, {"height": 200, "network_version": 29, "migration": true}],
//	  "build_constants": {"actor_debugging": true, "upgrade_smoke": -1, ...}
//	}
//
// A beacon is "incentinet", "mainnet" or "quicknet" (chains of drand), "epoch+100" (Lotus's mock beacon), "quick" (a round
// in 3 seconds, the first 1,000 seconds before the genesis), or a list in the order of first epochs:
// [{"start": 0, "name": "mainnet"}, {"start": 500, "genesis_time": 1692803367, "period_seconds": 3, "chained": false, "public_key": "83cf..."}]; the
// key, in hex, may be missing, and then the beacon's entries cannot be verified.
// All of build_constants must be there except actor_debugging (false), upgrade_watermelon_fix and upgrade_tock_fix (-1),
// consensus_miner_min_power (that of the actors' network), in bytes, as text, and upgrade_dragon and upgrade_tuktuk; see [Constants].
// These two are by default what the build has whose other constants these are: mainnet's, whatever the schedule says, or for development
// the heights of the schedule, which are the build's if its environment set them (LOTUS_DRAGON_HEIGHT), and -25 and -28 without such. Amounts are text, in attoFIL. Keys that are not known are passed over.
func Decode(r io.Reader) (*Network, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("it is longer than %d bytes: no description of a network", maxFile)
	}
	var f file
	d := json.NewDecoder(bytes.NewReader(data))
	var wrong *json.UnmarshalTypeError
	if err := d.Decode(&f); errors.As(err, &wrong) && wrong.Field != "" {
		return nil, fmt.Errorf("%s: %s does not fit there", wrong.Field, wrong.Value)
	} else if err != nil {
		return nil, fmt.Errorf("no description of a network in JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the description")
	}
	return f.network()
}

func (f *file) network() (*Network, error) {
	switch {
	case f.Name == "":
		return nil, missing("name")
	case f.ActorBundle == "":
		return nil, missing("actor_bundle")
	case f.BlockDelay == 0 || f.BlockDelay > 1<<31:
		return nil, fmt.Errorf("block_delay_seconds is %d: want the seconds of an epoch", f.BlockDelay)
	case f.ChainID == nil:
		return nil, missing("eip155_chain_id")
	case f.Prefix != "" && f.Prefix != "f" && f.Prefix != "t":
		return nil, fmt.Errorf("address_prefix is %q: want f or t", f.Prefix)
	}
	n := &Network{
		Name: f.Name, AddressPrefix: cmp.Or(f.Prefix, "f"), ChainID: *f.ChainID, GenesisTime: f.GenesisTime, BlockDelay: f.BlockDelay, Actors: f.ActorBundle,
	}
	var err error
	if f.Genesis != "" {
		if n.Genesis, err = cid.Decode(f.Genesis); err != nil {
			return nil, fmt.Errorf("genesis is %q: want a CID: %w", f.Genesis, err)
		}
	}
	if n.Upgrades, err = upgrades(f.Upgrades); err != nil {
		return nil, err
	}
	if n.Beacons, err = beaconList(f.Beacon); err != nil {
		return nil, fmt.Errorf("beacon: %w", err)
	}
	n.Constants, err = f.Constants.constants(n)
	return n, err
}

func missing(key string) error { return fmt.Errorf("%s is missing", key) }

func upgrades(list []fileUpgrade) (all []Upgrade, err error) {
	if len(list) == 0 {
		return nil, missing("upgrades")
	}
	for i, u := range list {
		if u.Height == nil || u.Version == nil {
			return nil, fmt.Errorf("upgrades, entry %d: want height and network_version", i)
		}
		// The genesis was made at its version. Whether a later step migrates must be said: it changes each root after it.
		if i > 0 && u.Migrates == nil {
			return nil, fmt.Errorf("upgrades, entry %d: want migration, true or false", i)
		}
		of := Upgrade{Name: u.Name, Height: *u.Height, Version: *u.Version, Migrates: i > 0 && *u.Migrates}
		switch {
		case i == 0 && of.Height != -1:
			return nil, fmt.Errorf("upgrades begin at height %d: want the genesis' version first, at height -1", of.Height)
		case i > 0 && of.Height <= all[i-1].Height:
			return nil, fmt.Errorf("upgrades, entry %d: height %d is not above %d", i, of.Height, all[i-1].Height)
		case i > 0 && of.Version < all[i-1].Version:
			return nil, fmt.Errorf("upgrades, entry %d: version %d is below %d", i, of.Version, all[i-1].Version)
		}
		all = append(all, of)
	}
	return all, nil
}

func beaconList(raw json.RawMessage) (all []Beacon, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, errors.New("it is missing")
	}
	var list []fileBeacon
	var name string
	if json.Unmarshal(raw, &name) == nil {
		list = []fileBeacon{{Name: name}}
	} else if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("want a name or a list: %w", err)
	}
	if len(list) == 0 {
		return nil, errors.New("the list is empty")
	}
	for i, b := range list {
		of, ok := Beacon{Start: b.Start, Chained: b.Chained, GenesisTime: b.GenesisTime, Period: b.Period}, true
		if of.Key, err = publicKey(b.Key); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
		if b.Name != "" {
			if of, ok = beaconFrom(b.Name, b.Start); !ok {
				return nil, fmt.Errorf("%q is not known: want %s", b.Name, beaconNames())
			}
		} else if b.GenesisTime == 0 || b.Period == 0 {
			return nil, fmt.Errorf("entry %d: want a name, or genesis_time and period_seconds", i)
		}
		if i == 0 && of.Start != 0 || i > 0 && of.Start <= all[i-1].Start {
			return nil, fmt.Errorf("entry %d starts at %d: want the first at 0 and each above the one before", i, of.Start)
		}
		all = append(all, of)
	}
	return all, nil
}

// publicKey reads a key of drand. Whether it is a point is seen when something is verified.
func publicKey(text string) (string, error) {
	key, err := hex.DecodeString(text)
	if n := len(key); err != nil || n != 0 && n != 48 && n != 96 {
		return "", fmt.Errorf("public_key is %.200q: want 48 or 96 bytes in hex", text)
	}
	return string(key), nil
}

func beaconNames() string {
	var names []string
	for _, b := range beacons {
		names = append(names, b.Name)
	}
	return strings.Join(names, ", ")
}

func (c *fileConstants) constants(n *Network) (Constants, error) {
	if c == nil {
		return Constants{}, missing("build_constants")
	}
	into := Constants{ActorDebugging: c.ActorDebugging, WatermelonFix: -1, TockFix: -1}
	must, may := c.heights(&into)
	for _, h := range must {
		if *h.file == nil {
			return Constants{}, missing("build_constants." + h.name)
		}
		*h.into = **h.file
	}
	into.Dragon, into.Tuktuk = into.migrationHeights(n)
	for _, h := range may {
		if *h.file != nil {
			*h.into = **h.file
		}
	}
	if c.TuktukPowerRampDuration == nil {
		return Constants{}, missing("build_constants.upgrade_tuktuk_power_ramp_duration_epochs")
	}
	into.TuktukPowerRampDuration = *c.TuktukPowerRampDuration
	var err error
	if into.InitialFilReserved, err = atto("initial_fil_reserved", c.InitialFilReserved); err != nil {
		return Constants{}, err
	}
	if into.TeepInitialFilReserved, err = atto("upgrade_teep_initial_fil_reserved", c.TeepInitialFilReserved); err != nil {
		return Constants{}, err
	}
	into.ConsensusMinerMinPower = minPower(n.Actors)
	if c.ConsensusMinerMinPower != "" {
		into.ConsensusMinerMinPower, err = atto("consensus_miner_min_power", c.ConsensusMinerMinPower)
	}
	return into, err
}

// migrationHeights are Dragon and Tuktuk where a file does not say.
func (c *Constants) migrationHeights(n *Network) (dragon, tuktuk abi.ChainEpoch) {
	switch {
	case c.OfMainnet():
		return mainnetDragon, mainnetTuktuk
	case c.Calico < 0: // a build for development, which has all upgrades behind it but those that its environment sets
		dragon, tuktuk = developmentDragon, developmentTuktuk
	}
	for v, height := range map[network.Version]*abi.ChainEpoch{network.Version22: &dragon, network.Version24: &tuktuk} {
		if first, _, ok := n.Epochs(v); ok && first > 0 {
			*height = first - 1
		}
	}
	return dragon, tuktuk
}

// atto reads an amount. All FIL are 28 digits.
func atto(key, text string) (big.Int, error) {
	digits := strings.Trim(text, "0123456789") == ""
	v, err := big.FromString(text)
	if text == "" || !digits || err != nil || len(text) > 40 {
		return big.Int{}, fmt.Errorf("build_constants.%s is %.60q: want an amount, a whole number as text", key, text)
	}
	return v, nil
}

// MarshalJSON writes the form that [Decode] reads.
func (n *Network) MarshalJSON() ([]byte, error) {
	f := file{
		Name: n.Name, ActorBundle: n.Actors, BlockDelay: n.BlockDelay, ChainID: &n.ChainID, GenesisTime: n.GenesisTime, Prefix: n.AddressPrefix,
		Constants: &fileConstants{
			ActorDebugging: n.Constants.ActorDebugging, InitialFilReserved: n.Constants.InitialFilReserved.String(),
			TeepInitialFilReserved: n.Constants.TeepInitialFilReserved.String(), TuktukPowerRampDuration: &n.Constants.TuktukPowerRampDuration,
			ConsensusMinerMinPower: n.Constants.ConsensusMinerMinPower.String(),
		},
	}
	if n.Genesis.Defined() {
		f.Genesis = n.Genesis.String()
	}
	for _, u := range n.Upgrades {
		f.Upgrades = append(f.Upgrades, fileUpgrade{Name: u.Name, Height: &u.Height, Version: &u.Version, Migrates: &u.Migrates})
	}
	c := n.Constants
	must, may := f.Constants.heights(&c)
	for _, h := range append(must, may...) {
		*h.file = h.into
	}
	var list []fileBeacon
	for _, b := range n.Beacons {
		of := fileBeacon{Start: b.Start, Name: b.Name}
		if b.Name == "" {
			of.Chained, of.GenesisTime, of.Period, of.Key = b.Chained, b.GenesisTime, b.Period, hex.EncodeToString([]byte(b.Key))
		}
		list = append(list, of)
	}
	var err error
	if len(list) == 1 && list[0].Name != "" {
		f.Beacon, err = json.Marshal(list[0].Name)
	} else {
		f.Beacon, err = json.Marshal(list)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(f)
}
