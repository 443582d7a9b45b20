package laboratory_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/lab/bench"
)

func TestBench(t *testing.T) {
	clitest.NeedBundles(t)
	out := edgefvm.OK(t, "bench", "--rounds", "1", clitest.Golden("nv28-multisig-007"), filepath.Join(clitest.Goldens, "nv28-multisig-007.trace.gz"))
	clitest.Plain(t, out)
	for _, want := range []string{`(?m)^a message +p50 +p90 +max +total$`, `(?m)^time( +[0-9.]+ (µs|ms|s)){4}$`, `(?m)^allocations( +[0-9,]+){4}$`, `(?m)^bytes allocated( +[0-9,]+){4}$`} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("it does not match %s:\n%s", want, out)
		}
	}
	if last := clitest.LastLine(out); !regexp.MustCompile(`^measured 1 message of 1 vector on wazero, least of 1 round: p50 [0-9.]+ (µs|ms|s), total [0-9.]+ (µs|ms|s)$`).MatchString(last) {
		t.Errorf("the last line is %q", last)
	}
}

// Allocations are those of a message, not of compiling its actors. Nothing is in the cache here.
func TestBenchCountsNoCompiling(t *testing.T) {
	clitest.NeedBundles(t)
	list := clitest.FromJSON[[]bench.Timing](t, edgefvm.OK(t, "bench", "--rounds", "1", "--json", "--no-cache", clitest.Golden("nv28-multisig-007")))
	if len(list) != 1 {
		t.Fatalf("%d messages", len(list))
	}
	m := list[0]
	if m.Vector != "nv28-multisig-007" || m.Message != 0 || m.Ours <= 0 || m.Theirs != 0 || m.Allocs == 0 || m.Bytes == 0 {
		t.Errorf("%+v", m)
	}
	const compiling = 1 << 20 // bytes; far below what compiling takes, far above what the message does
	if m.Bytes > compiling {
		t.Errorf("%d bytes allocated for a message", m.Bytes)
	}
}

func TestBenchAgainst(t *testing.T) {
	clitest.NeedBundles(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"bench", "--rounds", "2", "--against", self, clitest.Golden("nv28-multisig-007")}
	t.Setenv(clitest.EnvPeer, "answers")
	out := edgefvm.OK(t, args...)
	if !regexp.MustCompile(`(?m)^time of the reference( +1\.00 ms){4}$`).MatchString(out) {
		t.Errorf("the reference's times:\n%s", out)
	}
	if last := clitest.LastLine(out); !regexp.MustCompile(`^ratio p50 \d+\.\d\d p90 \d+\.\d\d total \d+\.\d\d$`).MatchString(last) {
		t.Errorf("the last line is %q", last)
	}
	if list := clitest.FromJSON[[]bench.Timing](t, edgefvm.OK(t, append(args, "--json")...)); list[0].Theirs != 1_000_000 {
		t.Errorf("%+v", list)
	}
	for mode, want := range map[string]string{
		"fails": "the reference: out of order", "ends": "the reference ended", "short": "the reference ran 0 of 1 messages",
	} {
		t.Setenv(clitest.EnvPeer, mode)
		r := edgefvm.Run(t, args...)
		if r.Code != kit.ExitFailed || !strings.Contains(r.Err, "left out: "+clitest.Golden("nv28-multisig-007")+": "+want) || !strings.Contains(r.Err, "edgefvm: nothing ran") || r.Out != "" {
			t.Errorf("%s: exit code %d\n%s%s", mode, r.Code, r.Out, r.Err)
		}
	}
	edgefvm.Fails(t, kit.ExitFailed, []string{"bench", "--against", filepath.Join(t.TempDir(), "missing"), clitest.Golden("nv28-send-001")}, "--against", "no such file")
}

func TestBenchCold(t *testing.T) {
	clitest.NeedBundles(t)
	out := edgefvm.OK(t, "bench", "--cold", "--rounds", "2", "--engine", "wazero,wazero-interpreter", clitest.Golden("nv28-send-001"), clitest.Golden("nv28-multisig-007"))
	clitest.Plain(t, out)
	for _, want := range []string{`(?m)^nv28-send-001$`, `(?m)^nv28-multisig-007$`, `(?m)^  wazero +[0-9.]+ (ms|s) +[0-9.]+ (ms|s) +0 +[0-9,]+$`} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("it does not match %s:\n%s", want, out)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(clitest.EnvPeer, "answers")
	list := clitest.FromJSON[[]bench.ColdTime](t, edgefvm.OK(t, "bench", "--cold", "--rounds", "1", "--json", "--against", self, clitest.Golden("nv28-multisig-007")))
	if len(list) != 2 || list[0].Engine != "wazero" || list[0].Gas == 0 || list[0].Least <= 0 || list[1].Engine != bench.ReferenceName || list[1].Least <= 0 {
		t.Errorf("%+v", list)
	}
	edgefvm.Fails(t, kit.ExitFailed, []string{"bench", "--cold", "--engine", "none", clitest.Golden("nv28-send-001")}, "nv28-send-001", "no engine")
}

// Interrupted, it tells what it measured until then.
func TestBenchInterrupted(t *testing.T) {
	clitest.NeedBundles(t)
	args := []string{"bench", "--rounds", "1", "--phases=false", clitest.Golden("nv28-send-001"), clitest.Goldens}
	for wait := time.Second; ; wait *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		r := edgefvm.RunWith(ctx, args...)
		cancel()
		if r.Code != kit.ExitInterrupted {
			t.Fatalf("exit code %d\n%.300s%s", r.Code, r.Out, r.Err)
		}
		if r.Out == "" { // nothing was measured yet
			if r.Err != "edgefvm: interrupted\n" || wait > time.Minute {
				t.Fatalf("after %s: %q", wait, r.Err)
			}
			continue
		}
		if !strings.Contains(r.Out, "\nmeasured ") || !regexp.MustCompile(`^Interrupted: \d+ of \d+ vectors ran\.$`).MatchString(clitest.LastLine(r.Out)) || r.Err != "" {
			t.Errorf("%s%s", r.Out, r.Err)
		}
		return
	}
}
