package network_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	gst "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/network"
)

func byName(t *testing.T, name string) *network.Network {
	t.Helper()
	n, ok := network.ByName(name)
	if !ok {
		t.Fatalf("no network %s", name)
	}
	return n
}

// The dates are those that Lotus's params_mainnet.go and params_calibnet.go give beside the heights, and that the FIPs
// announced.
func TestTimes(t *testing.T) {
	for _, c := range []struct {
		network string
		epoch   abi.ChainEpoch
		date    string
		before  gst.Version // at the epoch itself, and after it
		after   gst.Version
	}{
		{"mainnet", 712320, "2021-04-29T06:00:00Z", 11, 12},
		{"mainnet", 1960320, "2022-07-06T14:00:00Z", 15, 16},
		{"mainnet", 2683348, "2023-03-14T15:14:00Z", 17, 18},
		{"mainnet", 2809800, "2023-04-27T13:00:00Z", 18, 19},
		{"mainnet", 4154640, "2024-08-06T12:00:00Z", 22, 23},
		{"mainnet", 4878840, "2025-04-14T23:00:00Z", 24, 25},
		{"mainnet", 5348280, "2025-09-24T23:00:00Z", 26, 27},
		{"mainnet", 5800000, "2026-02-28T19:20:00Z", 27, 27},
		{"calibnet", 322354, "2023-02-21T16:30:00Z", 17, 18},
		{"calibnet", 1779094, "2024-07-11T12:00:00Z", 22, 23},
		{"calibnet", 2523454, "2025-03-26T23:00:00Z", 24, 25},
		{"calibnet", 3007294, "2025-09-10T23:00:00Z", 26, 27},
	} {
		n := byName(t, c.network)
		at, err := n.TimestampAt(c.epoch)
		if err != nil || time.Unix(int64(at), 0).UTC().Format(time.RFC3339) != c.date {
			t.Errorf("%s %d: %s, %v, want %s", c.network, c.epoch, time.Unix(int64(at), 0).UTC().Format(time.RFC3339), err, c.date)
		}
		for _, in := range []uint64{at, at + n.BlockDelay - 1} {
			if e, err := n.EpochAt(in); err != nil || e != c.epoch {
				t.Errorf("%s at %d: epoch %d, %v, want %d", c.network, in, e, err, c.epoch)
			}
		}
		if e, err := n.EpochAt(at - 1); err != nil || e != c.epoch-1 {
			t.Errorf("%s at %d: epoch %d, %v, want %d", c.network, at-1, e, err, c.epoch-1)
		}
		if b, a := n.VersionAt(c.epoch), n.VersionAt(c.epoch+1); b != c.before || a != c.after {
			t.Errorf("%s: version %d at %d and %d after it, want %d and %d", c.network, b, c.epoch, a, c.before, c.after)
		}
	}
}

func TestNoTimes(t *testing.T) {
	mainnet := byName(t, "mainnet")
	for _, c := range []struct {
		name string
		of   *network.Network
		e    abi.ChainEpoch
		want string
	}{
		{"no genesis", byName(t, "2k"), 5, "each chain has its own"},
		{"negative", mainnet, -1, "negative"},
		{"beyond 64 bits", mainnet, math.MaxInt64, "later than time can be told"},
		{"beyond 64 bits by the genesis", mainnet.WithGenesis(cid.Undef, math.MaxUint64), 1, "later than time can be told"},
	} {
		if at, err := c.of.TimestampAt(c.e); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d, %v, want %q", c.name, at, err, c.want)
		}
		if _, err := c.of.BeaconRound(c.e); err == nil {
			t.Errorf("%s: it has a round of the beacon", c.name)
		}
	}
	if _, err := mainnet.EpochAt(1598306399); err == nil {
		t.Error("an epoch before the genesis")
	}
	if e, err := mainnet.EpochAt(math.MaxUint64); err != nil || e <= 0 {
		t.Errorf("the epoch at the end of time is %d, %v", e, err)
	}
	if e, err := byName(t, "2k").WithGenesis(cid.Undef, 1000).EpochAt(1011); err != nil || e != 2 {
		t.Errorf("an epoch of 4 seconds: %d, %v", e, err)
	}
}

