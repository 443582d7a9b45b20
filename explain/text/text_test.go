package text_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/explain/text"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

var actors = vector.NewActors(bundle.Options{})

func explained(t *testing.T, name string) *explain.Explanation {
	t.Helper()
	if _, err := bundle.Open(t.Context(), bundle.Options{Progress: os.Stderr}); err != nil {
		t.Skipf("NOT RUN: it needs the actor bundles: %v", err)
	}
	v, err := vector.Load(filepath.Join("..", "..", "lab", "conformance", "testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	x, err := explain.Vector(t.Context(), v, explain.VectorOptions{Actors: actors})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// fits checks that text fits its columns, in colours and without, and that colours add nothing but colour.
func fits(t *testing.T, x *explain.Explanation) string {
	t.Helper()
	for _, columns := range []int{text.MinColumns, 80, text.DefaultColumns, 120} {
		var plain, coloured bytes.Buffer
		if err := errors.Join(text.Write(&plain, x, text.Options{Columns: columns}), text.Write(&coloured, x, text.Options{Columns: columns, Colour: true})); err != nil {
			t.Fatal(err)
		}
		if got := colour.ReplaceAllString(coloured.String(), ""); got != plain.String() || got == coloured.String() && x.Vector != "" {
			t.Errorf("%q: colours change the text", x.Vector)
		}
		for _, line := range strings.Split(plain.String(), "\n") {
			if layout.Width(line) > columns {
				t.Errorf("%q: a line of %d columns, want at most %d:\n%q", x.Vector, layout.Width(line), columns, line)
			}
			if line != strings.TrimRight(line, " ") {
				t.Errorf("%q: spaces at the end of %q", x.Vector, line)
			}
			if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x202e }) {
				t.Errorf("%q: control characters in %q", x.Vector, line)
			}
		}
	}
	return print(t, x, text.Options{})
}

func print(t *testing.T, x *explain.Explanation, o text.Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := text.Write(&out, x, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Vectors of each sort: a success with calls, failures, calls as deep as may be, events, texts from actors, no receipt.
func TestVectors(t *testing.T) {
	for name, wants := range map[string][]string{
		"nv28-createminer-003": {"└─ init f01 · Exec (1,000 FIL)"}, "nv28-evmcalls-027": {"Events\n  evm f0119 0xcfc859d4106c490d462e90fac34c039432fcf31e\n      t1=0x", "evm f0124                  new, head …"},
		"nv28-script-exit-003": {"Message 14 of 14", "✗ exit code"}, "nv28-script-nested-random-010": {"└─ actor f01015 · method 2 (read only)"}, "nv28-script-events-004": {"Events"},
		"nv28-preflight-005": {"✗ exit code 1, the sender is invalid"}, "nv28-implicit-005": {"(implicit)"}, "nv28-sendedge-019": {"✗ no receipt: the message can have no receipt", "The state did not change"},
		"nv20-script-random-003": {"└─ and 10", " calls below"}, "nv17-script-destroy-001": {"-98,800", "-39.7%", "gone, -0.000000001 FIL"}, "nv16-createminer-017": {"network version 16"},
		"nv28-onboard-035": {"TerminateSectors (method 9), value 0 FIL", "✓ exit code 0, ok · 57,960,614 gas of 57,965,814 (100.0%)", "├─ reward f02 · ThisEpochReward", "storagemarket f05 · deal-terminated id=0 client=104 provider=119", "nonce 21 → 22"},
	} {
		t.Run(name, func(t *testing.T) {
			out := fits(t, explained(t, name))
			for _, want := range append(wants, "\n✓ as expected: receipts, gas, state root, every gas charge.\n") {
				if !strings.Contains(out, want) {
					t.Errorf("it lacks %q:\n%s", want, out)
				}
			}
		})
	}
}

// One message of many.
func TestOneMessage(t *testing.T) {
	x := explained(t, "nv28-script-exit-003")
	if out := print(t, x, text.Options{Message: 2}); !strings.Contains(out, "Message 2 of 14") || strings.Count(out, "\nMessage ") != 1 {
		t.Errorf("message 2:\n%.300s", out)
	}
}

// traced explains a trace that no vector has.
func traced(t *testing.T, events ...trace.Event) *explain.Message {
	t.Helper()
	m, err := explain.Trace(explain.Applied{Trace: events}, explain.Options{ActorName: func(cid.Cid) (string, bool) { return "自分の俳優", true }})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A trace alone has its tree, and nothing that nobody knows.
func TestTraceAlone(t *testing.T) {
	call := &trace.Call{From: 100, To: addr.NewID(5), Method: 3, Value: big.NewInt(1500), ReadOnly: true}
	x := &explain.Explanation{Messages: []explain.Message{*traced(t, &trace.GasCharge{Name: "OnChainMessage", Compute: 1500}, call)}}
	want := `
  f0100 → f05
  method 3, value 1,500 attoFIL

Calls                                                          gas with calls        its own   share
  f05 · method 3 (1,500 attoFIL, read only)                                 0              0    0.0%
    ✗ no exit code
  inclusion and return on the chain                                                        2  100.0%

Gas by kind
  chain inclusion    ████████████████████████████████████████               2  100.0%
`
	if got := fits(t, x); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := fits(t, &explain.Explanation{Messages: []explain.Message{*traced(t)}}); got != "\n  there is no trace: no calls and no gas\n" {
		t.Errorf("an empty trace: %q", got)
	}
}

// Texts from outside, wide characters and huge amounts break neither the columns nor the terminal.
func TestTextsFromOutside(t *testing.T) {
	const nasty = "ｗｉｄｅ\x1b[31m\u202e\n表"
	huge := big.Exp(big.NewInt(10), big.NewInt(40))
	sixteen := exitcode.ExitCode(16)
	m := *traced(t,
		&trace.Call{From: 1, To: addr.NewID(5), Value: huge}, &trace.Invoke{ID: 5, Code: cid.MustParse("bafkqaaa")}, &trace.GasCharge{Name: nasty, Compute: 5000},
		&trace.Call{From: 5, To: addr.NewID(1<<64 - 1), Method: 1<<64 - 1, Value: big.NewInt(-5)}, &trace.Error{Errno: 99},
	)
	m.Exit, m.Meaning, m.Failure, m.GasLimit, m.GasUsed, m.Return = &sixteen, "illegal argument", strings.Repeat(nasty+" ", 100)+strings.Repeat("界", 300), 1<<62, 1<<61, strings.Repeat("ab", 1000)
	m.Fees = &explain.Fees{MinerTip: huge, BaseFeeBurn: huge.Neg()}
	m.Events = []explain.Event{{Emitter: 1<<64 - 1, Actor: nasty, Type: strings.Repeat(nasty, 30), Entries: []explain.EventEntry{
		{Key: "$type", Value: nasty}, {Key: nasty, Value: strings.Repeat("語", 200)}, {Key: strings.Repeat("鍵", 60), Value: "7"}, {Key: "last", Value: nasty},
	}}}
	m.Changes = []explain.Change{
		{ID: 1<<63 + 7, Actor: nasty + nasty + nasty + nasty, After: &explain.Actor{Head: cid.MustParse("bafkqaaa")}, Delta: huge},
		{ID: 8, Actor: "evm", Before: &explain.Actor{Code: cid.MustParse("bafkqaaa")}, After: &explain.Actor{Nonce: 1<<64 - 1}, Delta: huge.Neg()},
		{ID: 9, Before: &explain.Actor{}, Delta: big.Zero()},
	}
	x := &explain.Explanation{
		Vector: nasty, Comment: strings.Repeat("とても長い説明。", 40), NV: 28, Epoch: 5, Bundle: nasty, Engine: nasty, Messages: []explain.Message{m, m},
		Engines: &vector.EngineDifference{
			Primary: "a", Engine: "b", Agreed: []string{"c"}, Differences: []vector.Difference{{Field: nasty, Want: "1", Got: strings.Repeat("界", 100)}}, Expected: "b", Again: "again: " + nasty, Trace: nasty,
		},
		Verdict: &explain.Verdict{},
	}
	out := fits(t, x)
	for _, want := range []string{
		`ｗｉｄｅ\x1b[31m\u202e\n表`, "≠ b differed from a, with which c agreed:", "what b gave; the trace of a is in", "自分の俳優 f05 · Send", "✗ not run: error 99", "✗ not as expected:", "code bafkqaaa → b", "gone",
		"nonce 0 → 18446744073709551615", "f018446744073709551615",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
}

func TestWriteEvents(t *testing.T) {
	var out bytes.Buffer
	if err := text.WriteEvents(&out, nil, text.Options{}); err != nil || out.Len() != 0 {
		t.Errorf("no events: %q, %v", out.String(), err)
	}
	events := []explain.Event{{Emitter: 7, Entries: []explain.EventEntry{{Key: "t1", Value: "0x00"}}}, {Emitter: 8, Actor: "evm", Type: "sold"}}
	if err := text.WriteEvents(&out, events, text.Options{}); err != nil || out.String() != "\nEvents\n  f07 t1=0x00\n  evm f08 · sold\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

type broken struct{ after int }

var errPipe = errors.New("broken pipe")

func (b *broken) Write(p []byte) (int, error) {
	if b.after--; b.after < 0 {
		return 0, errPipe
	}
	return len(p), nil
}

// The first error of the writer is returned, wherever it comes.
func TestWriterFails(t *testing.T) {
	x := &explain.Explanation{Vector: "v", NV: 28, Messages: []explain.Message{*traced(t, &trace.Call{From: 1, To: addr.NewID(5), Value: abi.NewTokenAmount(0)})}, Verdict: &explain.Verdict{Matches: true}}
	lines := strings.Count(print(t, x, text.Options{}), "\n")
	for n := range lines {
		if err := text.Write(&broken{n}, x, text.Options{}); !errors.Is(err, errPipe) {
			t.Errorf("after %d lines: %v", n, err)
		}
	}
}
