// Replays chains by Lotus itself on EdgeFVM: ../../../chains.sh puts this file into a module that requires Lotus. It is no
// part of the module ffi.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	"github.com/ipld/go-car"
	"github.com/klauspost/compress/zstd"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"

	"github.com/filecoin-project/lotus/blockstore"
	"github.com/filecoin-project/lotus/build"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/actors/policy"
	"github.com/filecoin-project/lotus/chain/beacon"
	"github.com/filecoin-project/lotus/chain/consensus"
	"github.com/filecoin-project/lotus/chain/consensus/filcns"
	"github.com/filecoin-project/lotus/chain/rand"
	"github.com/filecoin-project/lotus/chain/state"
	"github.com/filecoin-project/lotus/chain/stmgr"
	"github.com/filecoin-project/lotus/chain/store"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/vm"
	_ "github.com/filecoin-project/lotus/lib/sigs/bls"
	_ "github.com/filecoin-project/lotus/lib/sigs/delegated"
	_ "github.com/filecoin-project/lotus/lib/sigs/secp"
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

// bench: only what takes the time of executing tipsets is done.
var bench bool

func main() {
	blocks := flag.String("blocks", "", "write damaged blocks, with what Lotus says of them, to this file")
	flag.BoolVar(&bench, "bench", false, "execute the tipsets and compare state and receipts, and nothing else")
	flag.Parse()
	out := io.Discard
	if *blocks != "" {
		f, err := os.Create(*blocks)
		if err != nil {
			fmt.Println("FAIL", err)
			os.Exit(1)
		}
		defer f.Close()
		out = f
	}
	bad := 0
	for _, car := range flag.Args() {
		if err := replay(car, out); err != nil {
			fmt.Printf("FAIL %s: %v\n", car, err)
			bad++
		}
	}
	if bad > 0 {
		os.Exit(1)
	}
}

// replay executes the chain NAME.car.zst, as NAME.json beside it says, and validates its blocks. Winning PoSts that are the words of
// Lotus's tests are good where the first is.
func replay(path string, damaged io.Writer) error {
	ctx := context.Background()
	base := strings.TrimSuffix(strings.TrimSuffix(path, ".car.zst"), "-with-forks")
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
	// As the kit of Lotus's own tests sets them.
	buildconstants.UpgradeAssemblyHeight = d.Constants.Assembly
	policy.SetConsensusMinerMinPower(abi.NewStoragePower(2048))
	policy.SetSupportedProofTypes(abi.RegisteredSealProof_StackedDrg2KiBV1)
	policy.SetPreCommitChallengeDelay(10)
	policy.SetMinVerifiedDealSize(abi.NewStoragePower(256))
	policy.SetProviderCollateralSupplyTarget(big.Zero(), big.NewInt(100))
	if err := build.UseNetworkBundle(d.Bundle); err != nil {
		return err
	}

	bs := blockstore.NewMemorySync()
	roots, err := load(ctx, path, bs)
	if err != nil {
		return err
	}
	cs := store.NewChainStore(bs, bs, dssync.MutexWrap(datastore.NewMapDatastore()), filcns.Weight, nil)
	defer cs.Close()
	head, err := cs.LoadTipSet(ctx, types.NewTipSetKey(roots...))
	if err != nil {
		return err
	}
	var tipsets []*types.TipSet // the head first
	for ts := head; ; {
		tipsets = append(tipsets, ts)
		if ts.Height() == 0 {
			break
		}
		if ts, err = cs.LoadTipSet(ctx, ts.Parents()); err != nil {
			return err
		}
	}
	genesis := tipsets[len(tipsets)-1]
	if err := cs.SetGenesis(ctx, genesis.Blocks()[0]); err != nil {
		return err
	}
	var us stmgr.UpgradeSchedule
	for _, u := range d.Upgrades {
		of := stmgr.Upgrade{Height: u.Height, Network: u.Version}
		if u.Migrates {
			if of.Migration = migrations[u.Version]; of.Migration == nil {
				return fmt.Errorf("no migration to version %d", u.Version)
			}
		}
		us = append(us, of)
	}
	var source beacon.RandomBeacon = beacon.NewMockBeacon(time.Second)
	if d.Beacon == "quick" {
		source = quick{beacon.NewMockBeacon(time.Second), genesis.MinTimestamp(), d.BlockDelay}
	}
	schedule := beacon.Schedule{{Start: 0, Beacon: source}}
	sm, err := stmgr.NewStateManager(cs, consensus.NewTipSetExecutor(filcns.RewardFunc), vm.Syscalls(ffiwrapper.ProofVerifier), us, schedule, dssync.MutexWrap(datastore.NewMapDatastore()), nil)
	if err != nil {
		return err
	}
	build.InsecurePoStValidation = false
	if len(tipsets) > 1 {
		proofs := tipsets[len(tipsets)-2].Blocks()[0].WinPoStProof
		build.InsecurePoStValidation = len(proofs) > 0 && string(proofs[0].ProofBytes) == "valid proof"
	}
	x := check{sm: sm, cs: cs, beacons: schedule, name: d.Name, damagedTo: json.NewEncoder(damaged), damageEvery: 1 + len(tipsets)/20}
	return x.chain(ctx, d.Name, tipsets)
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
	var r io.Reader = f
	if strings.HasSuffix(path, ".zst") {
		z, err := zstd.NewReader(f)
		if err != nil {
			return nil, err
		}
		defer z.Close()
		r = z
	}
	header, err := car.LoadCar(ctx, bs, r)
	if err != nil {
		return nil, err
	}
	return header.Roots, nil
}

