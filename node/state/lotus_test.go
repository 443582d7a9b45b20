package state

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/actors/jsonview"
)

// said is a line of what Lotus says: testdata/lotus/main.go.txt made it.
type said struct {
	Actor, Code, Head, Balance string
	Nonce                      uint64
	Delegated                  *string

	Miner, Raw, QA, Owner, Worker, Vesting string
	Sectors                                [][]any // number, expiration, sealed CID, pledge, weight
	Partitions                             [][]any // deadline, partition, sectors

	Deal          *uint64
	Piece, Client string
	End           json.Number

	DealState     *uint64
	Sector, Start json.Number

	Locked, V string
}

// mainnet is an address of mainnet, however Lotus was built.
func mainnet(a string) string { return "f" + a[1:] }

// States are read as Lotus v1.36.3 reads them: the genesis of chains that the project's shared folder has, of actors v8
// and v18.
func TestAsLotusReads(t *testing.T) {
	for _, c := range []struct {
		chain, root, bundle string
	}{
		{"dev29", "bafy2bzacedjrfypapvmhu2kwc7fmapjh6k5uex2re4vftxfpjicpv7alwb5sw", "v18/testing-fake-proofs"},
		{"upgrades16", "bafy2bzaceb2isbs675ni32an7cy24phgygn4ucywbupruhtvfbvxwxg6rmdp6", "v8/testing-fake-proofs"},
	} {
		t.Run(c.chain, func(t *testing.T) {
			f, err := os.Open(filepath.Join("../../../shared/chains", c.chain+".car.zst"))
			if err != nil {
				t.Skipf("NOT RUN: it needs the chains of the shared folder: %v", err)
			}
			defer f.Close()
			store := blockstore.NewMemory()
			if _, err := blockstore.LoadCAR(t.Context(), f, store, blockstore.CAROptions{}); err != nil {
				t.Fatal(err)
			}
			root, err := cid.Decode(c.root)
			if err != nil {
				t.Fatal(err)
			}
			tree := openTree(t, store, root)
			if name, _, err := tree.Manifest(t.Context()); name != c.bundle || err != nil {
				t.Errorf("bundle %s, %v", name, err)
			}
			lines, err := os.Open(filepath.Join("testdata/lotus", c.chain+".jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			defer lines.Close()
			compared := 0
			for scan := bufio.NewScanner(lines); scan.Scan(); {
				var s said
				dec := json.NewDecoder(strings.NewReader(scan.Text()))
				dec.UseNumber()
				if err := dec.Decode(&s); err != nil {
					t.Fatal(err)
				}
				for path, want := range s.values(t, tree) {
					compared++
					if got, err := shown(t, tree, path, ViewOptions{}); err != nil || got != want {
						t.Errorf("%s: %s, %v; Lotus says %s", path, got, err, want)
					}
				}
			}
			if compared < 100 {
				t.Errorf("%d values compared", compared)
			}
			t.Logf("%d values compared", compared)
		})
	}
}

// values are what Lotus says, by path.
func (s *said) values(t *testing.T, tree *Tree) map[string]string {
	quoted := func(text string) string { return fmt.Sprintf("%q", text) }
	v := map[string]string{}
	switch {
	case s.Actor != "":
		at := "actors/" + mainnet(s.Actor) + "/"
		v[at+"code"], v[at+"head"], v[at+"nonce"], v[at+"balance"] = quoted(s.Code), quoted(s.Head), fmt.Sprint(s.Nonce), quoted(s.Balance)
		v[at+"delegated_address"] = "null"
		if s.Delegated != nil {
			v[at+"delegated_address"] = quoted(mainnet(*s.Delegated))
		}
	case s.Miner != "":
		m := mainnet(s.Miner)
		at := "actors/" + m + "/state/"
		claim := "actors/f04/state/Claims/" + m + "/"
		v[claim+"RawBytePower"], v[claim+"QualityAdjPower"] = quoted(s.Raw), quoted(s.QA)
		v[at+"Info/Owner"], v[at+"Info/Worker"], v[at+"LockedFunds"] = quoted(mainnet(s.Owner)), quoted(mainnet(s.Worker)), quoted(s.Vesting)
		for _, sector := range s.Sectors {
			in := at + fmt.Sprintf("Sectors/%v/", sector[0])
			for i, field := range []string{"SectorNumber", "Expiration", "SealedCID", "InitialPledge", "VerifiedDealWeight"} {
				text, _ := json.Marshal(sector[i])
				v[in+field] = string(text)
			}
		}
		n, err := tree.Get(t.Context(), at+"Sectors")
		if err != nil {
			t.Fatal(err)
		}
		if count, _, err := n.Count(t.Context()); err != nil || count != uint64(len(s.Sectors)) {
			t.Errorf("%s has %d sectors, %v; Lotus says %d", m, count, err, len(s.Sectors))
		}
		for _, p := range s.Partitions {
			text, _ := json.Marshal(p[2])
			v[at+fmt.Sprintf("Deadlines/Due/%v/Partitions/%v/Sectors", p[0], p[1])] = quoted(ranges(t, text))
		}
	case s.Deal != nil:
		at := fmt.Sprintf("actors/f05/state/Proposals/%d/", *s.Deal)
		v[at+"PieceCID"], v[at+"Client"], v[at+"EndEpoch"] = quoted(s.Piece), quoted(mainnet(s.Client)), s.End.String()
	case s.DealState != nil:
		at := fmt.Sprintf("actors/f05/state/States/%d/", *s.DealState)
		v[at+"SectorStartEpoch"] = s.Start.String()
		if _, version, _ := tree.Manifest(t.Context()); version >= 13 {
			v[at+"SectorNumber"] = s.Sector.String()
		}
	case s.Locked != "":
		v["actors/f05/state/LockedTable/"+mainnet(s.Locked)] = quoted(s.V)
	}
	return v
}

// ranges are the members of a list as a bitfield has them.
func ranges(t *testing.T, list []byte) string {
	var members []json.Number
	if err := json.Unmarshal(list, &members); err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, m := range members {
		text = append(text, m.String())
	}
	b, err := jsonview.ParseBitField(strings.Join(text, ","))
	if err != nil {
		t.Fatal(err)
	}
	s, err := jsonview.BitField(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
