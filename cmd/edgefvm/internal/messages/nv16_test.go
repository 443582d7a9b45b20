package messages_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// The commands on network versions 16 and 17.

// exec comes to the receipt and the state root of a golden vector.
func TestExecBefore18(t *testing.T) {
	clitest.NeedBundles(t)
	var v struct {
		CAR           []byte
		Preconditions struct {
			BaseFee    json.Number `json:"basefee"`
			CircSupply json.Number `json:"circ_supply"`
			Variants   []struct{ Epoch json.Number }
		}
		Messages       []struct{ Bytes []byte } `json:"apply_messages"`
		Postconditions struct {
			StateTree struct {
				Root map[string]string `json:"root_cid"`
			} `json:"state_tree"`
			Receipts []struct {
				ExitCode int    `json:"exit_code"`
				GasUsed  int64  `json:"gas_used"`
				Burn     string `json:"base_fee_burn"`
			}
		}
	}
	data, err := os.ReadFile(clitest.Golden("nv17-init-001"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Messages) != 1 {
		t.Fatalf("%d messages", len(v.Messages))
	}
	car := clitest.WriteTo(t, filepath.Join(t.TempDir(), "state.car"), v.CAR)
	r := clitest.FromJSON[receipt](t, edgefvm.OK(t, "exec", "--car", car, "--nv", "17", "--epoch", v.Preconditions.Variants[0].Epoch.String(), "--base-fee", v.Preconditions.BaseFee.String(),
		"--circ-supply", v.Preconditions.CircSupply.String(), "--message", base64.StdEncoding.EncodeToString(v.Messages[0].Bytes), "--json"))
	want := v.Postconditions.Receipts[0]
	if r.ExitCode != want.ExitCode || r.GasUsed != want.GasUsed || r.Burn != want.Burn || r.Root != v.Postconditions.StateTree.Root["/"] || r.EventsRoot != nil {
		t.Errorf("%+v, want %+v", r, want)
	}
	other := edgefvm.Run(t, "exec", "--car", car, "--nv", "18", "--epoch", "1", "--message", messageFile)
	for _, want := range []string{"edgefvm: warning: --nv 18 does not fit: the state's actors are v9/mainnet, which network version 17 runs\n", "its version is 4, not one of [5]"} {
		if other.Code != kit.ExitFailed || other.Out != "" || !strings.Contains(other.Err, want) {
			t.Errorf("nv 18: exit code %d, it lacks %q: %s", other.Code, want, other.Err)
		}
	}
}

// explain names actors, though the network's traces of the time do not, and shows gas that was given back.
func TestExplainBefore18(t *testing.T) {
	clitest.NeedBundles(t)
	text := edgefvm.OK(t, "explain", clitest.Golden("nv17-init-001"))
	for _, s := range []string{"network version 17", "actors v9/", "init f01 · Exec", "as expected: receipts, gas, state root, every gas charge"} {
		if !strings.Contains(text, s) {
			t.Errorf("explain lacks %q:\n%s", s, text)
		}
	}
	text = edgefvm.OK(t, "explain", "--message", "1", clitest.Golden("nv17-script-destroy-001"))
	for _, s := range []string{"actor creation", "-98,800", "-39.7%", "script f01012 · method 2", "-28,139"} {
		if !strings.Contains(text, s) {
			t.Errorf("explain lacks %q:\n%s", s, text)
		}
	}
	svg := filepath.Join(t.TempDir(), "gas.svg")
	edgefvm.OK(t, "explain", "--flamegraph", svg, clitest.Golden("nv17-script-destroy-001"))
	if drawn := string(clitest.ReadFrom(t, svg)); strings.Contains(drawn, `width="-`) || !strings.Contains(drawn, "chain inclusion") {
		t.Error("the flame graph has boxes of negative width, or none")
	}
}

// Two engines in lock-step, and the bench.
func TestLockstepAndBenchBefore18(t *testing.T) {
	clitest.NeedBundles(t)
	if text := edgefvm.OK(t, "vectors", "run", "--engine", "wazero,wazero-interpreter", clitest.Golden("nv17-init-001"), clitest.Golden("nv16-init-002")); !strings.Contains(text, "2 passed, 0 failed") {
		t.Errorf("lock-step:\n%s", text)
	}
	if text := edgefvm.OK(t, "bench", "--rounds", "1", clitest.Golden("nv17-init-001")); !strings.Contains(text, "measured 1 message of 1 vector") {
		t.Errorf("bench:\n%s", text)
	}
}
