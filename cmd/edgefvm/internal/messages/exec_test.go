package messages_test

import (
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/explain"
)

const (
	stateCAR    = "../../../../testdata/multisig.car"
	messageFile = "../../../../testdata/multisig.msg"
	after       = "bafy2bzacebx4peh4umjsg3ssocjp7mc35usrtjup7mxincuyxbyrnf24pfems" // the state root that it leads to

	sender = "f1tmuunahahpep7ajobtlryxcrqwh7tz7epn2wtma"
	wallet = "f2yfxpck4kj6z6wbw75yb2vlcq4agaxpc2bycpvwa" // the multisig
)

func execArgs(more ...string) []string {
	return append([]string{"exec", "--car", stateCAR, "--nv", "28", "--epoch", "5800470"}, more...)
}

type receipt struct {
	ExitCode   int    `json:"exit_code"`
	Meaning    string `json:"meaning"`
	Return     string `json:"return"`
	GasUsed    int64  `json:"gas_used"`
	Root       string `json:"root"`
	Failure    string `json:"failure"`
	EventsRoot any    `json:"events_root"`
	Events     []any  `json:"events"`
	Burn       string `json:"base_fee_burn"`
	Penalty    string `json:"penalty"`
}

// A message as a file, as hex, as base64, or as a file with either does the same.
func TestExecMessageForms(t *testing.T) {
	clitest.NeedBundles(t)
	raw := clitest.ReadFrom(t, messageFile)
	dir := t.TempDir()
	for name, m := range map[string]string{
		"file": messageFile, "hex": hex.EncodeToString(raw), "0x": "0X" + strings.ToUpper(hex.EncodeToString(raw)),
		"base64": base64.StdEncoding.EncodeToString(raw), "base64 for URLs": base64.RawURLEncoding.EncodeToString(raw),
		"file with hex":    clitest.WriteTo(t, filepath.Join(dir, "hex"), []byte(hex.EncodeToString(raw)+"\n")),
		"file with base64": clitest.WriteTo(t, filepath.Join(dir, "base64"), []byte(base64.StdEncoding.EncodeToString(raw)+"\n")),
	} {
		r := clitest.FromJSON[receipt](t, edgefvm.OK(t, execArgs("--json", "--message", m)...))
		if r.ExitCode != 0 || r.Meaning != "ok" || r.GasUsed != 8383915 || r.Return != "83f50040" || r.Root != after || r.Burn != "838391500" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestExecText(t *testing.T) {
	clitest.NeedBundles(t)
	out := edgefvm.OK(t, execArgs("--message", messageFile)...)
	clitest.Plain(t, out)
	for _, want := range []string{"exit code    0 (ok)", "return       0x83f50040", "gas used     8383915", "state root   " + after} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
}

// The state that --out writes serves for the next message, and the one after.
func TestExecOut(t *testing.T) {
	clitest.NeedBundles(t)
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first.car"), filepath.Join(dir, "second.car")
	edgefvm.OK(t, execArgs("--message", messageFile, "--out", first)...)

	// The same again: its nonce is used up. The command fails, and says why.
	r := edgefvm.Run(t, "exec", "--car", first, "--nv", "28", "--epoch", "5800471", "--message", messageFile)
	if r.Code != kit.ExitFailed || !strings.Contains(r.Out, "the nonce is 4, the sender's next is 5") {
		t.Errorf("again: exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}

	next := []string{"exec", "--car", first, "--nv", "28", "--epoch", "5800471", "--from", sender, "--to", wallet, "--value", "1.5fil", "--json", "--out", second}
	sent := clitest.FromJSON[receipt](t, edgefvm.OK(t, next...))
	if sent.ExitCode != 0 || sent.Root == after || sent.Penalty != "0" {
		t.Errorf("a transfer: %+v", sent)
	}
	next[2] = second
	again := clitest.FromJSON[receipt](t, edgefvm.OK(t, append(next, "--root", sent.Root, "--out", second)...)) // onto the file it reads
	if again.Root == sent.Root {
		t.Errorf("another transfer: %+v", again)
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("leftovers: %v", files)
	}
}

// A message from its parts: methods by name and by number are the same.
func TestExecParts(t *testing.T) {
	clitest.NeedBundles(t)
	params := "820058205ed57de4adb06f3b93e32988ccf815cca6920fccbb0d6bba21cb0b3294305e68"
	var roots []string
	for _, method := range []string{"3", "Approve"} {
		r := clitest.FromJSON[receipt](t, edgefvm.OK(t, execArgs("--json", "--from", sender, "--to", wallet, "--method", method, "--params", params)...))
		if r.Return != "83f50040" {
			t.Errorf("method %s: %+v", method, r)
		}
		roots = append(roots, r.Root)
	}
	if roots[0] != roots[1] {
		t.Errorf("the roots are %v", roots)
	}
	r := edgefvm.Run(t, execArgs("--from", sender, "--to", wallet, "--method", "3", "--params", "80")...)
	if r.Code != kit.ExitFailed || !strings.Contains(r.Out, "exit code    21 (serialization failed)") || !strings.Contains(r.Out, "failure ") || r.Err != "" {
		t.Errorf("bad parameters: exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	r = edgefvm.Run(t, execArgs("--from", sender, "--to", wallet, "--implicit")...)
	if r.Code != kit.ExitOK || strings.Contains(r.Out, "refund") {
		t.Errorf("implicit: exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
}

func TestExecErrors(t *testing.T) {
	clitest.NeedBundles(t)
	dir := t.TempDir()
	raw := clitest.ReadFrom(t, stateCAR)
	cut := clitest.WriteTo(t, filepath.Join(dir, "cut.car"), raw[:3000])
	empty := clitest.WriteTo(t, filepath.Join(dir, "empty.car"), nil)
	missing := filepath.Join(dir, "missing.car")
	withCAR := func(car string) []string {
		return []string{"exec", "--car", car, "--nv", "28", "--epoch", "5800470", "--message", messageFile}
	}
	withNV := func(nv string) []string {
		return []string{"exec", "--car", stateCAR, "--nv", nv, "--epoch", "5800470", "--message", messageFile}
	}
	parts := func(more ...string) []string {
		return execArgs(append([]string{"--from", sender, "--to", wallet}, more...)...)
	}
	for _, tt := range []struct {
		name string
		code int
		args []string
		want string
	}{
		{"no CAR", kit.ExitFailed, withCAR(missing), missing + ": no such file or directory"},
		{"cut CAR", kit.ExitFailed, withCAR(cut), cut + ": bad CAR"},
		{"empty CAR", kit.ExitFailed, withCAR(empty), "it is empty"},
		{"a folder", kit.ExitFailed, withCAR(dir), "is a folder"},
		{"not a CAR", kit.ExitFailed, withCAR(messageFile), "bad CAR"},
		{"another root", kit.ExitFailed, execArgs("--root", after, "--message", messageFile), "the CAR does not hold the state root " + after + ": give the right --root or --car"},
		{"a root that is no CID", kit.ExitUsage, execArgs("--root", "bafy2bz", "--message", messageFile), "want a CID such as bafy2bz..."},
		{"nv 15", kit.ExitUsage, withNV("15"), "network versions 16 to 29 are known"},
		{"nv 0", kit.ExitUsage, withNV("0"), "network versions 16 to 29 are known"},
		{"nv 31", kit.ExitUsage, withNV("31"), "network versions 16 to 29 are known"},
		{"nv 30", kit.ExitUsage, withNV("30"), "name some with --actors or --bundle"},
		{"nv x", kit.ExitUsage, withNV("x"), `--nv "x": want a whole number, 0 or more`},
		{"the actors of others", kit.ExitFailed, execArgs("--actors", "v17/mainnet", "--message", messageFile), "is the state one of another network version?"},
		{"negative epoch", kit.ExitUsage, execArgs("--epoch", "-5", "--message", messageFile), "--epoch -5 is negative"},
		{"no message", kit.ExitUsage, execArgs(), "Give --message, or --from and --to"},
		{"half a message", kit.ExitUsage, execArgs("--from", sender), "Give --message, or --from and --to"},
		{"empty message", kit.ExitUsage, execArgs("--message", ""), "want a file, hex, base64 or JSON"},
		{"message twice", kit.ExitUsage, execArgs("--message", messageFile, "--gas-limit", "1"), "leave out --gas-limit"},
		{"garbage", kit.ExitUsage, execArgs("--message", "zz!!"), "there is no file of that name, and as text it is neither hex"},
		{"hex of garbage", kit.ExitFailed, execArgs("--message", "0xdeadbeef"), "4 bytes, from hex: its first byte is an Ethereum transaction"},
		{"a message's first bytes", kit.ExitFailed, execArgs("--message", "8a0055"), "3 bytes, from hex: reading a message"},
		{"a trace over the state", kit.ExitUsage, execArgs("--message", messageFile, "--trace", stateCAR), "--trace " + stateCAR + " would be written over the file that --car reads"},
		{"the new state over the message", kit.ExitUsage, execArgs("--message", "@"+messageFile, "--out", messageFile), "would be written over the file that --message reads"},
		{"a trace over the message", kit.ExitUsage, execArgs("--message", "raw:"+messageFile, "--trace", "./"+messageFile), "would be written over the file that --message reads"},
		{"a CAR as message", kit.ExitFailed, execArgs("--message", stateCAR), "5635 bytes, from a file: no message"},
		{"gas limit 0", kit.ExitUsage, parts("--gas-limit", "0"), "a message needs some gas"},
		{"gas limit -1", kit.ExitUsage, parts("--gas-limit", "-1"), "a message needs some gas"},
		{"little gas", kit.ExitFailed, parts("--gas-limit", "1", "--nonce", "9", "--out", filepath.Join(dir, "no", "such.car")), "such.car: no such file or directory"},
		{"sender", kit.ExitUsage, execArgs("--from", "t01x", "--to", wallet), `--from "t01x"`},
		{"checksum", kit.ExitUsage, execArgs("--from", sender, "--to", "f1tmuunahahpep7ajobtlryxcrqwh7tz7epn2wtni"), "its checksum is wrong: a letter was changed, lost or added; want an address such as f0100"},
		{"fraction", kit.ExitUsage, parts("--value", "1.5"), "want whole attoFIL, or FIL as 1.5fil"},
		{"negative", kit.ExitUsage, parts("--value", "-1"), "it is negative"},
		{"fee", kit.ExitUsage, parts("--base-fee", "much"), `--base-fee "much"`},
		{"method", kit.ExitUsage, parts("--method", "no name"), "want a number or a method's name"},
		{"a method that is not", kit.ExitUsage, parts("--method", "Aprove"), `multisig has no method "Aprove"; did you mean Approve?`},
		{"params", kit.ExitUsage, parts("--params", "nothing!"), `--params "nothing!": there is no file of that name`},
		{"actors", kit.ExitUsage, parts("--actors", "frob"), "want VERSION/NETWORK"},
		{"actors that are not", kit.ExitFailed, parts("--actors", "v18/nowhere"), "bundle list"},
		{"bundle that is not", kit.ExitFailed, parts("--bundle", missing), "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) { edgefvm.Fails(t, tt.code, tt.args, tt.want) })
	}
}

func TestParseMethod(t *testing.T) {
	for _, tt := range []struct {
		actor, name string
		want        uint64
	}{
		{"", "0", 0}, {"evm", "Send", 0}, {"multisig", "Approve", 3}, {"evm", "InvokeContract", 3844450837},
		{"storageminer", "ChangeWorkerAddress", 3}, {"multisig", "18446744073709551615", 1<<64 - 1}, {"account", "AuthenticateMessage", 2643134072},
	} {
		if n, err := explain.ParseMethod(tt.actor, tt.name); err != nil || uint64(n) != tt.want {
			t.Errorf("%s of %q: %d, %v, want %d", tt.name, tt.actor, n, err, tt.want)
		}
	}
	for _, name := range []string{"", "approve", "-1", "18446744073709551616", "a b"} {
		if n, err := explain.ParseMethod("multisig", name); err == nil {
			t.Errorf("%q is %d", name, n)
		}
	}
}
