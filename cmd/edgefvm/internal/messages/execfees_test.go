package messages_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// fees are what the specification makes of a message's gas: what is burnt for gas used and for gas not used, the miner's tip, and
// what comes back.
func fees(base, limit, used, feeCap, premium int64) (burn, over, tip, refund int64) {
	unused := int64(0)
	if excess := limit - 11*used/10; excess > 0 {
		unused = (limit - used) * min(excess, used) / used
	}
	burn, over, tip = used*min(base, feeCap), unused*min(base, feeCap), limit*min(premium, feeCap-min(base, feeCap))
	return burn, over, tip, limit*feeCap - burn - over - tip
}

// Who pays what is as the specification of gas says, whatever limit, fee cap and premium.
func TestExecFees(t *testing.T) {
	clitest.NeedBundles(t)
	type paid struct {
		Exit    int    `json:"exit_code"`
		Used    int64  `json:"gas_used"`
		Limit   int64  `json:"gas_limit"`
		Burn    string `json:"base_fee_burn"`
		Over    string `json:"over_estimation_burn"`
		Tip     string `json:"miner_tip"`
		Refund  string `json:"refund"`
		Penalty string `json:"penalty"`
		Burned  int64  `json:"gas_burned"`
		Sender  struct{ Before, After string }
	}
	for _, c := range []struct{ base, limit, feeCap, premium int64 }{
		{100, 1_300_000, 100, 0},
		{100, 1_300_000, 1000, 0},
		{100, 1_300_000, 1000, 50},
		{100, 1_300_000, 120, 50}, // the cap leaves less than the premium
		{100, 2_000_000, 200, 7},  // some of the unused gas is burnt
		{100, 100_000_000, 101, 1},
		{1_000_000_000, 1_250_000, 2_000_000_000, 100_000},
		{7, 10_000_000_000, 9, 3},
	} {
		r := clitest.FromJSON[paid](t, edgefvm.OK(t, "exec", "--json", "--car", "testdata/state.car", "--nv", "28", "--epoch", "5800000", "--from", "f0100", "--to", "f0101", "--value", "1",
			"--base-fee", fmt.Sprint(c.base), "--gas-limit", fmt.Sprint(c.limit), "--gas-fee-cap", fmt.Sprint(c.feeCap), "--gas-premium", fmt.Sprint(c.premium)))
		burn, over, tip, refund := fees(c.base, c.limit, r.Used, c.feeCap, c.premium)
		if r.Exit != 0 || r.Limit != c.limit || r.Burn != fmt.Sprint(burn) || r.Over != fmt.Sprint(over) || r.Tip != fmt.Sprint(tip) || r.Refund != fmt.Sprint(refund) || r.Penalty != "0" {
			t.Errorf("%+v: %+v, want %d, %d, %d, %d", c, r, burn, over, tip, refund)
		}
	}
}

// What a person reads has the parts that JSON has.
func TestExecTextParts(t *testing.T) {
	clitest.NeedBundles(t)
	on := func(state string, more ...string) []string {
		return append([]string{"exec", "--car", "testdata/" + state + ".car", "--nv", "28", "--epoch", "5800000"}, more...)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string
		none []string
	}{
		{"a revert", on("revert", "--from", "f0114", "--to", "f0119", "--method", "InvokeContract"), kit.ExitFailed, []string{
			"exit code    33 (contract reverted)\n", "reason       reverted: hello\n", "return       0x586408c379a0", "receiver     evm f0119, 0xc40bb50d2ba4a9c435694b838a915f18ddac506f, balance 0 FIL\n",
			"signature    delegated, 69 bytes counted", "(89,700 gas; without it: --signature-type none)", "failure      ", "2026-02-28T19:20:00Z, timestamp 1772306400 (by the genesis of mainnet)",
		}, []string{"events root", "log  ", "asked"}},
		{"the reference's gas without a signature", on("state", "--from", "f0100", "--to", "0x0426d88556bf538d6eefea76f16386fcd8ca5353", "--value", "1", "--signature-type", "none", "--gas-limit", "10000000000"), kit.ExitOK, []string{
			"gas used     1104063\n", "state root   bafy2bzaceach4x5zdyrxtn24wmzwydqhauvndg22np4tc5lisiyynvbasqzn2\n", "signature    none counted: --signature-type", "gas limit    10000000000\n",
			"receiver     ethaccount f0114, 0x0426d88556bf538d6eefea76f16386fcd8ca5353, balance ", "sender       account f0100, balance ",
		}, nil},
		{"an address that nobody has", on("state", "--from", "f0100", "--to", "0x00000000000000000000000000000000000000aa", "--value", "2fil"), kit.ExitOK, []string{
			"receiver     placeholder f0", ", 0x00000000000000000000000000000000000000aa, balance 2 FIL, new\n", "(an estimate as nodes make it: what it uses and a quarter)",
		}, nil},
		{"nobody's money", on("state", "--from", "f0100", "--to", "f0101", "--value", "2000000000fil"), kit.ExitFailed, []string{"exit code    6 (insufficient funds)\n", "failure      "}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := edgefvm.Run(t, c.args...)
			clitest.Plain(t, r.Out)
			if r.Code != c.code {
				t.Errorf("exit code %d, want %d: %s", r.Code, c.code, r.Err)
			}
			for _, w := range c.want {
				if !strings.Contains(r.Out, w) {
					t.Errorf("it lacks %q:\n%s", w, r.Out)
				}
			}
			for _, w := range c.none {
				if strings.Contains(r.Out, "\n"+w) {
					t.Errorf("it has %q:\n%s", w, r.Out)
				}
			}
		})
	}
}

