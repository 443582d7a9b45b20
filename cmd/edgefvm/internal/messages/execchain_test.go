package messages_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// The first message of chains that the original stack made, run on the genesis' state by the header of its tipset: epoch, time, base
// fee and circulating supply come from the archive, and the receipt is the original's.
func TestExecByHeader(t *testing.T) {
	clitest.NeedBundles(t)
	const chains = "../../../../../shared/chains"
	if _, err := os.Stat(chains); err != nil {
		t.Skipf("NOT RUN: it needs %s; what headers say is tested in kit, and what chains answer in node/chain", chains)
	}
	for _, name := range []string{"real28", "two29", "upgrades16"} {
		t.Run(name, func(t *testing.T) {
			var tipsets []struct {
				Epoch  int64    `json:"epoch"`
				Key    []string `json:"tipset_key"`
				Supply string   `json:"circulating_supply"`
				Fee    string   `json:"base_fee"`
				NV     int      `json:"network_version"`

				Messages []struct {
					CID    string `json:"cid"`
					Exit   int    `json:"exit_code"`
					Gas    int64  `json:"gas_used"`
					Return string `json:"return"`
				} `json:"messages"`
			}
			if err := json.Unmarshal(clitest.ReadFrom(t, filepath.Join(chains, name+".tipsets.json")), &tipsets); err != nil {
				t.Fatal(err)
			}
			first := tipsets[0]
			want := first.Messages[0]
			car := filepath.Join(chains, name+".car.zst")
			cache := t.TempDir()
			archive, err := kit.OpenState(t.Context(), []string{car}, kit.StateOptions{Folder: cache})
			if err != nil {
				t.Fatal(err)
			}
			defer archive.Close()
			b, err := archive.Get(t.Context(), cid.MustParse(want.CID))
			if err != nil {
				t.Fatal(err)
			}
			r := edgefvm.Run(t, "exec", "--json", "--car", car, "--network", filepath.Join(chains, name+".json"), "--root", first.Key[0], "--message", "hex:"+hex.EncodeToString(b.RawData()))
			if r.Code != kit.ExitOK {
				t.Fatalf("exit code %d: %s", r.Code, r.Err)
			}
			got := clitest.FromJSON[told](t, r.Out)
			ret, err := base64.StdEncoding.DecodeString(want.Return)
			if err != nil {
				t.Fatal(err)
			}
			if got.ExitCode != want.Exit || got.GasUsed != want.Gas || got.Return != hex.EncodeToString(ret) {
				t.Errorf("exit code %d, %d gas, return %s, want %+v", got.ExitCode, got.GasUsed, got.Return, want)
			}
			if got.Epoch != first.Epoch || got.NV != first.NV || got.BaseFee != first.Fee || got.Supply != first.Supply {
				t.Errorf("epoch %d, version %d, base fee %s, supply %s, want %d, %d, %s, %s", got.Epoch, got.NV, got.BaseFee, got.Supply, first.Epoch, first.NV, first.Fee, first.Supply)
			}
			if len(got.Warnings) > 0 {
				t.Errorf("it warns %q", got.Warnings)
			}
		})
	}
}
