package conformance

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample is a small golden vector with one message.
const sample = "nv28-send-001"

// edit writes a copy of the sample, changed, to a folder of its own and returns its path.
func edit(t *testing.T, change func(file map[string]any)) string {
	t.Helper()
	dir := t.TempDir()
	data, err := os.ReadFile(filepath.Join("testdata", sample+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	if err := dec.Decode(&file); err != nil {
		t.Fatal(err)
	}
	change(file)
	out, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	trace, err := os.ReadFile(filepath.Join("testdata", sample+".trace.gz"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, sample+".json")
	for p, d := range map[string][]byte{path: out, filepath.Join(dir, sample+".trace.gz"): trace} {
		if err := os.WriteFile(p, d, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func at(file map[string]any, keys ...string) map[string]any {
	for _, k := range keys {
		file = file[k].(map[string]any)
	}
	return file
}

func receipt(file map[string]any) map[string]any {
	return at(file, "postconditions")["receipts"].([]any)[0].(map[string]any)
}

func run(t *testing.T, path string, opts Options) Outcome {
	t.Helper()
	opts.Actors = actors
	rep, err := Run(context.Background(), []string{path}, opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Outcomes) != 1 {
		t.Fatalf("%d outcomes", len(rep.Outcomes))
	}
	return rep.Outcomes[0]
}

// A runner that compares nothing passes everything: each expectation, made wrong, must fail.
func TestEveryFieldIsCompared(t *testing.T) {
	other := map[string]any{"/": "bafy2bzacebogjbpiemi7npzxchgcjjki3tfxon4ims55obfyfleqntteljsea"}
	wrong := map[string]any{
		"exit_code": 77, "return": "AAAA", "gas_used": 1, "events_root": other, "penalty": "7", "miner_tip": "7",
		"base_fee_burn": "7", "over_estimation_burn": "7", "refund": "7", "gas_refund": 7, "gas_burned": 7,
	}
	if o := run(t, edit(t, func(map[string]any) {}), Options{}); o.Status != Passed {
		t.Fatalf("the sample itself: %+v", o)
	}
	for field, value := range wrong {
		o := run(t, edit(t, func(f map[string]any) { receipt(f)[field] = value }), Options{})
		if o.Status != Failed || len(o.Differences) != 1 || o.Differences[0].Field != field {
			t.Errorf("%s: %+v", field, o)
		}
	}
	o := run(t, edit(t, func(f map[string]any) { at(f, "postconditions", "state_tree")["root_cid"] = other }), Options{})
	if o.Status != Failed || len(o.Differences) != 1 || o.Differences[0].Field != "state_root" {
		t.Errorf("state root: %+v", o)
	}
	o = run(t, edit(t, func(f map[string]any) { receipt(f)["error"] = true }), Options{})
	if o.Status != Failed || o.Differences[0].Field != "receipt" {
		t.Errorf("a receipt where none may be: %+v", o)
	}
	o = run(t, edit(t, func(f map[string]any) {
		f["apply_messages"].([]any)[0].(map[string]any)["chain_len"] = 1000
		for k := range wrong {
			delete(receipt(f), k)
		}
	}), Options{})
	if o.Status != Failed || !strings.Contains(fmt.Sprint(o.Differences), "gas charge OnChainMessage") {
		t.Errorf("trace: %+v", o)
	}
}

// A message that must be refused is, and the rest of the vector goes on.
func TestNoReceipt(t *testing.T) {
	o := run(t, edit(t, func(f map[string]any) {
		f["apply_messages"].([]any)[0].(map[string]any)["bytes"] = "AAAA"
	}), Options{NoTrace: true})
	if o.Status != Failed || o.Differences[0].Field != "receipt" {
		t.Errorf("a message that does not decode: %+v", o)
	}
	o = run(t, edit(t, func(f map[string]any) {
		f["apply_messages"].([]any)[0].(map[string]any)["bytes"] = "AAAA"
		at(f, "postconditions")["receipts"] = []any{map[string]any{"error": true}}
		at(f, "postconditions", "state_tree")["root_cid"] = at(f, "preconditions", "state_tree")["root_cid"]
	}), Options{NoTrace: true})
	if o.Status != Passed {
		t.Errorf("expected to be refused: %+v", o)
	}
}

func TestSkips(t *testing.T) {
	path := edit(t, func(map[string]any) {})
	if o := run(t, path, Options{Skips: []Skip{{Vector: sample, Reason: "a test"}}}); o.Status != Failed || !strings.Contains(o.Error, "a test") {
		t.Errorf("a skip that passes: %+v", o)
	}
	path = edit(t, func(f map[string]any) { receipt(f)["gas_used"] = 1 })
	if o := run(t, path, Options{Skips: []Skip{{NetworkVersion: 28, Reason: "a test"}}}); o.Status != Skipped || o.Reason != "a test" {
		t.Errorf("a skip that fails: %+v", o)
	}
	for _, s := range Skips() {
		if s.Reason == "" || (s.Vector == "") == (s.NetworkVersion == 0) {
			t.Errorf("skip %+v: it needs a reason, and a vector or a network version", s)
		}
	}
	for _, o := range Overrides() {
		if o.Reason == "" || o.Vector == "" || o.Proofs == "" {
			t.Errorf("override %+v: it needs a reason", o)
		}
	}
}

func TestNothingRunIsFailure(t *testing.T) {
	rep, err := Run(context.Background(), nil, Options{})
	if err != nil || rep.OK() {
		t.Errorf("a run of nothing: %+v, %v", rep, err)
	}
	if (&Report{Skipped: 5}).OK() || (&Report{Passed: 5, Failed: 1}).OK() || !(&Report{Passed: 1}).OK() {
		t.Error("OK is wrong")
	}
}

func TestBadVectors(t *testing.T) {
	for name, c := range map[string]struct {
		change func(map[string]any)
		text   string
	}{
		"class":      {func(f map[string]any) { f["class"] = "tipset" }, `class is "tipset"`},
		"car":        {func(f map[string]any) { f["car"] = "H4sIAAAA" }, "state"},
		"no car":     {func(f map[string]any) { f["car"] = "" }, "state"},
		"no message": {func(f map[string]any) { f["apply_messages"] = []any{} }, "no messages"},
		"receipts":   {func(f map[string]any) { at(f, "postconditions")["receipts"] = []any{} }, "0 receipts"},
		"variants":   {func(f map[string]any) { at(f, "preconditions")["variants"] = []any{} }, "no variants"},
		"root":       {func(f map[string]any) { delete(at(f, "preconditions", "state_tree"), "root_cid") }, "pre-state root"},
		"proofs":     {func(f map[string]any) { at(f, "preconditions")["proofs"] = "maybe" }, `"maybe"`},
		"base fee":   {func(f map[string]any) { at(f, "preconditions")["basefee"] = json.Number("1.5") }, "basefee"},
		"bundle":     {func(f map[string]any) { at(f, "preconditions")["bundle"] = "v16x" }, "bundle name"},
		"no bundle":  {func(f map[string]any) { at(f, "preconditions")["bundle"] = "v99/mainnet" }, "no such bundle"},
		"trace":      {func(f map[string]any) { f["trace"] = "../../x" }, "not the name of a file"},
		"no trace":   {func(f map[string]any) { f["trace"] = "none.gz" }, "none.gz"},
		"nv":         {func(f map[string]any) { variant(f)["nv"] = 99 }, "99"},
		"randomness": {func(f map[string]any) { f["randomness"] = []any{map[string]any{"on": []any{"moon", 1}, "ret": ""}} }, "moon"},
	} {
		o := run(t, edit(t, c.change), Options{})
		if o.Status != Failed || !strings.Contains(o.Error+fmt.Sprint(o.Differences), c.text) {
			t.Errorf("%s: status %s, %q %v, want %q", name, o.Status, o.Error, o.Differences, c.text)
		}
	}
	path := filepath.Join(t.TempDir(), "x.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := run(t, path, Options{}); o.Status != Failed || !strings.Contains(o.Error, "x.json") {
		t.Errorf("not JSON: %+v", o)
	}
	if _, err := Find(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a path that is not there is found")
	}
}

func variant(file map[string]any) map[string]any {
	return at(file, "preconditions")["variants"].([]any)[0].(map[string]any)
}

// A state that lacks a block is this node's failure, never a receipt.
func TestMissingBlocks(t *testing.T) {
	// A CAR with a header and no block, whose root is the sample's.
	o := run(t, edit(t, func(f map[string]any) {
		f["car"] = base64.StdEncoding.EncodeToString([]byte("\x0e\xa2gversion\x01eroots\x80"))
	}), Options{NoTrace: true})
	if o.Status != Failed || o.Error == "" {
		t.Errorf("%+v", o)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	files, err := Find("testdata")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(ctx, files[:5], Options{Actors: actors}); !errors.Is(err, context.Canceled) {
		t.Errorf("error: %v", err)
	}
}