// check compares what Lotus makes of a chain with the chain.
type check struct {
	sm        *stmgr.StateManager
	cs        *store.ChainStore
	beacons   beacon.Schedule
	name      string
	damagedTo *json.Encoder

	damageEvery int // blocks of epochs that this divides are damaged

	blocks, refused int
}

// chain executes all tipsets but the genesis, and prints the supply and base fee at each epoch, for comparison with edgefvm's.
func (x *check) chain(ctx context.Context, name string, tipsets []*types.TipSet) error {
	start, passed := time.Now(), 0
	for i := len(tipsets) - 2; i >= 0; i-- {
		ts := tipsets[i]
		if !bench {
			x.ask(ctx, name, ts)
			if err := x.validate(ctx, ts); err != nil {
				return err
			}
		}
		root, receipts, err := x.sm.TipSetState(ctx, ts) // which the validation of the next asks for again
		if err != nil {
			return fmt.Errorf("epoch %d: %w", ts.Height(), err)
		}
		if i == 0 {
			break
		}
		child := tipsets[i-1].Blocks()[0]
		if root != child.ParentStateRoot || receipts != child.ParentMessageReceipts {
			return fmt.Errorf("epoch %d: state %s, receipts %s, want %s, %s", ts.Height(), root, receipts, child.ParentStateRoot, child.ParentMessageReceipts)
		}
		if bench {
			passed++
			continue
		}
		fee, err := x.cs.ComputeBaseFee(ctx, ts)
		if err != nil || !fee.Equals(child.ParentBaseFee) {
			return fmt.Errorf("epoch %d: base fee %s, %v, want %s", ts.Height(), fee, err, child.ParentBaseFee)
		}
		if err := x.print(ctx, name, ts); err != nil {
			return err
		}
		passed++
	}
	fmt.Printf("PASS %s: %d tipsets in %.3f s, %d blocks validated, %d damaged ones refused\n", name, passed, time.Since(start).Seconds(), x.blocks, x.refused)
	return nil
}

// print writes the supply of the state before a tipset, which is the machine's where neither a null round nor a migration comes between.
func (x *check) print(ctx context.Context, name string, ts *types.TipSet) error {
	st, err := state.LoadStateTree(x.cs.ActorStore(ctx), ts.ParentState())
	if err != nil {
		return err
	}
	supply, err := x.sm.GetVMCirculatingSupply(ctx, ts.Height(), st)
	if err != nil {
		return err
	}
	fmt.Printf("%s\t%d\t%s\t%s\n", name, ts.Height(), supply, ts.Blocks()[0].ParentBaseFee)
	return nil
}

// ask puts the questions of a machine to the chain as it is seen from a tipset: node/replay's test compares the answers. An error is
// written as -.
func (x *check) ask(ctx context.Context, name string, ts *types.TipSet) {
	h := ts.Height()
	r := rand.NewStateRand(x.cs, ts.Cids(), x.beacons, x.sm.GetNetworkVersion)
	for _, e := range []abi.ChainEpoch{-3, 0, 1, h / 3, h / 2, h - 900, h - 10, h - 3, h - 2, h - 1, h, h + 1, h + 500} {
		fmt.Printf("ask %s %d %d", name, h, e)
		answer := func(v any, err error) {
			if err != nil {
				v = "-"
			}
			fmt.Printf(" %v", v)
		}
		ticket, err := r.GetChainRandomness(ctx, e)
		answer(fmt.Sprintf("%x", ticket), err)
		entry, err := r.GetBeaconRandomness(ctx, e)
		answer(fmt.Sprintf("%x", entry), err)
		key, err := stmgr.TipSetGetterForTipset(x.cs, ts)(ctx, e)
		if err != nil {
			answer(nil, err)
		} else {
			answer(key.Cid())
		}
		root := cid.Undef
		if e >= 0 && e-900 < h { // above, Lotus would execute the tipset
			_, root, err = stmgr.GetLookbackTipSetForRound(ctx, x.sm, ts, e)
			answer(root, err)
		} else {
			answer(root, nil)
		}
		fmt.Println()
	}
}