// The rounds of drand are those of the definition, taken from the chains' information: mainnet's blocks at epoch 5800000
// hold the round of quicknet at 1772306370.
func TestBeaconRound(t *testing.T) {
	quick := byName(t, "2k")
	quick.Beacons = []network.Beacon{{Name: "quick", BeforeGenesis: 1000, Period: 3}}
	quick = quick.WithGenesis(cid.Undef, 1700000000)
	for _, c := range []struct {
		name string
		of   *network.Network
		e    abi.ChainEpoch
		want uint64
	}{
		{"mock", byName(t, "itests"), 0, 100},
		{"mock, later", byName(t, "itests"), 892, 992},
		{"quicknet", byName(t, "mainnet"), 5800000, (1772306400-30-1692803367)/3 + 1},
		{"the first of quicknet", byName(t, "mainnet"), 3855480, (1598306400+30*3855479-1692803367)/3 + 1},
		{"the last of drand's mainnet", byName(t, "mainnet"), 3855479, (1598306400+30*3855478-1595431050)/30 + 1},
		{"version 15 has one less", byName(t, "mainnet"), 1960320, (1598306400 + 30*1960319 - 1595431050) / 30},
		{"version 16", byName(t, "mainnet"), 1960321, (1598306400+30*1960320-1595431050)/30 + 1},
		{"incentinet", byName(t, "mainnet"), 50999, (1598306400 + 30*50998 - 1595873820) / 30},
		{"calibnet", byName(t, "calibnet"), 1428094, (1667326380+30*1428093-1692803367)/3 + 1},
		{"before the beacon", byName(t, "2k").WithGenesis(cid.Undef, 1600000000), 1, 1},
		{"by the genesis", quick, 1, 1000/3 + 1},
		{"by the genesis, later", quick, 7, (1000+6*4)/3 + 1},
		{"by the genesis, at it", quick, 0, (1000-4)/3 + 1},
	} {
		if got, err := c.of.BeaconRound(c.e); err != nil || got != c.want {
			t.Errorf("%s: round %d, %v, want %d", c.name, got, err, c.want)
		}
	}
}

func TestFind(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"mainnet", "mainnet"}, {"Calibnet", "calibnet"}, {"calibrationnet", "calibnet"}, {"butterfly", "butterflynet"}, {"2k", "2k"},
		{"devnet", "2k"}, {"interop", "interop"}, {"caterpillarnet", "interop"}, {"itests", "itests"}, {"testdata/two29.json", "two29"},
	} {
		if n, err := network.Find(c.name); err != nil || n.Name != c.want {
			t.Errorf("%s: %v, %v", c.name, n, err)
		}
	}
	for _, name := range []string{"", "mainnets", "testdata/none.json", "testdata"} {
		if n, err := network.Find(name); err == nil {
			t.Errorf("%q is %s", name, n.Name)
		}
	}
	for _, name := range network.Names() {
		n := byName(t, name)
		if got, ok := network.ByGenesis(n.Genesis); ok != n.Genesis.Defined() || ok && got.Name != name {
			t.Errorf("%s by its genesis is %v", name, got)
		}
	}
	for id, want := range map[uint64]string{314: "mainnet", 314159: "calibnet", 3141592: "butterflynet", 31415926: "2k", 1: ""} {
		if n, ok := network.ByChainID(id); ok != (want != "") || ok && n.Name != want {
			t.Errorf("chain id %d is %v, want %q", id, n, want)
		}
	}
}

