package states_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// genesis is the state that the chain upgrades16 begins with, of actors v8, as its archive has it, and upgraded its root.
const (
	genesis     = "../../../../node/replay/testdata/upgrades16.car.zst"
	genesisRoot = "bafy2bzaceb2isbs675ni32an7cy24phgygn4ucywbupruhtvfbvxwxg6rmdp6"
)

// said is a line of what Lotus v1.36.3 says of that state: node/state/testdata/lotus/main.go.txt made it.
type said struct {
	Actor, Code, Head, Balance             string
	Nonce                                  uint64
	Miner, Raw, QA, Owner, Worker, Vesting string
	Sectors                                [][]any // number, expiration, sealed CID, pledge, weight
	Partitions                             []any
	Deal                                   *uint64
	Piece, Client                          string
	End                                    json.Number
	DealState                              *uint64
	Start                                  json.Number
	Locked, V                              string
}

func lotus(t *testing.T) (list []said) {
	t.Helper()
	f, err := os.Open("../../../../node/state/testdata/lotus/upgrades16.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for scan := bufio.NewScanner(f); scan.Scan(); {
		var s said
		d := json.NewDecoder(strings.NewReader(scan.Text()))
		d.UseNumber()
		if err := d.Decode(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if len(list) < 40 {
		t.Fatalf("%d lines", len(list))
	}
	return list
}

// on is a command line on that state.
func on(words ...string) []string {
	return append(append([]string{"state"}, words...), "--car", genesis, "--root", genesisRoot)
}

// The actors are those that Lotus lists, sorted and not, all and some of them.
func TestLsAsLotus(t *testing.T) {
	want := map[string]said{}
	for _, s := range lotus(t) {
		if s.Actor != "" {
			want["f"+s.Actor[1:]] = s
		}
	}
	for _, flags := range [][]string{nil, {"--unsorted"}} {
		rows := linesOf[row](t, edgefvm.OK(t, append(on("ls", "--json"), flags...)...))
		if len(rows) != len(want) {
			t.Errorf("%v: %d actors, want %d", flags, len(rows), len(want))
		}
		for _, r := range rows {
			w := want[r.ID]
			if r.Code != w.Code || r.Head != w.Head || r.Balance != w.Balance || r.Nonce != w.Nonce || r.Delegated != nil || r.Bundle != "v8/testing-fake-proofs" {
				t.Errorf("%v: %+v, want %+v", flags, r, w)
			}
			one := clitest.FromJSON[row](t, edgefvm.OK(t, on("actor", r.ID, "--json")...))
			if one != r {
				t.Errorf("alone: %+v, in the list %+v", one, r)
			}
		}
	}
	miners := linesOf[row](t, edgefvm.OK(t, on("ls", "--json", "--kind", "storageminer")...))
	n := 0
	for _, s := range lotus(t) {
		if s.Miner != "" {
			n++
		}
	}
	if len(miners) != n {
		t.Errorf("%d miners, want %d", len(miners), n)
	}
}

// What stands at paths is what Lotus reads there.
func TestGetAsLotus(t *testing.T) {
	paths := map[string]string{}
	for _, s := range lotus(t) {
		switch {
		case s.Miner != "":
			m := "f" + s.Miner[1:]
			at := "actors/" + m + "/state/"
			paths["actors/f04/state/Claims/"+m+"/RawBytePower"], paths["actors/f04/state/Claims/"+m+"/QualityAdjPower"] = s.Raw, s.QA
			paths[at+"Info/Owner"], paths[at+"Info/Worker"], paths[at+"LockedFunds"] = "f"+s.Owner[1:], "f"+s.Worker[1:], s.Vesting
			for _, sector := range s.Sectors {
				for i, field := range []string{"SectorNumber", "Expiration", "SealedCID", "InitialPledge", "VerifiedDealWeight"} {
					paths[fmt.Sprintf("%sSectors/%v/%s", at, sector[0], field)] = fmt.Sprint(sector[i])
				}
			}
			var numbers []string
			for line := range strings.Lines(edgefvm.OK(t, on("get", at+"Sectors", "--lines")...)) {
				numbers = append(numbers, clitest.FromJSON[struct{ Key string }](t, line).Key)
			}
			if len(numbers) != len(s.Sectors) {
				t.Errorf("%s has sectors %v, want %d", m, numbers, len(s.Sectors))
			}
		case s.Deal != nil:
			at := fmt.Sprintf("actors/f05/state/Proposals/%d/", *s.Deal)
			paths[at+"PieceCID"], paths[at+"Client"], paths[at+"EndEpoch"] = s.Piece, "f"+s.Client[1:], s.End.String()
		case s.DealState != nil:
			paths[fmt.Sprintf("actors/f05/state/States/%d/SectorStartEpoch", *s.DealState)] = s.Start.String()
		case s.Locked != "":
			paths["actors/f05/state/LockedTable/f"+s.Locked[1:]] = s.V
		}
	}
	if len(paths) < 60 {
		t.Errorf("%d paths", len(paths))
	}
	i := 0
	for path, want := range paths {
		if i++; i%2 == 0 && testing.Short() {
			continue
		}
		if out := edgefvm.OK(t, on("get", path)...); out != want+"\n" {
			t.Errorf("%s: %s, want %s", path, out, want)
		}
	}
}

// A map shows as many entries as are asked for, says that there are more, and follows links as deep as is asked.
func TestGetEntries(t *testing.T) {
	type shown struct {
		CID, Type string
		Count     *int
		Entries   []struct {
			Key   string
			Value json.RawMessage
		}
		More bool
	}
	deals := 0
	for _, s := range lotus(t) {
		if s.Deal != nil {
			deals++
		}
	}
	for n, more := range map[int]bool{0: true, 1: true, deals - 1: true, deals: false, 1000: false} {
		v := clitest.FromJSON[shown](t, edgefvm.OK(t, on("get", "actors/f05/state/Proposals", "--entries", fmt.Sprint(n))...))
		if len(v.Entries) != min(n, deals) || v.More != more || v.Count == nil || *v.Count != deals || !strings.HasPrefix(v.Type, "AMT of deal") {
			t.Errorf("--entries %d: %d of %v, more %v, %s", n, len(v.Entries), v.Count, v.More, v.Type)
		}
		for i, e := range v.Entries {
			if e.Key != fmt.Sprint(i) {
				t.Errorf("entry %d is %s", i, e.Key)
			}
		}
	}
	// The same block by its CID, with its type, and without.
	v := clitest.FromJSON[shown](t, edgefvm.OK(t, on("get", "actors/f05/state/Proposals")...))
	head := clitest.FromJSON[row](t, edgefvm.OK(t, on("actor", "f05", "--json")...)).Head
	if got := clitest.FromJSON[shown](t, edgefvm.OK(t, on("get", head+"/Proposals", "--as", "v8/storagemarket")...)); got.CID != v.CID || len(got.Entries) != deals {
		t.Errorf("%+v, want %+v", got, v)
	}
	data := edgefvm.OK(t, on("get", head, "--as", "data")...)
	if !strings.Contains(data, `"/": "`+v.CID+`"`) {
		t.Errorf("%s as data:\n%s", head, data)
	}
	for depth := range 3 {
		out := edgefvm.OK(t, on("actor", "f05", "--json", "--depth", fmt.Sprint(depth))...)
		if has := strings.Contains(out, `"PieceSize": 2048`); has != (depth > 0) {
			t.Errorf("--depth %d: a deal is shown: %v", depth, has)
		}
	}
	for _, c := range []struct {
		code int
		path []string
		want string
	}{
		{kit.ExitFailed, []string{"actors/f01000/state/Sectors/99"}, "there is no sector 99; it has 1, 2, 3"},
		{kit.ExitFailed, []string{"actors/f01000/state/Sectors/x"}, `"x" is no sector`},
		{kit.ExitFailed, []string{"actors/f01000/state/Sectrs"}, "did you mean Sectors?"},
		{kit.ExitFailed, []string{"actors/f0777"}, "f0777"},
		{kit.ExitFailed, []string{"actors/f01000/state/Sectors/1/Expiration/x"}, "Expiration"},
		{kit.ExitUsage, []string{"actors", "--depth", "-1"}, "not negative"},
		{kit.ExitUsage, []string{"bafy2bz/1"}, "is it cut"},
		{kit.ExitFailed, []string{afterRoot}, "does not hold " + afterRoot},
		{kit.ExitUsage, []string{head, "--as", "storagemarket"}, "want VERSION/ACTOR"},
	} {
		edgefvm.Fails(t, c.code, on(append([]string{"get"}, c.path...)...), c.want)
	}
}

// An archive whose head is a chain's says which state is not there, and names none by itself.
func TestChainsArchive(t *testing.T) {
	for _, words := range [][]string{{"ls"}, {"stat"}, {"actor", "f01"}, {"get", "actors"}} {
		edgefvm.Fails(t, kit.ExitFailed, append(append([]string{"state"}, words...), "--car", genesis), "a tipset of epoch 70", "is not in it: name another by --root")
	}
	edgefvm.Fails(t, kit.ExitFailed, []string{"state", "diff", genesis, genesisRoot}, "does not hold the state root bafy2bzaceaipwlg6dqgvgfp3hc65rxcku7rvi22sinj4lyf4o6ihp4leovz7a", "--car")
	// The roots of two tipsets between which there is a message are another matter: chain diff. Here a state against itself.
	if out := edgefvm.OK(t, "state", "diff", genesisRoot, genesisRoot, "--car", genesis, "--actor", "f05"); out != "nothing differs\n" {
		t.Errorf("%s", out)
	}
}
