package laboratory

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/lab/bench"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/lab/fuzz"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/lab/soak"
	"github.com/edgefvm/fvm/lab/sweep"
	"github.com/edgefvm/fvm/vector"
)

// printed is what a function writes on a page of so many columns.
func printed(columns int, print func(g *layout.Page)) string {
	var out bytes.Buffer
	g := term.NewPage(&out)
	g.Columns = columns
	print(g)
	return "\n" + out.String()
}

// golden compares what is seen, line by line. Spaces at the ends of lines do not count.
func golden(t *testing.T, name, got, want string) {
	t.Helper()
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(a), len(b)) {
		x, y := "nothing", "nothing"
		if i < len(a) {
			x = strings.TrimRight(a[i], " ")
		}
		if i < len(b) {
			y = strings.TrimRight(b[i], " ")
		}
		if x != y {
			t.Fatalf("%s: line %d is\n%s\nwant\n%s\nin\n%s", name, i, x, y, got)
		}
	}
}

// timings are made up: two messages of one scenario and one of another.
func timings(theirs bool) []bench.Timing {
	list := []bench.Timing{
		{Vector: "nv28-send-001", Scenario: "send", NV: 28, Gas: 1_000_000, Ours: 50_000, Allocs: 10, Bytes: 1000, Phases: bench.Phases{bench.Preflight: 60_000, bench.Flush: 20_000}},
		{Vector: "nv28-send-002", Scenario: "send", NV: 28, Gas: 1_000_000, Ours: 150_000, Allocs: 30, Bytes: 3000, Phases: bench.Phases{bench.Preflight: 120_000}},
		{Vector: "nv27-evm-001", Scenario: "evm", NV: 27, Gas: 5_000_000, Ours: 2_000_000, Allocs: 2000, Bytes: 5_000_000, Hashing: 200_000, Phases: bench.Phases{
			bench.Guest: 1_000_000, "syscalls ipld": 300_000, "syscalls self": 100_000, bench.Compile: 50_000, bench.Calls: 50_000, bench.Writes: 300_000,
		}},
	}
	for i, d := range []time.Duration{100_000, 0, 1_000_000} { // the second has none
		if theirs {
			list[i].Theirs, list[i].Phases = d, nil
		}
	}
	return list
}

