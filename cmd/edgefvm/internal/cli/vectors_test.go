package cli

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

	"github.com/edgefvm/fvm/lab/conformance"
)

// vectorCopy copies a golden vector and its trace to a folder, altered by edit.
func vectorCopy(t testing.TB, name string, edit func(vector map[string]any, trace []any)) string {
	t.Helper()
	var vector map[string]any
	d := json.NewDecoder(bytes.NewReader(readFrom(t, golden(name))))
	d.UseNumber() // amounts are larger than a float holds
	if err := d.Decode(&vector); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(readFrom(t, filepath.Join(goldens, name+".trace.gz"))))
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
	path := writeTo(t, filepath.Join(dir, name+".json"), data)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if err := json.NewEncoder(w).Encode(trace); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	writeTo(t, filepath.Join(dir, name+".trace.gz"), packed.Bytes())
	return path
}

func firstReceipt(vector map[string]any) map[string]any {
	return vector["postconditions"].(map[string]any)["receipts"].([]any)[0].(map[string]any)
}

func TestVectorsRun(t *testing.T) {
	needBundles(t)
	names := []string{"nv18-multisig-010", "nv28-multisig-007", "nv28-send-001"}
	args := []string{"vectors", "run", "--jobs", "2"}
	for _, n := range names { // as a shell's pattern would
		args = append(args, golden(n), filepath.Join(goldens, n+".trace.gz"))
	}
	out := ok(t, args...)
	plain(t, out)
	if got := lastLine(out); got != "3 passed, 0 failed, 0 skipped" {
		t.Errorf("the last line is %q", got)
	}
	if !regexp.MustCompile(`(?m)^scenario +nv18 +nv28\nall|^multisig +1 +1$`).MatchString(out) {
		t.Errorf("the table:\n%s", out)
	}

	r := run(t, append(args, "--json")...)
	rep := fromJSON[conformance.Report](t, r.out)
	if r.code != exitOK || rep.Passed != 3 || rep.Files != 3 || len(rep.Outcomes) != 3 {
		t.Errorf("exit code %d, %+v", r.code, rep)
	}
	for _, o := range rep.Outcomes {
		if o.Status != conformance.Passed || !o.Traced || o.Messages == 0 {
			t.Errorf("%+v", o)
		}
	}
	if r.stderr != "3 passed, 0 failed, 0 skipped\n" {
		t.Errorf("on standard error: %q", r.stderr)
	}
	rep = fromJSON[conformance.Report](t, ok(t, append(args, "--json", "--no-trace")...))
	if rep.Outcomes[0].Traced {
		t.Error("--no-trace compared a trace")
	}
}

func TestVectorsRunFailing(t *testing.T) {
	needBundles(t)
	const name = "nv28-multisig-007"
	path := vectorCopy(t, name, func(vector map[string]any, _ []any) {
		r := firstReceipt(vector)
		var gas int64
		if _, err := fmt.Sscan(r["gas_used"].(json.Number).String(), &gas); err != nil {
			t.Fatal(err)
		}
		r["gas_used"] = gas + 1
	})
	r := run(t, "vectors", "run", path)
	if r.code != exitFailed || lastLine(r.out) != "0 passed, 1 failed, 0 skipped" || r.stderr != "" {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.stderr)
	}
	for _, want := range []string{"FAIL " + path, "message 0 gas_used: want "} {
		if !strings.Contains(r.out, want) {
			t.Errorf("it lacks %q:\n%s", want, r.out)
		}
	}
	x := run(t, "explain", path)
	if x.code != exitFailed || !strings.Contains(x.out, "✗ not as expected:\n  message 0 gas_used: want ") {
		t.Errorf("explain: exit code %d\n%s%s", x.code, x.out, x.stderr)
	}
	r = run(t, "vectors", "run", "--failures", "0", path, golden(name))
	if r.code != exitFailed || !strings.Contains(r.out, "and 1 more failure (") || lastLine(r.out) != "1 passed, 1 failed, 0 skipped" {
		t.Errorf("--failures 0: exit code %d\n%s", r.code, r.out)
	}
}

// A trace that differs names the first charge that does.
func TestVectorsRunTraceDiffers(t *testing.T) {
	needBundles(t)
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
	r := run(t, "vectors", "run", path)
	if r.code != exitFailed || lastLine(r.out) != "0 passed, 1 failed, 0 skipped" {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.stderr)
	}
	if charge == "" || !strings.Contains(r.out, charge) || strings.Count(r.out, "123456789") == 0 || strings.Contains(r.out, "gas_used") {
		t.Errorf("the charge %q is not named:\n%s", charge, r.out)
	}
	if r := run(t, "vectors", "run", "--no-trace", path); r.code != exitOK {
		t.Errorf("--no-trace: exit code %d\n%s", r.code, r.out)
	}
}

