package messages_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// Messages of the first tipset of chains that Lotus made, run on the genesis' state by its header, and what is told where flags and
// header do not agree. The chains are those of node/replay.
func TestExecOnChainsArchive(t *testing.T) {
	clitest.NeedBundles(t)
	const chains = "../../../../node/replay/testdata/"
	for _, name := range []string{"two29", "real28", "upgrades16"} {
		t.Run(name, func(t *testing.T) {
			var tipsets []struct {
				Epoch    int64    `json:"epoch"`
				Key      []string `json:"tipset_key"`
				Fee      string   `json:"base_fee"`
				NV       int      `json:"network_version"`
				Messages []struct {
					CID    string `json:"cid"`
					Exit   int    `json:"exit_code"`
					Gas    int64  `json:"gas_used"`
					Return string `json:"return"`
				} `json:"messages"`
			}
			if err := json.Unmarshal(clitest.ReadFrom(t, chains+name+".tipsets.json"), &tipsets); err != nil {
				t.Fatal(err)
			}
			first, car := tipsets[0], chains+name+".car.zst"
			archive, err := kit.OpenState(t.Context(), []string{car}, kit.StateOptions{Folder: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer archive.Close()
			want := first.Messages[0]
			b, err := archive.Get(t.Context(), cid.MustParse(want.CID))
			if err != nil {
				t.Fatal(err)
			}
			run := func(more ...string) told {
				r := edgefvm.Run(t, append([]string{"exec", "--json", "--car", car, "--root", first.Key[0], "--message", "hex:" + hex.EncodeToString(b.RawData())}, more...)...)
				if r.Out == "" {
					t.Fatalf("%v: exit code %d: %s", more, r.Code, r.Err)
				}
				return clitest.FromJSON[told](t, r.Out)
			}
			ret, err := base64.StdEncoding.DecodeString(want.Return)
			if err != nil {
				t.Fatal(err)
			}
			network := chains + name + ".json"
			got := run("--network", network)
			if got.ExitCode != want.Exit || got.GasUsed != want.Gas || got.Return != hex.EncodeToString(ret) || got.Epoch != first.Epoch || got.NV != first.NV || got.BaseFee != first.Fee || len(got.Warnings) > 0 {
				t.Errorf("%+v, want %+v of %+v", got, want, first)
			}
			for _, c := range []struct {
				name  string
				flags []string
				warns string
			}{
				{"another chain id", []string{"--network", network, "--chain-id", "5"}, "--chain-id 5 does not fit: that of " + name + " is "},
				{"another time", []string{"--network", network, "--timestamp", "1"}, ""},
				{"nobody's network", nil, "is no network's that is known: it runs as mainnet's; --network says which it is"},
			} {
				got := run(c.flags...)
				all := strings.Join(got.Warnings, "\n")
				if !strings.Contains(all, c.warns) || c.warns != "" && all == "" {
					t.Errorf("%s: it warns %q, want %q", c.name, all, c.warns)
				}
			}
			// An epoch of one's own has the base fee of nobody's header.
			if got := run("--network", network, "--epoch", "2", "--base-fee", "7", "--timestamp", "2000000000"); got.Epoch != 2 || got.BaseFee != "7" {
				t.Errorf("%+v", got)
			}
		})
	}
}
