package laboratory_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/cli"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/laboratory"
	"github.com/edgefvm/fvm/lab/conformance"
)

// vectorCopy copies a golden vector and its trace to a folder, altered by edit.
func vectorCopy(t testing.TB, name string, edit func(vector map[string]any, trace []any)) string {
	t.Helper()
	var vector map[string]any
	d := json.NewDecoder(bytes.NewReader(clitest.ReadFrom(t, clitest.Golden(name))))
	d.UseNumber() // amounts are larger than a float holds
	if err := d.Decode(&vector); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(clitest.ReadFrom(t, filepath.Join(clitest.Goldens, name+".trace.gz"))))
	if err != nil {
		t.Fatal(err)
	}
	var trace []any
	d = json.NewDecoder(z)
	d.UseNumber()
	if err := d.Decode(&trace); err != nil {
		t.Fatal(err)
	}
	edit(vector, trace)
	data, err := json.Marshal(vector)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := clitest.WriteTo(t, filepath.Join(dir, name+".json"), data)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if err := json.NewEncoder(w).Encode(trace); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	clitest.WriteTo(t, filepath.Join(dir, name+".trace.gz"), packed.Bytes())
	return path
}

func firstReceipt(vector map[string]any) map[string]any {
	return vector["postconditions"].(map[string]any)["receipts"].([]any)[0].(map[string]any)
}

func TestVectorsRun(t *testing.T) {
	clitest.NeedBundles(t)
	names := []string{"nv18-multisig-010", "nv28-multisig-007", "nv28-send-001"}
	args := []string{"vectors", "run", "--jobs", "2"}
	for _, n := range names { // as a shell's pattern would
		args = append(args, clitest.Golden(n), filepath.Join(clitest.Goldens, n+".trace.gz"))
	}
	out := edgefvm.OK(t, args...)
	clitest.Plain(t, out)
	if got := clitest.LastLine(out); got != "3 passed, 0 failed, 0 skipped" {
		t.Errorf("the last line is %q", got)
	}
	if !regexp.MustCompile(`(?m)^scenario +nv18 +nv28\nall|^multisig +1 +1$`).MatchString(out) {
		t.Errorf("the table:\n%s", out)
	}

	r := edgefvm.Run(t, append(args, "--json")...)
	rep := clitest.FromJSON[conformance.Report](t, r.Out)
	if r.Code != kit.ExitOK || rep.Passed != 3 || rep.Files != 3 || len(rep.Outcomes) != 3 {
		t.Errorf("exit code %d, %+v", r.Code, rep)
	}
	for _, o := range rep.Outcomes {
		if o.Status != conformance.Passed || !o.Traced || o.Messages == 0 {
			t.Errorf("%+v", o)
		}
	}
	if r.Err != "3 passed, 0 failed, 0 skipped\n" {
		t.Errorf("on standard error: %q", r.Err)
	}
	rep = clitest.FromJSON[conformance.Report](t, edgefvm.OK(t, append(args, "--json", "--no-trace")...))
	if rep.Outcomes[0].Traced {
		t.Error("--no-trace compared a trace")
	}
}