// A message that has its method and its parameters in words is the same as in CBOR.
func TestExecMessageInWords(t *testing.T) {
	clitest.NeedBundles(t)
	message := func(to, method, params string) string {
		return `{"Version":0,"To":"` + to + `","From":"f0100","Nonce":36,"Value":"5","GasLimit":100000000,"GasFeeCap":"100","GasPremium":"0","Method":` + method + `,"Params":` + params + `}`
	}
	run := func(text string) summary {
		r := edgefvm.Run(t, "exec", "--json", "--car", "testdata/state.car", "--nv", "28", "--epoch", "5800000", "--message", text)
		if r.Code == kit.ExitUsage || r.Out == "" {
			t.Fatalf("%s: %+v", text, r)
		}
		return clitest.FromJSON[summary](t, r.Out)
	}
	want := run(message("f05", "2", `"QgBk"`)) // AddBalance for f0100
	for name, text := range map[string]string{
		"both":         message("f05", `"AddBalance"`, `"f0100"`),
		"the method":   message("f05", `"AddBalance"`, `"QgBk"`),
		"as the state": message("0xff00000000000000000000000000000000000005", "2", `"QgBk"`),
	} {
		if got := run(text); got.Exit != want.Exit || got.Used != want.Used || got.Root != want.Root {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	for name, c := range map[string]struct{ text, want string }{
		"a method of nobody":         {message("f05", `"AddBalanc"`, `"QgBk"`), "did you mean AddBalance"},
		"parameters that do not fit": {message("f05", `"WithdrawBalance"`, `{"Amount":"1"}`), "ProviderOrClientAddress: missing"},
		"a receiver of nobody":       {message("f0777", `"AddBalance"`, `"f0100"`), "f0777"},
		"another chain's":            {"0x" + "02f86782013a80010182520894" + strings.Repeat("aa", 20), ""},
	} {
		r := edgefvm.Run(t, "exec", "--json", "--car", "testdata/state.car", "--nv", "28", "--epoch", "5800000", "--message", c.text)
		if r.Code == kit.ExitOK || r.Out != "" || !strings.Contains(r.Err, c.want) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

type summary struct {
	Exit int    `json:"exit_code"`
	Used int64  `json:"gas_used"`
	Root string `json:"root"`
}

// Files that cannot be written are told before or after, and leave nothing half.
func TestExecUnwritable(t *testing.T) {
	clitest.NeedBundles(t)
	dir := t.TempDir()
	none := filepath.Join(dir, "none")
	for flag, file := range map[string]string{"--out": "x.car", "--trace": "x.json", "--save": "x.json"} {
		r := edgefvm.Run(t, "exec", "--car", "testdata/state.car", "--nv", "28", "--epoch", "5800000", "--from", "f0100", "--to", "f0101", flag, filepath.Join(none, file))
		if r.Code == kit.ExitOK || !strings.Contains(r.Err, flag) || !strings.Contains(r.Err, "none") {
			t.Errorf("%s: %+v", flag, r)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("leftovers: %v", files)
	}
}
