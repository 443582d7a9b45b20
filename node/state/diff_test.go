package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin/v18/account"
	"github.com/filecoin-project/go-state-types/builtin/v18/miner"
	"github.com/filecoin-project/go-state-types/builtin/v18/multisig"
	reward18 "github.com/filecoin-project/go-state-types/builtin/v18/reward"
	"github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	reward19 "github.com/filecoin-project/go-state-types/builtin/v19/reward"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// told are changes as lines: "op path before after fields more less".
func told(t *testing.T, a, b *Tree, o DiffOptions) (lines []string) {
	t.Helper()
	err := Diff(t.Context(), a, b, o, func(c *Change) error {
		before, err1 := json.Marshal(c.Before)
		after, err2 := json.Marshal(c.After)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		line := fmt.Sprintf("%s %s", c.Op, c.Path)
		switch {
		case c.More != "" || c.Less != "":
			line += fmt.Sprintf(" +%s -%s", c.More, c.Less)
		case len(c.Fields) > 0:
			line += " " + strings.Join(c.Fields, ",")
		default:
			line += fmt.Sprintf(" %s %s", before, after)
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func account18(b *builder, id uint64) cid.Cid {
	key, err := address.NewSecp256k1Address([]byte(fmt.Sprint(id)))
	b.must(err)
	return b.put(&account.State{Address: key})
}

func sector(n abi.SectorNumber, expiration abi.ChainEpoch) *miner.SectorOnChainInfo {
	sealed, _ := cid.Decode("bagboea4b5abcaa4bnv6wsgxjavjbm6knobwsxnnq3ndmvn5n3tejlbtp3bb6ob6m")
	return &miner.SectorOnChainInfo{
		SectorNumber: n, SealedCID: sealed, Expiration: expiration, DealWeight: big.Zero(), VerifiedDealWeight: big.Zero(),
		InitialPledge: big.Zero(), DailyFee: big.Zero(),
	}
}

// minerParts are what a miner of the test has.
type minerParts struct {
	sectors    map[uint64]cbg.CBORMarshaler
	allocated  []uint64
	owner      uint64
	pledge     int64
	partitions map[uint64]cbg.CBORMarshaler // of deadline 3
}

func (b *builder) miner(p minerParts) cid.Cid {
	empty := func(bits uint) cid.Cid { return b.amt(bits, nil) }
	info := miner.MinerInfo{
		Owner: addr.NewID(p.owner), Worker: addr.NewID(101), Beneficiary: addr.NewID(p.owner),
		BeneficiaryTerm: miner.BeneficiaryTerm{Quota: big.Zero(), UsedQuota: big.Zero()},
	}
	power := miner.NewPowerPairZero()
	deadline := func(partitions cid.Cid) cid.Cid {
		return b.put(&miner.Deadline{
			Partitions: partitions, ExpirationsEpochs: empty(5), PartitionsPoSted: bitfield.New(), EarlyTerminations: bitfield.New(),
			FaultyPower: power, LivePower: power, DailyFee: big.Zero(), OptimisticPoStSubmissions: empty(2), SectorsSnapshot: empty(5),
			PartitionsSnapshot: empty(3), OptimisticPoStSubmissionsSnapshot: empty(2),
		})
	}
	var deadlines miner.Deadlines
	for i := range deadlines.Due {
		deadlines.Due[i] = deadline(empty(3))
	}
	deadlines.Due[3] = deadline(b.amt(3, p.partitions))
	allocated := bitfield.NewFromSet(p.allocated)
	return b.put(&miner.State{
		Info: b.put(&info), PreCommitDeposits: big.Zero(), LockedFunds: big.Zero(), FeeDebt: big.Zero(), InitialPledge: big.NewInt(p.pledge),
		PreCommittedSectors: b.hamt(5, nil), PreCommittedSectorsCleanUp: empty(6), AllocatedSectors: b.put(&allocated),
		Sectors: b.amt(5, p.sectors), Deadlines: b.put(&deadlines), EarlyTerminations: bitfield.New(),
	})
}

func partition(b *builder, faults ...uint64) *miner.Partition {
	power := miner.NewPowerPairZero()
	return &miner.Partition{
		Sectors: bitfield.NewFromSet([]uint64{1, 2, 3, 4}), Unproven: bitfield.New(), Faults: bitfield.NewFromSet(faults), Recoveries: bitfield.New(),
		Terminated: bitfield.New(), ExpirationsEpochs: b.amt(4, nil), EarlyTerminated: b.amt(3, nil), LivePower: power, UnprovenPower: power,
		FaultyPower: power, RecoveringPower: power,
	}
}

// Known edits of a state, and nothing else, are told: in the order of ids, by path.
func TestDiffTellsTheEdits(t *testing.T) {
	a := newBuilder(t)
	a.actor(100, "account", account18(a, 100), 5)
	a.actor(101, "account", account18(a, 101), 7)
	a.actor(1000, "storageminer", a.miner(minerParts{
		sectors:   map[uint64]cbg.CBORMarshaler{1: sector(1, 100), 2: sector(2, 100), 900: sector(900, 100)},
		allocated: []uint64{1, 2, 900}, owner: 100, pledge: 3,
		partitions: map[uint64]cbg.CBORMarshaler{0: partition(a, 1)},
	}), 0)
	proposal := func(value int64) *multisig.Transaction {
		return &multisig.Transaction{To: addr.NewID(100), Value: big.NewInt(value)}
	}
	wallet := func(b *builder, pending map[string]cbg.CBORMarshaler, signers ...address.Address) cid.Cid {
		return b.put(&multisig.State{Signers: signers, NumApprovalsThreshold: 1, InitialBalance: big.Zero(), PendingTxns: b.hamt(5, pending)})
	}
	key := func(id int64) string { return abi.IntKey(id).Key() }
	a.actor(102, "multisig", wallet(a, map[string]cbg.CBORMarshaler{key(0): proposal(1), key(1): proposal(2)}, addr.NewID(100)), 0)
	allocations := func(b *builder, of map[string]cbg.CBORMarshaler) cid.Cid {
		return b.put(&verifreg.State{
			RootKey: addr.NewID(80), Verifiers: b.hamt(5, nil), RemoveDataCapProposalIDs: b.hamt(5, nil), Claims: b.hamt(5, nil),
			Allocations: b.hamt(5, of),
		})
	}
	allocation := func(size abi.PaddedPieceSize) *verifreg.Allocation {
		piece, _ := cid.Decode("baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq")
		return &verifreg.Allocation{Client: 100, Provider: 1000, Data: piece, Size: size}
	}
	inner := func(b *builder, ids ...uint64) *cbg.CborCid {
		m := map[string]cbg.CBORMarshaler{}
		for _, id := range ids {
			m[abi.UIntKey(id).Key()] = allocation(128)
		}
		c := cbg.CborCid(b.hamt(5, m))
		return &c
	}
	client := func(id uint64) string { return abi.UIntKey(id).Key() }
	a.actor(6, "verifiedregistry", allocations(a, map[string]cbg.CBORMarshaler{client(100): inner(a, 1, 2)}), 0)

	b := a.clone()
	b.actor(100, "account", account18(a, 100), 6) // one more
	delete(b.actors, 101)
	b.actor(103, "account", account18(b, 103), 9)
	b.actor(1000, "storageminer", b.miner(minerParts{
		sectors:   map[uint64]cbg.CBORMarshaler{1: sector(1, 200), 2: sector(2, 100), 3: sector(3, 100)}, // another, one gone, one new
		allocated: []uint64{1, 2, 3, 900}, owner: 100, pledge: 4,
		partitions: map[uint64]cbg.CBORMarshaler{0: partition(b, 2, 3), 1: partition(b)},
	}), 0)
	b.actor(102, "multisig", wallet(b, map[string]cbg.CBORMarshaler{key(1): proposal(3), key(2): proposal(2)}, addr.NewID(100), addr.NewID(103)), 0)
	b.actor(6, "verifiedregistry", allocations(b, map[string]cbg.CBORMarshaler{client(100): inner(b, 2, 7), client(103): inner(b, 8)}), 0)

	sectorJSON := func(n, expiration int) string {
		return fmt.Sprintf(`{"SectorNumber":%d,"SealProof":"StackedDrg2KiBV1","SealedCID":"bagboea4b5abcaa4bnv6wsgxjavjbm6knobwsxnnq3ndmvn5n3tejlbtp3bb6ob6m","DeprecatedDealIDs":[],"Activation":0,"Expiration":%d,`+
			`"DealWeight":"0","VerifiedDealWeight":"0","InitialPledge":"0","ExpectedDayReward":null,"ExpectedStoragePledge":null,"PowerBaseEpoch":0,"ReplacedDayReward":null,"SectorKeyCID":null,"Flags":0,"DailyFee":"0"}`, n, expiration)
	}
	alloc := `{"Client":100,"Provider":1000,"Data":"baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq","Size":128,"TermMin":0,"TermMax":0,"Expiration":0}`
	pending := func(v int) string {
		return fmt.Sprintf(`{"To":"f0100","Value":"%d","Method":0,"Params":"0x","Approved":[]}`, v)
	}
	got := told(t, a.tree(Options{}), b.tree(Options{}), DiffOptions{})
	actorLine := func(l string) bool { return strings.Contains(l, `"code"`) }
	var actors []string
	for _, l := range got {
		if actorLine(l) {
			actors = append(actors, l[:strings.Index(l, " {")])
		}
	}
	same(t, actors, []string{"removed /actors/f0101", "added /actors/f0103 null"})
	want := []string{
		"removed /actors/f06/state/Allocations/f0100/1 " + alloc + " null",
		"added /actors/f06/state/Allocations/f0100/7 null " + alloc,
		"added /actors/f06/state/Allocations/f0103/8 null " + alloc,
		`changed /actors/f0100/balance "5" "6"`,
		`changed /actors/f0102/state/Signers ["f0100"] ["f0100","f0103"]`,
		"removed /actors/f0102/state/PendingTxns/0 " + pending(1) + " null",
		"changed /actors/f0102/state/PendingTxns/1 Value",
		"added /actors/f0102/state/PendingTxns/2 null " + pending(2),
		`changed /actors/f01000/state/InitialPledge "3" "4"`,
		"changed /actors/f01000/state/AllocatedSectors +3 -",
		"changed /actors/f01000/state/Sectors/1 Expiration",
		"added /actors/f01000/state/Sectors/3 null " + sectorJSON(3, 100),
		"removed /actors/f01000/state/Sectors/900 " + sectorJSON(900, 100) + " null",
		"changed /actors/f01000/state/Deadlines/Due/3/Partitions/0/Faults +2-3 -1",
	}
	got = slices.DeleteFunc(got, actorLine)
	// Entries of maps come in the order of their hashes.
	byPath := func(a, b string) int { return strings.Compare(strings.Fields(a)[1], strings.Fields(b)[1]) }
	inOrder := slices.Clone(got)
	slices.SortFunc(got, byPath)
	slices.SortFunc(want, byPath)
	if n := slices.IndexFunc(got, func(l string) bool {
		return strings.HasPrefix(l, "added /actors/f01000/state/Deadlines/Due/3/Partitions/1 ")
	}); n < 0 {
		t.Error("the new partition is not told")
	} else {
		got = slices.Delete(got, n, n+1)
	}
	same(t, got, want)
	ids := []string{}
	for _, l := range inOrder {
		ids = append(ids, strings.Split(l, "/")[2])
	}
	if want := "f06 f0100 f0102 f01000"; strings.Join(slices.Compact(ids), " ") != want {
		t.Errorf("actors in the order %v", slices.Compact(ids))
	}
	same(t, told(t, a.tree(Options{}), a.tree(Options{}), DiffOptions{}), nil)
	same(t, told(t, a.tree(Options{}), b.tree(Options{}), DiffOptions{Only: []abi.ActorID{100, 80}}), []string{`changed /actors/f0100/balance "5" "6"`})
	shallow := told(t, a.tree(Options{}), b.tree(Options{}), DiffOptions{Shallow: true, Only: []abi.ActorID{1000}})
	if len(shallow) != 1 || !strings.HasPrefix(shallow[0], "changed /actors/f01000/head ") {
		t.Errorf("shallow: %v", shallow)
	}
}

// Backwards, additions are removals.
func TestDiffIsSymmetric(t *testing.T) {
	a := newBuilder(t)
	a.actor(1000, "storageminer", a.miner(minerParts{sectors: map[uint64]cbg.CBORMarshaler{5: sector(5, 1)}, owner: 1}), 0)
	b := a.clone()
	sectors := map[uint64]cbg.CBORMarshaler{}
	for i := range uint64(500) {
		sectors[i*77] = sector(abi.SectorNumber(i*77), 1)
	}
	b.actor(1000, "storageminer", b.miner(minerParts{sectors: sectors, owner: 2, allocated: []uint64{9}}), 0)
	there, back := told(t, a.tree(Options{}), b.tree(Options{}), DiffOptions{}), told(t, b.tree(Options{}), a.tree(Options{}), DiffOptions{})
	if len(there) != len(back) || len(there) < 500 {
		t.Fatalf("%d and %d changes", len(there), len(back))
	}
	turn := map[string]string{"added": "removed", "removed": "added", "changed": "changed"}
	for i := range there {
		x, y := strings.Fields(there[i]), strings.Fields(back[i])
		if x[1] != y[1] || turn[x[0]] != y[0] {
			t.Errorf("%s\n%s", there[i], back[i])
		}
	}
}

// From one version of the actors to the next, fields are compared by name: those of the reward actor when FIP-0118 comes.
func TestDiffOfVersions(t *testing.T) {
	a := newBuilder(t)
	zero := big.Zero()
	old := reward18.State{
		CumsumBaseline: big.NewInt(1), CumsumRealized: zero, EffectiveBaselinePower: zero, ThisEpochReward: zero, ThisEpochBaselinePower: zero,
		TotalStoragePowerReward: big.NewInt(77), SimpleTotal: zero, BaselineTotal: zero,
	}
	old.ThisEpochRewardSmoothed.PositionEstimate, old.ThisEpochRewardSmoothed.VelocityEstimate = zero, zero
	a.actor(2, "reward", a.put(&old), 0)
	b := a.clone()
	b.codes = map[string]cid.Cid{}
	b.manifest("system", "reward")
	streams := b.put(&reward19.StreamsState{Streams: []reward19.Stream{{ID: 1, Weight: reward19.WeightRecord{VStart: 1, Cap: 2}}}})
	now := reward19.State{
		CumsumBaseline: big.NewInt(2), CumsumRealized: zero, EffectiveBaselinePower: zero, ThisEpochReward: zero, ThisEpochBaselinePower: zero,
		TotalMintedReward: big.NewInt(77), TotalBurnMinted: zero, TotalExplicitMinted: zero, SWAActor: addr.NewID(90), StreamsRoot: streams,
	}
	now.ThisEpochRewardSmoothed = reward19.State{}.ThisEpochRewardSmoothed
	now.ThisEpochRewardSmoothed.PositionEstimate, now.ThisEpochRewardSmoothed.VelocityEstimate = zero, zero
	b.actor(2, "reward", b.put(&now), 0)
	lines := told(t, a.tree(Options{}), b.tree(Options{ActorsVersion: 19}), DiffOptions{Only: []abi.ActorID{2}})
	var got []string
	for _, l := range lines {
		if !strings.Contains(l, "/code ") {
			got = append(got, l)
		}
	}
	slices.Sort(got)
	same(t, got, []string{
		`added /actors/f02/state/Accrued null []`,
		`added /actors/f02/state/SWAActor null "f090"`,
		`added /actors/f02/state/SWATimelockEpochs null 0`,
		`added /actors/f02/state/StreamsRoot null {"Streams":[{"ID":1,"Weight":{"VStart":1,"Slope":0,"TStart":0,"Floor":0,"Cap":2},"Distribution":null}],"Tombstones":[],"PendingWritesQueue":[]}`,
		`added /actors/f02/state/TotalBurnMinted null "0"`,
		`added /actors/f02/state/TotalExplicitMinted null "0"`,
		`added /actors/f02/state/TotalMintedReward null "77"`,
		`changed /actors/f02/state/CumsumBaseline "1" "2"`,
		`removed /actors/f02/state/BaselineTotal "0" null`,
		`removed /actors/f02/state/SimpleTotal "0" null`,
		`removed /actors/f02/state/TotalStoragePowerReward "77" null`,
	})
	// Without being told, nothing takes those actors for v19, nor for v18.
	n, err := b.tree(Options{}).Get(t.Context(), "actors/f02/state")
	if err != nil || n.Typed() {
		t.Errorf("a state of unknown code is %v, %v", n, err)
	}
	// A bundle that was added is known by its list of actors.
	n, err = b.tree(Options{Bundle: func(cid.Cid) (string, error) { return "v19/my-net", nil }}).Get(t.Context(), "actors/f02/state/StreamsRoot/Streams/0/Weight/Cap")
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	v, err := n.View(t.Context(), ViewOptions{})
	if _ = json.NewEncoder(&text).Encode(v); err != nil || strings.TrimSpace(text.String()) != "2" {
		t.Errorf("%s, %v", text.String(), err)
	}
}