func TestVectorsRunFailing(t *testing.T) {
	clitest.NeedBundles(t)
	const name = "nv28-multisig-007"
	path := vectorCopy(t, name, func(vector map[string]any, _ []any) {
		r := firstReceipt(vector)
		var gas int64
		if _, err := fmt.Sscan(r["gas_used"].(json.Number).String(), &gas); err != nil {
			t.Fatal(err)
		}
		r["gas_used"] = gas + 1
	})
	r := edgefvm.Run(t, "vectors", "run", path)
	if r.Code != kit.ExitFailed || clitest.LastLine(r.Out) != "0 passed, 1 failed, 0 skipped" || r.Err != "" {
		t.Errorf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	for _, want := range []string{"FAIL " + path, "message 0 gas_used: want "} {
		if !strings.Contains(r.Out, want) {
			t.Errorf("it lacks %q:\n%s", want, r.Out)
		}
	}
	x := edgefvm.Run(t, "explain", path)
	if x.Code != kit.ExitFailed || !strings.Contains(x.Out, "✗ not as expected:\n  message 0 gas_used: want ") {
		t.Errorf("explain: exit code %d\n%s%s", x.Code, x.Out, x.Err)
	}
	r = edgefvm.Run(t, "vectors", "run", "--failures", "0", path, clitest.Golden(name))
	if r.Code != kit.ExitFailed || !strings.Contains(r.Out, "and 1 more failure (") || clitest.LastLine(r.Out) != "1 passed, 1 failed, 0 skipped" {
		t.Errorf("--failures 0: exit code %d\n%s", r.Code, r.Out)
	}
}

// A trace that differs names the first charge that does.
func TestVectorsRunTraceDiffers(t *testing.T) {
	clitest.NeedBundles(t)
	charge := ""
	path := vectorCopy(t, "nv28-multisig-007", func(_ map[string]any, trace []any) {
		n := 0
		for _, e := range trace[0].([]any) {
			if e := e.([]any); e[0] == "gas" {
				if n++; n == 7 || n == 9 {
					e[2] = json.Number("123456789")
				}
				if n == 7 {
					charge = e[1].(string)
				}
			}
		}
	})
	r := edgefvm.Run(t, "vectors", "run", path)
	if r.Code != kit.ExitFailed || clitest.LastLine(r.Out) != "0 passed, 1 failed, 0 skipped" {
		t.Errorf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	if charge == "" || !strings.Contains(r.Out, charge) || strings.Count(r.Out, "123456789") == 0 || strings.Contains(r.Out, "gas_used") {
		t.Errorf("the charge %q is not named:\n%s", charge, r.Out)
	}
	if r := edgefvm.Run(t, "vectors", "run", "--no-trace", path); r.Code != kit.ExitOK {
		t.Errorf("--no-trace: exit code %d\n%s", r.Code, r.Out)
	}
}

func TestVectorsRunNothing(t *testing.T) {
	const nothing = "Nothing ran: no vector was found. Name vector files, or folders with .json files.\n0 passed, 0 failed, 0 skipped\n"
	for name, path := range map[string]string{"an empty folder": t.TempDir(), "only a trace": filepath.Join(clitest.Goldens, "nv28-send-001.trace.gz")} {
		if r := edgefvm.Run(t, "vectors", "run", path); r.Code != kit.ExitFailed || r.Out != nothing || r.Err != "" {
			t.Errorf("%s: exit code %d\n%s%s", name, r.Code, r.Out, r.Err)
		}
		if r := edgefvm.Run(t, "vectors", "run", "--json", path); r.Code != kit.ExitFailed || r.Err != nothing || clitest.FromJSON[conformance.Report](t, r.Out).Files != 0 {
			t.Errorf("%s as JSON: exit code %d\n%s%s", name, r.Code, r.Out, r.Err)
		}
		edgefvm.Fails(t, kit.ExitFailed, []string{"bench", path}, "nothing ran")
	}
	missing := filepath.Join(t.TempDir(), "missing")
	edgefvm.Fails(t, kit.ExitFailed, []string{"vectors", "run", missing}, missing, "no such file or directory", "name vector files")
	edgefvm.Fails(t, kit.ExitFailed, []string{"bench", missing}, missing, "no such file or directory")
	edgefvm.Fails(t, kit.ExitFailed, []string{"explain", missing}, missing, "no such file or directory")

	var out bytes.Buffer
	rep := &conformance.Report{Files: 1, Skipped: 1, Outcomes: []conformance.Outcome{{Status: conformance.Skipped, Scenario: "send", NV: 28, Reason: "it is wrong"}}}
	if err := laboratory.PrintReport(&out, rep, 1, false, nil); err != nil || !strings.HasSuffix(out.String(), "Nothing ran: every vector is on the list of skips.\n0 passed, 0 failed, 1 skipped\n") || !strings.Contains(out.String(), "skipped 1: it is wrong") {
		t.Errorf("only skips: %v\n%s", err, out.String())
	}
}

func TestVectorsRunUnreadable(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty.json": "", "list.json": "[]", "other.json": `{"class":"tipset"}`} {
		path := clitest.WriteTo(t, filepath.Join(dir, name), []byte(text))
		r := edgefvm.Run(t, "vectors", "run", path)
		if r.Code != kit.ExitFailed || clitest.LastLine(r.Out) != "0 passed, 1 failed, 0 skipped" || !strings.Contains(r.Out, "FAIL "+path+"\n") {
			t.Errorf("%s: exit code %d\n%s%s", name, r.Code, r.Out, r.Err)
		}
		edgefvm.Fails(t, kit.ExitFailed, []string{"explain", path}, path)
	}
	r := edgefvm.Run(t, "vectors", "run", dir)
	if r.Code != kit.ExitFailed || clitest.LastLine(r.Out) != "0 passed, 3 failed, 0 skipped" || !regexp.MustCompile(`(?m)^unreadable +0/3$`).MatchString(r.Out) {
		t.Errorf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
}

// An interrupted run says what it did, and does not count what it did not do.
func TestInterrupted(t *testing.T) {
	clitest.NeedBundles(t)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	r := edgefvm.RunWith(stopped, "vectors", "run", clitest.Golden("nv28-send-001"), clitest.Golden("nv28-multisig-007"))
	if r.Code != kit.ExitInterrupted || r.Err != "" || r.Out != "Interrupted: 0 of 2 vectors ran.\n0 passed, 0 failed, 0 skipped\n" {
		t.Errorf("before the start: exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	r = edgefvm.RunWith(stopped, "vectors", "run", "--json", clitest.Golden("nv28-send-001"))
	if r.Code != kit.ExitInterrupted || !strings.HasPrefix(r.Err, "Interrupted: 0 of 1 vectors ran.\n") || len(clitest.FromJSON[conformance.Report](t, r.Out).Outcomes) != 0 {
		t.Errorf("as JSON: exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	for _, args := range [][]string{{"bench", clitest.Golden("nv28-send-001")}, {"explain", clitest.Golden("nv28-send-001")}, {"exec", "--car", "../../../../testdata/multisig.car", "--nv", "28", "--epoch", "5800470", "--message", "../../../../testdata/multisig.msg"}} {
		if r := edgefvm.RunWith(stopped, args...); r.Code != kit.ExitInterrupted || r.Out != "" || !strings.HasPrefix(r.Err, "edgefvm: interrupted") {
			t.Errorf("%v: exit code %d\n%s%s", args, r.Code, r.Out, r.Err)
		}
	}

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	r = edgefvm.RunWith(ctx, "vectors", "run", clitest.Goldens)
	m := regexp.MustCompile(`(?m)^Interrupted: (\d+) of (\d+) vectors ran\.\n(\d+) passed, (\d+) failed, 0 skipped\n$`).FindStringSubmatch(r.Out)
	if r.Code != kit.ExitInterrupted || m == nil || m[1] != m[3] || m[4] != "0" || m[1] == m[2] {
		t.Errorf("midway: exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
}

// A reader that goes away is no success.
func TestBrokenOutput(t *testing.T) {
	clitest.NeedBundles(t)
	for _, args := range [][]string{{"vectors", "run", clitest.Golden("nv28-send-001")}, {"explain", clitest.Golden("nv28-send-001")}, {"version"}, {"cache", "info", "--cache", t.TempDir()}, {"version", "--json"}} {
		if code := cli.Run(t.Context(), args, brokenPipe{}, io.Discard); code != kit.ExitFailed {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }
