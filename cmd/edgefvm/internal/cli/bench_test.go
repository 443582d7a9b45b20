package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestBench(t *testing.T) {
	needBundles(t)
	out := ok(t, "bench", "--rounds", "1", golden("nv28-multisig-007"), filepath.Join(goldens, "nv28-multisig-007.trace.gz"))
	plain(t, out)
	for _, want := range []string{`(?m)^a message +p50 +p90 +max +total$`, `(?m)^time( +[0-9.]+ (µs|ms|s)){4}$`, `(?m)^allocations( +[0-9,]+){4}$`, `(?m)^bytes allocated( +[0-9,]+){4}$`} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("it does not match %s:\n%s", want, out)
		}
	}
	if last := lastLine(out); !regexp.MustCompile(`^measured 1 message of 1 vector on wazero, least of 1 round: p50 [0-9.]+ (µs|ms|s), total [0-9.]+ (µs|ms|s)$`).MatchString(last) {
		t.Errorf("the last line is %q", last)
	}
}

// Allocations are those of a message, not of compiling its actors. Nothing is in the cache here.
func TestBenchCountsNoCompiling(t *testing.T) {
	needBundles(t)
	list := fromJSON[[]timing](t, ok(t, "bench", "--rounds", "1", "--json", "--no-cache", golden("nv28-multisig-007")))
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
	needBundles(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bench := []string{"bench", "--rounds", "2", "--against", self, golden("nv28-multisig-007")}
	t.Setenv(envPeer, "answers")
	out := ok(t, bench...)
	if !regexp.MustCompile(`(?m)^time of the reference( +1\.00 ms){4}$`).MatchString(out) {
		t.Errorf("the reference's times:\n%s", out)
	}
	if last := lastLine(out); !regexp.MustCompile(`^ratio p50 \d+\.\d\d p90 \d+\.\d\d total \d+\.\d\d$`).MatchString(last) {
		t.Errorf("the last line is %q", last)
	}
	if list := fromJSON[[]timing](t, ok(t, append(bench, "--json")...)); list[0].Theirs != 1_000_000 {
		t.Errorf("%+v", list)
	}
	for mode, want := range map[string]string{
		"fails": "the reference: out of order", "ends": "the reference ended", "short": "the reference ran 0 of 1 messages",
	} {
		t.Setenv(envPeer, mode)
		r := run(t, bench...)
		if r.code != exitFailed || !strings.Contains(r.stderr, "left out: "+golden("nv28-multisig-007")+": "+want) || !strings.Contains(r.stderr, "edgefvm: nothing ran") || r.out != "" {
			t.Errorf("%s: exit code %d\n%s%s", mode, r.code, r.out, r.stderr)
		}
	}
	fails(t, exitFailed, []string{"bench", "--against", filepath.Join(t.TempDir(), "missing"), golden("nv28-send-001")}, "--against", "no such file")
}

func TestBenchCold(t *testing.T) {
	needBundles(t)
	out := ok(t, "bench", "--cold", "--rounds", "2", "--engine", "wazero,wazero-interpreter", golden("nv28-send-001"), golden("nv28-multisig-007"))
	plain(t, out)
	for _, want := range []string{`(?m)^nv28-send-001$`, `(?m)^nv28-multisig-007$`, `(?m)^  wazero +[0-9.]+ (ms|s) +[0-9.]+ (ms|s) +0 +[0-9,]+$`} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("it does not match %s:\n%s", want, out)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(envPeer, "answers")
	list := fromJSON[[]coldTime](t, ok(t, "bench", "--cold", "--rounds", "1", "--json", "--against", self, golden("nv28-multisig-007")))
	if len(list) != 2 || list[0].Engine != "wazero" || list[0].Gas == 0 || list[0].Least <= 0 || list[1].Engine != reference || list[1].Least <= 0 {
		t.Errorf("%+v", list)
	}
	fails(t, exitFailed, []string{"bench", "--cold", "--engine", "none", golden("nv28-send-001")}, "nv28-send-001", "no engine")
}
