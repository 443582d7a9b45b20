// Asks Lotus's own API about chains: ../../../answers.sh puts this file into a module that requires Lotus. It is no part of the module
// ffi.
//
// Each line of the output is a request and what Lotus answers: {"method", "params", "result"} or {"method", "params", "error"}.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	"github.com/ipld/go-car"
	"github.com/klauspost/compress/zstd"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-jsonrpc"
	"github.com/filecoin-project/go-state-types/abi"
	actorstypes "github.com/filecoin-project/go-state-types/actors"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"

	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/blockstore"
	"github.com/filecoin-project/lotus/build"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/actors/policy"
	"github.com/filecoin-project/lotus/chain/beacon"
	"github.com/filecoin-project/lotus/chain/consensus"
	"github.com/filecoin-project/lotus/chain/consensus/filcns"
	"github.com/filecoin-project/lotus/chain/stmgr"
	"github.com/filecoin-project/lotus/chain/store"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/vm"
	_ "github.com/filecoin-project/lotus/lib/sigs/bls"
	_ "github.com/filecoin-project/lotus/lib/sigs/delegated"
	_ "github.com/filecoin-project/lotus/lib/sigs/secp"
	"github.com/filecoin-project/lotus/node/impl/full"
	"github.com/filecoin-project/lotus/storage/sealer/ffiwrapper"
)

// description is what NAME.json says of a chain.
type description struct {
	Name       string `json:"name"`
	Bundle     string `json:"actor_bundle"`
	Beacon     string `json:"beacon"`
	BlockDelay uint64 `json:"block_delay_seconds"`
	Upgrades   []struct {
		Height   abi.ChainEpoch  `json:"height"`
		Version  network.Version `json:"network_version"`
		Migrates bool            `json:"migration"`
	} `json:"upgrades"`
	Constants struct {
		Smoke    abi.ChainEpoch `json:"upgrade_smoke"`
		Assembly abi.ChainEpoch `json:"upgrade_assembly"`
	} `json:"build_constants"`
}

// migrations by the version that they lead to.
var migrations = map[network.Version]stmgr.MigrationFunc{
	17: filcns.UpgradeActorsV9, 18: filcns.UpgradeActorsV10, 19: filcns.UpgradeActorsV11, 21: filcns.UpgradeActorsV12, 22: filcns.UpgradeActorsV13,
	23: filcns.UpgradeActorsV14, 24: filcns.UpgradeActorsV15, 25: filcns.UpgradeActorsV16, 27: filcns.UpgradeActorsV17, 28: filcns.UpgradeActorsV18,
	29: filcns.UpgradeActorsV19,
}

func main() {
	for _, path := range os.Args[2:] {
		if err := answer(path, os.Args[1]); err != nil {
			fmt.Fprintf(os.Stderr, "FAIL %s: %v\n", path, err)
			os.Exit(1)
		}
	}
}

// quick is the beacon rule of that name: a round in three seconds, the first of them 1,000 seconds before the genesis.
type quick struct {
	beacon.RandomBeacon
	genesis, delay uint64
}

func (quick) IsChained() bool { return false }

func (q quick) MaxBeaconRoundForEpoch(_ network.Version, e abi.ChainEpoch) uint64 {
	return (q.delay*uint64(e)+1000-q.delay)/3 + 1
}

func load(ctx context.Context, path string, bs blockstore.Blockstore) ([]cid.Cid, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	header, err := car.LoadCar(ctx, bs, z)
	if err != nil {
		return nil, err
	}
	return header.Roots, nil
}

// answer executes the chain NAME.car.zst, as NAME.json beside it says, and writes NAME.answers.jsonl to a folder.
func answer(path, folder string) error {
	ctx := context.Background()
	base := strings.TrimSuffix(path, ".car.zst")
	var d description
	data, err := os.ReadFile(base + ".json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return err
	}
	if d.BlockDelay != buildconstants.BlockDelaySecs || d.Constants.Smoke != buildconstants.UpgradeSmokeHeight {
		return fmt.Errorf("it is of another build of Lotus, see the tag in %s.json", base)
	}
	buildconstants.UpgradeAssemblyHeight = d.Constants.Assembly
	policy.SetConsensusMinerMinPower(abi.NewStoragePower(2048))
	policy.SetSupportedProofTypes(abi.RegisteredSealProof_StackedDrg2KiBV1)
	policy.SetPreCommitChallengeDelay(10)
	policy.SetMinVerifiedDealSize(abi.NewStoragePower(256))
	if err := build.UseNetworkBundle(d.Bundle); err != nil {
		return err
	}
	bs := blockstore.NewMemorySync()
	roots, err := load(ctx, path, bs)
	if err != nil {
		return err
	}
	if err := code(ctx, bs, d.Bundle); err != nil {
		return err
	}
	cs := store.NewChainStore(bs, bs, dssync.MutexWrap(datastore.NewMapDatastore()), filcns.Weight, nil)
	defer cs.Close()
	head, err := cs.LoadTipSet(ctx, types.NewTipSetKey(roots...))
	if err != nil {
		return err
	}
	var tipsets []*types.TipSet // the genesis first
	for ts := head; ; {
		tipsets = append([]*types.TipSet{ts}, tipsets...)
		if ts.Height() == 0 {
			break
		}
		if ts, err = cs.LoadTipSet(ctx, ts.Parents()); err != nil {
			return err
		}
	}
	if err := cs.SetGenesis(ctx, tipsets[0].Blocks()[0]); err != nil {
		return err
	}
	var us stmgr.UpgradeSchedule
	for _, u := range d.Upgrades {
		of := stmgr.Upgrade{Height: u.Height, Network: u.Version}
		if u.Migrates {
			of.Migration = migrations[u.Version]
		}
		us = append(us, of)
	}
	var source beacon.RandomBeacon = beacon.NewMockBeacon(time.Second)
	if d.Beacon == "quick" {
		source = quick{beacon.NewMockBeacon(time.Second), tipsets[0].MinTimestamp(), d.BlockDelay}
	}
	schedule := beacon.Schedule{{Start: 0, Beacon: source}}
	executor := consensus.NewTipSetExecutor(filcns.RewardFunc)
	sm, err := stmgr.NewStateManager(cs, executor, vm.Syscalls(ffiwrapper.ProofVerifier), us, schedule, dssync.MutexWrap(datastore.NewMapDatastore()), nil)
	if err != nil {
		return err
	}
	for _, ts := range tipsets[:len(tipsets)-1] {
		if _, _, err := sm.TipSetState(ctx, ts); err != nil {
			return fmt.Errorf("epoch %d: %w", ts.Height(), err)
		}
	}
	if err := cs.ForceHeadSilent(ctx, head); err != nil {
		return err
	}
	var handler apis
	handler.ChainAPI = full.ChainAPI{ChainModuleAPI: &full.ChainModule{Chain: cs, ExposedBlockstore: bs}, Chain: cs, TsExec: executor, ExposedBlockstore: bs, BaseBlockstore: bs}
	handler.StateAPI = full.StateAPI{StateModuleAPI: &full.StateModule{StateManager: sm, Chain: cs}, StateManager: sm, Chain: cs, Beacon: schedule, TsExec: executor, ProofVerifier: ffiwrapper.ProofVerifier}
	server := jsonrpc.NewServer(jsonrpc.WithServerErrors(api.RPCErrors))
	server.Register("Filecoin", &handler)
	web := httptest.NewServer(server)
	defer web.Close()

	f, err := os.Create(filepath.Join(folder, d.Name+".answers.jsonl"))
	if err != nil {
		return err
	}
	defer f.Close()
	x := &asker{url: web.URL, to: f, cs: cs}
	if err := x.all(ctx, tipsets); err != nil {
		return err
	}
	fmt.Printf("%s: %d answers\n", d.Name, x.count)
	return f.Close()
}

// apis is what answers.
type apis struct {
	full.ChainAPI
	full.StateAPI
}

// The two have these in common.
func (a *apis) WalletDefaultAddress(ctx context.Context) (address.Address, error) {
	return address.Undef, nil
}

// code loads the actors' Wasm, which the archive may leave out.
func code(ctx context.Context, bs blockstore.Blockstore, bundle string) error {
	for v := 8; v <= 19; v++ {
		if data, ok := build.GetEmbeddedBuiltinActorsBundle(actorstypes.Version(v), bundle); ok {
			if _, err := car.LoadCar(ctx, bs, bytes.NewReader(data)); err != nil {
				return err
			}
		}
	}
	return nil
}

// asker writes requests with their answers.
type asker struct {
	url   string
	to    io.Writer
	cs    *store.ChainStore
	count int
	seen  map[string]bool
}

