package gas

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	stcrypto "github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/internal/vm/crypto"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestPricesFor(t *testing.T) {
	for nv := network.Version(0); nv < 40; nv++ {
		var want *PriceList
		switch {
		case nv < 16 || nv > 30:
		case nv <= 17:
			want = &skyr
		case nv <= 20:
			want = &hygge
		case nv <= 24:
			want = &watermelon
		default:
			want = &teep
		}
		if got, err := PricesFor(nv, true); got != want || (err == nil) != (want != nil) {
			t.Errorf("network version %d: a wrong list, error %v", nv, err)
		}
	}
	if _, err := PricesFor(30, false); err == nil {
		t.Error("the preview needs no leave")
	}
}

// The golden files show in review what a change of a list changes, in milligas.
func TestListsAreGolden(t *testing.T) {
	for _, l := range lists {
		var b strings.Builder
		v := reflect.ValueOf(*l.list)
		for i := range v.NumField() {
			fmt.Fprintf(&b, "%s: %+v\n", v.Type().Field(i).Name, v.Field(i))
		}
		path := filepath.Join("testdata", fmt.Sprintf("prices_nv%d.golden", l.from))
		if *update {
			if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s differs; got\n%s\nUse -update if that is meant.", path, &b)
		}
	}
}

func aggregateOf(typ abi.RegisteredSealProof, n int) proof.AggregateSealVerifyProofAndInfos {
	return proof.AggregateSealVerifyProofAndInfos{SealProof: typ, Infos: make([]proof.AggregateSealVerifyInfo, n)}
}

func postOf(n int) proof.WindowPoStVerifyInfo {
	return proof.WindowPoStVerifyInfo{ChallengedSectors: make([]proof.SectorInfo, n)}
}

func returned(c Charge, charged bool) Charge {
	if !charged {
		c.Name += " is not charged"
	}
	return c
}

// era is the numbers that a charge has at nv18, nv21 and nv25, in milligas.
type era [3]Charge

func always(name string, compute, other Gas) era {
	c := Charge{name, compute, other}
	return era{c, c, c}
}

func since21(at18, later Charge) era { return era{at18, later, later} }

// The expected numbers are worked out by hand from the FIPs named, in milligas.
func TestCharges(t *testing.T) {
	const (
		ps32 = abi.RegisteredSealProof_StackedDrg32GiBV1_1
		ps64 = abi.RegisteredSealProof_StackedDrg64GiBV1_1
		ni32 = abi.RegisteredSealProof_StackedDrg32GiBV1_2_Feat_NiPoRep
		ni64 = abi.RegisteredSealProof_StackedDrg64GiBV1_2_Feat_NiPoRep
		syn  = abi.RegisteredSealProof_StackedDrg64GiBV1_1_Feat_SyntheticPoRep
	)
	for _, c := range []struct {
		what string
		do   func(p *PriceList) Charge
		want era
	}{
		// FIP-0057 adds an actor update to 1300 a byte of message and of the 36 bytes of its link.
		{"empty message", func(p *PriceList) Charge { return p.OnChainMessage(0) }, always("OnChainMessage", 38_863_000, 521_800_000)},
		{"message", func(p *PriceList) Charge { return p.OnChainMessage(143) }, always("OnChainMessage", 38_863_000, 707_700_000)},
		{"transfer", (*PriceList).OnValueTransfer, always("OnValueTransfer", 6_000_000, 0)},
		{"call", func(p *PriceList) Charge { return p.OnMethodInvocation(1000, 0) }, always("OnMethodInvocation", 75_000_000, 0)},
		{"call with links", func(p *PriceList) Charge { return p.OnMethodInvocation(1000, 2) },
			since21(Charge{"OnMethodInvocation", 75_000_000, 0}, Charge{"OnMethodInvocation", 75_600_000, 0})}, // FIP-0071
		{"outer return", func(p *PriceList) Charge { return returned(p.OnMethodReturn(1, 10, 7)) }, always("OnChainReturnValue", 0, 13_000_000)},
		{"inner return", func(p *PriceList) Charge { return returned(p.OnMethodReturn(2, 10, 7)) },
			since21(Charge{Name: "OnReturnValue is not charged"}, Charge{"OnReturnValue", 2_100_000, 0})},
		{"actor", func(p *PriceList) Charge { return p.OnCreateActor(false) }, always("OnCreateActor", 0, 650_000_000)},
		{"actor with address", func(p *PriceList) Charge { return p.OnCreateActor(true) }, always("OnCreateActor", 0, 2_700_000_000)},
		{"no actor", (*PriceList).OnDeleteActor, always("OnDeleteActor", 0, 0)},
		{"lookup", (*PriceList).OnActorLookup, always("OnActorLookup", 0, 500_000_000)},
		{"update", (*PriceList).OnActorUpdate, always("OnActorUpdate", 0, 475_000_000)},
		{"own balance", (*PriceList).OnSelfBalance, always("OnSelfBalance", 0, 0)},
		{"balance", (*PriceList).OnBalanceOf, always("OnBalanceOf", 0, 0)},
		{"resolve", (*PriceList).OnResolveAddress, always("OnResolveAddress", 0, 0)},
		{"f4", (*PriceList).OnLookupDelegatedAddress, always("OnLookupAddress", 0, 0)},
		{"code", (*PriceList).OnGetActorCodeCid, always("OnGetActorCodeCid", 0, 0)},
		{"type of code", (*PriceList).OnGetBuiltinActorType, always("OnGetBuiltinActorType", 0, 0)},
		{"code of type", (*PriceList).OnGetCodeCidForType, always("OnGetCodeCidForType", 0, 0)},
		{"network", (*PriceList).OnNetworkContext, always("OnNetworkContext", 0, 0)},
		{"message context", (*PriceList).OnMessageContext, always("OnMessageContext", 0, 0)},
		// FIP-0054; FIP-0075: 110200 + 15000 + 21000, and 75 an epoch.
		{"parent", func(p *PriceList) Charge { return p.OnTipsetCid(1) }, since21(Charge{"OnTipsetCid", 0, 50_000_000}, Charge{"OnTipsetCid", 0, 146_275_000})},
		{"grandparent", func(p *PriceList) Charge { return p.OnTipsetCid(2) }, since21(Charge{"OnTipsetCid", 0, 215_000_000}, Charge{"OnTipsetCid", 0, 146_350_000})},
		{"ancestor", func(p *PriceList) Charge { return p.OnTipsetCid(899) }, since21(Charge{"OnTipsetCid", 0, 215_000_000}, Charge{"OnTipsetCid", 0, 213_625_000})},
		{"root", (*PriceList).OnGetRoot, since21(Charge{"OnActorGetRoot", 0, 0}, Charge{"OnActorGetRoot", 300_000, 0})},
		{"new root", (*PriceList).OnSetRoot, since21(Charge{"OnActorSetRoot", 0, 0}, Charge{"OnActorSetRoot", 300_000, 0})},
		{"open", (*PriceList).OnBlockOpenBase, since21(Charge{"OnBlockOpenBase", 0, 187_440_000}, Charge{"OnBlockOpenBase", 300_000, 187_440_000})},
		// A copy is 2 for the memory and 0.4 for the bytes; a block is at least 10 a byte.
		{"opened", func(p *PriceList) Charge { return p.OnBlockOpen(100, 0) }, since21(Charge{"OnBlockOpenPerByte", 240_000, 760_000}, Charge{"OnBlockOpen", 0, 1_000_000})},
		{"opened, a link", func(p *PriceList) Charge { return p.OnBlockOpen(100, 1) }, since21(Charge{"OnBlockOpenPerByte", 240_000, 760_000}, Charge{"OnBlockOpen", 300_000, 700_000})},
		{"opened, many links", func(p *PriceList) Charge { return p.OnBlockOpen(100, 5) }, since21(Charge{"OnBlockOpenPerByte", 240_000, 760_000}, Charge{"OnBlockOpen", 1_500_000, 240_000})},
		{"read", func(p *PriceList) Charge { return p.OnBlockRead(100) }, always("OnBlockRead", 40_000, 0)},
		{"create", func(p *PriceList) Charge { return p.OnBlockCreate(100, 0) }, always("OnBlockCreate", 240_000, 760_000)},
		{"create, a link", func(p *PriceList) Charge { return p.OnBlockCreate(100, 1) }, since21(Charge{"OnBlockCreate", 240_000, 760_000}, Charge{"OnBlockCreate", 540_000, 460_000})},
		{"create, many links", func(p *PriceList) Charge { return p.OnBlockCreate(100, 5) }, since21(Charge{"OnBlockCreate", 240_000, 760_000}, Charge{"OnBlockCreate", 1_740_000, 0})},
		{"link", func(p *PriceList) Charge { return p.OnBlockLink(crypto.BLAKE2b256, 100) }, // 172000 + 334000 + (2.4 + 10 + 3340) a byte
			since21(Charge{"OnBlockLink", 1_240_000, 840_000_000}, Charge{"OnBlockLink", 1_540_000, 840_000_000})},
		{"stat", (*PriceList).OnBlockStat, always("OnBlockStat", 0, 0)},
		// FIP-0057.
		{"secp", func(p *PriceList) Charge { return p.OnVerifySignature(stcrypto.SigTypeSecp256k1, 27) }, always("OnVerifySignature", 1_637_562_000, 0)},
		{"bls", func(p *PriceList) Charge { return p.OnVerifySignature(stcrypto.SigTypeBLS, 35) }, always("OnVerifySignature", 16_599_515_000, 0)},
		{"recover", (*PriceList).OnRecoverSecpPublicKey, always("OnRecoverSecpPublicKey", 1_637_292_000, 0)},
		{"sha2-256", func(p *PriceList) Charge { return p.OnHashing(0x12, 100) }, always("OnHashing", 700_000, 0)},
		{"blake2b-256", func(p *PriceList) Charge { return p.OnHashing(0xb220, 100) }, always("OnHashing", 1_000_000, 0)},
		{"blake2b-512", func(p *PriceList) Charge { return p.OnHashing(0xb240, 100) }, always("OnHashing", 1_000_000, 0)},
		{"keccak-256", func(p *PriceList) Charge { return p.OnHashing(0x1b, 100) }, always("OnHashing", 3_300_000, 0)},
		{"ripemd-160", func(p *PriceList) Charge { return p.OnHashing(0x1053, 100) }, always("OnHashing", 3_500_000, 0)},
		{"unsealed cid", func(p *PriceList) Charge { return p.OnComputeUnsealedSectorCid(ps32, 9) }, always("OnComputeUnsealedSectorCid", 98_647_000, 0)},
		{"replica", func(p *PriceList) Charge { return p.OnVerifyReplicaUpdate(proof.ReplicaUpdateInfo{}) }, always("OnVerifyReplicaUpdate", 36_316_136_000, 0)},
		{"fault", func(p *PriceList) Charge { return p.OnVerifyConsensusFault(1, 2, 3) }, always("OnVerifyConsensusFault", 0, 516_422_000)},
		{"no sectors", func(p *PriceList) Charge { return p.OnVerifyPost(postOf(0)) }, always("OnVerifyPost", 117_680_921_000, 0)},
		{"sectors", func(p *PriceList) Charge { return p.OnVerifyPost(postOf(3)) }, always("OnVerifyPost", 117_812_261_000, 0)},
		{"seal", func(p *PriceList) Charge { return p.OnVerifySeal(proof.SealVerifyInfo{}) }, era{ // FIP-0076
			{"OnVerifySeal", 2_000_000, 0}, {"OnVerifySeal", 2_000_000, 0}, {"OnVerifySeal", 42_000_000_000, 0}}},
		{"no seals", func(p *PriceList) Charge { return p.OnVerifyAggregateSeals(aggregateOf(ps32, 0)) }, always("OnVerifyAggregateSeals", 0, 0)},
		{"3 seals", func(p *PriceList) Charge { return p.OnVerifyAggregateSeals(aggregateOf(ps32, 3)) }, always("OnVerifyAggregateSeals", 1_349_700_000, 0)},
		{"4 seals", func(p *PriceList) Charge { return p.OnVerifyAggregateSeals(aggregateOf(ps32, 4)) }, always("OnVerifyAggregateSeals", 105_793_770_000, 0)},
		{"65 seals", func(p *PriceList) Charge { return p.OnVerifyAggregateSeals(aggregateOf(ps32, 65)) }, always("OnVerifyAggregateSeals", 191_282_600_000, 0)},
		{"819 seals", func(p *PriceList) Charge { return p.OnVerifyAggregateSeals(aggregateOf(ps32, 819)) }, always("OnVerifyAggregateSeals", 896_743_080_000, 0)},
		{"2 large seals", func(p *PriceList) Charge { return p.OnVerifyAggregateSeals(aggregateOf(ps64, 2)) }, always("OnVerifyAggregateSeals", 718_544_000, 0)},
		{"7 large seals", func(p *PriceList) Charge { return p.OnVerifyAggregateSeals(aggregateOf(ps64, 7)) }, always("OnVerifyAggregateSeals", 113_317_934_000, 0)},
		{"4 seals of a type not listed", func(p *PriceList) Charge { return p.OnVerifyAggregateSeals(aggregateOf(syn, 4)) }, always("OnVerifyAggregateSeals", 105_793_770_000, 0)},
		{"3 non-interactive", func(p *PriceList) Charge { return p.OnVerifyAggregateSeals(aggregateOf(ni32, 3)) }, era{ // FIP-0092, whose example of 3 has a slip in its product
			{"OnVerifyAggregateSeals", 1_349_700_000, 0}, {"OnVerifyAggregateSeals", 1_349_700_000, 0}, {"OnVerifyAggregateSeals", 154_566_150_000, 0}}},
		{"5 large non-interactive", func(p *PriceList) Charge { return p.OnVerifyAggregateSeals(aggregateOf(ni64, 5)) }, era{ // FIP-0092 has this example
			{"OnVerifyAggregateSeals", 106_243_670_000, 0}, {"OnVerifyAggregateSeals", 106_243_670_000, 0}, {"OnVerifyAggregateSeals", 179_992_530_000, 0}}},
	} {
		for i, l := range lists[1:] {
			if got := c.do(l.list); got != c.want[i] {
				t.Errorf("%s at nv%d: %+v, want %+v", c.what, l.from, got, c.want[i])
			}
		}
	}
}

// The list of nv16 and nv17. FIP-0032 has the numbers of blocks, syscalls and externs; the others are those of the actors'
// own VM, such as Lotus's pricelistV0 with the changes of its later lists.
func TestSkyrCharges(t *testing.T) {
	p := &skyr
	none, fil := abi.NewTokenAmount(0), abi.NewTokenAmount(7)
	gone := Gas(1<<64 - 98_800_000) // -98800 gas
	for _, c := range []struct {
		what      string
		got, want Charge
	}{
		{"empty message", p.OnChainMessage(0), Charge{"OnChainMessage", 38_863_000, 46_800_000}},
		{"message", p.OnChainMessage(143), Charge{"OnChainMessage", 38_863_000, 232_700_000}},
		{"call of nothing", p.OnSend(none, 0), Charge{"OnMethodInvocation", 29_233_000, 0}},
		{"call", p.OnSend(none, 2), Charge{"OnMethodInvocation", 23_856_000, 0}},
		{"funds", p.OnSend(fil, 0), Charge{"OnMethodInvocation", 216_405_000, 0}},
		{"call with funds", p.OnSend(fil, 2), Charge{"OnMethodInvocation", 51_356_000, 0}},
		{"no return", returned(p.OnMethodReturn(1, 0, 0)), Charge{"OnChainReturnValue", 0, 0}},
		{"return", returned(p.OnMethodReturn(1, 10, 0)), Charge{"OnChainReturnValue", 0, 13_000_000}},
		{"inner return", returned(p.OnMethodReturn(2, 10, 0)), Charge{Name: "OnReturnValue is not charged"}},
		{"actor", p.OnCreateActor(false), Charge{"OnCreateActor", 1_108_454_000, 98_800_000}},
		{"actor with address", p.OnCreateActor(true), Charge{"OnCreateActor", 1_108_454_000, 98_800_000}},
		{"no actor", p.OnDeleteActor(), Charge{"OnDeleteActor", 0, gone}},
		{"draw", p.OnDrawRandomness(0), Charge{"OnGetRandomness", 21_000_000, 0}},
		{"draw with entropy", p.OnDrawRandomness(70), Charge{"OnGetRandomness", 21_000_000, 0}},
		{"open", p.OnBlockOpenBase(), Charge{"OnBlockOpenBase", 135_617_000, 0}},
		{"opened", p.OnBlockOpen(100, 0), Charge{"OnBlockOpenPerByte", 1_050_000, 0}},
		{"read", p.OnBlockRead(101), Charge{"OnBlockRead", 50_500, 0}},
		{"create", p.OnBlockCreate(100, 0), Charge{"OnBlockCreate", 1_050_000, 0}},
		{"link", p.OnBlockLink(crypto.BLAKE2b256, 100), Charge{"OnBlockLink", 353_740_000, 130_000_000}},
		{"stat", p.OnBlockStat(), Charge{"OnBlockStat", 0, 0}},
		{"secp", p.OnVerifySignature(stcrypto.SigTypeSecp256k1, 27), Charge{"OnVerifySignature", 1_637_292_000, 0}},
		{"bls", p.OnVerifySignature(stcrypto.SigTypeBLS, 35), Charge{"OnVerifySignature", 16_598_605_000, 0}},
		{"recover", p.OnRecoverSecpPublicKey(), Charge{"OnRecoverSecpPublicKey", 1_637_292_000, 0}},
		{"hash", p.OnHashing(crypto.BLAKE2b256, 100), Charge{"OnHashing", 31_355_000, 0}},
		{"hash of another function", p.OnHashing(crypto.RIPEMD160, 0), Charge{"OnHashing", 31_355_000, 0}},
		{"hash of no function", p.OnHashing(0x1234, 1<<30), Charge{"OnHashing", 31_355_000, 0}},
		{"unsealed cid", p.OnComputeUnsealedSectorCid(8, 9), Charge{"OnComputeUnsealedSectorCid", 98_647_000, 0}},
		{"seal", p.OnVerifySeal(proof.SealVerifyInfo{}), Charge{"OnVerifySeal", 2_000_000, 0}},
		{"3 seals", p.OnVerifyAggregateSeals(aggregateOf(8, 3)), Charge{"OnVerifyAggregateSeals", 1_349_700_000, 0}},
		{"7 large seals", p.OnVerifyAggregateSeals(aggregateOf(9, 7)), Charge{"OnVerifyAggregateSeals", 113_317_934_000, 0}},
		{"replica", p.OnVerifyReplicaUpdate(proof.ReplicaUpdateInfo{}), Charge{"OnVerifyReplicaUpdate", 36_316_136_000, 0}},
		{"fault", p.OnVerifyConsensusFault(1, 2, 3), Charge{"OnVerifyConsensusFault", 516_422_000, 0}},
		{"sectors", p.OnVerifyPost(postOf(3)), Charge{"OnVerifyPost", 117_812_261_000, 0}},
		{"syscall", Charge{Name: "OnSyscall", Compute: p.Wasm.HostCallCost}, Charge{"OnSyscall", 14_000_000, 0}},
		{"memory", Charge{Compute: p.Wasm.OfMemory(1 << 20), Other: p.Wasm.OfMemory(1 << 20)}, Charge{}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", c.what, c.got, c.want)
		}
	}
}