func TestSchedule(t *testing.T) {
	mainnet, calibnet := byName(t, "mainnet"), byName(t, "calibnet")
	if u, ok := mainnet.UpgradeAt(4461240); !ok || u.Name != "Tuktuk" || u.Version != 24 || !u.Migrates {
		t.Errorf("Tuktuk: %+v, %v", u, ok)
	}
	if u, ok := mainnet.UpgradeAt(4461241); ok {
		t.Errorf("an upgrade too much: %+v", u)
	}
	if u, ok := mainnet.UpgradeAt(-1); ok {
		t.Errorf("the genesis is no upgrade: %+v", u)
	}
	if u, ok := calibnet.UpgradeAt(2558014); !ok || u.Version != 26 || !u.Migrates {
		t.Errorf("TockFix: %+v, %v", u, ok)
	}
	for _, c := range []struct {
		of          *network.Network
		v           gst.Version
		first, last abi.ChainEpoch
		ok          bool
	}{
		{mainnet, 0, 0, 41280, true}, {mainnet, 27, 5348281, 6052800, true}, {mainnet, 28, 6052801, -1, true}, {mainnet, 29, 0, -1, false},
		{mainnet, 3, 94001, 138720, true}, {calibnet, 22, 1427975, 1779094, true}, {calibnet, 1, 0, -1, false}, {byName(t, "2k"), 28, 0, 200, true},
	} {
		first, last, ok := c.of.Epochs(c.v)
		if ok != c.ok || ok && (first != c.first || last != c.last) {
			t.Errorf("%s %d: %d to %d, %v, want %d to %d, %v", c.of.Name, c.v, first, last, ok, c.first, c.last, c.ok)
		}
	}
	if v, net, err := calibnet.Bundle(26); err != nil || v != 16 || net != "calibrationnet" {
		t.Errorf("the bundle of calibnet's 26 is v%d/%s, %v", v, net, err)
	}
	if _, _, err := mainnet.Bundle(15); err == nil {
		t.Error("version 15 has a bundle")
	}
}