func TestVectorsRunNothing(t *testing.T) {
	const nothing = "Nothing ran: no vector was found. Name vector files, or folders with .json files.\n0 passed, 0 failed, 0 skipped\n"
	for name, path := range map[string]string{"an empty folder": t.TempDir(), "only a trace": filepath.Join(goldens, "nv28-send-001.trace.gz")} {
		if r := run(t, "vectors", "run", path); r.code != exitFailed || r.out != nothing || r.stderr != "" {
			t.Errorf("%s: exit code %d\n%s%s", name, r.code, r.out, r.stderr)
		}
		if r := run(t, "vectors", "run", "--json", path); r.code != exitFailed || r.stderr != nothing || fromJSON[conformance.Report](t, r.out).Files != 0 {
			t.Errorf("%s as JSON: exit code %d\n%s%s", name, r.code, r.out, r.stderr)
		}
		fails(t, exitFailed, []string{"bench", path}, "nothing ran")
	}
	missing := filepath.Join(t.TempDir(), "missing")
	fails(t, exitFailed, []string{"vectors", "run", missing}, missing, "no such file or directory", "name vector files")
	fails(t, exitFailed, []string{"bench", missing}, missing, "no such file or directory")
	fails(t, exitFailed, []string{"explain", missing}, missing, "no such file or directory")

	var out bytes.Buffer
	rep := &conformance.Report{Files: 1, Skipped: 1, Outcomes: []conformance.Outcome{{Status: conformance.Skipped, Scenario: "send", NV: 28, Reason: "it is wrong"}}}
	if err := printReport(&out, rep, 1, false, nil); err != nil || !strings.HasSuffix(out.String(), "Nothing ran: every vector is on the list of skips.\n0 passed, 0 failed, 1 skipped\n") || !strings.Contains(out.String(), "skipped 1: it is wrong") {
		t.Errorf("only skips: %v\n%s", err, out.String())
	}
}

func TestVectorsRunUnreadable(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty.json": "", "list.json": "[]", "other.json": `{"class":"tipset"}`} {
		path := writeTo(t, filepath.Join(dir, name), []byte(text))
		r := run(t, "vectors", "run", path)
		if r.code != exitFailed || lastLine(r.out) != "0 passed, 1 failed, 0 skipped" || !strings.Contains(r.out, "FAIL "+path+"\n") {
			t.Errorf("%s: exit code %d\n%s%s", name, r.code, r.out, r.stderr)
		}
		fails(t, exitFailed, []string{"explain", path}, path)
	}
	r := run(t, "vectors", "run", dir)
	if r.code != exitFailed || lastLine(r.out) != "0 passed, 3 failed, 0 skipped" || !regexp.MustCompile(`(?m)^unreadable +0/3$`).MatchString(r.out) {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.stderr)
	}
}

// An interrupted run says what it did, and does not count what it did not do.
func TestInterrupted(t *testing.T) {
	needBundles(t)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	r := runWith(stopped, "vectors", "run", golden("nv28-send-001"), golden("nv28-multisig-007"))
	if r.code != exitInterrupted || r.stderr != "" || r.out != "Interrupted: 0 of 2 vectors ran.\n0 passed, 0 failed, 0 skipped\n" {
		t.Errorf("before the start: exit code %d\n%s%s", r.code, r.out, r.stderr)
	}
	r = runWith(stopped, "vectors", "run", "--json", golden("nv28-send-001"))
	if r.code != exitInterrupted || !strings.HasPrefix(r.stderr, "Interrupted: 0 of 1 vectors ran.\n") || len(fromJSON[conformance.Report](t, r.out).Outcomes) != 0 {
		t.Errorf("as JSON: exit code %d\n%s%s", r.code, r.out, r.stderr)
	}
	for _, args := range [][]string{{"bench", golden("nv28-send-001")}, {"explain", golden("nv28-send-001")}, execArgs("--message", messageFile)} {
		if r := runWith(stopped, args...); r.code != exitInterrupted || r.out != "" || !strings.HasPrefix(r.stderr, "edgefvm: interrupted") {
			t.Errorf("%v: exit code %d\n%s%s", args, r.code, r.out, r.stderr)
		}
	}

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	r = runWith(ctx, "vectors", "run", goldens)
	m := regexp.MustCompile(`(?m)^Interrupted: (\d+) of (\d+) vectors ran\.\n(\d+) passed, (\d+) failed, 0 skipped\n$`).FindStringSubmatch(r.out)
	if r.code != exitInterrupted || m == nil || m[1] != m[3] || m[4] != "0" || m[1] == m[2] {
		t.Errorf("midway: exit code %d\n%s%s", r.code, r.out, r.stderr)
	}
}

// A reader that goes away is no success.
func TestBrokenOutput(t *testing.T) {
	needBundles(t)
	for _, args := range [][]string{{"vectors", "run", golden("nv28-send-001")}, {"explain", golden("nv28-send-001")}, {"version"}, {"cache", "info", "--cache", t.TempDir()}, {"version", "--json"}} {
		if code := Run(t.Context(), args, brokenPipe{}, io.Discard); code != exitFailed {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }
