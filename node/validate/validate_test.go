package validate

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	gstbig "github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/network"
)

func known(t testing.TB, name string) *network.Network {
	t.Helper()
	n, ok := network.ByName(name)
	if !ok {
		t.Fatalf("no network %s", name)
	}
	return n
}

// The chances are those of the Poisson distribution: a proof wins k times or more if its hash, as a part of 2^256, is below 1 minus the sum of the
// chances of fewer wins. Proofs are looked for whose hashes lie near.
func TestWins(t *testing.T) {
	// e^-λ and so on, to ten places, for the whole power (λ = 5) and for a fifth of it (λ = 1).
	for _, c := range []struct {
		power int64
		less  []float64 // chance of fewer than 1, 2, 3 wins
	}{
		{5, []float64{0.0067379470, 0.0404276820, 0.1246520195}},
		{1, []float64{0.3678794412, 0.7357588823, 0.9196986029}},
	} {
		for i := range 2000 {
			proof := fmt.Appendf(nil, "proof %d", i)
			sum := blake2b.Sum256(proof)
			at, _ := new(big.Float).Quo(new(big.Float).SetInt(new(big.Int).SetBytes(sum[:])), new(big.Float).SetMantExp(big.NewFloat(1), 256)).Float64()
			got := WinsOf(proof, big.NewInt(c.power), big.NewInt(5))
			want := int64(0)
			for _, less := range c.less {
				if at < 1-less {
					want++
				}
			}
			if min(got, 3) != want {
				t.Errorf("power %d of 5, at %v: %d wins, want %d", c.power, at, got, want)
			}
		}
	}
	if got := WinsOf([]byte("any"), big.NewInt(0), big.NewInt(5)); got != 0 {
		t.Errorf("without power: %d wins", got)
	}
}

// Rounds of drand's chains, and one each that is not theirs. Those of the chain mainnet and of quicknet are public: they are in drand's own tests
// and documents.
func TestVerifyEntry(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	previous := unhex("8bd96294383b4d1e04e736360bd7a487f9f409f1e7bd800b720656a310d577b3bdb1e1631af6c5782a1d8979c502f395036181eff4058960fc40bb7034cdae1991d3eda518ab204a077d2f7e724974cf87b407e549bd815cf0b8e5a3832f675d")
	of := chain.BeaconEntry{Round: 2634945, Data: unhex("814778ed1e480406beb43b74af71ce2f0373e0ea1bfdfea8f9ed62c876c20fcbc7f0163860e3da42ed2148756015f4551451898ffe06d384b4d002245025571b6b7a752f7158b40ad92b13b6d703ad31922a617f2c7f6d960b84d56cf1d79eef")}
	main, quick := known(t, "mainnet").BeaconAt(60000), known(t, "mainnet").BeaconAt(5_000_000)
	unchained := network.Beacon{Key: string(unhex("8200fc249deb0148eb918d6e213980c5d01acd7fc251900d9260136da3b54836ce125172399ddc69c4e3e11429b62c11"))}
	for _, c := range []struct {
		name     string
		beacon   network.Beacon
		entry    chain.BeaconEntry
		previous []byte
		good     bool
	}{
		{"mainnet", main, of, previous, true},
		{"mainnet, another round", main, chain.BeaconEntry{Round: of.Round + 1, Data: of.Data}, previous, false},
		{"mainnet, another before it", main, of, of.Data, false},
		{"mainnet, nothing before it", main, of, nil, false},
		{"mainnet by incentinet's key", known(t, "mainnet").BeaconAt(5), of, previous, false},
		{"mainnet by quicknet's key", quick, of, previous, false},
		{"quicknet", quick, chain.BeaconEntry{Round: 1000, Data: unhex("b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39")}, nil, true},
		{"quicknet, whatever is before it", quick, chain.BeaconEntry{Round: 1000, Data: unhex("b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39")}, previous, true},
		{"quicknet, another round", quick, chain.BeaconEntry{Round: 1001, Data: unhex("b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39")}, nil, false},
		{"quicknet, no point", quick, chain.BeaconEntry{Round: 1000, Data: make([]byte, 48)}, nil, false},
		{"unchained with signatures in G2", unchained, chain.BeaconEntry{Round: 7601003, Data: unhex("af7eac5897b72401c0f248a26b612c5ef68e0ff830b4d78927988c89b5db3e997bfcdb7c24cb19f549830cd02cb854a1143fd53a1d4e0713ded471260869439060d170a77187eb6371742840e43eccfa225657c4cc2d9619f7c3d680470c9743")}, previous, true},
		{"nothing", main, chain.BeaconEntry{Round: 1}, nil, false},
	} {
		if err := verifyEntry(&c.beacon, &c.entry, c.previous); (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := verifyEntry(&network.Beacon{}, &of, previous); err == nil || !strings.Contains(err.Error(), "no public key") {
		t.Errorf("without a key: %v", err)
	}
}

// block is a judge of the beacon's entries of a block at an epoch, 3 above its parents unless said otherwise.
func beaconJudge(n *network.Network, parent, epoch abi.ChainEpoch, latest uint64, entries ...chain.BeaconEntry) *judge {
	return &judge{
		Base: &Base{
			rules: &Rules{Network: n}, parent: &chain.Tipset{Blocks: []*chain.Header{{Height: parent}}}, epoch: epoch, version: n.VersionAt(epoch),
			beacon: &chain.BeaconEntry{Round: latest},
		},
		h: &chain.Header{Height: epoch, BeaconEntries: entries},
	}
}

func mock(rounds ...uint64) (list []chain.BeaconEntry) {
	for _, r := range rounds {
		data := blake2b.Sum256([]byte{byte(r >> 56), byte(r >> 48), byte(r >> 40), byte(r >> 32), byte(r >> 24), byte(r >> 16), byte(r >> 8), byte(r)})
		list = append(list, chain.BeaconEntry{Round: r, Data: data[:]})
	}
	return list
}

// Which entries a block must have. Rounds of "quick" are 3 seconds apart from 1,000 seconds before the genesis on: epoch e's is (30 e - 30 + 1000)/3 + 1.
func TestEntries(t *testing.T) {
	kit, quick := known(t, "itests"), known(t, "itests")
	quick.Beacons = []network.Beacon{{Name: "quick", BeforeGenesis: 1000, Period: 3}}
	quick = quick.WithGenesis(cid.Undef, 1_700_000_000)
	short := known(t, "2k") // epochs of 4 s on a beacon of 25 s
	short.Beacons = []network.Beacon{{GenesisTime: 1_600_000_000, Period: 25}}
	short = short.WithGenesis(cid.Undef, 1_700_000_000)
	wrong := mock(112)
	wrong[0].Data[5] ^= 1
	for _, c := range []struct {
		name string
		j    *judge
		want string
	}{
		{"each epoch's", beaconJudge(kit, 10, 12, 110, mock(111, 112)...), ""},
		{"the last alone, of a chained one", beaconJudge(kit, 10, 12, 110, mock(112)...), ""},
		{"none", beaconJudge(kit, 10, 12, 110), "no entry, and round 112"},
		{"another last", beaconJudge(kit, 10, 12, 110, mock(112, 113)...), "of round 113, and 112 is wanted"},
		{"wrong data", beaconJudge(kit, 10, 12, 110, wrong...), "not what the beacon for tests has"},
		{"quick, each epoch's", beaconJudge(quick, 10, 12, 424, mock(434, 444)...), ""},
		{"quick, the last alone", beaconJudge(quick, 10, 12, 424, mock(444)...), "entry 0 is of round 444, and 434 is wanted for epoch 11"},
		{"quick, one too many", beaconJudge(quick, 10, 12, 424, mock(434, 444, 444)...), "entry 2 is of round 444, and 454"},
		{"quick, turned", beaconJudge(quick, 10, 12, 424, mock(444, 434)...), "the last entry is of round 434"},
		{"nothing new", beaconJudge(short, 10, 11, (100_000_000+40)/25+1), ""},
		{"nothing new, but entries", beaconJudge(short, 10, 11, (100_000_000+40)/25+1, mock(5)...), "1 entries, and the chain has round 4000002 already"},
	} {
		err := c.j.entries()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Where mainnet went from one chain of drand to the next, a chained one brings two entries, an unchained one what it always has.
func TestEntriesAtAChange(t *testing.T) {
	n := known(t, "mainnet")
	for _, c := range []struct {
		name          string
		parent, epoch abi.ChainEpoch
		entries       []chain.BeaconEntry
		want          string
	}{
		{"to a chained one, with one", 50999, 51000, mock(1), "1 entries, and 2 are wanted"},
		{"to a chained one, not its", 50999, 51000, mock(1, 2), "not drand's"},
		{"to quicknet", 3855479, 3855480, mock(7, 7), "the last entry is of round 7, and 7055802 is wanted"},
	} {
		err := beaconJudge(n, c.parent, c.epoch, 5, c.entries...).entries()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Quirk: the first entry after a genesis is not checked where the beacon is chained.
func TestQuirkFirstBeaconEntry(t *testing.T) {
	kit := known(t, "itests")
	if err := beaconJudge(kit, 0, 1, 0, chain.BeaconEntry{Round: 77, Data: []byte("any")}).entries(); err != nil {
		t.Error(err)
	}
	if err := beaconJudge(kit, 0, 1, 0).entries(); err == nil {
		t.Error("no entry is taken")
	}
}

// Quirk: the least gas of a message follows Lotus's own price lists, by heights of the build (chain/vm/gas.go), not the machine's.
func TestQuirkLeastGas(t *testing.T) {
	for _, c := range []struct {
		network string
		epoch   abi.ChainEpoch
		want    int64 // of 100 bytes
	}{
		{"mainnet", 265199, 38863 + 136*1000}, {"mainnet", 265200, 38863 + 136*1300}, {"mainnet", 2683347, 38863 + 136*1300}, {"mainnet", 2683348, 513863 + 136*1300},
		{"mainnet", 5_000_000, 513863 + 136*1300}, {"itests", 100, 38863 + 136*1000}, {"2k", 100, 38863 + 136*1000}, {"2k", 9_000_000, 38863 + 136*1000},
		{"calibnet", 119, 38863 + 136*1000}, {"calibnet", 120, 38863 + 136*1300}, {"calibnet", 322354, 513863 + 136*1300}, {"butterflynet", 5, 38863 + 136*1000},
	} {
		b := &Base{rules: &Rules{Network: known(t, c.network)}, epoch: c.epoch}
		if got := (&contents{judge: &judge{Base: b}}).leastGas(100); got != c.want {
			t.Errorf("%s at %d: %d, want %d", c.network, c.epoch, got, c.want)
		}
	}
}

// Power is enough at the network's least, or with any if fewer than four miners have that.
func TestEnoughPower(t *testing.T) {
	least := gstbig.NewInt(2048)
	for _, c := range []struct {
		raw, above int64
		want       bool
	}{{2048, 9, true}, {2047, 4, false}, {2047, 3, true}, {0, 0, false}, {1, 0, true}} {
		p := powerOf(t, c.above)
		got, err := p.enough(&claim{raw: gstbig.NewInt(c.raw)}, least)
		if err != nil || got != c.want {
			t.Errorf("%+v: %v, %v", c, got, err)
		}
	}
}

// What cannot be judged is told from what is wrong, and both from what this node lacks.
func TestSay(t *testing.T) {
	j := &judge{verdict: new(Verdict)}
	j.say(Ticket, nil)
	j.say(Beacon, absentf("no key"))
	j.say(Weight, fmt.Errorf("more: %w", brokenf("it is %d", 5)))
	if f := j.verdict.Faults; len(f) != 1 || f[0].Check != Weight || f[0].Reason != "more: it is 5" {
		t.Errorf("%v", f)
	}
	if j.verdict.Unjudged[Beacon] != "no key" || len(j.verdict.Unjudged) != 1 || j.fatal != nil {
		t.Errorf("%+v", j.verdict)
	}
	j.say(Miner, fmt.Errorf("the disk is gone"))
	if j.fatal == nil {
		t.Error("a failure of this node is a verdict")
	}
}

func powerOf(t *testing.T, above int64) *power {
	t.Helper()
	list := make([]byte, 0, 32)
	list = append(list, 0x8b) // eleven fields, of which the last is asked for
	for range 10 {
		list = append(list, 0x00)
	}
	f, err := tree.ParseFields(append(list, byte(above)), "the power actor")
	if err != nil {
		t.Fatal(err)
	}
	return &power{fields: f}
}