func TestBenchText(t *testing.T) {
	alone := &bench.Report{Vectors: 3, Rounds: 2, Engines: []bench.EngineReport{{Name: "wazero", Engine: "wazero", Timings: timings(false)}}, Left: []bench.LeftOut{{Path: "x.json", Why: errors.New("no\x1b luck")}}}
	golden(t, "without a reference", printed(80, func(g *layout.Page) { printBench(g, alone) }), `
left out: x.json: no\x1b luck
a message                        p50           p90           max         total
time                          150 µs       2.00 ms       2.00 ms       2.20 ms
allocations                       30         2,000         2,000         2,040
bytes allocated                3,000     5,000,000     5,000,000     5,004,000

by scenario
                            messages      time p50        gas/ns    allocs p50
evm                                1       2.00 ms           2.5         2,000
send                               2         50 µs          10.0            10

by network version
                            messages      time p50        gas/ns    allocs p50
nv27                               1       2.00 ms           2.5         2,000
nv28                               2         50 µs          10.0            10

gas a nanosecond: 3.2 in all; below 10: 2 of 3 messages with gas; scenarios
  below it: evm

where the time goes
phase                          total         share     a message
preflight                     180 µs          9.0%         60 µs
calls                          50 µs          2.5%         17 µs
compile                        50 µs          2.5%         17 µs
guest                        1.00 ms         50.0%        333 µs
syscalls ipld                 300 µs         15.0%        100 µs
syscalls self                 100 µs          5.0%         33 µs
flush                          20 µs          1.0%          7 µs
store writes                  300 µs         15.0%        100 µs
of these, hashing             200 µs         10.0%         67 µs
applying took 1.68 ms with the clocks, 2.20 ms without

phases by scenario, in percent
                         preflight       calls instantiate       guest    syscalls store reads      settle       flush
evm                            0.0         5.6         0.0        55.6        22.2         0.0         0.0        16.7
send                          90.0         0.0         0.0         0.0         0.0         0.0         0.0        10.0

measured 3 messages of 3 vectors on wazero, least of 2 rounds: p50 150 µs, total 2.20 ms
`)
	two := &bench.Report{Vectors: 3, Rounds: 1, Engines: []bench.EngineReport{{Name: "a", Engine: "wasmedge-o0", Timings: timings(true)}, {Name: "b", Engine: "wazero", Timings: timings(true)[:1]}}}
	out := printed(80, func(g *layout.Page) { printBench(g, two) })
	first, second, _ := strings.Cut(out, "\nb\n")
	golden(t, "two engines with a reference", first+"\n", `
a
a message                        p50           p90           max         total
time                          150 µs       2.00 ms       2.00 ms       2.20 ms
time of the reference         100 µs       1.00 ms       1.00 ms       1.10 ms
allocations                       30         2,000         2,000         2,040
bytes allocated                3,000     5,000,000     5,000,000     5,004,000

by scenario
                          messages   ratio p10         p50         p90         p99       total      gas/ns  allocs p50
evm                              1        2.00        2.00        2.00        2.00        2.00         2.5       2,000
send                             2        0.50        0.50        0.50        0.50        0.50        10.0          10

by network version
                          messages   ratio p10         p50         p90         p99       total      gas/ns  allocs p50
nv27                             1        2.00        2.00        2.00        2.00        2.00         2.5       2,000
nv28                             2        0.50        0.50        0.50        0.50        0.50        10.0          10

gas a nanosecond: 3.2 in all; below 10: 2 of 3 messages with gas; scenarios
  below it: evm


`)
	if _, last, _ := strings.Cut(second, "messages with gas\n"); last != "\n\nmeasured 3 messages of 3 vectors on wasmedge-o0, least of 1 round\nratio p50 0.50 p90 2.00 total 1.86\nmeasured 1 message of 3 vectors on wazero, least of 1 round\nratio p50 0.50 p90 0.50 total 0.50\n" {
		t.Errorf("the last lines:\n%s", second)
	}
}

func TestColdText(t *testing.T) {
	list := []bench.ColdTime{
		{Engine: "wazero", Vector: "a", ExitCode: 17, Gas: 1_868_263, Least: 20_000_000, Median: 21_500_000},
		{Engine: bench.ReferenceName, Vector: "a", Least: 65 * time.Second, Median: 65 * time.Second},
		{Engine: "wazero", Vector: "b", Gas: 1, Least: 1_000_000, Median: 1_000_000},
	}
	golden(t, "cold", printed(80, func(g *layout.Page) { printCold(g, list, 1) }), `

from the start of a process to its first receipt
                               least        median     exit code           gas
a
  wazero                    20.00 ms      21.50 ms            17     1,868,263
  reference                  65.00 s       65.00 s             -             -
b
  wazero                     1.00 ms       1.00 ms             0             1
measured 1 process of each, after one to warm the caches
`)
}

func TestColdArgs(t *testing.T) {
	b := benching{}
	b.CacheDir, b.Bundles, b.NoCache, b.CARs = "cache", "bundles", true, []string{"a.car", "b.car"}
	if got := strings.Join(b.coldArgs("wazero", "v.json"), " "); got != "first-receipt --engine wazero --cache cache --bundles bundles --no-cache --bundle a.car --bundle b.car v.json" {
		t.Errorf("%s", got)
	}
	if got := strings.Join((&benching{}).coldArgs("wazero", "v.json"), " "); got != "first-receipt --engine wazero v.json" {
		t.Errorf("%s", got)
	}
}

