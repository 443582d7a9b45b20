package laboratory_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/laboratory"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/lab/duel/dueltest"
	"github.com/edgefvm/fvm/lab/fuzz"
	"github.com/edgefvm/fvm/lab/oracle"
)

func TestFuzz(t *testing.T) {
	clitest.NeedBundles(t)
	program := dueltest.Program(t, dueltest.Sound)
	dir := t.TempDir()
	args := []string{"fuzz", "--oracle", program, "--for", "0", "--cases", "3", "--nv", "28", "--seed", "2", "-j", "1", "--corpus", clitest.Golden("nv28-multisig-007"), "--dir", dir}
	r := edgefvm.Run(t, args...)
	if r.Code != kit.ExitOK || !regexp.MustCompile(`^\d+ passed, 0 failed$`).MatchString(clitest.LastLine(r.Out)) || !strings.HasPrefix(r.Err, "seed 2\n") {
		t.Fatalf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	clitest.Plain(t, r.Out)
	names, _ := fuzz.Layers()
	for _, n := range names {
		if !regexp.MustCompile(`(?m)^` + n + ` +3 cases +\d+ messages`).MatchString(r.Out) {
			t.Errorf("no line of layer %s in\n%s", n, r.Out)
		}
	}
	rep := clitest.FromJSON[fuzz.Report](t, edgefvm.OK(t, append(args, "--json")...)) // goes on: there is nothing left to do
	if rep.Layers["evm"].Cases != 3 || rep.Seed != 2 {
		t.Errorf("%+v", rep)
	}
	out := edgefvm.OK(t, "fuzz", "--oracle", program, "--layers", "envelopes", "--nv", "28", "--seed", "2", "--only", "1", "--coverage")
	if !strings.Contains(out, "layer envelopes, seed 2, case 1, network version 28") || !strings.Contains(out, "OnChainMessage") {
		t.Errorf("one case:\n%s", out)
	}
	// What vectors reach counts too, and what nothing reached is named.
	reached := func(out string) int {
		m := regexp.MustCompile(`(?m)^nv28, charges: (\d+) of \d+; not `).FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("what is missing is not told:\n%s", out)
		}
		n, _ := strconv.Atoi(m[1])
		return n
	}
	with := edgefvm.OK(t, "fuzz", "--oracle", program, "--layers", "envelopes", "--nv", "28", "--seed", "2", "--only", "1", "--coverage", "--with", clitest.Golden("nv28-onboard-035"))
	if alone := reached(out); reached(with) <= alone {
		t.Errorf("with a vector it reaches %d, without %d", reached(with), alone)
	}
}