// What is free from nv18 on is not even a charge of nothing before, and neither are accesses to the state tree.
func TestSkyrIsSilent(t *testing.T) {
	for i, do := range []func(*PriceList) Charge{
		(*PriceList).OnActorLookup, (*PriceList).OnActorUpdate, (*PriceList).OnSelfBalance, (*PriceList).OnBalanceOf, (*PriceList).OnResolveAddress,
		(*PriceList).OnLookupDelegatedAddress, (*PriceList).OnGetActorCodeCid, (*PriceList).OnGetBuiltinActorType,
		(*PriceList).OnGetCodeCidForType, (*PriceList).OnNetworkContext, (*PriceList).OnMessageContext,
	} {
		if got := do(&skyr); got != (Charge{}) {
			t.Errorf("%d: %+v at nv16", i, got)
		}
		if got := do(&hygge); got.Name == "" {
			t.Errorf("%d: no charge at nv18", i)
		}
	}
	if len(skyr.PreloadedActors) != 0 {
		t.Error("actors are preloaded that nobody pays for")
	}
}

// Charges that exist only until nv20 or only from nv21 on.
func TestChargesOfOneEra(t *testing.T) {
	for _, c := range []struct {
		what      string
		got, want Charge
	}{
		{"draw", hygge.OnDrawRandomness(0), Charge{"OnGetRandomness", 0, 21_480_000}},
		{"draw with entropy", hygge.OnDrawRandomness(7), Charge{"OnGetRandomness", 0, 21_550_000}},
		{"validate nothing", hygge.OnActorEventValidate(0), Charge{"OnActorEventValidate", 1_750_000, 0}},
		{"validate", hygge.OnActorEventValidate(100), Charge{"OnActorEventValidate", 4_490_000, 0}},
		{"accept", hygge.OnActorEventAccept(1), Charge{"OnActorEventAccept", 31_200, 166_400}},
		{"digest", watermelon.OnGetRandomness(0), Charge{"OnGetRandomness", 0, 146_200_000}},
		{"old digest", watermelon.OnGetRandomness(100), Charge{"OnGetRandomness", 0, 153_700_000}},
		{"aggregate of none", watermelon.OnVerifyAggregateSignature(0, 0), Charge{"OnVerifyBlsAggregateSignature", 8_299_302_000, 0}},
		{"aggregate", watermelon.OnVerifyAggregateSignature(2, 10), Charge{"OnVerifyBlsAggregateSignature", 24_897_976_000, 0}},
		{"empty event", watermelon.OnActorEvent(0, 0, 0), Charge{"OnActorEvent", 2_557_600, 148_800}},
		// 12 + 2*9 + 5 + 15 = 50 bytes: 2 copies, 2*1400 + 5*16 above 2500; a hash and a copy.
		{"event", watermelon.OnActorEvent(2, 5, 15), Charge{"OnActorEvent", 240_000 + 2_500_000 + 2_800_000 + 80_000, 500_000 + 120_000}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", c.what, c.got, c.want)
		}
	}
	for _, p := range []*PriceList{&watermelon, &teep} {
		if p.IPLDScanPerField != 35_000 || p.IPLDScanPerCID != 400_000 {
			t.Errorf("scan prices %d and %d", p.IPLDScanPerField, p.IPLDScanPerCID)
		}
	}
}