func TestSoakText(t *testing.T) {
	var out bytes.Buffer
	r := &soak.Report{Engine: "wazero", OK: true, Warm: 1_500_000_000, Took: time.Minute, Messages: 12345, Faults: 20, Derefs: 9999, RSS: [2]int64{100 << 20, 101 << 20}, Threads: [2]int64{9, 10}}
	if err := printSoak(&out, r); err != nil {
		t.Fatal(err)
	}
	golden(t, "well", "\n"+out.String(), `
engine            wazero
warm-up           1.50 s
measured          60.00 s
messages          12,345
failed stores     20, each an error of the node and no receipt
nil dereferences  9,999, each recovered
memory            100 MB in the first quarter, 101 MB in the last
threads           9 in the first quarter, 10 in the last
nothing leaks, nothing differs
`)
	out.Reset()
	bad := &soak.Report{Engine: "wazero"}
	for range 25 {
		bad.Failures = append(bad.Failures, "a.json; differs\x07")
	}
	if err := printSoak(&out, bad); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.Count(s, "FAIL a.json; differs\\a\n") != 20 || !strings.Contains(s, "\nand 5 more\n") || strings.Contains(s, "memory") || strings.Contains(s, "nothing leaks") {
		t.Errorf("failures:\n%s", s)
	}
}

func TestSweepText(t *testing.T) {
	list := []sweep.Outcome{
		{Path: "good.json", Messages: 2, Charges: 10, Runs: 30},
		{Path: "bad.json", Messages: 1, Charges: 5, Runs: 15, Failures: 2, Limit: 1234, Unjudged: 1, Partly: 1, Gone: 1, Saved: "dir/x.json", Differences: []vector.Difference{{Message: 0, Field: "gas_used", Want: "1", Got: "2"}}},
		{Path: "broken.json", Error: "no\nluck"},
		{Path: "skipped.json", Skipped: "it has no messages"},
	}
	r := sumSweep(list)
	if r.Messages != 3 || r.Charges != 15 || r.Runs != 45 || r.Passed != 42 || r.Failed != 3 || r.Unjudged != 1 || r.Skipped != 1 || r.Partly != 1 || r.Gone != 1 {
		t.Errorf("%+v", r)
	}
	golden(t, "sweep", printed(80, func(g *layout.Page) { r.print(g, 20) }), `
FAIL bad.json
     2 of 15 runs fail
     first with gas limit 1234
     message 0 gas_used: want 1, got 2
     saved as dir/x.json
FAIL broken.json
     no; luck
3 messages of 4 vectors, cut or failed at 15 places, 1 of them not at every charge; 1 run without a receipt on either side
`)
	golden(t, "few failures", printed(80, func(g *layout.Page) { r.print(g, 0) }), `
and 2 more
3 messages of 4 vectors, cut or failed at 15 places, 1 of them not at every charge; 1 run without a receipt on either side
`)
	golden(t, "all well", printed(80, func(g *layout.Page) { sumSweep(list[:1]).print(g, 0) }), `
2 messages of 1 vector, cut or failed at 10 places
`)
}

func TestFuzzText(t *testing.T) {
	r := &fuzz.Report{
		Seed: 7, Took: 61 * time.Second, Speed: 12.3, Shown: []string{"a case\nof two lines"},
		Layers:   map[string]*fuzz.Tally{"wasm": {Cases: 10, Messages: 20, Passed: 19, Failed: 1, NoReceipt: 2, Spared: 5, Gone: 1, Unjudged: 3, Native: 4}, "evm": {Cases: 1, Messages: 1, Passed: 1}},
		Coverage: &fuzz.Coverage{Syscalls: map[string]int{"self::root 0": 3}, Charges: map[string]int{"OnChainMessage": 1}, Methods: map[string]int{}},
		Findings: []*fuzz.Finding{{Layer: "wasm", Seed: 7, Index: 5, NV: 28, Note: "a module", Differences: []vector.Difference{{Message: 1, Field: "exit_code", Want: "0", Got: "7"}}, Saved: "dir/a.json", Parts: 9, Left: 2}, {Layer: "evm", Seed: 7, Index: 6, NV: 18, Error: "the disk is full"}},
	}
	golden(t, "fuzz", printed(80, func(g *layout.Page) { printFuzz(g, r, true) }), `
a case; of two lines
DIFFERS layer wasm, seed 7, case 5, network version 28: a module
     message 1 exit_code: want 0, got 7
     saved as dir/a.json, with 2 of 9 parts
DIFFERS layer evm, seed 7, case 6, network version 18:
     could not be saved: the disk is full
evm              1 cases         1 messages         1 passed 0 failed, 0 without a receipt, 0 the reference was spared, 0 without a result on either side, 0 unjudged
wasm            10 cases        20 messages        19 passed 1 failed, 2 without a receipt, 5 the reference was spared, 1 without a result on either side, 3 unjudged, 4 decided by the reference's native stack
        3 self::root 0
        1 OnChainMessage
seed 7, 1m1s, 12 messages a second; reached 1 syscall results, 1 charges, 0 method results
`)
	if got := fuzzLine(r); got != "1m1s: 21 messages, 12 a second, 2 differences; reached 1 syscall results, 1 charges, 0 method results" {
		t.Errorf("the line of progress: %s", got)
	}
	if got := missing([]string{"a", "b"}) + missing(nil); got != "; not a, b" {
		t.Errorf("what is missing: %q", got)
	}
}

func TestAnswerText(t *testing.T) {
	a := &oracle.Answer{Root: "bafyroot", Results: []oracle.Result{
		{ExitCode: 16, GasUsed: 1234567, Return: []byte{0xca, 0xfe}, Penalty: "1", MinerTip: "2", BaseFeeBurn: "3", OverEstimationBurn: "4", Refund: "5", Failure: "it\nfailed"},
		{EventsRoot: "bafyevents", Penalty: "0", MinerTip: "0", BaseFeeBurn: "0", OverEstimationBurn: "0", Refund: "0"},
		{Error: "it\x1b[2J is lost"},
	}}
	golden(t, "answer", printed(80, func(g *layout.Page) { _ = printAnswer(g, a) }), `
message 0: exit code 16, 1,234,567 gas used, return cafe
  events root none
  penalty 1, miner tip 2, base fee burn 3, over-estimation burn 4, refund 5
  it; failed
message 1: exit code 0, 0 gas used, return
  events root bafyevents
  penalty 0, miner tip 0, base fee burn 0, over-estimation burn 0, refund 0
message 2: no receipt: it\x1b[2J is lost
state root bafyroot
`)
	a.Root = ""
	if out := printed(80, func(g *layout.Page) { _ = printAnswer(g, a) }); !strings.HasSuffix(out, "no state root: the reference lost its machine\n") {
		t.Errorf("%s", out)
	}
}

// The table of scenarios and network versions says what passed, what failed, and what was skipped.
func TestReportText(t *testing.T) {
	rep := &conformance.Report{Files: 5, Passed: 2, Failed: 2, Skipped: 1}
	for _, x := range []struct {
		scenario string
		nv       network.Version
		status   conformance.Status
	}{{"send", 28, conformance.Passed}, {"send", 18, conformance.Passed}, {"send", 28, conformance.Failed}, {"evm", 28, conformance.Skipped}, {"unreadable", 0, conformance.Failed}} {
		rep.Outcomes = append(rep.Outcomes, conformance.Outcome{Path: x.scenario + ".json", Scenario: x.scenario, NV: x.nv, Status: x.status, Reason: "known"})
	}
	rep.Outcomes[2].Variant, rep.Outcomes[2].Differences = "late", []vector.Difference{{Message: 0, Field: "gas_used", Want: "1", Got: "2"}}
	rep.Outcomes[4].Error = "it is empty"
	var out bytes.Buffer
	if err := printReport(&out, rep, 50, false, []string{"modules of x: 1 on O2"}); err != nil {
		t.Fatal(err)
	}
	golden(t, "report", "\n"+out.String(), `
FAIL send.json (late)
     message 0 gas_used: want 1, got 2
FAIL unreadable.json
     it is empty

skipped 1: known

scenario      none    nv18    nv28
evm              ·       ·       -
send             ·       1     1/2
unreadable     0/1       ·       ·
all            0/1       1     1/2

modules of x: 1 on O2
2 passed, 2 failed, 1 skipped
`)
	out.Reset()
	if err := printReport(&out, rep, 1, true, nil); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); !strings.Contains(s, "\nand 1 more failure (--failures N shows them)\n") || !strings.HasSuffix(s, "\nInterrupted: 3 of 5 vectors ran.\n2 passed, 2 failed, 1 skipped\n") {
		t.Errorf("%s", s)
	}
}

// Lines of progress say how far it is, on a terminal and in a log.
func TestProgressOfVectors(t *testing.T) {
	var out bytes.Buffer
	b := &verdicts{Progress: term.NewProgress(&out)}
	b.step(1, 2, &conformance.Outcome{Status: conformance.Failed, Name: "a"})
	b.step(2, 2, &conformance.Outcome{Status: conformance.Passed, Name: "b"})
	if b.failed != 1 || out.Len() != 0 {
		t.Errorf("%d failed; it wrote %q to what is no terminal", b.failed, out.String())
	}
}

// A soak tells on a terminal or in a log how far it is.
func TestShowSoak(t *testing.T) {
	var bars, lines []string
	to := &told{bar: func(done, all int, text string) { bars = append(bars, fmt.Sprint(done, "/", all, " ", text)) }, line: func(text string) { lines = append(lines, text) }}
	showSoak(to, soak.Progress{Warming: true, Begun: 3}, 5, time.Minute)
	showSoak(to, soak.Progress{Warming: true, Begun: 9}, 5, time.Minute)
	showSoak(to, soak.Progress{Messages: 1234, Sample: soak.Sample{At: 1900 * time.Millisecond, RSS: 50 << 20, Threads: 7}}, 5, time.Minute)
	showSoak(to, soak.Progress{Messages: 1, Sample: soak.Sample{At: 61 * time.Second}}, 5, time.Minute)
	if got := strings.Join(bars, "; "); got != "3/5 warming up; 5/5 warming up" {
		t.Errorf("bars: %s", got)
	}
	if got := strings.Join(lines, "; "); got != "2s of 1m0s: 1,234 messages, 50 MB, 7 threads; 1m0s of 1m0s: 1 message, 0 MB, 0 threads" {
		t.Errorf("lines: %s", got)
	}
}

type told struct {
	bar  func(done, all int, text string)
	line func(text string)
}

func (d *told) Bar(done, all int, text string) { d.bar(done, all, text) }
func (d *told) Line(text string)               { d.line(text) }

func TestSeedAndVersions(t *testing.T) {
	if n, err := seedOf("18446744073709551615"); err != nil || n != 1<<64-1 {
		t.Errorf("%d, %v", n, err)
	}
	a, errA := seedOf("random")
	b, errB := seedOf("random")
	if errA != nil || errB != nil || a == b {
		t.Errorf("two random seeds: %d, %d, %v, %v", a, b, errA, errB)
	}
	for _, s := range []string{"", "-1", "x", "1.5"} {
		if _, err := seedOf(s); err == nil {
			t.Errorf("%q is a seed", s)
		}
	}
	if nvs, err := versionsOf([]string{"18", "28"}); err != nil || len(nvs) != 2 || nvs[0] != 18 || nvs[1] != 28 {
		t.Errorf("%v, %v", nvs, err)
	}
	for _, s := range []string{"", "15", "x", "99999999999"} {
		if _, err := versionsOf([]string{s}); err == nil {
			t.Errorf("%q is a version", s)
		}
	}
}
