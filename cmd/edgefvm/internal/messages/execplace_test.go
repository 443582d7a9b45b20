package messages_test

import (
	"encoding/base64"
	"encoding/hex"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// The first message of tipsets of chains that the original stack made, run in its place: after null rounds, after migrations, and
// far from the genesis. What the flags do not say comes from the chain, and the receipt is the original's.
func TestExecInChain(t *testing.T) {
	clitest.NeedBundles(t)
	const folder = "../../../../node/replay/testdata/"
	for name, step := range map[string]int{"upgrades16": 5, "two29": 6} {
		t.Run(name, func(t *testing.T) {
			type line struct {
				Epoch    int64  `json:"epoch"`
				Supply   string `json:"circulating_supply"`
				Fee      string `json:"base_fee"`
				NV       int    `json:"network_version"`
				Messages []struct {
					CID    string `json:"cid"`
					Exit   int    `json:"exit_code"`
					Gas    int64  `json:"gas_used"`
					Return string `json:"return"`
				} `json:"messages"`
			}
			tipsets := clitest.FromJSON[[]line](t, string(clitest.ReadFrom(t, folder+name+".tipsets.json")))
			file, network, store := folder+name+".car.zst", folder+name+".json", filepath.Join(t.TempDir(), "states")
			edgefvm.OK(t, "replay", file, "--network", network, "--store", store, "--differences", t.TempDir())
			archive, err := kit.OpenState(t.Context(), []string{file}, kit.StateOptions{Folder: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer archive.Close()
			for i := 0; i < len(tipsets); i += step {
				w := tipsets[i]
				if len(w.Messages) == 0 {
					continue
				}
				want := w.Messages[0]
				b, err := archive.Get(t.Context(), cid.MustParse(want.CID))
				if err != nil {
					t.Fatal(err)
				}
				args := []string{"exec", "--json", "--chain", file, "--network", network, "--at", strconv.FormatInt(w.Epoch, 10), "--message", "hex:" + hex.EncodeToString(b.RawData())}
				if i > 0 { // the first needs nothing below it
					args = append(args, "--store", store)
				}
				r := edgefvm.Run(t, args...)
				if r.Code != kit.ExitOK && r.Code != kit.ExitFailed || r.Out == "" {
					t.Fatalf("epoch %d: exit code %d: %s", w.Epoch, r.Code, r.Err)
				}
				got := clitest.FromJSON[told](t, r.Out)
				ret, err := base64.StdEncoding.DecodeString(want.Return)
				if err != nil {
					t.Fatal(err)
				}
				if got.ExitCode != want.Exit || got.GasUsed != want.Gas || got.Return != hex.EncodeToString(ret) {
					t.Errorf("epoch %d: exit code %d, %d gas, return %s, want %+v", w.Epoch, got.ExitCode, got.GasUsed, got.Return, want)
				}
				if got.Epoch != w.Epoch || got.NV != w.NV || got.BaseFee != w.Fee || w.Supply != "" && got.Supply != w.Supply && i > 0 && tipsets[i-1].NV == w.NV || len(got.Warnings) > 0 {
					t.Errorf("epoch %d, version %d, base fee %s, supply %s, %q, want %+v", got.Epoch, got.NV, got.BaseFee, got.Supply, got.Warnings, w)
				}
			}
		})
	}
}

// A command line that says twice or not at all where the message runs is refused, and so is a place that the chain does not have.
func TestExecInChainErrors(t *testing.T) {
	clitest.NeedBundles(t)
	const file, network = "../../../../node/replay/testdata/two29.car.zst", "../../../../node/replay/testdata/two29.json"
	call := func(words ...string) []string {
		return append([]string{"exec", "--from", "f01", "--to", "f02"}, words...)
	}
	edgefvm.Fails(t, kit.ExitUsage, call("--chain", file, "--car", file), "--chain and --car")
	edgefvm.Fails(t, kit.ExitUsage, call("--chain", file, "--epoch", "3"), "--epoch")
	edgefvm.Fails(t, kit.ExitUsage, call("--car", file, "--at", "3"), "--at", "--chain")
	edgefvm.Fails(t, kit.ExitUsage, call("--chain", file, "--at", "0"), "--at 0")
	edgefvm.Fails(t, kit.ExitUsage, call(), "exec needs --car")
	edgefvm.Fails(t, kit.ExitFailed, call("--chain", file, "--network", network, "--at", "5"), "null round")
	edgefvm.Fails(t, kit.ExitFailed, call("--chain", file, "--network", network, "--at", "99"), "epoch 99")
	edgefvm.Fails(t, kit.ExitFailed, call("--chain", "none.car"), "none.car")
	if r := edgefvm.Run(t, call("--chain", file)...); r.Code != kit.ExitFailed || !strings.Contains(r.Err, "--network") {
		t.Errorf("%d: %s", r.Code, r.Err)
	}
}