func TestFuzzFinds(t *testing.T) {
	clitest.NeedBundles(t)
	dir := t.TempDir()
	r := edgefvm.Run(t, "fuzz", "--oracle", dueltest.Program(t, dueltest.Gas), "--layers", "syscalls", "--for", "0", "--cases", "60", "--nv", "28", "--seed", "3", "-j", "1", "--dir", dir)
	if r.Code != kit.ExitFailed || !strings.Contains(r.Out, "DIFFERS layer syscalls, seed 3") || !strings.Contains(r.Out, "gas_used: want") || strings.HasSuffix(clitest.LastLine(r.Out), " 0 failed") {
		t.Fatalf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	files, err := conformance.Find(dir)
	if err != nil || len(files) != 2 { // the state, and the vector
		t.Errorf("%v, %v", files, err)
	}
}

func TestSweep(t *testing.T) {
	clitest.NeedBundles(t)
	program := dueltest.Program(t, dueltest.Sound)
	out := edgefvm.OK(t, "sweep", "--oracle", program, "-j", "1", "--most", "5", clitest.Golden("nv28-multisig-007"))
	if !strings.Contains(out, "1 message of 1 vector, cut or failed at 5 places") || !regexp.MustCompile(`^1\d passed, 0 failed, 0 skipped$`).MatchString(clitest.LastLine(out)) {
		t.Errorf("%s", out)
	}
	rep := clitest.FromJSON[laboratory.SweepReport](t, edgefvm.OK(t, "sweep", "--oracle", program, "--most", "5", "--json", clitest.Golden("nv28-multisig-007")))
	if rep.Messages != 1 || rep.Charges != 5 || rep.Runs != rep.Passed || rep.Failed != 0 {
		t.Errorf("%+v", rep)
	}
	out = edgefvm.OK(t, "sweep", "--faults", "--most", "6", clitest.Golden("nv28-multisig-007"))
	if clitest.LastLine(out) != "6 passed, 0 failed, 0 skipped" {
		t.Errorf("%s", out)
	}
	dir := t.TempDir()
	r := edgefvm.Run(t, "sweep", "--oracle", dueltest.Program(t, dueltest.Gas), "--most", "3", "--dir", dir, clitest.Golden("nv28-onboard-035"))
	if r.Code != kit.ExitFailed || !strings.Contains(r.Out, "FAIL "+clitest.Golden("nv28-onboard-035")) || !strings.Contains(r.Out, "first with gas limit") || !strings.Contains(r.Out, "saved as "+dir) {
		t.Errorf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	// The folder of another sweep is a mistake that is told.
	edgefvm.Fails(t, kit.ExitFailed, []string{"sweep", "--oracle", program, "--most", "4", "--dir", dir, clitest.Golden("nv28-onboard-035")}, "another sweep", "another folder")
}

func TestOracle(t *testing.T) {
	clitest.NeedBundles(t)
	program := dueltest.Program(t, dueltest.Sound)
	out := edgefvm.OK(t, "oracle", "apply", "--oracle", program, clitest.Golden("nv28-multisig-007"))
	clitest.Plain(t, out)
	if !strings.Contains(out, "message 0: exit code 17, 1,868,263 gas used") || !strings.HasPrefix(clitest.LastLine(out), "state root bafy2") {
		t.Errorf("%s", out)
	}
	a := clitest.FromJSON[oracle.Answer](t, edgefvm.OK(t, "oracle", "apply", "--oracle", program, "--json", "--trace", clitest.Golden("nv28-multisig-007")))
	if len(a.Results) != 1 || len(a.Results[0].Trace) < 100 {
		t.Errorf("%+v", a)
	}
	edgefvm.Fails(t, kit.ExitFailed, []string{"oracle", "apply", "--oracle", program, "--variant", "9", clitest.Golden("nv28-multisig-007")}, "no variant 9")

	// A program is a file here before it is one of PATH.
	t.Run("name", func(t *testing.T) {
		here := t.TempDir()
		link := func(dir, name string) string {
			t.Helper()
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			return path
		}
		both, folder := link(here, "both"), t.TempDir()
		link(folder, "both")
		inPath := link(folder, "in-path")
		t.Setenv("PATH", folder)
		t.Chdir(here)
		for name, want := range map[string]string{"both": both, "./both": both, "in-path": inPath} {
			if got := strings.TrimSpace(edgefvm.OK(t, "oracle", "path", "--oracle", name)); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		edgefvm.Fails(t, kit.ExitUsage, []string{"oracle", "path", "--oracle", "neither"}, "--oracle neither: there is no such file here, and no program of that name in PATH")
		edgefvm.Fails(t, kit.ExitUsage, []string{"oracle", "path", "--oracle", "./neither"}, "there is no such file")
		edgefvm.Fails(t, kit.ExitUsage, []string{"oracle", "path", "--oracle", folder}, "is a folder")
	})
	t.Setenv(oracle.Environment, program)
	if got := strings.TrimSpace(edgefvm.OK(t, "oracle", "path")); got != program {
		t.Errorf("the path is %q", got)
	}
	t.Setenv(oracle.Environment, "")
	t.Setenv("EDGEFVM_CACHE", t.TempDir())
	edgefvm.Fails(t, kit.ExitFailed, []string{"oracle", "path"}, "edgefvm oracle build")
	edgefvm.Fails(t, kit.ExitFailed, []string{"fuzz"}, "edgefvm oracle build")
	edgefvm.Fails(t, kit.ExitFailed, []string{"sweep", clitest.Golden("nv28-multisig-007")}, "edgefvm oracle build")
	t.Setenv("PATH", t.TempDir())
	edgefvm.Fails(t, kit.ExitFailed, []string{"oracle", "build"}, "needs cargo")
	hash, err := oracle.Hash()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	built := filepath.Join(dir, "fvm-oracle-"+hash)
	if err := os.WriteFile(built, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(edgefvm.OK(t, "oracle", "build", "--to", dir)); got != built {
		t.Errorf("built is %q", got)
	}
}

func TestHuntUsage(t *testing.T) {
	v := clitest.Golden("nv28-multisig-007")
	for want, args := range map[string][]string{
		"--jobs":           {"sweep", "-j", "0", v},
		"--most":           {"fuzz", "--most", "0"},
		"two engines":      {"sweep", "--no-oracle", v},
		"no number":        {"fuzz", "--only", "x", "--layers", "evm"},
		"neither a number": {"fuzz", "--seed", "x"},
		`no layer "x"`:     {"fuzz", "--layers", "x"},
		"want some of":     {"fuzz", "--nv", "3"},
	} {
		edgefvm.Fails(t, kit.ExitUsage, args, want)
	}
}