// What is written is what is read, and every file beside the chains made by the original stack reads.
func TestFiles(t *testing.T) {
	for _, name := range network.Names() {
		want := byName(t, name)
		if again := roundTrip(t, want); !reflect.DeepEqual(again, want) {
			t.Errorf("%s comes back as %+v", name, again)
		}
	}
	paths, _ := filepath.Glob("testdata/*.json")
	shared, _ := filepath.Glob("../../../shared/chains/*[0-9].json")
	if len(shared) == 0 {
		t.Log("../shared/chains is not there: only the files of testdata are read")
	}
	for _, path := range append(paths, shared...) {
		n, err := network.Load(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if again := roundTrip(t, n); !reflect.DeepEqual(again, n) {
			t.Errorf("%s comes back as %+v", path, again)
		}
	}
	n, err := network.Load("testdata/upgrades16.json")
	if err != nil {
		t.Fatal(err)
	}
	c := n.Constants
	if c.ConsensusMinerMinPower.String() != "2048" { // that of the actors "testing-fake-proofs"
		t.Errorf("upgrades16: miners need %s bytes", c.ConsensusMinerMinPower)
	}
	if c.Dragon != 3855360 || c.Tuktuk != 4461240 { // of mainnet's build
		t.Errorf("upgrades16: migrations take %d and %d", c.Dragon, c.Tuktuk)
	}
	if two, err := network.Load("testdata/two29.json"); err != nil || two.Constants.Dragon != -25 || two.Constants.Tuktuk != -28 {
		t.Errorf("two29: %+v, %v", two, err)
	}
	if n.VersionAt(20) != 16 || n.VersionAt(21) != 17 || n.VersionAt(1000) != 29 || len(n.Upgrades) != 14 || n.ChainID != 314 || n.Actors != "testing-fake-proofs" {
		t.Errorf("upgrades16: %+v", n)
	}
	if c.Assembly != -1 || c.Ignition != 94000 || c.TuktukPowerRampDuration != 1051200 || c.InitialFilReserved.String() != "300000000000000000000000000" || c.WatermelonFix != -1 {
		t.Errorf("upgrades16: %+v", c)
	}
}

func roundTrip(t *testing.T, n *network.Network) *network.Network {
	t.Helper()
	data, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	again, err := network.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return again
}

func TestDecodeRefuses(t *testing.T) {
	good, err := os.ReadFile("testdata/two29.json")
	if err != nil {
		t.Fatal(err)
	}
	swap := func(old, by string) string {
		s := strings.Replace(string(good), old, by, 1)
		if s == string(good) {
			t.Fatalf("the file has no %s", old)
		}
		return s
	}
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "no description"},
		{"no JSON", "network: mine", "no description"},
		{"more", string(good) + "{}", "something follows"},
		{"long", strings.Repeat(" ", 2<<20), "longer than"},
		{"no name", swap(`"name": "two29"`, `"n": 1`), "name is missing"},
		{"no chain id", swap("eip155_chain_id", "chain_id"), "eip155_chain_id is missing"},
		{"no delay", swap(`"block_delay_seconds": 4`, `"block_delay_seconds": 0`), "block_delay_seconds"},
		{"negative delay", swap(`"block_delay_seconds": 4`, `"block_delay_seconds": -4`), "block_delay_seconds"},
		{"a time before 1970", swap(`"name"`, `"genesis_time": -5, "name"`), "genesis_time: number -5 does not fit there"},
		{"a chain id of more than 64 bits", swap(`"eip155_chain_id": `, `"eip155_chain_id": 99999999999999`), "eip155_chain_id: number 99999999999999"},
		{"a list of another kind", swap(`"build_constants": {`, `"build_constants": [], "x": {`), "build_constants: array does not fit there"},
		{"other beacon", swap(`"quick"`, `"slow"`), `"slow" is not known`},
		{"no beacon", swap(`"beacon": "quick",`, ""), "beacon: it is missing"},
		{"no first beacon", swap(`"quick"`, `[{"start": 5, "name": "quick"}]`), "starts at 5"},
		{"a beacon without a period", swap(`"quick"`, `[{"start": 0, "genesis_time": 5}]`), "period_seconds"},
		{"no key", swap(`"quick"`, `[{"start": 0, "genesis_time": 5, "period_seconds": 3, "public_key": "0123"}]`), "48 or 96 bytes"},
		{"a power that is none", swap(`"build_constants": {`, `"build_constants": {"consensus_miner_min_power": "-1",`), "consensus_miner_min_power"},
		{"no genesis version", swap(`"height": -1`, `"height": 0`), "at height -1"},
		{"no height", swap(`"height": -1,`, ""), "want height"},
		{"no upgrades", swap(`"upgrades"`, `"ups"`), "upgrades is missing"},
		{"the order of heights", swap(`"migration": false
    }`, `"migration": false}, {"height": -1, "network_version": 30, "migration": true}`), "is not above"},
		{"a version back", swap(`"migration": false
    }`, `"migration": false}, {"height": 7, "network_version": 28, "migration": true}`), "is below"},
		{"migration not said", swap(`"migration": false
    }`, `"migration": false}, {"height": 7, "network_version": 30}`), "want migration"},
		{"a constant is missing", swap("upgrade_hyperdrive", "hyperdrive"), "upgrade_hyperdrive is missing"},
		{"no amount", swap(`"1400000000000000000000000000"`, `"-14"`), "want an amount"},
		{"a vast amount", swap(`"1400000000000000000000000000"`, `"`+strings.Repeat("9", 100000)+`"`), "want an amount"},
		{"no CID", swap(`"name"`, `"genesis": "bafy", "name"`), "want a CID"},
		{"prefix", swap(`"name"`, `"address_prefix": "g", "name"`), "want f or t"},
	} {
		if n, err := network.Decode(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v, want %q", c.name, n, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, path := range []string{"testdata/two29.json", "testdata/upgrades16.json"} {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	n, _ := network.ByName("mainnet")
	data, err := json.Marshal(n)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := network.Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		if again := roundTrip(t, n); !reflect.DeepEqual(again, n) {
			t.Errorf("%+v comes back as %+v", n, again)
		}
		for _, e := range []abi.ChainEpoch{math.MinInt64, -1, 0, 1000, math.MaxInt64} {
			n.VersionAt(e)
			n.UpgradeAt(e)
			_, _ = n.TimestampAt(e)
			_, _ = n.BeaconRound(e)
		}
	})
}
