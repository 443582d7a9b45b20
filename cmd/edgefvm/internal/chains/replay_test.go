package chains_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/lab/duel/dueltest"
	"github.com/edgefvm/fvm/node/replay"
)

const testdata = "../../../../node/replay/testdata/"

// last is the last line of an output.
func last(out string) string {
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	return lines[len(lines)-1]
}

// A chain passes, from a compressed file and from a plain one, and a store lets the next replay go on.
func TestReplay(t *testing.T) {
	clitest.NeedBundles(t)
	dir := t.TempDir()
	args := []string{"replay", testdata + "two29.car.zst", "--network", testdata + "two29.json", "--differences", filepath.Join(dir, "differences")}
	if out := edgefvm.OK(t, args...); last(out) != "22 passed, 0 failed, 1 skipped" {
		t.Errorf("%s", out)
	}
	report := filepath.Join(dir, "report.json")
	more := append(args, "--workers", "2", "--store", filepath.Join(dir, "states"), "--report", report)
	if out := edgefvm.OK(t, append(more, "--to", "20")...); last(out) != "9 passed, 0 failed, 0 skipped" {
		t.Errorf("%s", out)
	}
	out := edgefvm.OK(t, more...)
	if last(out) != "22 passed, 0 failed, 1 skipped" || !strings.Contains(out, "resumed after epoch 20") {
		t.Errorf("%s", out)
	}
	data, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	if r := clitest.FromJSON[replay.Report](t, string(data)); r.Passed != 22 || r.Resumed != 20 || r.Network != "two29" || r.Last != 38 {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(filepath.Join(dir, "differences")); err == nil {
		t.Error("a folder for differences was made, but there were none")
	}
}

// A difference is told, with a vector that explain and vectors run take, and makes the exit code 1.
func TestReplayDifference(t *testing.T) {
	clitest.NeedBundles(t)
	dir := t.TempDir()
	data, err := os.ReadFile(testdata + "two29.json")
	if err != nil {
		t.Fatal(err)
	}
	other := clitest.WriteTo(t, filepath.Join(dir, "other.json"), bytes.Replace(data, []byte(`"actor_debugging": true`), []byte(`"actor_debugging": false`), 1))
	folder := filepath.Join(dir, "differences")
	args := []string{"replay", testdata + "two29.car.zst", "--network", other, "--differences", folder}
	r := edgefvm.Run(t, args...)
	if r.Code != kit.ExitFailed || last(r.Out) != "0 passed, 1 failed, 22 skipped" || !strings.Contains(r.Out, "the tipset at epoch 1 differs") || r.Err != "" {
		t.Errorf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	edgefvm.OK(t, "explain", files[0])
	edgefvm.OK(t, "vectors", "run", files[0])
	if r := clitest.FromJSON[replay.Report](t, edgefvm.Run(t, append(args, "--json")...).Out); r.Failure == nil || r.Failure.Epoch != 1 {
		t.Errorf("%+v", r)
	}
}

// The blocks are judged too where that is asked for, and what could not be judged is told.
func TestReplayValidate(t *testing.T) {
	clitest.NeedBundles(t)
	dir := t.TempDir()
	args := []string{"replay", testdata + "two29.car.zst", "--network", testdata + "two29.json", "--differences", filepath.Join(dir, "differences"), "--to", "12", "--validate"}
	out := edgefvm.OK(t, args...)
	if !strings.Contains(out, " judged, 0 invalid; winning PoSts: all are the words") || strings.Contains(out, "not judged") {
		t.Errorf("%s", out)
	}
	r := clitest.FromJSON[replay.Report](t, edgefvm.OK(t, append(args, "--json")...))
	if v := r.Validation; v == nil || v.Blocks == 0 || v.Invalid != 0 {
		t.Errorf("%+v", r)
	}
}

// At a difference the reference is asked: one that agrees with us, and one that charges a unit of gas too much wherever a message hashes.
func TestReplayAgainst(t *testing.T) {
	clitest.NeedBundles(t)
	dir := t.TempDir()
	data, err := os.ReadFile(testdata + "two29.json")
	if err != nil {
		t.Fatal(err)
	}
	other := clitest.WriteTo(t, filepath.Join(dir, "other.json"), bytes.Replace(data, []byte(`"actor_debugging": true`), []byte(`"actor_debugging": false`), 1))
	report := filepath.Join(dir, "report.json")
	args := []string{"replay", testdata + "two29.car.zst", "--network", other, "--differences", filepath.Join(dir, "differences"), "--proofs", "assume", "--report", report}
	type found struct {
		Against *kit.Against `json:"against"`
		Failure *replay.Tipset
	}
	for _, c := range []struct {
		mode   string
		agrees bool
	}{{dueltest.Sound, true}, {dueltest.Gas, false}} {
		r := edgefvm.Run(t, append(args, "--against", dueltest.Program(t, c.mode))...)
		if r.Code != kit.ExitFailed {
			t.Fatalf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
		}
		data, err := os.ReadFile(report)
		if err != nil {
			t.Fatal(err)
		}
		got := clitest.FromJSON[found](t, string(data))
		if got.Against == nil || got.Against.Why != "" || got.Against.Agrees != c.agrees {
			t.Fatalf("%s: %+v\n%s", c.mode, got.Against, r.Out)
		}
		said := "is the network described right?"
		if !c.agrees {
			said = "the reference differs from us"
		}
		if !strings.Contains(r.Out, said) {
			t.Errorf("%s: %s", c.mode, r.Out)
		}
	}
	edgefvm.Fails(t, kit.ExitUsage, append(args, "--against", filepath.Join(dir, "nowhere")), "--against", "there is no such file")
}

// What is wrong with a command line or a file is one line that says so.
func TestReplayErrors(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Open(testdata + "two29.car.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var plain bytes.Buffer
	if _, err := plain.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	cut := clitest.WriteTo(t, filepath.Join(dir, "cut.car"), plain.Bytes()[:plain.Len()/2])
	chain, network := testdata+"two29.car.zst", testdata+"two29.json"
	edgefvm.Fails(t, kit.ExitUsage, []string{"replay"}, "CHAIN")
	edgefvm.Fails(t, kit.ExitUsage, []string{"replay", chain, "--network", "nowhere"}, `"nowhere"`, "mainnet")
	edgefvm.Fails(t, kit.ExitUsage, []string{"replay", chain, "--from", "9", "--to", "3"}, "--from 9", "--to 3")
	edgefvm.Fails(t, kit.ExitUsage, []string{"replay", chain, "--proofs", "maybe"}, `"maybe"`)
	edgefvm.Fails(t, kit.ExitUsage, []string{"replay", chain, "--workers", "-1"}, "--workers -1")
	edgefvm.Fails(t, kit.ExitUsage, []string{"replay", chain, "--network", network, "--report", filepath.Join(dir, "none", "r.json")}, "--report", "no folder")
	edgefvm.Fails(t, kit.ExitFailed, []string{"replay", filepath.Join(dir, "none.car")}, "none.car")
	edgefvm.Fails(t, kit.ExitFailed, []string{"replay", cut, "--network", network}, "cut.car")
	edgefvm.Fails(t, kit.ExitFailed, []string{"replay", network}, "two29.json")
	edgefvm.Fails(t, kit.ExitFailed, []string{"replay", chain}, "--network", "genesis")
	edgefvm.Fails(t, kit.ExitFailed, []string{"replay", chain, "--network", "mainnet"}, "mainnet", "genesis")
	edgefvm.Fails(t, kit.ExitFailed, []string{"replay", chain, "--network", network, "--from", "20"}, "epoch 20", "not in the archive")
}