func TestWasmPrices(t *testing.T) {
	for _, l := range lists[1:] {
		w := &l.list.Wasm
		if w.HostCallCost != 14_000_000 || w.OfMemory(17*65536) != 445_644_800 || w.OfMemory(65536) != 26_214_400 || w.OfTable(10) != 32_000 {
			t.Errorf("nv%d: %+v", l.from, w)
		}
	}
}

func TestQuirkFutureRandomnessCostsAllGas(t *testing.T) {
	if c := watermelon.OnGetRandomness(-1); c.Total() != 1<<64-1 {
		t.Errorf("%+v", c)
	}
}

func TestUnknownHashIsNotFree(t *testing.T) {
	if c := teep.OnHashing(0x1234, 1); c.Total() != 1<<64-1 {
		t.Errorf("%+v", c)
	}
}

func TestHugeEventSaturates(t *testing.T) {
	const most = int(^uint(0) >> 1)
	if c := teep.OnActorEvent(most, most, most); uint64(most) > 1<<32 && c.Total() != 1<<64-1 {
		t.Errorf("%+v", c)
	}
}

func TestQuirkUnlistedSealTypes(t *testing.T) {
	infos := make([]proof.AggregateSealVerifyInfo, 5)
	charge := func(p *PriceList, typ abi.RegisteredSealProof) Gas {
		return p.OnVerifyAggregateSeals(proof.AggregateSealVerifyProofAndInfos{SealProof: typ, Infos: infos}).Total()
	}
	for _, l := range lists {
		listed := charge(l.list, abi.RegisteredSealProof_StackedDrg32GiBV1_1)
		if charge(l.list, abi.RegisteredSealProof_StackedDrg64GiBV1_1) == listed {
			t.Errorf("nv%d: 64 GiB sectors cost what 32 GiB ones do, so nothing is tested", l.from)
		}
		for _, typ := range []abi.RegisteredSealProof{abi.RegisteredSealProof_StackedDrg2KiBV1, abi.RegisteredSealProof_StackedDrg8MiBV1_1, -1, 99} {
			if got := charge(l.list, typ); got != listed {
				t.Errorf("nv%d: type %d costs %d, want %d", l.from, typ, got, listed)
			}
		}
	}
}
