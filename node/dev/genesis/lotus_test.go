package genesis

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/state"
)

// Actors that are the same in each genesis with these bundles are as Lotus v1.36.2 made them, to the CID of their states. The file
// is what Lotus says of the genesis of one of its own chains.
func TestAsLotusMade(t *testing.T) {
	f, err := os.Open("../../state/testdata/lotus/dev29.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	same := map[string]bool{"f00": true, "f02": true, "f03": true, "f010": true, "f099": true}
	g := make1(t, Options{NetworkVersion: 29, Miners: 1})
	st := open(t, g.Store, g.Root)
	compared := 0
	for scan := bufio.NewScanner(f); scan.Scan(); {
		var said struct {
			Actor, Balance, Code, Head string
			Nonce                      uint64
		}
		if err := json.Unmarshal(scan.Bytes(), &said); err != nil {
			t.Fatal(err)
		}
		if !same[said.Actor] {
			continue
		}
		compared++
		at := "actors/" + said.Actor + "/"
		for field, want := range map[string]string{"code": said.Code, "head": said.Head, "balance": said.Balance, "nonce": fmt.Sprint(said.Nonce)} {
			if got := value(t, st, at+field); got != want {
				t.Errorf("%s%s is %s; Lotus has %s", at, field, got, want)
			}
		}
	}
	if compared != len(same) {
		t.Errorf("%d actors compared", compared)
	}
}

// Field by field, where the same is meant: Lotus's chains have other keys, and deals in their sectors.
func TestFieldsAsLotusMade(t *testing.T) {
	for _, c := range []struct {
		chain, root string
		options     Options
	}{
		{"dev29", "bafy2bzacedjrfypapvmhu2kwc7fmapjh6k5uex2re4vftxfpjicpv7alwb5sw", Options{NetworkVersion: 29, Miners: 1, Sectors: 4}},
		{"real28", "bafy2bzacecdrqzd6hln6l2r5ztatyoge37zaaohl3j5pxnrrfodp6yfzxcu5m", Options{NetworkVersion: 28, Flavour: "testing", Miners: 1, Sectors: 4}},
	} {
		t.Run(c.chain, func(t *testing.T) {
			store, root := shared(t, c.chain, c.root)
			theirs := open(t, store, root)
			g := make1(t, c.options)
			ours := open(t, g.Store, g.Root)
			for _, path := range []string{
				"f00/state/BuiltinActors", "f02/state", "f02/balance", "f03/state", "f010/head", "f099/state",
				"f04/state/ThisEpochQAPowerSmoothed", "f04/state/ThisEpochPledgeCollateral", "f04/state/RampStartEpoch", "f04/state/RampDurationEpochs",
				"f04/state/FirstCronEpoch", "f04/state/ProofValidationBatch", "f05/state/LastCron", "f05/state/TotalClientLockedCollateral",
				"f06/state/RootKey", "f06/state/RemoveDataCapProposalIDs", "f06/state/Allocations", "f07/state/Governor", "f07/state/Token/HamtBitWidth",
				"f01000/code", "f01000/delegated_address", "f01000/state/PreCommitDeposits", "f01000/state/LockedFunds", "f01000/state/FeeDebt", "f01000/state/PreCommittedSectors",
				"f01000/state/EarlyTerminations", "f01000/state/DeadlineCronActive", "f01000/state/Info/ControlAddresses", "f01000/state/Info/PendingWorkerKey",
				"f01000/state/Info/WindowPoStProofType", "f01000/state/Info/SectorSize", "f01000/state/Info/WindowPoStPartitionSectors",
				"f01000/state/Info/ConsensusFaultElapsed", "f01000/state/Info/PendingOwnerAddress", "f01000/state/Info/BeneficiaryTerm",
				"f04/state/Claims/f01000/WindowPoStProofType",
				"f01000/state/Sectors/1/SealProof", "f01000/state/Sectors/1/DeprecatedDealIDs", "f01000/state/Sectors/1/Activation", "f01000/state/Sectors/1/PowerBaseEpoch",
				"f01000/state/Sectors/1/SectorKeyCID", "f01000/state/Sectors/1/Flags", "f01000/state/Sectors/1/DealWeight", "f01000/state/Sectors/1/ExpectedDayReward",
			} {
				path = "actors/" + path
				if got, want := value(t, ours, path), value(t, theirs, path); got != want {
					t.Errorf("%s is %s; Lotus has %s", path, got, want)
				}
			}
			compareSectors(t, ours, theirs)
		})
	}
}

// compareSectors looks at what depends on the miner's address, by how it hangs together: a sector lives for as many epochs of the
// miner's proving periods, and its partition counts it as proven.
func compareSectors(t *testing.T, ours, theirs *state.Tree) {
	lives := func(st *state.Tree) (n int64) {
		var start, end int64
		fmt.Sscan(value(t, st, "actors/f01000/state/ProvingPeriodStart"), &start)
		fmt.Sscan(value(t, st, "actors/f01000/state/Sectors/1/Expiration"), &end)
		return end - start
	}
	if got, want := lives(ours), lives(theirs); got != want {
		t.Errorf("sectors expire %d epochs after the proving period's begin; Lotus has %d", got, want)
	}
	for name, st := range map[string]*state.Tree{"ours": ours, "Lotus's": theirs} {
		found := 0
		for d := range 48 {
			at := fmt.Sprintf("actors/f01000/state/Deadlines/Due/%d/", d)
			if value(t, st, at+"LiveSectors") == "0" {
				continue
			}
			found++
			in := at + "Partitions/0/"
			for field, want := range map[string]string{
				"Unproven": "", "UnprovenPower/Raw": "0", "UnprovenPower/QA": "0", "Faults": "", "FaultyPower/Raw": "0", "Recoveries": "", "Terminated": "", "LivePower/Raw": "4096",
			} {
				if got := value(t, st, in+field); got != want {
					t.Errorf("%s %s%s is %q, not %q", name, in, field, got, want)
				}
			}
		}
		if found != 2 { // a partition of such sectors has two
			t.Errorf("%s: %d deadlines have sectors", name, found)
		}
	}
}

func open(t testing.TB, store blockstore.Blockstore, root cid.Cid) *state.Tree {
	t.Helper()
	st, err := state.Open(t.Context(), store, root, state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// shared is the genesis of one of the chains that Lotus made.
func shared(t *testing.T, chain, root string) (blockstore.Blockstore, cid.Cid) {
	t.Helper()
	f, err := os.Open(filepath.Join("../../../../shared/chains", chain+".car.zst"))
	if err != nil {
		t.Skipf("NOT RUN: it needs the chains of the shared folder: %v", err)
	}
	defer f.Close()
	store := blockstore.NewMemory()
	if _, err := blockstore.LoadCAR(t.Context(), f, store, blockstore.CAROptions{}); err != nil {
		t.Fatal(err)
	}
	c, err := cid.Decode(root)
	if err != nil {
		t.Fatal(err)
	}
	return store, c
}