// ask asks, and gives the result.
func (x *asker) ask(method string, params ...any) json.RawMessage {
	if params == nil {
		params = []any{}
	}
	p, err := json.Marshal(params)
	if err != nil {
		panic(err)
	}
	if x.seen == nil {
		x.seen = map[string]bool{}
	}
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"Filecoin.%s","params":%s}`, method, p)
	resp, err := http.Post(x.url, "application/json", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	var a struct {
		Result, Error json.RawMessage
	}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		panic(fmt.Sprintf("%s: %v", body, err))
	}
	if x.seen[body] {
		return a.Result
	}
	x.seen[body] = true
	line := map[string]any{"method": method, "params": json.RawMessage(p)}
	if a.Error != nil {
		line["error"] = a.Error
	} else {
		line["result"] = a.Result
	}
	out, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(x.to, "%s\n", out)
	x.count++
	return a.Result
}

// all asks about a chain: everything about its last tipset, and less about some below it.
func (x *asker) all(ctx context.Context, tipsets []*types.TipSet) error {
	head := tipsets[len(tipsets)-1]
	x.ask("ChainHead")
	x.ask("ChainGetGenesis")
	x.ask("StateNetworkName")
	x.ask("StateGetNetworkParams")
	for v := tipsets[0].Height(); v < 32; v++ {
		if v >= 16 {
			x.ask("StateActorCodeCIDs", int(v))
			x.ask("StateActorManifestCID", int(v))
		}
	}
	for _, e := range []abi.ChainEpoch{-1, 0, 1, 2, head.Height() / 3, head.Height() / 2, head.Height() - 3, head.Height() - 1, head.Height(), head.Height() + 1} {
		x.ask("ChainGetTipSetByHeight", e, nil)
		x.ask("ChainGetTipSetAfterHeight", e, nil)
		x.ask("StateGetRandomnessFromTickets", 3, e, []byte("entropy"), head.Key())
		x.ask("StateGetRandomnessFromBeacon", 7, e, []byte{}, head.Key())
		x.ask("StateGetRandomnessDigestFromBeacon", e, head.Key())
		x.ask("StateGetRandomnessDigestFromTickets", e, head.Key())
		if e <= head.Height() {
			x.ask("StateGetBeaconEntry", e)
		}
	}
	x.ask("ChainGetTipSet", head.Key())
	x.ask("ChainGetTipSet", []cid.Cid{})
	x.ask("ChainGetPath", tipsets[len(tipsets)/2].Key(), tipsets[len(tipsets)/2+4].Key())
	x.ask("ChainGetPath", tipsets[len(tipsets)/2+4].Key(), tipsets[len(tipsets)/2].Key())
	some := map[int]bool{0: true, 1: true, len(tipsets) / 3: true, len(tipsets) / 2: true, len(tipsets) - 2: true, len(tipsets) - 1: true}
	for i, ts := range tipsets {
		if !some[i] {
			continue
		}
		x.tipset(ctx, ts)
	}
	x.messages(ctx, tipsets)
	x.ask("StateListMessages", map[string]any{"To": "f05"}, nil, head.Height()/2)
	x.ask("StateListMessages", map[string]any{}, nil, 0)
	x.ask("StateListMessages", map[string]any{"From": "f0999999"}, nil, 0)
	for i, ts := range tipsets {
		if i%7 == 3 || i >= len(tipsets)-2 {
			x.state(ctx, ts, i == len(tipsets)-1)
		}
	}
	return nil
}

func (x *asker) tipset(ctx context.Context, ts *types.TipSet) {
	x.ask("ChainGetTipSet", ts.Key())
	x.ask("ChainTipSetWeight", ts.Key())
	x.ask("ChainGetMessagesInTipset", ts.Key())
	for _, b := range ts.Cids() {
		x.ask("ChainGetBlock", b)
		x.ask("ChainGetBlockMessages", b)
		x.ask("ChainGetParentMessages", b)
		x.ask("ChainGetParentReceipts", b)
		x.ask("ChainReadObj", b)
		x.ask("ChainHasObj", b)
	}
	x.ask("ChainStatObj", ts.Blocks()[0].Messages, nil)
	x.ask("ChainReadObj", ts.Blocks()[0].ParentStateRoot)
}

// messages looks for each fifth message, and replays each twentieth.
func (x *asker) messages(ctx context.Context, tipsets []*types.TipSet) {
	n := 0
	for i, ts := range tipsets[:len(tipsets)-1] {
		if ts.Height() == 0 {
			continue
		}
		list, err := x.cs.MessagesForTipset(ctx, ts)
		if err != nil {
			panic(err)
		}
		for _, m := range list {
			if n++; n%5 == 0 {
				x.ask("ChainGetMessage", m.Cid())
				x.ask("StateSearchMsg", nil, m.Cid(), -1, true)
			}
			if n%40 == 0 {
				x.ask("StateSearchMsg", tipsets[i+1].Key(), m.Cid(), 1, false)
				x.ask("StateSearchMsg", ts.Key(), m.Cid(), -1, true)
				x.ask("StateWaitMsg", m.Cid(), 0, -1, true)
				x.ask("StateReplay", ts.Key(), m.Cid())
				x.ask("StateDecodeParams", m.VMMessage().To, m.VMMessage().Method, m.VMMessage().Params, ts.Key())
				call := *m.VMMessage()
				call.GasFeeCap, call.GasPremium = big.Zero(), big.Zero()
				x.ask("StateCall", &call, ts.Key())
			}
		}
	}
}

// state asks about the state below a tipset.
func (x *asker) state(ctx context.Context, ts *types.TipSet, whole bool) {
	key := ts.Key()
	x.ask("StateNetworkVersion", key)
	x.ask("StateCirculatingSupply", key)
	x.ask("StateVMCirculatingSupplyInternal", key)
	x.ask("StateVerifiedRegistryRootKey", key)
	x.ask("StateMarketParticipants", key)
	x.ask("StateDealProviderCollateralBounds", 2048, true, key)
	x.ask("StateGetAllAllocations", key)
	x.ask("StateGetAllClaims", key)
	for _, a := range []string{"f0", "f01", "f02", "f03", "f04", "f05", "f06", "f07", "f010", "f099"} {
		x.ask("StateGetActor", a, key)
		x.ask("StateReadState", a, key)
	}
	var miners []string
	_ = json.Unmarshal(x.ask("StateListMiners", key), &miners)
	if len(miners) > 2 && !whole {
		miners = miners[:2]
	}
	x.ask("StateMinerPower", "", key)
	for _, m := range miners {
		x.miner(m, key)
	}
	if !whole {
		return
	}
	x.ask("StateMarketDeals", key)
	var all []string
	_ = json.Unmarshal(x.ask("StateListActors", key), &all)
	sort.Strings(all)
	for _, a := range all {
		x.ask("StateGetActor", a, key)
		x.ask("StateReadState", a, key)
		var robust string
		_ = json.Unmarshal(x.ask("StateLookupRobustAddress", a, key), &robust)
		var k string
		_ = json.Unmarshal(x.ask("StateAccountKey", a, key), &k)
		for _, r := range []string{robust, k} {
			if r != "" {
				x.ask("StateLookupID", r, key)
				x.ask("StateAccountKey", r, key)
				x.ask("StateGetActor", r, key)
			}
		}
		x.ask("StateMarketBalance", a, key)
		x.ask("StateVerifierStatus", a, key)
		x.ask("StateVerifiedClientStatus", a, key)
		x.ask("StateGetAllocations", a, key)
		x.ask("StateGetClaims", a, key)
		x.ask("MsigGetAvailableBalance", a, key)
		x.ask("MsigGetPending", a, key)
		x.ask("MsigGetVestingSchedule", a, key)
	}
	for _, a := range []string{"f0999999", "f15ihq5ibzwki2b4ep2f46avlkrqzhpqgtga7pdrq"} {
		x.ask("StateGetActor", a, key)
		x.ask("StateLookupID", a, key)
		x.ask("StateReadState", a, key)
	}
	for id := range 4 {
		x.ask("StateMarketStorageDeal", id, key)
		x.ask("StateGetAllocationIdForPendingDeal", id, key)
		x.ask("StateGetAllocationForPendingDeal", id, key)
	}
}

func (x *asker) miner(m string, key types.TipSetKey) {
	for _, name := range []string{
		"StateMinerInfo", "StateMinerPower", "StateMinerDeadlines", "StateMinerFaults", "StateMinerRecoveries", "StateMinerSectorCount",
		"StateMinerActiveSectors", "StateMinerProvingDeadline", "StateMinerAvailableBalance", "StateMinerAllocated",
	} {
		x.ask(name, m, key)
	}
	x.ask("StateMinerSectors", m, nil, key)
	x.ask("StateMinerSectors", m, []int{0, 2}, key)
	for d := range 48 {
		if d%12 == 0 {
			x.ask("StateMinerPartitions", m, d, key)
		}
	}
	for s := range 3 {
		x.ask("StateSectorGetInfo", m, s, key)
		x.ask("StateSectorPreCommitInfo", m, s, key)
		x.ask("StateSectorPartition", m, s, key)
		x.ask("StateSectorExpiration", m, s, key)
		x.ask("StateMinerSectorAllocated", m, s, key)
	}
}
